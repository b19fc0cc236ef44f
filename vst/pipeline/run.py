"""Doing a job: builds the parts, runs them, says what was done; or how long it would take."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vst.checkpoint.fingerprint import fingerprint_styles
from vst.checkpoint.sink import ChunkSink
from vst.checkpoint.store import ChunkFolder
from vst.core.html_repr import shown
from vst.core.timecode import format_time
from vst.core.types import OnProgress, Progress, VideoInfo, silent
from vst.engines import ENGINES
from vst.engines.base import Engine
from vst.engines.choices import Pairs, options_of
from vst.errors import MediaError
from vst.job import Job, check_paths, describe, painting_size
from vst.masks.base import Mask
from vst.masks.open import make_edge, open_mask
from vst.pipeline.build_schedule import Schedule, build_schedule, read_job_score
from vst.pipeline.loop import PAINT, LoopResult, PipelineParts
from vst.pipeline.memory_estimate import estimate_memory
from vst.pipeline.painter import FramePainter
from vst.pipeline.session import (
    ChangeGuard,
    RenderSession,
    RunControl,
    check_limits,
    count_frames,
    open_chunks,
    watch_output,
)
from vst.stabilizers import STABILISERS
from vst.styles.resolve import ResolvedStyle
from vst.video.retime import Ghost, plan_sound
from vst.video.sinks import open_sink
from vst.video.sinks.base import Sink, SinkSpec
from vst.video.sources import open_source


@dataclass(frozen=True)
class Result:
    """What a job did. ``seconds``: from the first frame read to the finished file; ``startup``:
    what went before.
    """

    output: str
    frames: int
    fps: str
    seconds: float
    startup: float
    frames_per_second: float
    engine: str
    keyframes: list[dict[str, Any]]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    def __getitem__(self, key: str) -> Any:
        return self.as_dict()[key]

    def _repr_html_(self) -> str:
        return shown("result", self)


@dataclass(frozen=True)
class Estimate:
    """What a job would do: the sizes, the looks with their times, the seconds that it would take
    and the megabytes of memory that it would need.
    """

    output: str
    frames: int
    fps: str
    size: tuple[int, int]
    painted_at: tuple[int, int]
    engine: str
    keyframes: list[dict[str, Any]]
    seconds: float
    startup: float
    memory: float
    measured_on: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


ChunkPainter = Callable[[RenderSession, ChunkFolder, Schedule], LoopResult]
"""Paints the chunks that a folder misses, of what is arranged, on other machines."""


def run(
    job: Job,
    on_progress: OnProgress = silent,
    stop: RunControl | None = None,
    *,
    engine: Engine | None = None,
    elsewhere: ChunkPainter | None = None,
    workers: int = 1,
) -> Result:
    """Do the job; the output appears when it is whole. What ``on_progress`` raises stops the job
    cleanly; a video longer than `vst.checkpoint.store.SECONDS` can then be gone on with.

    ``engine``: one that is open, and stays so. ``elsewhere``: what paints the chunks of a long
    video in place of this process, with so many ``workers``.
    """
    began = time.perf_counter()
    check_paths(job)
    read_job_score(job)
    stop = stop or RunControl()
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_source(job.content, job.limits))
        check_limits(job, source.info)
        folder = stack.enter_context(open_chunks(job, source.info, workers))
        spec = build_sink_spec(job, source.info)
        # The engine last: that something cannot be written is known in a moment, loading an engine
        # takes seconds.
        unchanged = ChangeGuard(Path(job.content))
        opened = ChunkSink(spec, folder) if folder is not None else open_sink(spec)
        given = contextlib.nullcontext(engine) if engine is not None else None
        loaded = given or open_job_engine(job, stop.heard(on_progress))
        with opened as sink, loaded as engine:
            played = build_schedule(job, engine, source)
            if folder is not None:
                folder.learn("looks of the styles", fingerprint_styles(played.looks))
            with open_job_mask(job) as mask:
                line = build_parts(job, source.info, engine, played, sink, masked=mask is not None)
                work = RenderSession(job, source, line, mask, stop, unchanged, on_progress)
                if folder is not None and elsewhere is not None:
                    passed = elsewhere(work, folder, played)
                else:
                    passed = work.done(folder)
                masked = mask.warnings if mask is not None else []
            unchanged.check()
            if passed.frames == 0 and (folder is None or folder.frames == 0):
                raise MediaError(
                    f"{job.content} has no frame from {format_time(job.start)} on that can be read"
                )
            with watch_output(job, stop):
                report = sink.finish()
        seconds = time.perf_counter() - passed.first_read
        heard = plan_sound(job.speed).note if job.audio and source.info.audio else ""
        notes = [*source.warnings, *played.notes, *masked, *([heard] if heard else [])]
        return Result(
            output=str(report.path),
            frames=report.frames,
            fps=f"{report.rate.numerator}/{report.rate.denominator}",
            seconds=round(seconds, 3),
            startup=round(passed.first_read - began, 3),
            frames_per_second=round(passed.frames / seconds, 2),
            engine=job.engine,
            keyframes=list_keyframes(played.looks),
            warnings=[*notes, *report.warnings],
        )


@contextlib.contextmanager
def open_job_mask(job: Job) -> Iterator[Mask | None]:
    """The job's mask, if it has one; a file's is closed at the end."""
    if job.mask is None:
        yield None
        return
    mask = open_mask(job.mask, limits=job.limits)
    try:
        yield mask
    finally:
        mask.close()


def build_parts(
    job: Job, info: VideoInfo, engine: Engine, played: Schedule, sink: Sink, *, masked: bool
) -> PipelineParts:
    """The parts that the job's frames run through."""
    width, height = painting_size(job.size, info.width, info.height, info.sample_aspect)
    edge = make_edge(job.mask_edge) if masked else None
    engine.expect(width, height)
    return PipelineParts(
        easel=FramePainter(engine, width, height, edge),
        timeline=played.timeline,
        stabiliser=STABILISERS[job.stabilise](),
        sink=sink,
        ghost=Ghost(job.ghost) if job.ghost > 0 else None,
        start=job.start,
        speed=job.speed,
        threads=job.threads,
    )


def build_sink_spec(job: Job, info: VideoInfo) -> SinkSpec:
    """What is to be written for this job: the content's size, shape of pixels and rate."""
    sound = plan_sound(job.speed)
    return SinkSpec(
        path=Path(job.output),
        width=info.width,
        height=info.height,
        rate=job.fps or info.rate,
        variable=info.variable and job.fps is None and job.speed == 1,
        sample_aspect=info.sample_aspect,
        content=info,
        start=job.start,
        end=job.end,
        audio=job.audio and not sound.dropped,
        tempo=sound.filter or "",
        codec=job.codec,
        crf=job.crf,
        overwrite=job.overwrite,
        job=describe(job),
        patience=job.patience,
    )


def open_engine(
    name: str,
    *,
    model: str | None = None,
    options: Mapping[str, Any] | Pairs = (),
    threads: int | None = None,
    on_progress: OnProgress = silent,
) -> Engine:
    """An engine by its name, ready to `prepare_engine` or, where it knows embeddings, to `embed` and
    `stylize`; ``options``: those that are its own (`vst.engines.choices`).
    """
    kind = ENGINES[name]
    own: dict[str, Any] = {"on_progress": on_progress} if kind.tells else {}
    filled = options_of(name, options)
    if filled is not None:
        own["options"] = filled
    engine: Engine = kind(model=model, threads=threads, **own)
    return engine


def open_job_engine(job: Job, on_progress: OnProgress = silent) -> Engine:
    """The engine that the job names."""
    engine = open_engine(
        job.engine,
        model=job.model,
        options=job.engine_options,
        threads=job.threads,
        on_progress=on_progress,
    )
    if job.batch is not None:
        engine.batch = job.batch
    return engine


def list_keyframes(looks: list[ResolvedStyle]) -> list[dict[str, Any]]:
    """Looks as plain values: name and time."""
    return [{"name": look.name, "time": round(look.time, 3)} for look in looks]


WARM = 8
"""First frames not counted in an estimate: the engine makes its function, threads start."""


def estimate(job: Job, *, frames: int = 40) -> Estimate:
    """What ``job`` would do, and how long: its first ``frames`` frames are run, in a temporary
    folder.

    What a run costs once (making the engine's function, closing the file) is told apart from what
    a frame costs, or a short trial would make a long job look slower than it is.
    """
    check_paths(job)
    with open_source(job.content, job.limits) as source:
        info = source.info
    check_limits(job, info)
    rate = job.fps or info.rate
    total = count_frames(job, info)
    seen: list[Progress] = []
    with tempfile.TemporaryDirectory(prefix="vst-") as folder:
        output = str(Path(folder) / f"trial{Path(job.output).suffix}")
        end = min(job.start + (frames + 0.5) / float(rate), job.end or info.duration)

        def heard(progress: Progress) -> None:
            if progress.stage == PAINT:
                seen.append(progress)

        trial = run(replace(job, end=end, output=output, audio=False, overwrite=True), heard)
    warm = next((p for p in seen if p.done >= WARM), seen[0])
    last = seen[-1]
    if last.done - warm.done >= WARM:
        each = (last.seconds - warm.seconds) / (last.done - warm.done)
    else:
        each = trial.seconds / max(1, trial.frames)
    once = max(0.0, trial.seconds - each * trial.frames)
    return Estimate(
        output=job.output,
        frames=total,
        fps=f"{rate.numerator}/{rate.denominator}",
        size=(info.width, info.height),
        painted_at=painting_size(job.size, info.width, info.height, info.sample_aspect),
        engine=job.engine,
        keyframes=trial.keyframes,
        seconds=round(once + each * total, 3),
        startup=trial.startup,
        memory=round(estimate_memory(job, info)),
        measured_on=trial.frames,
    )
