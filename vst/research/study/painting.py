"""Cases that paint one picture or the clip, and their measures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vst.api import make_job
from vst.checkpoint.fingerprint import fingerprint_input
from vst.core.types import OnProgress, Progress
from vst.engines import ENGINES
from vst.engines.base import Engine
from vst.engines.gatys import STAGE, GatysEngine
from vst.engines.options import group_engine_options, parse_engine_options
from vst.evaluation.measure import EvaluationOptions, evaluate
from vst.evaluation.results import Evaluation
from vst.job import NATIVE, Job
from vst.pipeline.estimate import WARM
from vst.pipeline.loop import PAINT
from vst.pipeline.parts import open_job_engine
from vst.pipeline.run import run
from vst.plotting.report import join_side_by_side
from vst.preview import paint_picture, read_first_picture
from vst.research.study.base import Case, CaseResult
from vst.research.study.content import StillJudge, Subject

PAINTED = "painted.mp4"
QUALITY = 12
"""Constant rate factor of the painted clips: what is lost is far below what is measured."""
MEASURED = {
    "warp": "warp",
    "style": "style",
    "content-ssim": "content_ssim",
    "adjacent-ssim": "adjacent_ssim",
    "adjacent-ssim-100": "adjacent_ssim_100",
    "variation": "variation",
}
"""Measures of a video -> the figures that they become."""
FLICKER = "Warp error, frame by frame"


def describe_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Describe options as the settings of a row: models by the content of their files, and an
    engine's own options with their defaults, which may change between versions.
    """
    engine = str(options.get("engine", Job.engine))
    own = dict(group_engine_options(options).get("engine_options", ()))
    filled = parse_engine_options(engine, own)
    defaults = asdict(filled) if filled is not None else {}
    files = {
        name: fingerprint_input(str(options[name]))
        for name in ("model", "mask")
        if options.get(name)
    }
    return {**defaults, **options, **files}


def build_still_case(
    name: str, subject: Subject, still: Path, judge: StillJudge, options: Mapping[str, Any]
) -> Case:
    """Build the case that paints the picture with a job's options; raises on a wrong value."""
    job = make_job(still, subject.styles, "", **{"size": NATIVE, **options})

    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        began = time.perf_counter()
        with open_job_engine(job, on_progress) as engine:
            opened, worked = time.perf_counter(), time.process_time()
            painted = paint_picture(job, engine)
            seconds, worked = time.perf_counter() - opened, time.process_time() - worked
            traced = read_trace(engine)
        figures = {"startup": opened - began, "seconds": seconds, "processor": worked}
        figures |= traced | judge.figures(read_first_picture(str(still)), painted)
        return CaseResult(figures, {"": painted})

    return Case(name, {**subject.fingerprint(), **describe_options(options)}, work)


def read_trace(engine: Engine) -> dict[str, float]:
    """Read steps and loss of an engine that optimizes; empty for the others."""
    if not isinstance(engine, GatysEngine) or engine.last is None:
        return {}
    last = engine.last
    return {"steps": last.steps, "loss_before": last.first, "loss": last.cost}


def build_film_case(name: str, subject: Subject, clip: Path, options: Mapping[str, Any]) -> Case:
    """Build the case that paints the clip with a job's options; raises on a wrong value."""
    build_film_job(subject, clip, Path(PAINTED), options)

    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        return paint_film(subject, clip, options, place, on_progress)

    known = {**subject.fingerprint(), **subject.span(), **describe_options(options)}
    return Case(name, known, work)


def paint_film(
    subject: Subject, clip: Path, options: Mapping[str, Any], place: Path, on_progress: OnProgress
) -> CaseResult:
    """Paint the clip and measure it against itself."""
    events: list[Progress] = []
    worked: list[Progress] = []

    def listen(progress: Progress) -> None:
        if progress.stage == PAINT:
            events.append(progress)
            worked.append(replace(progress, seconds=time.process_time() - began))
        if progress.stage != STAGE:  # steps within a frame: the frames tell enough
            on_progress(progress)

    output, began = place / PAINTED, time.process_time()
    result = run(build_film_job(subject, clip, output, options), listen)
    busy = time.process_time() - began
    evaluation = evaluate(
        str(output),
        str(clip),
        EvaluationOptions(
            styles=subject.styles, measures=list(MEASURED), predictor=subject.predictor
        ),
        on_progress,
    )
    return CaseResult(
        figures={
            "startup": result.startup,
            "seconds": result.seconds,
            "processor": busy,
            "seconds_per_frame": compute_seconds_per_frame(events, result.seconds, result.frames),
            "processor_per_frame": compute_seconds_per_frame(worked, busy, result.frames),
            **collect_figures(evaluation),
        },
        pictures={"": join_side_by_side(evaluation.videos[0].strip)},
        curves={FLICKER: evaluation.videos[0].scores["warp"].values},
        video=PAINTED,
        notes=[*result.warnings, *evaluation.warnings],
    )


def build_film_job(subject: Subject, clip: Path, output: Path, options: Mapping[str, Any]) -> Job:
    """Build the job that paints the clip; ``options`` win over the study's own."""
    given: dict[str, Any] = {"size": NATIVE, "audio": False, "crf": QUALITY, "overwrite": True}
    given |= options
    # A network that was trained for a style stands for it.
    alone = given.get("model") and ENGINES[str(given.get("engine"))].model_is_style
    return make_job(clip, () if alone else subject.styles, output, **given)


def compute_seconds_per_frame(events: Sequence[Progress], seconds: float, frames: int) -> float:
    """Compute the seconds for one more frame: one-time costs (building functions, closing the file)
    are left out if there are enough frames to separate them.
    """
    last = events[-1]
    warm = min(WARM, last.done // 3)
    first = next((event for event in events if event.done >= max(1, warm)), last)
    if last.done - first.done < 2:
        return seconds / max(1, frames)
    return (last.seconds - first.seconds) / (last.done - first.done)


def collect_figures(evaluation: Evaluation) -> dict[str, float]:
    """Return the measures of the painted video, under the names of a study."""
    video = evaluation.videos[0]
    found = {MEASURED[name]: score.total for name, score in video.scores.items()}
    return {**found, "warp_root": video.roots["warp"]}
