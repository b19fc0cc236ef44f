"""Where a video is cut into chunks, and how one of them is begun without those before it.

One `ChunkRule` says where chunks end, from nothing but the content: a run on one machine, one that goes
on later, and workers that paint far apart cut at the same frames. `plan_chunks` finds the chunks ahead,
by reading the content without painting it.
"""

from __future__ import annotations

import math
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from vst.core.state_io import State
from vst.core.types import Frame, Picture
from vst.errors import OutputError
from vst.imaging.compositing import scaled
from vst.video.scene_cuts import CutDetector

LEAST_PART = 0.6
"""Part of the longest chunk after which a scene cut ends a chunk."""
SMALLEST_PART = 0.25
"""Part of it that the last chunks, which grow smaller, have at least."""
ROUNDS = 2
"""So often every worker is to get one more chunk of what is left: none waits long for the last."""
CHECKED_ROWS = 16
"""One row of so many goes into the checksum of a picture."""


@dataclass(frozen=True)
class ChunkRule:
    """A chunk ends at the first scene cut after ``least`` frames, and after ``most`` at the latest.
    With several ``workers`` chunks grow smaller towards the end of the ``total`` frames, but none
    has less than ``fewest``.
    """

    least: int
    most: int
    fewest: int = 1
    total: int = 0
    workers: int = 1

    @staticmethod
    def of(seconds: float, rate: float, lookahead: int, total: int, workers: int = 1) -> ChunkRule:
        """Chunks of at most ``seconds``, of more frames than a stabiliser looks ahead."""
        fewest = lookahead + 1
        least, most = (max(fewest, round(part * seconds * rate)) for part in (LEAST_PART, 1.0))
        return ChunkRule(least, most, fewest, total, workers)

    @staticmethod
    def read(plain: Any) -> ChunkRule:
        """The rule that a manifest holds."""
        try:
            rule = ChunkRule(**{name: int(plain[name]) for name in ChunkRule.__dataclass_fields__})
        except (TypeError, KeyError, ValueError) as error:
            raise OutputError(f"the rule of its chunks is damaged ({error})") from error
        if not 1 <= rule.fewest <= rule.least <= rule.most or rule.workers < 1:
            raise OutputError(f"the rule of its chunks is damaged ({plain})")
        return rule

    def as_dict(self) -> dict[str, int]:
        """As plain values, for a manifest."""
        return asdict(self)

    def longest(self, start: int) -> int:
        """Frames at most of the chunk that begins with frame ``start``."""
        left = self.total - start
        if self.workers == 1 or left <= 0:
            return self.most
        share = math.ceil(left / (ROUNDS * self.workers))
        return min(self.most, max(share, math.ceil(SMALLEST_PART * self.most), self.fewest))

    def ends(self, start: int, frames: int, cut: bool) -> bool:
        """Whether a chunk that began with frame ``start`` ends after so many frames."""
        longest = self.longest(start)
        least = max(self.fewest, min(self.least, math.ceil(LEAST_PART * longest)))
        return frames >= longest or (cut and frames >= least)


@dataclass(frozen=True)
class WarmStart:
    """Where a chunk begins, and how it does without what the one before remembers.

    ``index`` is its first frame; ``written`` the first that it writes: those that the stabiliser
    still held there belong to it. It reads from frame ``warm`` on, at ``first`` seconds, and drops
    what it paints before ``written``. ``checksum_picture`` tells frame ``warm`` again, ``cuts`` is what the
    finder of scenes knew before it, ``earlier`` the times of the scene's frames before it.
    ``chained``: it does not do quite without, for something remembers the whole scene so far.
    """

    index: int
    written: int
    warm: int
    first: float
    checksum: int
    cuts: dict[str, Any]
    earlier: list[float] = field(default_factory=list)
    chained: bool = False

    def as_state(self) -> State:
        """As plain values and arrays, in place of what a chunk carries over its end."""
        return {
            "start": self.index,
            "written": self.written,
            "index": self.warm,
            "first": self.first,
            "checksum": self.checksum,
            "cuts": self.cuts,
            "earlier": np.array(self.earlier, np.float64),
        }


@dataclass(frozen=True)
class ChunkPlan:
    """Chunk ``number``, planned: where it begins (None: at the video's first frame), where the next
    one does (None: it is the last), how many frames it writes.
    """

    number: int
    start: WarmStart | None
    following: WarmStart | None
    frames: int

    @property
    def waits(self) -> bool:
        """Whether it is best begun with what the chunk before it remembers."""
        return self.start is not None and self.start.chained

    @property
    def leaves(self) -> State | None:
        """What it leaves to the next one; None: all that is remembered."""
        if self.following is None:
            return {}
        return None if self.following.chained else self.following.as_state()


@dataclass(frozen=True)
class WarmupNeed:
    """What a chunk needs of the frames before it: ``warmup`` frames before the first that it
    writes, and how many frames the stabiliser looks ``ahead``. ``endless``: something remembers
    all of a scene, and they are enough but nearly, unless the scene is no older.
    """

    warmup: int
    ahead: int = 0
    endless: bool = False


@dataclass(frozen=True)
class _FrameMark:
    """A frame that a chunk could be read from, with what the finder of scenes knew before it."""

    index: int
    time: float
    checksum: int
    cuts: dict[str, Any]


def plan_chunks(
    frames: Iterable[Frame], rule: ChunkRule, size: tuple[int, int], reach: WarmupNeed
) -> Iterator[ChunkPlan]:
    """The chunks of a video, each as soon as its end is known; ``size`` is the width and height of
    the painting, at which scenes are told apart.
    """
    cuts = CutDetector()
    marks: deque[_FrameMark] = deque(maxlen=reach.warmup + reach.ahead + 1)
    scene, number, index = 0, 0, -1
    times: list[float] = []  # of the scene's frames
    start: WarmStart | None = None
    for frame in frames:
        index = frame.index
        known = cuts.state()
        cut = cuts.is_cut(scaled(frame.picture, *size))
        marks.append(_FrameMark(index, frame.time, checksum_picture(frame.picture), known))
        if cut:
            scene, times = index, []
        begun = start.index if start is not None else 0
        if index > begun and rule.ends(begun, index - begun, cut):
            following = _make_start(marks, scene, times, reach)
            before = start.written if start is not None else 0
            yield ChunkPlan(number, start, following, following.written - before)
            start, number = following, number + 1
        times.append(frame.time)
    if index >= 0:
        before = start.written if start is not None else 0
        yield ChunkPlan(number, start, None, index + 1 - before)


def _make_start(
    marks: deque[_FrameMark], scene: int, times: list[float], reach: WarmupNeed
) -> WarmStart:
    """The start of the chunk that begins with the last of ``marks``."""
    index = marks[-1].index
    written = index - min(reach.ahead, index - scene)
    wanted = max(scene, written - reach.warmup)
    warm = next(mark for mark in marks if mark.index >= wanted)
    earlier = times[: warm.index - scene]
    chained = reach.endless and warm.index > scene
    return WarmStart(
        index, written, warm.index, warm.time, warm.checksum, warm.cuts, earlier, chained
    )


def checksum_picture(picture: Picture) -> int:
    """A number that tells a picture from others, from some of its rows."""
    return zlib.crc32(np.ascontiguousarray(picture[::CHECKED_ROWS]).data)
