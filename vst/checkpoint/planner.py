"""Where a video is cut into chunks, and where each of them starts.

One `ChunkRule` decides where chunks end, from nothing but the content: a run on one machine, a
resumed run, and workers on several machines cut at the same frames. `plan_chunks` finds the chunks
ahead of time, by reading the content without painting it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from vst.checkpoint.handover import ReadPoint, WarmStart
from vst.checkpoint.reading import ReadFrame
from vst.core.state_io import State
from vst.errors import OutputError
from vst.video.scene_cuts import CutDetector

LEAST_PART = 0.6
"""Part of the longest chunk after which a scene cut ends a chunk."""
SMALLEST_PART = 0.25
"""Part of the longest chunk that the last chunks, which get smaller, have at least."""
ROUNDS = 2
"""Chunks that each worker is to get of what is left, so that none waits long for the last one."""


@dataclass(frozen=True)
class ChunkRule:
    """A chunk ends at the first scene cut after ``least`` frames, and after ``most`` at the latest.
    With several ``workers`` chunks get smaller towards the end of the ``total`` frames, but none
    has less than ``fewest``.
    """

    least: int
    most: int
    fewest: int = 1
    total: int = 0
    workers: int = 1

    @staticmethod
    def of(seconds: float, rate: float, lookahead: int, total: int, workers: int = 1) -> ChunkRule:
        """Chunks of at most ``seconds``, with more frames than a stabilizer looks ahead."""
        fewest = lookahead + 1
        least, most = (max(fewest, round(part * seconds * rate)) for part in (LEAST_PART, 1.0))
        return ChunkRule(least, most, fewest, total, workers)

    @staticmethod
    def read(plain: Any) -> ChunkRule:
        """The rule in a manifest; raises `OutputError` where it is damaged."""
        try:
            rule = ChunkRule(**{name: int(plain[name]) for name in ChunkRule.__dataclass_fields__})
        except (TypeError, KeyError, ValueError) as error:
            raise OutputError(f"the rule of the chunks is damaged ({error})") from error
        if not 1 <= rule.fewest <= rule.least <= rule.most or rule.workers < 1:
            raise OutputError(f"the rule of the chunks is damaged ({plain})")
        return rule

    def as_dict(self) -> dict[str, int]:
        """As plain values, for a manifest."""
        return asdict(self)

    def longest(self, start: int) -> int:
        """The most frames of the chunk that begins with frame ``start``."""
        left = self.total - start
        if self.workers == 1 or left <= 0:
            return self.most
        share = math.ceil(left / (ROUNDS * self.workers))
        return min(self.most, max(share, math.ceil(SMALLEST_PART * self.most), self.fewest))

    def is_start_of_warmup(self, start: int, index: int, reach: int) -> bool:
        """Whether a later chunk reads from frame ``index``, ``reach`` frames before it begins, if
        no cut comes in between. ``start``: where the present chunk begins.
        """
        begin = start + self.longest(start)
        while begin - reach < index:
            begin += self.longest(begin)
        return begin - reach == index

    def ends(self, start: int, frames: int, cut: bool) -> bool:
        """Whether a chunk that begins with frame ``start`` ends after ``frames`` frames; ``cut``:
        whether a scene starts there.
        """
        longest = self.longest(start)
        least = max(self.fewest, min(self.least, math.ceil(LEAST_PART * longest)))
        return frames >= longest or (cut and frames >= least)


@dataclass(frozen=True)
class ChunkPlan:
    """Chunk ``number``: where it starts (None: at the video's first frame), where the next one
    starts (None: this is the last), how many frames it writes.
    """

    number: int
    start: WarmStart | None
    following: WarmStart | None
    frames: int

    @property
    def wants_handover(self) -> bool:
        """Whether the state of the chunk before is better than frames that warm it up."""
        return self.start is not None and self.start.is_approximate


@dataclass(frozen=True)
class WarmupNeed:
    """What a chunk needs of the frames before it: ``warmup`` frames before the first that it
    writes, and how many frames the stabilizer looks ``ahead``. ``endless``: some part remembers the
    whole scene, so the frames suffice exactly only where the scene is no older.
    """

    warmup: int
    ahead: int = 0
    endless: bool = False

    @property
    def reach(self) -> int:
        """The most frames that are read before a chunk begins."""
        return self.warmup + self.ahead


class StartFinder:
    """Finds where a chunk has to read from: it gets every frame of the content, in order."""

    def __init__(self, need: WarmupNeed, index: int = 0) -> None:
        self.need = need
        self._marks: deque[tuple[ReadPoint, State]] = deque(maxlen=need.reach + 1)
        self._scene = index
        self._times: list[float] = []  # of the scene's frames

    @staticmethod
    def after(need: WarmupNeed, start: WarmStart) -> StartFinder:
        """A finder that gets the frames from ``start.read_from`` on."""
        finder = StartFinder(need, start.read_from.index - len(start.earlier))
        finder._times = list(start.earlier)
        return finder

    def add(self, point: ReadPoint, cuts: State, cut: bool) -> None:
        """Add a frame; ``cuts``: the state of the cut detector before it, ``cut``: whether a scene
        starts with it.
        """
        if cut:
            self._scene, self._times = point.index, []
        self._marks.append((point, cuts))
        self._times.append(point.time)

    def make_start(self) -> WarmStart:
        """The start of a chunk that begins with the frame that was added last."""
        index = self._marks[-1][0].index
        written = index - min(self.need.ahead, index - self._scene)
        wanted = max(self._scene, written - self.need.warmup)
        read_from, cuts = next(mark for mark in self._marks if mark[0].index >= wanted)
        earlier = self._times[: read_from.index - self._scene]
        approximate = self.need.endless and read_from.index > self._scene
        return WarmStart(index, written, read_from, cuts, earlier, approximate)


def plan_chunks(
    frames: Iterable[ReadFrame],
    rule: ChunkRule,
    need: WarmupNeed,
    first: tuple[int, WarmStart] | None = None,
) -> Iterator[ChunkPlan]:
    """Yield the chunks of a video, each as soon as its end is known. ``first``: the number and
    start of the first one that is planned; ``frames`` then begin with the one that it reads first.
    """
    cuts, finder = CutDetector(), StartFinder(need)
    number, start = first if first is not None else (0, None)
    if start is not None:
        cuts.restore(start.cuts)
        finder = StartFinder.after(need, start)
    index = -1
    for frame in frames:
        index = frame.point.index
        before_frame = cuts.state(frame.change)
        cut = frame.change is not None and cuts.decide(frame.change)
        finder.add(frame.point, before_frame, cut)
        begin = start.index if start is not None else 0
        if index > begin and rule.ends(begin, index - begin, cut):
            following = finder.make_start()
            written = start.first_written if start is not None else 0
            yield ChunkPlan(number, start, following, following.first_written - written)
            start, number = following, number + 1
    if index >= 0:
        written = start.first_written if start is not None else 0
        yield ChunkPlan(number, start, None, index + 1 - written)
