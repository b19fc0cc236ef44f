"""Moves transitions so that they end at given times: at the content's cuts or its sound's beats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vst.core.types import Frame
from vst.schedule.timeline import Key, Timeline
from vst.video.scene_cuts import CutDetector

ALIGNS = {
    "off": "transitions end at the times of the keys",
    "cuts": "transitions end on the content's cuts",
    "beats": "transitions end on the beats of the content's sound",
}
"""Name of an alignment -> its description."""


def find_cut_times(frames: Iterable[Frame]) -> list[float]:
    """Return the time, in seconds, of each frame that starts a new scene, except the first frame.

    Reads all frames, and keeps one in memory.
    """
    detector = CutDetector()
    return [frame.time for frame in frames if detector.is_cut(frame.picture)]


def align_to(timeline: Timeline, times: Sequence[float]) -> Timeline:
    """Return the timeline with its keys moved so that transitions end on ``times``.

    ``times``: seconds, in any order; those outside of the timeline are ignored, and without any
    left the timeline is returned unchanged. Each key after the first moves to a different time, in
    order, such that the sum of squared moves is minimal. If there are fewer times than keys, the
    remaining keys keep their relative position between their neighbors. Holds come before the
    change instead of half at each end, because the change ends on the beat.
    """
    first, end = timeline.keys[0].time, timeline.keys[-1].time
    usable = np.unique([time for time in times if first < time <= end])
    moving = np.array([key.time for key in timeline.keys if key.time > first])
    # Keys at the same time are a hard change, and move together.
    current = np.unique(moving)
    if not len(usable) or not len(current):
        return timeline
    pairs = match_times(current, usable)
    anchors = np.array([first, *(current[index] for index, _ in pairs)])
    targets = np.array([first, *(usable[time] for _, time in pairs)])
    if anchors[-1] < end:
        anchors, targets = np.append(anchors, end), np.append(targets, end)
    moved = [
        replace(key, time=float(np.interp(key.time, anchors, targets))) for key in timeline.keys
    ]
    return replace(timeline, keys=tuple(expand_holds(moved, timeline.hold)), hold=0.0)


def match_times(
    current: npt.NDArray[np.float64], times: npt.NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Pair two rising sequences of times, in order, with the least sum of squared differences.

    Returns index pairs (current, time), as many as the shorter sequence has elements.
    """
    if len(current) > len(times):
        return [(index, time) for time, index in match_times(times, current)]
    count = len(times)
    cost = np.zeros(count + 1)
    ends_here = np.zeros((len(current), count + 1), bool)
    for index, value in enumerate(current):
        # cost[m]: the least cost of the values so far with the first m times.
        use = np.concatenate([[np.inf], cost[:-1] + (times - value) ** 2])
        cost = np.minimum.accumulate(use)
        ends_here[index] = use <= cost
    pairs, time = [], count
    for index in range(len(current) - 1, -1, -1):
        while not ends_here[index, time]:
            time -= 1
        time -= 1
        pairs.append((index, time))
    return pairs[::-1]


def expand_holds(keys: Sequence[Key], hold: float) -> list[Key]:
    """Return keys whose changes end exactly at the next key.

    Each hold becomes an additional key: the whole hold comes before the change.
    """
    expanded: list[Key] = []
    for key, following in zip(keys, [*keys[1:], None]):
        share = hold if key.hold is None else key.hold
        expanded.append(replace(key, hold=None))
        if following is not None and share > 0 and following.time > key.time:
            until = key.time + share * (following.time - key.time)
            expanded.append(replace(key, time=until, hold=None))
    return expanded
