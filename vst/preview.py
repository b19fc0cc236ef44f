"""Seeing before waiting: single pictures painted as the frames of a video would be, and sheets of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time
from vst.core.types import Frame, OnProgress, Picture, Progress, VideoInfo, silent
from vst.engines.base import Engine
from vst.errors import MediaError
from vst.imaging.compositing import finish, painted_share, scaled
from vst.job import LARGEST_BY_DEFAULT, Job, painting_size
from vst.masks.open import AUTO
from vst.pipeline.build_schedule import (
    Schedule,
    StyleSet,
    build_schedule,
    get_played_seconds,
    identify_styles,
    prepare_engine,
    resolve_job_styles,
    resolve_listed_styles,
    schedule_styles,
)
from vst.pipeline.loop import run_loop
from vst.pipeline.memory_estimate import check_estimated_memory
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.pipeline.run import build_parts, build_sink_spec, open_job_engine, open_job_mask
from vst.pipeline.session import pair_without_mask
from vst.plotting import draw_grid, draw_sheet, plot_score
from vst.schedule.timeline import NONE, Mix
from vst.styles.resolve import ResolvedStyle
from vst.video.sinks.base import Sink, SinkReport, SinkSpec
from vst.video.sources import open_source
from vst.video.sources.base import Source


def read_first_picture(path: str, limits: Limits = LIMITS) -> Picture:
    """A picture as it is, or a video's first frame."""
    with open_source(path, limits) as source:
        for frame in source.frames():
            return frame.picture
    raise MediaError(f"{path} has no picture that can be read")


def read_middle_picture(path: str) -> Picture:
    """A picture as it is, or the frame in the middle of a video."""
    with open_source(path) as source:
        return source.at(source.info.duration / 2)


def paint_still(engine: Engine, content: Picture, mix: Mix, size: int | str | None) -> Picture:
    """``content`` (any size) painted in ``mix`` at the short side ``size``, returned at its own
    size.
    """
    height, width = content.shape[:2]
    small = scaled(content, *painting_size(size, width, height))
    engine.reset()
    batch = FrameBatch([Frame(0, 0.0, content)], [small], [None])
    painting = FramePainter(engine, small.shape[1], small.shape[0]).paint(batch, [mix])[0]
    return finish(content, painting, painted_share(mix.painted, engine.fades_below))


def paint_picture(job: Job, engine: Engine) -> Picture:
    """The job's content, painted in an even mix of the job's looks."""
    with open_source(job.content, job.limits) as source:
        check_estimated_memory(job, source.info)
    content = read_first_picture(job.content, job.limits)
    looks = resolve_listed_styles(job, engine)
    prepare_engine(job, engine, looks)
    mix = Mix({look.name: 1 / len(looks) for look in looks}, job.blend, job.strength)
    return paint_still(engine, content, mix, job.size)


def paint_grid(
    contents: Sequence[str], job: Job, engine: Engine, on_progress: OnProgress = silent
) -> Picture:
    """Every content (a picture, or a video's middle frame) in every look of ``job``, as one
    labelled sheet.
    """
    looks = resolve_listed_styles(job, engine)
    prepare_engine(job, engine, looks)
    total = len(contents) * len(looks)
    rows: list[list[Picture]] = []
    originals = [read_middle_picture(path) for path in contents]
    for content in originals:
        row = []
        for look in looks:
            mix = Mix({look.name: 1.0}, job.blend, job.strength)
            row.append(paint_still(engine, content, mix, job.size))
            on_progress(Progress("paint", len(rows) * len(looks) + len(row), total))
        rows.append(row)
    names = [Path(path).stem for path in contents]
    return draw_grid(rows, names, [look.name for look in looks], corner=originals)


PREVIEWED = 12
"""Painted frames on a preview."""
PREVIEW_SIZE = 256
"""Short side, in pixels, at which they are painted, at most."""
THUMBNAIL_SIZE = 96
"""Short side, in pixels, of the swatch that stands for a style kept as numbers."""


@dataclass(frozen=True)
class Preview:
    """A sheet of painted frames over the curves of what is played, and what was found on the
    way.
    """

    sheet: Picture
    times: list[float]
    notes: list[str]


class _MemorySink(Sink):
    """Keeps the few frames of a preview."""

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        self.frames: list[Frame] = []

    def __enter__(self) -> _MemorySink:
        return self

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def finish(self) -> SinkReport:
        return SinkReport(self.spec.path, len(self.frames), self.spec.rate, 0.0)

    def abort(self) -> None:
        self.frames.clear()


def paint_preview(job: Job, engine: Engine, on_progress: OnProgress = silent) -> Preview:
    """Frames along the whole job, painted small, over the curves of the weights.

    Without a stabiliser, a trail or a mask that is found by motion: those need the frames between.
    """
    with open_source(job.content, job.limits) as source:
        info = source.info
        played = build_schedule(job, engine, source)
        last = get_played_seconds(job, source)
        times = [job.start + last * index / (PREVIEWED - 1) for index in range(PREVIEWED)]
        quick = simplify_job(job, info, PREVIEW_SIZE)
        frames = (Frame(i, time, source.at(time)) for i, time in enumerate(times))
        painted = paint_frames(quick, source, engine, played, frames, on_progress, PREVIEWED)
    half = PREVIEWED // 2
    labels = [format_time(time) for time in times]
    frames_sheet = draw_sheet([painted[:half], painted[half:]], [labels[:half], labels[half:]])
    plot = plot_score(
        played.timeline,
        make_thumbnails(played.looks, engine, painted[0]),
        max(last, 1e-3),
        start=job.start,
        width=frames_sheet.shape[1],
    )
    return Preview(np.concatenate([frames_sheet, plot]), times, played.notes)


def simplify_job(job: Job, info: VideoInfo, largest: int) -> Job:
    """The job without what needs the frames between, painted at ``largest`` pixels at most."""
    small = min(largest, *painting_size(job.size, info.width, info.height, info.sample_aspect))
    quick = replace(job, size=max(16, small), stabilise="off", ghost=0.0, speed=1.0)
    return replace(quick, mask=None, mask_ground=NONE) if job.mask == AUTO else quick


def paint_frames(
    job: Job,
    source: Source,
    engine: Engine,
    played: Schedule,
    frames: Iterable[Frame],
    on_progress: OnProgress = silent,
    total: int | None = None,
) -> list[Picture]:
    """Single frames of the content, painted as the job says, at the content's size."""
    with _MemorySink(build_sink_spec(job, source.info)) as sink, open_job_mask(job) as mask:
        line = build_parts(job, source.info, engine, played, sink, masked=mask is not None)
        shots = mask.apply(frames) if mask is not None else pair_without_mask(frames)
        run_loop(line, shots, total, on_progress)
        return [frame.picture for frame in sink.frames]


@dataclass(frozen=True)
class PreviewFrame:
    """One frame of a content, the same one painted, and what is played around it."""

    content: Picture
    painting: Picture
    played: Schedule


class FramePreviewer:
    """Paints single moments of jobs, over and over, each in a moment: the engine, the content and
    the looks stay open for the next job that has the same ones. To be called by one thread at a
    time.

    Without a stabiliser, a trail or a mask that is found by motion, as `paint_preview`.
    """

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._source: Source | None = None
        self._cast: StyleSet | None = None
        self._about: dict[str, object] = {}

    def paint(self, job: Job, time: float) -> PreviewFrame:
        """The moment at ``time`` seconds of the content, painted at `LARGEST_BY_DEFAULT` pixels
        (short side) at most.
        """
        engine, source = self._opened(job)
        played = self.arranged(job)
        quick = simplify_job(job, source.info, LARGEST_BY_DEFAULT)
        engine.reset()
        content = source.at(time)
        [painting] = paint_frames(quick, source, engine, played, [Frame(0, time, content)])
        return PreviewFrame(content, painting, played)

    def arranged(self, job: Job) -> Schedule:
        """What is played, with the times of this job."""
        engine, source = self._opened(job)
        if self._is_new("cast", identify_styles(job)):
            self._cast = None
        if self._cast is None:
            self._cast = resolve_job_styles(job, engine, source)
        return schedule_styles(job, self._cast, engine, source)

    def engine_of(self, job: Job) -> Engine:
        """The engine that the job names, held open."""
        if self._is_new("engine", (job.engine, job.model)) or self._engine is None:
            self._close_engine()
            self._engine = open_job_engine(job)
        return self._engine

    def close(self) -> None:
        """Let go of everything."""
        self._close_engine()
        self._close_source()
        self._about.clear()

    def _opened(self, job: Job) -> tuple[Engine, Source]:
        engine = self.engine_of(job)
        if self._is_new("content", job.content) or self._source is None:
            self._close_source()
            self._source = open_source(job.content, job.limits)
        return engine, self._source

    def _is_new(self, part: str, about: object) -> bool:
        """Whether a part is to be another than last time."""
        before = self._about.get(part)
        self._about[part] = about
        return before != about

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self._engine = self._cast = None

    def _close_source(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None


def make_thumbnails(
    looks: Sequence[ResolvedStyle], engine: Engine, content: Picture
) -> dict[str, Picture]:
    """A picture for each look: its own, or where it is kept as numbers a swatch painted in it."""
    height, width = content.shape[:2]
    size = min(THUMBNAIL_SIZE, height, width)
    swatch = scaled(content, *painting_size(size, width, height))
    found = {}
    for look in looks:
        if look.is_content:
            continue
        painted = look.space is not None
        mix = Mix({look.name: 1.0})
        found[look.name] = paint_still(engine, swatch, mix, size) if painted else look.picture
    return found
