"""The public functions: what the commands of the command line do, from Python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypedDict

from vst.core.fields import rename_aliases
from vst.core.paths import to_text
from vst.core.registry import make_unknown_error
from vst.core.timecode import parse_rate, parse_time
from vst.core.types import OnProgress, Picture, ignore_progress
from vst.engines.options import collect_option_fields, group_engine_options
from vst.job import Job
from vst.pipeline.checks import check_inputs
from vst.pipeline.parts import open_job_engine
from vst.pipeline.run import Result, run

if TYPE_CHECKING:
    from typing_extensions import Unpack

PathLike = str | os.PathLike[str]


class JobOptions(TypedDict, total=False):
    """The options of `stylize`: the fields of `Job`, then those of single engines.

    Times may be text ("1:02.5"), and so may rates ("30000/1001").
    """

    keyframes: int
    picker: str
    at: Sequence[float]
    score: PathLike | None
    painted: Sequence[str]
    size: int | str | None
    strength: float
    ease: str
    hold: float
    blend: str
    pace: str
    align: str
    order: str
    loop: bool
    brush: float
    colors: str
    lut: PathLike | None
    ghost: float
    speed: float
    mask: PathLike | None
    mask_background: PathLike
    mask_regions: PathLike | None
    mask_edge: str
    save_mask: PathLike | None
    engine: str
    model: PathLike | None
    stabilize: str
    quality: str
    steadiness: float
    start: float | str
    end: float | str | None
    audio: bool
    codec: str | None
    hdr: str
    crf: int | None
    fps: Fraction | float | str | None
    overwrite: bool
    first_number: int
    sidecar: PathLike | None
    keep_chunks: bool
    metadata: bool
    patience: float
    max_pixels: int
    max_frames: int
    max_memory: float | None
    threads: int | None
    batch: int | None
    # Engine embedded.
    precision: str
    # Engine gatys.
    backbone: str
    steps: int
    levels: int
    optimizer: str
    rate: float
    init: str
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    style_layer_weights: Sequence[float]
    scaling: str
    content_weight: float
    style_weight: float
    variation_weight: float
    early_stop: bool
    temporal_weight: float
    long_term_weight: float
    luminance: str
    previous_style: float
    keep_steps: str
    seed: int


def make_job(
    content: PathLike, styles: PathLike | Sequence[PathLike], output: PathLike, **options: Any
) -> Job:
    """Make a `Job` from paths and from options as users write them: `JobOptions`, and the earlier
    spellings of its names. Raises `UsageError` for an unknown option or a value of a wrong type.
    """
    several = isinstance(styles, Iterable) and not isinstance(styles, (str, os.PathLike))
    names: list[Any] = list(styles) if several else [styles]  # type: ignore[arg-type]
    known = Job.__dataclass_fields__
    options = group_engine_options(rename_aliases(Job, options))
    for name, value in options.items():
        if name not in known:
            raise make_unknown_error("option", name, [*known, *collect_option_fields()])
        if isinstance(value, list):
            options[name] = tuple(value)
        elif isinstance(value, os.PathLike):
            options[name] = os.fspath(value)
    for name in ("start", "end"):
        if options.get(name) is not None:
            options[name] = parse_time(options[name])
    if options.get("fps") is not None:
        options["fps"] = parse_rate(options["fps"])
    size = options.get("size")
    if isinstance(size, str) and size.isdigit():
        options["size"] = int(size)
    return Job(
        to_text("content", content),
        tuple(to_text("a style", name) for name in names),
        to_text("output", output),
        **options,
    )


def stylize(
    content: PathLike,
    styles: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    on_progress: OnProgress = ignore_progress,
    **options: Unpack[JobOptions],
) -> Result:
    """Paint the video ``content`` in the given styles, write it to ``output``, and return a report.

    ``styles``: one or more of a picture, a folder of pictures, a video, ``"@name"`` or ``"none"``.
    ``options``: see `JobOptions`.
    """
    return run(make_job(content, styles, output, **options), on_progress)


def stylize_picture(
    content: PathLike, styles: PathLike | Sequence[PathLike], **options: Unpack[JobOptions]
) -> Picture:
    """Paint one picture in an even mix of styles and return it, RGB uint8; ``options`` are those of
    `stylize`.
    """
    from vst.preview import paint_picture

    job = make_job(content, styles, "", **options)
    check_inputs(job, moving=False)
    with open_job_engine(job) as engine:
        return paint_picture(job, engine)
