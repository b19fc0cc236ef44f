"""Measure painted videos against their content, and against each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vst.core.registry import make_unknown_error
from vst.core.types import OnProgress, ignore_progress
from vst.errors import UsageError
from vst.evaluation.comparison import measure_videos
from vst.evaluation.judging import (
    JUDGED_METRICS,
    PROTOCOL,
    Judging,
    StylePictures,
    find_pictures,
)
from vst.evaluation.results import Evaluation, VideoResult
from vst.evaluation.style_target import (
    StyleTarget,
    build_style_target,
    find_held_styles,
    get_predictor,
    read_styles_job,
    resolve_timeline,
)
from vst.evaluation.verdict import make_verdict
from vst.job import Job, compute_painting_size
from vst.metrics import METRICS
from vst.metrics.base import Metric
from vst.metrics.style import Predictor, StyleDistance
from vst.nets.judges import Judge
from vst.pipeline.parts import open_engine
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source
from vst.video.sources.base import Source

PREDICTOR = "embedded"
"""The engine whose predictor measures the style distance by default."""
FRESH_METRICS = ("structure", "tile-drift", "trail")
"""Measures that compare with the unstabilized painting."""
ALONE_METRICS = ("content-structure", "detail")
"""Measures that stand in for it where it is not known."""


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
    styles, job = options.styles, options.job
    against = tuple(dict.fromkeys([*options.against, *filter(None, [options.fresh])]))
    protocol, measures, judge = options.protocol, options.measures, options.judge
    size = PROTOCOL.side if protocol else options.size
    fresh = options.fresh or find_fresh(against)
    chosen = choose_metrics(fresh, bool(styles or job), measures, protocol)
    with ExitStack() as stack:
        film = stack.enter_context(open_source(content))
        sources = [stack.enter_context(open_source(path)) for path in (painted, *against)]
        info = film.info
        width, height = compute_painting_size(size, info.width, info.height, info.sample_aspect)
        warnings: list[str] = []
        named = Job(content, tuple(styles), "") if styles else None
        if job and named is None:
            named = read_styles_job(painted)
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
        metrics = [create_metrics(chosen, tools) for _ in sources]
        limit = PROTOCOL.frames if protocol else None
        measure_videos(evaluation, film, sources, metrics, limit, on_progress)
    if wanted is not None:
        evaluation.held = find_held_styles(wanted, evaluation.videos[0].frames)
    evaluation.verdict = make_verdict(evaluation)
    return evaluation


def make_options(options: EvaluationOptions | None, fields: Mapping[str, Any]) -> EvaluationOptions:
    """Make the options out of keywords; None stands for a default, as in earlier versions."""
    if options is not None and fields:
        raise UsageError(f"{', '.join(fields)}: given beside options. Put them into options")
    for name in fields.keys() - EvaluationOptions.__dataclass_fields__.keys():
        raise make_unknown_error("option", name, EvaluationOptions.__dataclass_fields__)
    given = {name: value for name, value in fields.items() if value is not None}
    return options or EvaluationOptions(**given)


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
    left_out = (*(ALONE_METRICS if fresh else FRESH_METRICS), *JUDGED_METRICS)
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
