"""Single pictures painted as the frames of a video would be, and sheets of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time
from vst.core.types import Frame, OnProgress, Picture, Progress, VideoInfo, ignore_progress
from vst.engines.base import Engine
from vst.errors import MediaError
from vst.imaging.compositing import compute_painting_share, fade_to_content
from vst.imaging.palette import PaletteMap, fit_palette, measure_palette, pool_palettes
from vst.imaging.resize import resize
from vst.job import DEFAULT_MAX_SIDE, Job, compute_painting_size
from vst.masks.open import AUTO
from vst.pipeline.build_schedule import (
    Schedule,
    StyleSet,
    build_schedule,
    get_played_seconds,
    identify_styles,
    prepare_engine,
    read_job_score,
    resolve_job_styles,
    resolve_listed_styles,
    schedule_styles,
)
from vst.pipeline.frames import open_job_content, pair_without_mask
from vst.pipeline.loop import PAINT, run_loop
from vst.pipeline.memory_estimate import check_estimated_memory
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.pipeline.parts import EngineCache, build_parts, build_sink_spec, open_job_mask
from vst.plotting import Look, draw_grid, draw_sheet, plot_score
from vst.schedule.timeline import NONE, Mix, Timeline
from vst.styles.resolve import ResolvedStyle
from vst.video.sinks.memory import MemorySink
from vst.video.sources import open_source
from vst.video.sources.base import Source

PREVIEWED = 12
"""Painted frames on a preview."""
PREVIEW_SIZE = 256
"""Short side, in pixels, at which they are painted, at most."""
THUMBNAIL_SIZE = 96
"""Short side, in pixels, of the swatch that stands for a style kept as an embedding."""


def read_first_picture(path: str, limits: Limits = LIMITS) -> Picture:
    """A picture as it is, or a video's first frame."""
    with open_source(path, limits) as source:
        for frame in source.frames():
            return frame.picture
    raise MediaError(f"{path} has no picture that can be read")


def read_middle_picture(path: str, limits: Limits = LIMITS) -> Picture:
    """A picture as it is, or the frame in the middle of a video."""
    with open_source(path, limits) as source:
        return source.at(source.info.duration / 2)


def paint_still(engine: Engine, content: Picture, mix: Mix, size: int | str | None) -> Picture:
    """Paint ``content`` (any size) in ``mix`` at the short side ``size``; returns it at its own
    size.
    """
    height, width = content.shape[:2]
    small = resize(content, *compute_painting_size(size, width, height))
    engine.reset()
    batch = FrameBatch([Frame(0, 0.0, content)], [small], [None])
    painting = FramePainter(engine, small.shape[1], small.shape[0]).paint(batch, [mix])[0]
    return fade_to_content(
        content, painting, compute_painting_share(mix.painted, engine.fades_below)
    )


def paint_picture(job: Job, engine: Engine, at: float | None = None) -> Picture:
    """Paint the job's content in an even mix of the job's styles; ``at``: seconds, of the frame of
    a video (default: the first).
    """
    with open_job_content(job) as source:
        check_estimated_memory(job, source.info)
        content = None if at is None else source.at(at)
    if content is None:
        content = read_first_picture(job.content, job.limits)
    styles = resolve_listed_styles(job, engine)
    prepare_engine(job, engine, styles)
    mix = Mix({style.name: 1 / len(styles) for style in styles}, job.blend, job.strength)
    return paint_still(engine, content, mix, job.size)


def paint_grid(
    contents: Sequence[str], job: Job, engine: Engine, on_progress: OnProgress = ignore_progress
) -> Picture:
    """Paint every content (a picture, or a video's middle frame) in every style of ``job``, as one
    labeled sheet.
    """
    styles = resolve_listed_styles(job, engine)
    prepare_engine(job, engine, styles)
    total = len(contents) * len(styles)
    rows: list[list[Picture]] = []
    originals = [read_middle_picture(path, job.limits) for path in contents]
    for content in originals:
        row = []
        for style in styles:
            mix = Mix({style.name: 1.0}, job.blend, job.strength)
            row.append(paint_still(engine, content, mix, job.size))
            on_progress(Progress(PAINT, len(rows) * len(styles) + len(row), total))
        rows.append(row)
    names = [Path(path).stem for path in contents]
    return draw_grid(rows, names, [style.name for style in styles], corner=originals)


@dataclass(frozen=True)
class Preview:
    """A sheet of painted frames over the curves of the schedule, with the times of the frames in
    seconds and notes for the user.
    """

    sheet: Picture
    times: list[float]
    notes: list[str]


def paint_preview(job: Job, engine: Engine, on_progress: OnProgress = ignore_progress) -> Preview:
    """Paint frames along the whole job, small, over the curves of the weights.

    Without a stabilizer, a trail or a mask that is found by motion: those need the frames between.
    """
    with open_job_content(job) as source:
        info = source.info
        schedule = build_schedule(job, read_job_score(job), engine, source)
        last = get_played_seconds(job, source)
        times = [job.start + last * index / (PREVIEWED - 1) for index in range(PREVIEWED)]
        simple = simplify_job(job, info, PREVIEW_SIZE)
        frames = (Frame(i, time, source.at(time)) for i, time in enumerate(times))
        timeline = schedule.timeline

        def listen(progress: Progress) -> None:
            on_progress(replace(progress, total=PREVIEWED))

        painted = paint_frames(simple, info, engine, timeline, frames, listen)
    half = PREVIEWED // 2
    labels = [format_time(time) for time in times]
    frames_sheet = draw_sheet([painted[:half], painted[half:]], [labels[:half], labels[half:]])
    plot = plot_score(
        timeline,
        make_thumbnails(schedule.styles, engine, painted[0]),
        max(last, 1e-3),
        start=job.start,
        look=Look(width=frames_sheet.shape[1]),
    )
    return Preview(np.concatenate([frames_sheet, plot]), times, schedule.notes)


def fit_look(job: Job, engine: Engine, on_progress: OnProgress = ignore_progress) -> PaletteMap:
    """Paint frames along the whole job, and fit the map from the content's colors to theirs."""
    simple = replace(job, colors="style", mask=None, mask_background=NONE, mask_regions=None)
    with open_job_content(job) as source:
        info = source.info
        schedule = build_schedule(simple, read_job_score(simple), engine, source)
        last = get_played_seconds(job, source)
        times = [job.start + last * index / (PREVIEWED - 1) for index in range(PREVIEWED)]
        frames = [Frame(i, time, source.at(time)) for i, time in enumerate(times)]
        small = simplify_job(simple, info, PREVIEW_SIZE)
        painted = paint_frames(small, info, engine, schedule.timeline, frames, on_progress)
    before = pool_palettes([measure_palette(frame.picture) for frame in frames])
    return fit_palette(before, pool_palettes([measure_palette(picture) for picture in painted]))


def simplify_job(job: Job, info: VideoInfo, largest: int) -> Job:
    """The job without what needs the frames between, painted at ``largest`` pixels at most."""
    small = min(
        largest, *compute_painting_size(job.size, info.width, info.height, info.sample_aspect)
    )
    simple = replace(job, size=max(16, small), stabilize="off", ghost=0.0, speed=1.0)
    return replace(simple, mask=None, mask_background=NONE) if job.mask == AUTO else simple


def paint_frames(
    job: Job,
    info: VideoInfo,
    engine: Engine,
    timeline: Timeline,
    frames: Iterable[Frame],
    on_progress: OnProgress = ignore_progress,
) -> list[Picture]:
    """Paint single frames of the content as the job asks, at the content's size."""
    with MemorySink(build_sink_spec(job, info)) as sink, open_job_mask(job, info.rate) as mask:
        parts = build_parts(job, info, engine, timeline, sink, masked=mask is not None)
        masked = mask.apply(frames) if mask is not None else pair_without_mask(frames)
        run_loop(parts, masked, None, on_progress)
        return [frame.picture for frame in sink.frames]


@dataclass(frozen=True)
class PreviewFrame:
    """One frame of a content, the same frame painted, and the schedule that it is painted by."""

    content: Picture
    painting: Picture
    schedule: Schedule


class FramePreviewer:
    """Paints single frames of jobs, one after another, in a moment each: engine, content and styles
    stay open for the next job that needs the same ones. For one thread at a time.

    Without a stabilizer, a trail or a mask that is found by motion, as `paint_preview`.
    """

    def __init__(self) -> None:
        self._engines = EngineCache()
        self._engine: Engine | None = None
        self._source: Source | None = None
        self._source_key: object = None
        self._styles: StyleSet | None = None
        self._styles_key: object = None

    def paint(self, job: Job, time: float) -> PreviewFrame:
        """Paint the content's frame at ``time`` seconds, at `DEFAULT_MAX_SIDE` pixels (short
        side) at most.
        """
        engine, source = self._open(job)
        schedule = self.build_schedule(job)
        simple = simplify_job(job, source.info, DEFAULT_MAX_SIDE)
        engine.reset()
        content = source.at(time)
        frames = [Frame(0, time, content)]
        [painting] = paint_frames(simple, source.info, engine, schedule.timeline, frames)
        return PreviewFrame(content, painting, schedule)

    def paint_clip(self, job: Job, times: Sequence[float], largest: int) -> list[Picture]:
        """Paint the content's frames at ``times`` (seconds), at ``largest`` pixels (short side) at
        most; returns them at that size.
        """
        engine, source = self._open(job)
        schedule = self.build_schedule(job)
        simple = simplify_job(job, source.info, largest)
        engine.reset()
        size = compute_painting_size(largest, source.info.width, source.info.height)
        frames = (Frame(i, time, resize(source.at(time), *size)) for i, time in enumerate(times))
        info = replace(source.info, width=size[0], height=size[1])
        return paint_frames(simple, info, engine, schedule.timeline, frames)

    def forget_styles(self) -> None:
        """Resolve the styles again for the next job: the engine was prepared for others."""
        self._styles = None

    def build_schedule(self, job: Job) -> Schedule:
        """The job's schedule; styles are resolved again only if they differ from the last
        job's.
        """
        engine, source = self._open(job)
        score = read_job_score(job)
        key = identify_styles(job, score)
        if self._styles is None or key != self._styles_key:
            self._styles = None  # the engine is not prepared for them any more
            self._styles = resolve_job_styles(job, score, engine, source)
            self._styles_key = key
        return schedule_styles(job, score, self._styles, engine, source)

    def open_engine(self, job: Job) -> Engine:
        """The engine that the job names; it stays open."""
        engine = self._engines.open(job)
        if engine is not self._engine:
            self._engine, self._styles = engine, None
        return engine

    def close(self) -> None:
        """Close engine and content."""
        self._engines.close()
        self._engine = self._styles = None
        self._close_source()

    def _open(self, job: Job) -> tuple[Engine, Source]:
        engine = self.open_engine(job)
        key = job.content, job.lut, job.limits
        if self._source is None or key != self._source_key:
            self._close_source()
            self._source, self._source_key = open_job_content(job), key
        return engine, self._source

    def _close_source(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None


def make_thumbnails(
    styles: Sequence[ResolvedStyle], engine: Engine, content: Picture
) -> dict[str, Picture]:
    """A picture for each style: its own, or a swatch painted in it where it is an embedding."""
    height, width = content.shape[:2]
    size = min(THUMBNAIL_SIZE, height, width)
    swatch = resize(content, *compute_painting_size(size, width, height))
    found = {}
    for style in styles:
        if style.space is not None:
            found[style.name] = paint_still(engine, swatch, Mix({style.name: 1.0}), size)
        elif not style.is_content:
            found[style.name] = style.picture
    return found
