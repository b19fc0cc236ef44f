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
from vst.core.state_io import State
from vst.core.types import Frame
from vst.errors import OutputError
from vst.imaging.compositing import scaled
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


def plan_chunks(
    frames: Iterable[Frame], rule: ChunkRule, size: tuple[int, int], need: WarmupNeed
) -> Iterator[ChunkPlan]:
    """Yield the chunks of a video, each as soon as its end is known; ``size`` is the width and
    height of the painting, at which cuts are detected.
    """
    cuts = CutDetector()
    marks: deque[tuple[ReadPoint, State]] = deque(maxlen=need.warmup + need.ahead + 1)
    scene, number, index = 0, 0, -1
    times: list[float] = []  # of the scene's frames
    start: WarmStart | None = None
    for frame in frames:
        index = frame.index
        before_frame = cuts.state()
        cut = cuts.is_cut(scaled(frame.picture, *size))
        marks.append((ReadPoint.of(frame), before_frame))
        if cut:
            scene, times = index, []
        begin = start.index if start is not None else 0
        if index > begin and rule.ends(begin, index - begin, cut):
            following = _make_start(marks, scene, times, need)
            written = start.first_written if start is not None else 0
            yield ChunkPlan(number, start, following, following.first_written - written)
            start, number = following, number + 1
        times.append(frame.time)
    if index >= 0:
        written = start.first_written if start is not None else 0
        yield ChunkPlan(number, start, None, index + 1 - written)


def _make_start(
    marks: deque[tuple[ReadPoint, State]], scene: int, times: list[float], need: WarmupNeed
) -> WarmStart:
    """The start of the chunk that begins with the last of ``marks``."""
    index = marks[-1][0].index
    written = index - min(need.ahead, index - scene)
    wanted = max(scene, written - need.warmup)
    read_from, cuts = next(mark for mark in marks if mark[0].index >= wanted)
    earlier = times[: read_from.index - scene]
    approximate = need.endless and read_from.index > scene
    return WarmStart(index, written, read_from, cuts, earlier, approximate)
