"""Measure painted videos against their content, and against each other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core.registry import make_unknown_error
from vst.core.types import Embedding, OnProgress, Picture, Progress, ignore_progress
from vst.errors import MediaError, UsageError
from vst.evaluation.results import Evaluation, MeasureResult, VideoResult
from vst.imaging.resize import resize
from vst.job import Job, painting_size
from vst.metrics import METRICS
from vst.metrics.base import Metric
from vst.metrics.style import Predictor, StyleDistance
from vst.metrics.warp import WarpError
from vst.pipeline.parts import open_engine
from vst.schedule.timeline import Timeline, blend_embeddings
from vst.styles.resolve import check_space, resolve_styles
from vst.video.scene_cuts import CutDetector
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source
from vst.video.sources.base import Source

PREDICTOR = "embedded"
"""The engine whose predictor measures the style distance by default."""
StyleTarget = Callable[[int], Embedding]
"""Index of a frame -> the style embedding that it should have."""
STRIP = 8
"""Thumbnails in a strip."""
THUMB = 110
"""Their height in pixels."""


def evaluate(
    painted: str,
    content: str,
    *,
    styles: Sequence[str] = (),
    job: bool = False,
    against: Sequence[str] = (),
    measures: Sequence[str] | None = None,
    predictor: str = PREDICTOR,
    size: int | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Evaluation:
    """Measure ``painted`` (a video or a folder of frames), frame by frame against ``content``.

    ``styles``: what it was painted with, as `vst stylize` takes it, in order over the whole length;
    ``job``: take that from the job written into the painted file. Without either there is no style
    distance. ``against``: other paintings of the same content. ``measures``: names out of
    `METRICS` (default: all that can be taken). ``size``: short side at which is compared (default:
    the content's own, at most 512).
    """
    for name in measures or ():
        if name not in METRICS:
            raise make_unknown_error("measure", name, METRICS)
    with ExitStack() as stack:
        film = stack.enter_context(open_source(content))
        sources = [stack.enter_context(open_source(path)) for path in (painted, *against)]
        info = film.info
        width, height = painting_size(size, info.width, info.height, info.sample_aspect)
        wanted, predict = None, None
        if styles or job:
            named = (
                read_styles_job(painted) if job and not styles else Job(content, tuple(styles), "")
            )
            engine = stack.enter_context(open_engine(predictor))
            wanted, predict = build_style_target(named, engine, predictor, film)
        elif measures and "style" in measures:
            raise UsageError("the style distance needs --style or --job: what was it painted with?")
        chosen = list(measures) if measures else [n for n in METRICS if n != "style" or wanted]
        evaluation = Evaluation(
            content=content,
            rate=float(info.rate),
            size=(width, height),
            videos=[VideoResult(path) for path in (painted, *against)],
            predictor=predictor if wanted else None,
        )
        each = [create_metrics(chosen, predict, wanted) for _ in sources]
        measure_videos(evaluation, film, sources, each, on_progress)
    return evaluation


def create_metrics(
    names: Sequence[str], predict: Predictor | None, wanted: StyleTarget | None
) -> dict[str, Metric]:
    """Create one of each measure, for one video."""
    return {
        name: StyleDistance(predict, wanted)
        if name == "style" and predict and wanted
        else METRICS[name]()
        for name in names
    }


def read_styles_job(painted: str) -> Job:
    """Read the job that is stored in a painted file."""
    text = read_job(Path(painted))
    if text is None:
        raise MediaError(f"{painted} has no job in its metadata; give its styles")
    known = {
        name: value for name, value in json.loads(text).items() if name in Job.__dataclass_fields__
    }
    # Paths in the metadata are relative to the file that carries it.
    folder = Path(painted).parent
    names = tuple(
        str(folder / name) if (folder / name).exists() else name for name in known.pop("styles", ())
    )
    if not names:
        raise MediaError(
            f"{painted} was painted by a score; say with --style what a part of it was painted "
            "with, or leave the style distance out"
        )
    kept = {n: known[n] for n in ("keyframes", "picker", "ease", "blend", "strength") if n in known}
    return Job(known.get("content", ""), names, "", **kept)


def build_style_target(
    job: Job, engine: Any, name: str, film: Source
) -> tuple[StyleTarget, Predictor]:
    """The style numbers that each frame should have, and what measures those that it has."""
    if not hasattr(engine, "embed"):
        raise UsageError(f"engine {name!r} has no style embeddings; choose another predictor")
    resolved = resolve_styles(job.styles, keyframes=job.keyframes, picker=job.picker)
    check_space(resolved, name, engine.space)
    numbers = {
        style.name: np.asarray(style.style, np.float32)
        if style.space
        else engine.embed(style.picture)
        for style in resolved
    }
    last = max(0.0, film.info.duration - 1 / float(film.info.rate))
    line = Timeline.through(list(numbers), last, ease=job.ease, blend=job.blend)

    def wanted(index: int) -> Embedding:
        mix = line.at(index / float(film.info.rate))
        return blend_embeddings(
            [numbers[name] for name in mix.weights], list(mix.weights.values()), mix.blend
        )

    return wanted, engine.embed


def measure_videos(
    evaluation: Evaluation,
    film: Source,
    sources: Sequence[Source],
    measures: Sequence[dict[str, Metric]],
    on_progress: OnProgress,
) -> None:
    """Measure all videos side by side, frame by frame; fill in the evaluation."""
    width, height = evaluation.size
    values: list[dict[str, list[float]]] = [{name: [] for name in each} for each in measures]
    total = film.info.frames
    at = {round((i + 0.5) * total / STRIP) for i in range(STRIP)}
    cuts, started, count = CutDetector(), time.perf_counter(), 0
    for index, pictures in enumerate(iterate_together(film, sources, evaluation)):
        content, *paintings = (
            resize(picture, width, height, cv2.INTER_AREA) for picture in pictures
        )
        cut = cuts.is_cut(content)
        if cut:
            evaluation.cuts.append(index)
        for video, each, found, painting in zip(evaluation.videos, measures, values, paintings):
            for name, measure in each.items():
                if cut:
                    measure.reset()
                found[name].append(measure.add(content, painting))
            if index in at:
                video.strip.append(
                    resize(painting, round(width * THUMB / height), THUMB, cv2.INTER_AREA)
                )
            video.frames += 1
        count = index + 1
        on_progress(Progress("measure", count, total, time.perf_counter() - started))
    if not count:
        raise MediaError(f"{evaluation.content} has no frame that can be compared")
    for video, each, found in zip(evaluation.videos, measures, values):
        for name, measure in each.items():
            score = MeasureResult(
                found[name], measure.total(found[name]), measure.better, measure.unit
            )
            video.scores[name] = score
            if isinstance(measure, WarpError):
                video.roots[name] = measure.root()
                if measure.lag == 1:
                    video.flicker = measure.flicker_map()


def iterate_together(
    film: Source, sources: Sequence[Source], evaluation: Evaluation
) -> Iterator[list[Picture]]:
    """The content's frame and each painting's, as far as all of them go; a warning where one ends
    before the others.
    """
    streams = [film.frames(), *(source.frames() for source in sources)]
    names = [evaluation.content, *(video.path for video in evaluation.videos)]
    count = 0
    while True:
        frames = [next(stream, None) for stream in streams]
        pictures = [frame.picture for frame in frames if frame is not None]
        if len(pictures) < len(frames):
            if pictures:
                ended = [name for name, frame in zip(names, frames) if frame is None]
                evaluation.warnings.append(
                    f"{', '.join(ended)} ends after {count} frames, before the others: "
                    "only these were compared"
                )
            return
        yield pictures
        count += 1
