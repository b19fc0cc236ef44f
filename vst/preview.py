"""Seeing before waiting: single pictures painted as the frames of a video would be, and sheets of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vst.arrange import looks_for, prepare
from vst.draw import grid
from vst.engines.base import Engine
from vst.errors import MediaError
from vst.finish import finish, painted_share, scaled
from vst.frames import Frame, OnProgress, Picture, Progress, silent
from vst.job import Job, painting_size
from vst.painting import Batch, Easel
from vst.sources import open_source
from vst.timeline import Mix


def first_picture(path: str) -> Picture:
    """A picture as it is, or a video's first frame."""
    with open_source(path) as source:
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
    content = first_picture(job.content)
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
