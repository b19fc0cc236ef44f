"""Measure painted videos against their content, and against each other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core.registry import make_unknown_error
from vst.core.types import Embedding, OnProgress, Picture, Progress, ignore_progress
from vst.errors import MediaError, UsageError
from vst.evaluation.judging import (
    JUDGED_METRICS,
    PROTOCOL,
    Judging,
    StylePictures,
    find_pictures,
)
from vst.evaluation.results import Evaluation, MeasureResult, VideoResult
from vst.evaluation.verdict import make_verdict
from vst.imaging.resize import resize
from vst.job import Job, compute_painting_size
from vst.metrics import METRICS
from vst.metrics.base import MappedMetric, Metric
from vst.metrics.style import Predictor, StyleDistance
from vst.metrics.warp import WarpError
from vst.nets.judges import Judge
from vst.pipeline.parts import open_engine
from vst.schedule.timeline import Timeline, blend_embeddings
from vst.styles.resolve import ResolvedStyle, check_space, resolve_styles
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
FRESH_METRICS = ("structure", "tile-drift", "trail")
"""Measures that compare with the unstabilized painting."""
HELD = 0.002
"""Change of the style numbers from frame to frame, of their length, up to which a style is held."""
THUMB = 110
"""Their height in pixels."""


@dataclass(frozen=True)
class EvaluationOptions:
    """What is measured, and with what the video was painted.

    ``styles``: what it was painted with, as `vst stylize` takes it, in order over the whole length;
    ``job``: take that from the job written into the painted file. Without either there is no style
    distance. ``against``: other paintings of the same content. ``measures``: names out of
    `METRICS` (default: all that can be taken). ``predictor``: the engine that judges the style.
    ``fresh``: the unstabilized painting of the same job
    (default: the one of ``against`` that was painted so), against which structure, tile drift and
    trail are measured; without one, structure is measured against the content's own edges.
    ``size``: short side at which is compared (default: the content's own, at most 512). ``judge``:
    networks that measure LPIPS and Gram distances. ``protocol``: measure as docs/protocol.md says;
    it sets measures, size, and the number of frames.
    """

    styles: Sequence[str] = ()
    job: bool = False
    against: Sequence[str] = ()
    measures: Sequence[str] = ()
    predictor: str = PREDICTOR
    size: int | None = None
    fresh: str | None = None
    judge: Judge | None = None
    protocol: bool = False

    def __post_init__(self) -> None:
        for name in self.measures:
            if name not in METRICS:
                raise make_unknown_error("measure", name, METRICS)
        if self.protocol and (self.measures or self.size):
            raise UsageError("the protocol sets measures and size. Leave out --measure and --size")


def evaluate(
    painted: str,
    content: str,
    options: EvaluationOptions | None = None,
    on_progress: OnProgress = ignore_progress,
    **fields: Any,
) -> Evaluation:
    """Measure ``painted`` (a video or a folder of frames), frame by frame against ``content``.

    ``fields``: those of `EvaluationOptions` as keywords, instead of ``options``.
    """
    options = make_options(options, fields)
    styles, job, against = options.styles, options.job, list_compared(options)
    protocol, measures, judge = options.protocol, options.measures, options.judge
    size = PROTOCOL.side if protocol else options.size
    fresh = options.fresh or find_fresh(against)
    has_style = bool(styles or job)
    chosen = choose_metrics(fresh, has_style, measures, protocol)
    with ExitStack() as stack:
        film = stack.enter_context(open_source(content))
        sources = [stack.enter_context(open_source(path)) for path in (painted, *against)]
        info = film.info
        width, height = compute_painting_size(size, info.width, info.height, info.sample_aspect)
        warnings: list[str] = []
        named = None
        if has_style:
            named = Job(content, tuple(styles), "") if styles else read_styles_job(painted)
        judging = make_judging(judge, named, film, (width, height), warnings)
        if judging and not measures:
            chosen += judging.list_metrics()
        wanted, predict = None, None
        if not protocol and (named or "tile-drift" in chosen):
            engine = stack.enter_context(open_engine(options.predictor))
            predict = get_predictor(engine, options.predictor)
            wanted = build_style_target(named, engine, options.predictor, film) if named else None
        evaluation = Evaluation(
            content=content,
            rate=float(info.rate),
            size=(width, height),
            videos=[VideoResult(path) for path in (painted, *against)],
            predictor=options.predictor if wanted else None,
            fresh=fresh,
            judge=judge.names if judge else None,
            protocol=PROTOCOL.name if protocol else None,
            warnings=warnings,
        )
        tools = MeasureTools(predict, wanted, judging)
        each = [create_metrics(chosen, tools) for _ in sources]
        measure_videos(evaluation, film, sources, each, on_progress)
    if wanted is not None:
        evaluation.held = find_held_styles(wanted, evaluation.videos[0].frames)
    evaluation.verdict = make_verdict(evaluation)
    return evaluation


def make_options(options: EvaluationOptions | None, fields: Mapping[str, Any]) -> EvaluationOptions:
    """Make the options out of keywords; None stands for a default, as in earlier versions."""
    if options is not None and fields:
        raise UsageError(f"{', '.join(fields)}: given beside options. Put them into options")
    given = {name: value for name, value in fields.items() if value is not None}
    return options or EvaluationOptions(**given)


def list_compared(options: EvaluationOptions) -> tuple[str, ...]:
    """List the other paintings of the content, the unstabilized one among them."""
    return tuple(dict.fromkeys([*options.against, *filter(None, [options.fresh])]))


def find_fresh(paths: Sequence[str]) -> str | None:
    """The first of the videos that was painted without a stabilizer, by the job written into it."""
    for path in paths:
        text = read_job(Path(path)) if Path(path).is_file() else None
        plain = json.loads(text) if text else {}
        if plain.get("stabilize") == "off" or plain.get("steadiness") == 0:
            return path
    return None


def choose_metrics(
    fresh: str | None, has_style: bool, measures: Sequence[str], protocol: bool
) -> list[str]:
    """The measures that were asked for, or those that can be taken without a judge."""
    if "style" in measures and not has_style:
        raise UsageError("the style distance needs --style or --job: what was it painted with?")
    if fresh is None and any(name in FRESH_METRICS for name in measures):
        raise UsageError("no unstabilized painting was given to compare with. Give it with --fresh")
    if measures:
        return list(measures)
    if protocol:
        return [name for name in PROTOCOL.measures if name not in JUDGED_METRICS]
    left_out = (*(("content-structure",) if fresh else FRESH_METRICS), *JUDGED_METRICS)
    return [name for name in METRICS if name not in left_out and (name != "style" or has_style)]


def make_judging(
    judge: Judge | None, job: Job | None, film: Source, size: tuple[int, int], warnings: list[str]
) -> Judging | None:
    """Join the judge and the pictures of the job's styles; a warning where they have none."""
    if judge is None:
        return None
    if judge.lpips is None:
        warnings.append(
            f"LPIPS is left out: {', '.join(judge.names)} has no LPIPS heads (docs/protocol.md)"
        )
    styles = None
    if job is not None:
        resolved, line = resolve_timeline(job, film)
        found = find_pictures(resolved)
        if isinstance(found, str):
            warnings.append(found)
        else:
            styles = StylePictures(found, line, float(film.info.rate))
    return Judging(judge, styles, *size)


def find_held_styles(wanted: StyleTarget, count: int) -> list[bool]:
    """For each frame, whether its style is nearly that of the frame before."""
    targets = [wanted(index) for index in range(count)]
    return [
        index == 0 or float(np.linalg.norm(target - targets[index - 1])) <= HELD * _norm(target)
        for index, target in enumerate(targets)
    ]


def _norm(target: Embedding) -> float:
    return float(np.linalg.norm(target))


@dataclass(frozen=True)
class MeasureTools:
    """What some measures need: a predictor, the style that each frame should have, a judge."""

    predict: Predictor | None
    wanted: StyleTarget | None
    judging: Judging | None


def create_metrics(names: Sequence[str], tools: MeasureTools) -> dict[str, Metric]:
    """Create one of each measure, for one video."""
    found: dict[str, Metric] = {}
    for name in names:
        if name == "style" and tools.predict and tools.wanted:
            found[name] = StyleDistance(tools.predict, tools.wanted)
        elif name == "tile-drift":
            found[name] = METRICS[name](tools.predict)
        elif name in JUDGED_METRICS:
            if tools.judging is None:
                raise UsageError(f"measure {name!r} needs a judge. Give one with --judge")
            found[name] = tools.judging.create_metric(name)
        else:
            found[name] = METRICS[name]()
    return found


def get_predictor(engine: Any, name: str) -> Predictor:
    """What measures the style numbers of a picture; raises `UsageError` for an engine without."""
    if not hasattr(engine, "embed"):
        raise UsageError(f"engine {name!r} has no style embeddings; choose another predictor")
    embed: Predictor = engine.embed
    return embed


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


def resolve_timeline(job: Job, film: Source) -> tuple[list[ResolvedStyle], Timeline]:
    """The job's styles, and when each is painted over the film."""
    resolved = resolve_styles(job.styles, keyframes=job.keyframes, picker=job.picker)
    last = max(0.0, film.info.duration - 1 / float(film.info.rate))
    names = [style.name for style in resolved]
    return resolved, Timeline.through(names, last, ease=job.ease, blend=job.blend)


def build_style_target(job: Job, engine: Any, name: str, film: Source) -> StyleTarget:
    """The style numbers that each frame should have."""
    resolved, line = resolve_timeline(job, film)
    check_space(resolved, name, engine.space)
    numbers = {
        style.name: np.asarray(style.style, np.float32)
        if style.space
        else engine.embed(style.picture)
        for style in resolved
    }

    def wanted(index: int) -> Embedding:
        mix = line.at(index / float(film.info.rate))
        return blend_embeddings(
            [numbers[name] for name in mix.weights], list(mix.weights.values()), mix.blend
        )

    return wanted


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
    worst: list[dict[str, list[Any]]] = [{name: [] for name in each} for each in measures]
    paths = [video.path for video in evaluation.videos]
    fresh = paths.index(evaluation.fresh) if evaluation.fresh in paths else 0
    total = min(source.info.frames for source in (film, *sources))
    limit = PROTOCOL.frames if evaluation.protocol else None
    total = min(total, limit or total)
    if total == 1:
        shortest = min((film, *sources), key=lambda source: source.info.frames).info.path
        raise UsageError(
            f"{shortest} has one frame: flicker is measured from frame to frame. "
            "Give videos of two frames or more"
        )
    at = {int((i + 0.5) * total / STRIP) for i in range(STRIP)}
    thumb = (max(1, round(width * THUMB / height)), THUMB)
    cuts, started, count = CutDetector(), time.perf_counter(), 0
    together = islice(iterate_together(film, sources, evaluation), limit)
    for index, pictures in enumerate(together):
        content, *paintings = (
            resize(picture, width, height, cv2.INTER_AREA) for picture in pictures
        )
        if index in at:
            evaluation.strip.append(resize(content, *thumb, cv2.INTER_AREA))
            evaluation.strip_frames.append(index)
        cut = cuts.is_cut(content)
        if cut:
            evaluation.cuts.append(index)
        rows = zip(evaluation.videos, measures, values, worst, paintings)
        for video, each, found, places, painting in rows:
            for name, measure in each.items():
                if cut:
                    measure.reset()
                reference = content if measure.reference == "content" else paintings[fresh]
                found[name].append(measure.add(reference, painting))
                places[name].append(getattr(measure, "worst_place", None))
            if index in at:
                video.strip.append(resize(painting, *thumb, cv2.INTER_AREA))
                flicker = each.get("warp")
                if isinstance(flicker, WarpError):
                    found_map = flicker.last_map
                    empty = np.zeros((height, width), np.float32)
                    video.strip_maps.append(
                        cv2.resize(empty if found_map is None else found_map, thumb)
                    )
            video.frames += 1
        count = index + 1
        on_progress(Progress("measure", count, total, time.perf_counter() - started))
    if not count:
        raise MediaError(f"{evaluation.content} has no frame that can be compared")
    for video, each, found, where in zip(evaluation.videos, measures, values, worst):
        for name, measure in each.items():
            result = measure.total(found[name])
            video.scores[name] = MeasureResult(
                found[name], result, measure.better, measure.unit, measure.good, measure.meaning,
                where[name],
            )  # fmt: skip
            if isinstance(measure, MappedMetric):
                mean = measure.maps.mean()
                if mean is not None:
                    video.maps[measure.map_title] = mean
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
                    f"{', '.join(map(str, ended))} ends after {count} frames, before the others: "
                    "only these were compared"
                )
            return
        yield pictures
        count += 1
