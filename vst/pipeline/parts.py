"""The parts that a job's frames run through: engine, painter, mask, stabilizer, trail, sink."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vst.core.quality import QUALITIES
from vst.core.types import OnProgress, VideoInfo, ignore_progress
from vst.engines import ENGINES
from vst.engines.base import Engine
from vst.engines.options import OptionPairs, parse_engine_options
from vst.errors import UsageError
from vst.imaging.trail import GhostTrail
from vst.job import Job, compute_painting_size
from vst.masks.base import Mask
from vst.masks.open import make_edge, open_mask
from vst.masks.regions import Region, RegionsMask, read_regions
from vst.pipeline.checks import check_packages
from vst.pipeline.painted_keys import PaintedKeys
from vst.pipeline.painter import FramePainter
from vst.pipeline.record import build_record
from vst.schedule.timeline import Mix, Timeline
from vst.stabilizers import STABILIZERS
from vst.stabilizers.base import Stabilizer
from vst.video.retime import plan_sound
from vst.video.sinks import open_sink
from vst.video.sinks.base import Sink, SinkSpec
from vst.video.sources.hdr import HdrPainting


@dataclass(frozen=True)
class PipelineParts:
    """The parts that a video's frames run through. ``threads``: cores that may be used; None: all.

    ``start`` and ``speed``: the timeline goes by the content's clock, which from ``start`` on runs
    ``speed`` times as fast as the output's.
    """

    painter: FramePainter
    timeline: Timeline
    stabilizer: Stabilizer
    sink: Sink
    trail: GhostTrail | None = None
    painted: PaintedKeys | None = None
    mattes: tuple[Sink, ...] = ()
    hdr: HdrPainting | None = None
    start: float = 0.0
    speed: float = 1.0
    threads: int | None = None

    def mix_at(self, seconds: float) -> Mix:
        """The mix of the frame that the output shows at ``seconds``."""
        return self.timeline.at(self.start + (seconds - self.start) * self.speed)


def build_parts(
    job: Job, info: VideoInfo, engine: Engine, timeline: Timeline, sink: Sink, *, masked: bool
) -> PipelineParts:
    """Build the parts for a job and its content."""
    width, height = compute_painting_size(job.size, info.width, info.height, info.sample_aspect)
    edge = make_edge(job.mask_edge) if masked else None
    if timeline.regions and engine.warmup:
        raise UsageError(
            f"mask_regions with engine {engine.name!r}: it remembers one picture from frame to "
            "frame, not one of each region. Choose another engine"
        )
    engine.prepare_size(width, height)
    return PipelineParts(
        painter=FramePainter(engine, width, height, edge),
        timeline=timeline,
        stabilizer=make_stabilizer(job),
        sink=sink,
        trail=GhostTrail(job.ghost) if job.ghost > 0 else None,
        painted=PaintedKeys(job.content, info, job.painted, job.limits) if job.painted else None,
        hdr=HdrPainting(info.color) if info.hdr else None,
        start=job.start,
        speed=job.speed,
        threads=job.threads,
    )


def make_stabilizer(job: Job) -> Stabilizer:
    """Make the job's stabilizer; `Stabilizer.close` ends its threads."""
    name = job.stabilize if job.steadiness > 0 else "off"
    stabilizer: Stabilizer = STABILIZERS[name].make(job.steadiness)
    return stabilizer


def build_sink_spec(job: Job, info: VideoInfo, names: Mapping[str, str] | None = None) -> SinkSpec:
    """What to write for a job: the content's size, pixel aspect and rate. ``names``: what the
    job's files are called in the output's record.
    """
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
        job=build_record(job, names),
        patience=job.patience,
        preset=QUALITIES[job.quality].preset,
        alpha=info.alpha,
        deep=info.deep,
        color=info.color if info.hdr else None,
        first_number=job.first_number,
    )


@contextlib.contextmanager
def open_mattes(job: Job, info: VideoInfo) -> Iterator[tuple[Sink, ...]]:
    """The sinks that the job's mask is written to, if it is: one, or one for each region, in a
    folder of its name; deleted unless they are finished.
    """
    if job.save_mask is None:
        yield ()
        return
    paths = [Path(job.save_mask)]
    if job.mask_regions is not None:
        paths = [paths[0] / region.name for region in read_job_regions(job)]
        paths[0].parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        yield tuple(stack.enter_context(_open_matte(job, info, path)) for path in paths)


def _open_matte(job: Job, info: VideoInfo, path: Path) -> Sink:
    spec = SinkSpec(
        path=path,
        width=info.width,
        height=info.height,
        rate=job.fps or info.rate,
        variable=info.variable and job.fps is None and job.speed == 1,
        sample_aspect=info.sample_aspect,
        codec="ffv1" if path.suffix.lower() == ".mkv" else None,  # without loss
        overwrite=job.overwrite,
        patience=job.patience,
    )
    return open_sink(spec)


@contextlib.contextmanager
def open_job_mask(job: Job, rate: Fraction) -> Iterator[Mask | None]:
    """The job's mask, if it has one, for a content of this rate; closed at the end."""
    if job.mask is None and job.mask_regions is None:
        yield None
        return
    mask: Mask
    if job.mask is None:
        mask = RegionsMask(read_job_regions(job), job.limits, rate, job.content)
    else:
        mask = open_mask(job.mask, limits=job.limits, rate=rate, content=job.content)
    try:
        yield mask
    finally:
        mask.close()


def read_job_regions(job: Job) -> list[Region]:
    """The regions of the job's picture, the topmost first; none where it has none."""
    return [] if job.mask_regions is None else read_regions(job.mask_regions, job.styles)


def open_engine(
    name: str,
    *,
    model: str | None = None,
    options: Mapping[str, Any] | OptionPairs = (),
    threads: int | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Engine:
    """Open an engine by its name, ready to `prepare` or, if it has embeddings, to `embed` and
    `stylize`; ``options``: those of the engine itself (`vst.engines.options`).
    """
    kind = ENGINES[name]
    own: dict[str, Any] = {"on_progress": on_progress} if kind.reports_progress else {}
    filled = parse_engine_options(name, options)
    check_packages(name, model, options)
    if filled is not None:
        own["options"] = filled
    engine: Engine = kind(model=model, threads=threads, **own)
    return engine


def open_job_engine(job: Job, on_progress: OnProgress = ignore_progress) -> Engine:
    """Open the engine that the job names."""
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


class EngineCache:
    """Keeps the engine of the last job open, for jobs that need the same one."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._key: tuple[object, ...] = ()

    def open(self, job: Job) -> Engine:
        """The engine that the job names, opened unless it is the last one."""
        key = (job.engine, job.model, job.engine_options, job.batch, job.threads)
        if self._engine is None or key != self._key:
            self.close()
            self._engine, self._key = open_job_engine(job), key
        return self._engine

    def close(self) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None
