"""Find the mistakes that a job's fields and its files' first bytes show, before an engine opens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vst.core.data_folder import PAINTERS
from vst.core.files import is_same_file
from vst.core.packages import require_tensorflow
from vst.core.paths import refuse_address
from vst.core.timecode import format_time
from vst.engines import ENGINES
from vst.engines.options import OptionPairs, parse_engine_options
from vst.errors import (
    MissingFileError,
    OutputExistsError,
    OutputFolderError,
    UnsupportedFileError,
    UsageError,
)
from vst.imaging.cube_file import check_cube
from vst.job import Job
from vst.keyframes import PICKERS
from vst.masks.open import DRAWN, open_mask, split_drawn
from vst.masks.regions import is_regions_folder, open_region, read_regions
from vst.pipeline.painted_keys import parse_painted
from vst.pipeline.sidecar import check_sidecar
from vst.plotting.basics import FORMATS
from vst.schedule.score import Score, read_score
from vst.schedule.timeline import NONE
from vst.styles.from_score import check_score_files, list_used_styles
from vst.styles.resolve import NETWORK_SUFFIX, PICTURE_SUFFIXES, check_style_exists
from vst.video.frame_names import locate_frames, locate_output, parse_output_names
from vst.video.sinks import can_keep_depth, detect_sink_kind
from vst.video.sources import STANDARD_STREAM, detect_source_kind, open_source
from vst.video.sources.hdr import KEEP

MODEL_FILES: dict[str, Callable[[Path], bool]] = {
    "embedded": lambda path: (path / "weights.json").is_file(),
    "magenta": lambda path: (
        (path / "saved_model.pb").is_file()
        or path.suffix == ".tflite"
        or any(path.glob("*.tflite"))
    ),
    "fast": lambda path: path.suffix == NETWORK_SUFFIX and path.is_file(),
}
"""Engine -> whether a path is a model of it, by the files alone."""
NEEDED_FILES = {
    "embedded": "'fast', 'fine', or a folder with weights.json, as `vst train embedded` writes it",
    "magenta": "a folder with saved_model.pb or .tflite files",
    "fast": "a .keras file, as `vst train fast` writes it",
}
"""Engine -> what its model is, in words."""


def check_job(job: Job, *, moving: bool = True) -> None:
    """Check a job's inputs, and what its options need.

    ``moving``: the content has to be a video or a folder of frames. Raises `UsageError`,
    `MissingFileError`, `UnsupportedFileError`, `OutputExistsError` or `MediaError`.
    """
    check_paths(job)
    check_inputs(job, moving=moving)
    check_engine_outputs(job)


def check_output_name(output: str) -> None:
    """Refuse an output without a file name, such as ``.`` or ``/``."""
    if Path(output).name.strip() in ("", ".."):
        raise UsageError(f"output {output!r} has no name. Give one such as out.mp4 or frames/")
    refuse_address("output", output)


def check_paths(job: Job) -> None:
    """Refuse missing inputs, and an output that exists or is an input, before a file is opened."""
    check_output_name(job.output)
    content, output = locate_frames(job.content), locate_output(job.output)
    refuse_address("content", job.content)
    if not content.exists() and job.content != STANDARD_STREAM:
        raise MissingFileError(
            f"content {job.content!r} does not exist. Give a video, a picture or a folder of frames"
        )
    for style in (*job.styles, job.mask_background):
        check_style_exists(style)
    inputs = [job.content, *job.styles, job.mask_background]
    inputs += [name for name in (job.mask, job.mask_regions, job.score, job.lut) if name]
    inputs += [text.partition("=")[2] for text in job.painted]
    for name in inputs:
        if name and not name.startswith("@") and is_same_file(locate_frames(name), output):
            raise UsageError(
                f"output {job.output!r} is also an input. Give the output another name"
            )
    if output.is_file() and not job.overwrite and job.output != STANDARD_STREAM:
        raise OutputExistsError(f"output {job.output!r} exists. Set overwrite=True to replace it")


def check_inputs(job: Job, *, moving: bool = True) -> None:
    """Check what a job reads: content, styles, mask and model."""
    check_mask_options(job)
    check_painted(job)
    check_sidecar(job)
    check_save_mask(job)
    check_first_number(job)
    check_hdr(job)
    check_regions(job)
    if job.lut is not None:
        check_lut(job.lut)
    PICKERS[job.picker](job.at)  # raises where it takes no times, or needs some
    check_content(job.content, moving=moving)
    for style in dict.fromkeys((*job.styles, job.mask_background)):
        check_style(style)
    if job.mask is not None:
        check_drawn(job, job.mask)
        open_mask(job.mask, limits=job.limits, content=job.content).close()
    check_model(job.engine, job.model)
    check_packages(job.engine, job.model, job.engine_options)


def check_packages(
    engine: str, model: str | None, options: Mapping[str, Any] | OptionPairs = ()
) -> None:
    """Raise `DependencyError` where an engine needs TensorFlow, and it is not installed."""
    use = ENGINES[engine].find_tensorflow_use(model, parse_engine_options(engine, options))
    if use:
        require_tensorflow(use)


def check_content(content: str, *, moving: bool = True, name: str = "content") -> None:
    """Check that a content exists and is a kind of file that is read."""
    kind = detect_source_kind(content)  # raises if nothing is there
    if kind == "picture" and moving:
        raise UsageError(
            f"{name} {content!r} is a picture: a job needs a video. Give a video or a folder of "
            "frames, or paint the picture with `vst image` or vst.stylize_picture"
        )
    if kind not in ("picture", "y4m"):  # standard input can be read once
        with open_source(content):
            pass


def check_style(style: str) -> None:
    """Check that a style holds at least one picture; opens its video, and no engine."""
    path = Path(style)
    if style == NONE or style.startswith("@") or path.suffix.lower() == NETWORK_SUFFIX:
        return
    if path.is_dir():
        if not any(one.suffix.lower() in PICTURE_SUFFIXES for one in path.iterdir()):
            raise UsageError(
                f"style folder {style!r} has no pictures. "
                f"Put some into it ({', '.join(sorted(PICTURE_SUFFIXES))})"
            )
        return
    try:
        if detect_source_kind(style) == "video":
            with open_source(style):
                pass
    except UnsupportedFileError as error:
        raise UnsupportedFileError(f"style {error}") from error


def check_mask_options(job: Job) -> None:
    """Refuse options of a mask where there is no mask."""
    has_mask = job.mask is not None or job.mask_regions is not None
    if not has_mask and job.score is None and job.mask_background != NONE:
        raise UsageError(
            f"mask_background {job.mask_background!r} without a mask: there is no background to "
            "paint. Set mask='auto', or leave mask_background out"
        )
    if not has_mask and job.mask_edge != Job.__dataclass_fields__["mask_edge"].default:
        raise UsageError(
            f"mask_edge {job.mask_edge!r} without a mask: there is no edge. Set mask='auto', or "
            "leave mask_edge out"
        )


def check_drawn(job: Job, mask: str) -> None:
    """Refuse masks that are followed through frames which the content does not have."""
    if mask.startswith(DRAWN) and job.speed != 1:
        raise UsageError(
            f"speed {job.speed:g} beside mask {mask!r}: it is followed from frame to frame of the "
            "content. Leave one of them out, or write the mask with save_mask first"
        )


def check_lut(lut: str) -> None:
    """Check that a lookup table exists and is whole."""
    if not Path(lut).is_file():
        raise MissingFileError(f"lut {lut!r} does not exist. Give a .cube file")
    check_cube(Path(lut))


def check_painted(job: Job) -> None:
    """Check the pictures painted over frames, and that the job can carry them."""
    if job.painted and job.speed != 1:
        raise UsageError(
            f"speed {job.speed:g} beside painted frames: they are carried from frame to frame of "
            "the content. Leave one of them out"
        )
    if job.painted and job.content == STANDARD_STREAM:
        raise UsageError(
            "painted frames of a stream: the content is read twice. Give a file as content"
        )
    for key in parse_painted(job.painted):
        if not Path(key.path).exists():
            raise MissingFileError(
                f"painted {key.path!r} does not exist. Give the picture that was painted over the "
                f"frame at {format_time(key.time)}"
            )
        if detect_source_kind(key.path) != "picture":
            raise UsageError(f"painted {key.path!r} is not a picture. Give one, such as a PNG")


def check_first_number(job: Job) -> None:
    """Refuse a number for the frames of an output that is not a folder."""
    default = Job.__dataclass_fields__["first_number"].default
    if job.first_number != default and detect_sink_kind(job.output) != "folder":
        raise UsageError(
            f"first_number {job.first_number}: output {job.output!r} is not a folder of frames. "
            "Leave it out, or give a folder"
        )


def check_regions(job: Job) -> None:
    """Check the regions' file or folder, and the masks, styles and scores that it names."""
    if job.mask_regions is None:
        return
    if job.mask is not None:
        raise UsageError(
            f"mask {job.mask!r} beside mask_regions. Write it into {job.mask_regions!r}, or leave "
            "one of them out"
        )
    if is_regions_folder(job.mask_regions):
        if job.score is not None:
            raise UsageError(
                f"score {job.score!r} beside a folder of regions: they take the styles in order. "
                "Give a YAML file with regions, each with its score"
            )
    elif job.mask_background != NONE:
        raise UsageError(
            f"mask_background {job.mask_background!r} beside a file of regions: the styles outside "
            "of them are those of the job. Give it as a style"
        )
    for region in read_regions(job.mask_regions, job.styles):
        check_drawn(job, region.mask)
        open_region(region, job.limits, content=job.content).close()
        for style in region.styles:
            check_style_exists(style)
            check_style(style)
        if region.score is not None:
            check_score_styles(read_score(region.score))


def check_hdr(job: Job) -> None:
    """Refuse to keep HDR where the output, or what happens on the way, has 8 bits."""
    if job.hdr != KEEP:
        return
    is_frames = detect_source_kind(job.content) == "folder"
    kind = detect_sink_kind(job.output)
    names = parse_output_names(job.output) if kind == "folder" else None
    is_exr = kind == "folder" and (names.codec if names else job.codec) == "exr"
    if is_frames and not is_exr:
        raise UsageError(
            f"hdr {KEEP!r} of frames: output {job.output!r} cannot hold it. Give EXR frames, such "
            "as painted/frame.####.exr"
        )
    if not is_frames and (kind != "video" or not can_keep_depth(job.output, job.codec)):
        raise UsageError(
            f"hdr {KEEP!r}: output {job.output!r} cannot hold it. Give a video in a codec of 10 "
            "bits: hevc, prores, prores4444, vp9 (.webm) or ffv1"
        )
    for name, is_given in (("lut", job.lut is not None), ("speed", job.speed != 1)):
        if is_given:
            raise UsageError(
                f"{name} beside hdr {KEEP!r}: what passes it has 8 bits. Leave one of them out"
            )


def check_save_mask(job: Job) -> None:
    """Refuse a name for the mask that cannot be written, or is in use."""
    if job.save_mask is None:
        return
    if job.mask is None and job.mask_regions is None:
        raise UsageError(f"save_mask {job.save_mask!r} without a mask. Set mask, or leave it out")
    target = locate_output(job.save_mask)
    is_folder = detect_sink_kind(job.save_mask) == "folder" and target == Path(job.save_mask)
    if job.mask_regions is not None and not is_folder:
        raise UsageError(
            f"save_mask {job.save_mask!r} with regions: each has a folder in it. Give a folder"
        )
    if detect_sink_kind(job.save_mask) not in ("video", "folder"):
        raise UsageError(
            f"save_mask {job.save_mask!r} is neither a video nor a folder. Give a name such as "
            "mask.mkv or mask/"
        )
    named = filter(None, (job.content, split_drawn(job.mask or "")[1], job.mask_regions))
    inputs = [locate_frames(name) for name in named]
    if locate_output(job.output).resolve() == target.resolve() or any(
        is_same_file(one, target) for one in inputs
    ):
        raise UsageError(f"save_mask {job.save_mask!r} is in use. Give the mask another name")
    if target.is_file() and not job.overwrite:
        raise OutputExistsError(
            f"save_mask {job.save_mask!r} exists. Set overwrite=True to replace it"
        )


def check_model(engine: str, model: str | None) -> None:
    """Refuse a model that belongs to another engine, by its files."""
    if model is None or (engine == "embedded" and model in PAINTERS):
        return
    if engine == "tint":
        raise UsageError(
            f"model {model!r}: engine 'tint' has no model. Leave the model out, or name another "
            "engine"
        )
    path = Path(model)
    if engine not in MODEL_FILES or not path.exists() or MODEL_FILES[engine](path):
        if engine == "embedded" and not path.exists():
            raise MissingFileError(
                f"model {model!r} does not exist. Give {NEEDED_FILES[engine]}, or leave the "
                "model out"
            )
        return
    owner = next((one for one, is_model in MODEL_FILES.items() if is_model(path)), None)
    remedy = f"Add engine={owner}" if owner else f"Give {NEEDED_FILES[engine]}"
    what = f"a model of engine {owner!r}" if owner else "not a model"
    raise UsageError(
        f"model {model!r} is {what}, but engine {engine!r} paints. {remedy}, or leave the model out"
    )


def check_picture_output(output: str, overwrite: bool) -> None:
    """Refuse a name for a picture that cannot be written."""
    path = Path(output)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"output {output!r} is not a picture. Give a name that ends in {', '.join(FORMATS)}"
        )
    if path.is_dir():
        raise OutputExistsError(f"output {output!r} is a folder. Give the picture a name in it")
    check_parent(output)
    if path.exists() and not overwrite:
        raise OutputExistsError(f"output {output!r} exists. Set overwrite=True to replace it")


def check_parent(output: str) -> None:
    """Refuse an output whose folder does not exist or cannot be written."""
    parent = Path(output).absolute().parent
    if not parent.is_dir():
        raise OutputFolderError(
            f"the folder of output {output!r} does not exist. Create it (mkdir -p "
            f"{Path(output).parent}), or give another one"
        )
    if not os.access(parent, os.W_OK):
        raise OutputFolderError(
            f"the folder of output {output!r} cannot be written: it permits no new files. Change "
            "its permissions, or give another one"
        )


def check_engine_outputs(job: Job) -> None:
    """Check the pictures that the engine writes besides the output."""
    path = dict(job.engine_options).get("keep_steps")
    if path:
        check_picture_output(path, job.overwrite)


def check_score_styles(score: Score) -> None:
    """Check that the styles that a score uses exist and hold pictures; errors name the style."""
    check_score_files(score)
    for name, source in list_used_styles(score).items():
        if source.path.startswith("@"):
            continue
        try:
            check_style(str(score.folder / source.path))
        except (UsageError, UnsupportedFileError) as error:
            where = f"{score.file or 'the score'}: styles: {name}"
            raise type(error)(f"{where}: {error}") from error
