"""What planning chunks needs of the content's frames, read in one pass or section by section.

Whether a scene starts with a frame depends on the changes at the frames before it; a change depends
on two frames alone. So sections can be read by different workers, and joined exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vst.checkpoint.handover import ReadPoint, WarmStart
from vst.core.types import Frame, Picture
from vst.imaging.resize import resize
from vst.video.scene_cuts import Change, measure_change, read_change, shrink

SECTION_SECONDS = 20.0
"""Seconds of a section at least: opening the content and seeking take as long as several frames."""


@dataclass(frozen=True)
class ReadFrame:
    """A frame of the content, and the change from the one before it (None: there is none)."""

    point: ReadPoint
    change: Change | None


@dataclass(frozen=True)
class Section:
    """A part of the content, in seconds; ``size``: width and height of the painting, at which cuts
    are detected.
    """

    number: int
    start: float
    end: float | None
    size: tuple[int, int]


@dataclass(frozen=True)
class ReadSection:
    """The frames of a section: their times and checksums, and the ``changes`` (frames, 2) at each
    but the first. ``head`` and ``tail``: the first and the last, as `shrink` makes them.
    """

    times: npt.NDArray[np.float64]
    checksums: npt.NDArray[np.uint32]
    changes: npt.NDArray[np.float64]
    head: Picture | None = None
    tail: Picture | None = None
    warnings: list[str] = field(default_factory=list)

    @staticmethod
    def of(frames: Iterable[Frame], size: tuple[int, int]) -> ReadSection:
        """Read the frames of a section."""
        points, changes = [], []
        head = tail = None
        for frame in frames:
            small = shrink(resize(frame.picture, *size))
            changes.append((0.0, 0.0) if tail is None else measure_change(tail, small))
            points.append(ReadPoint.of(frame))
            head, tail = small if head is None else head, small
        return ReadSection(
            np.array([point.time for point in points]),
            np.array([point.checksum for point in points], np.uint32),
            np.array(changes).reshape(-1, 2),
            head,
            tail,
        )


def read_ahead(
    frames: Iterable[Frame], size: tuple[int, int], start: WarmStart | None = None
) -> Iterator[ReadFrame]:
    """Read frames in one pass; ``start``: where they begin (None: with the content's first)."""
    before = None
    for frame in frames:
        small = shrink(resize(frame.picture, *size))
        change = find_first_change(start, small) if before is None else None
        if before is not None:
            change = measure_change(before, small)
        yield ReadFrame(ReadPoint.of(frame), change)
        before = small


def find_first_change(start: WarmStart | None, small: Picture) -> Change | None:
    """The change at the first frame that a chunk reads."""
    if start is None:
        return None
    before = start.cuts["before"]
    known = read_change(start.cuts)
    return measure_change(before, small) if known is None and before is not None else known


def join_sections(
    sections: Iterable[ReadSection], start: WarmStart | None = None
) -> Iterator[ReadFrame]:
    """The frames of sections in order, as `read_ahead` yields them."""
    index = start.read_from.index if start is not None else 0
    tail: Picture | None = None
    for section in sections:
        if section.head is None:
            continue
        change = find_first_change(start, section.head)
        if tail is not None:
            change = measure_change(tail, section.head)
        rows = zip(section.times.tolist(), section.checksums.tolist(), section.changes.tolist())
        for number, (time, checksum, (size, moved)) in enumerate(rows):
            change = (size, moved) if number else change
            yield ReadFrame(ReadPoint(index, time, checksum), change)
            index += 1
        tail = section.tail


def plan_sections(
    keyframes: Sequence[float], start: float, end: float | None, size: tuple[int, int]
) -> list[Section]:
    """Divide the content from ``start`` to ``end`` (seconds) at ``keyframes``, from which reading
    can begin.
    """
    bounds = [start]
    for time in keyframes:
        if time >= bounds[-1] + SECTION_SECONDS and (end is None or time < end):
            bounds.append(time)
    ends = [*bounds[1:], end]
    return [Section(n, *part, size) for n, part in enumerate(zip(bounds, ends, strict=True))]
