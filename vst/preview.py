"""Seeing before waiting: single pictures painted as the frames of a video would be, and sheets of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vst.arrange import arrange, last_frame, looks_for, prepare
from vst.draw import grid, plot_score, sheet
from vst.engines.base import Engine
from vst.errors import MediaError
from vst.finish import finish, painted_share, scaled
from vst.frames import Frame, OnProgress, Picture, Progress, silent
from vst.job import Job, painting_size
from vst.limits import LIMITS, Limits
from vst.looks import Look
from vst.masking import AUTO
from vst.memory import check_needed
from vst.painting import Batch, Easel
from vst.pipeline import run_line
from vst.render import line_of, opened_mask, sink_spec
from vst.sinks.base import Sink, SinkReport, SinkSpec
from vst.sources import open_source
from vst.timeline import NONE, Mix
from vst.times import format_time
from vst.work import without_mask


def first_picture(path: str, limits: Limits = LIMITS) -> Picture:
    """A picture as it is, or a video's first frame."""
    with open_source(path, limits) as source:
        for frame in source.frames():
            return frame.picture
    raise MediaError(f"{path} has no picture that can be read")


def middle_picture(path: str) -> Picture:
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
    batch = Batch([Frame(0, 0.0, content)], [small], [None])
    painting = Easel(engine, small.shape[1], small.shape[0]).paint(batch, [mix])[0]
    return finish(content, painting, painted_share(mix.painted, engine.fades_below))


def paint_picture(job: Job, engine: Engine) -> Picture:
    """The job's content, painted in an even mix of the job's looks."""
    with open_source(job.content, job.limits) as source:
        check_needed(job, source.info)
    content = first_picture(job.content, job.limits)
    looks = looks_for(job, engine)
    prepare(job, engine, looks)
    mix = Mix({look.name: 1 / len(looks) for look in looks}, job.blend, job.strength)
    return paint_still(engine, content, mix, job.size)


def paint_grid(
    contents: Sequence[str], job: Job, engine: Engine, on_progress: OnProgress = silent
) -> Picture:
    """Every content (a picture, or a video's middle frame) in every look of ``job``, as one
    labelled sheet.
    """
    looks = looks_for(job, engine)
    prepare(job, engine, looks)
    total = len(contents) * len(looks)
    rows: list[list[Picture]] = []
    originals = [middle_picture(path) for path in contents]
    for content in originals:
        row = []
        for look in looks:
            mix = Mix({look.name: 1.0}, job.blend, job.strength)
            row.append(paint_still(engine, content, mix, job.size))
            on_progress(Progress("paint", len(rows) * len(looks) + len(row), total))
        rows.append(row)
    names = [Path(path).stem for path in contents]
    return grid(rows, names, [look.name for look in looks], corner=originals)


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


class _Kept(Sink):
    """Keeps the few frames of a preview."""

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        self.frames: list[Frame] = []

    def __enter__(self) -> _Kept:
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
        played = arrange(job, engine, source)
        last = last_frame(job, source)
        times = [job.start + last * index / (PREVIEWED - 1) for index in range(PREVIEWED)]
        small = job.size
        if not isinstance(small, int):
            small = min(PREVIEW_SIZE, *painting_size(job.size, info.width, info.height))
        quick = replace(job, size=min(small, PREVIEW_SIZE), stabilise="off", ghost=0.0, speed=1.0)
        if job.mask == AUTO:
            quick = replace(quick, mask=None, mask_ground=NONE)
        with _Kept(sink_spec(quick, info)) as sink, opened_mask(quick) as mask:
            line = line_of(quick, info, engine, played, sink, masked=mask is not None)
            frames = (Frame(i, time, source.at(time)) for i, time in enumerate(times))
            shots = mask.over(frames) if mask is not None else without_mask(frames)
            run_line(line, shots, PREVIEWED, on_progress)
            painted = [frame.picture for frame in sink.frames]
    half = PREVIEWED // 2
    labels = [format_time(time) for time in times]
    frames_sheet = sheet([painted[:half], painted[half:]], [labels[:half], labels[half:]])
    plot = plot_score(
        played.timeline,
        thumbnails_of(played.looks, engine, painted[0]),
        max(last, 1e-3),
        start=job.start,
        width=frames_sheet.shape[1],
    )
    return Preview(np.concatenate([frames_sheet, plot]), times, played.notes)


def thumbnails_of(looks: Sequence[Look], engine: Engine, content: Picture) -> dict[str, Picture]:
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
