"""Transitions that end on given times: on the content's cuts, or on the beats of its sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vst.core.types import Frame
from vst.schedule.timeline import Key, Timeline
from vst.video.scene_cuts import CutDetector

ALIGNS = {
    "off": "transitions end where the keys stand",
    "cuts": "transitions end on the content's cuts",
    "beats": "transitions end on the beats of the content's sound",
}
"""What transitions may end on -> what it means."""


def cut_times(frames: Iterable[Frame]) -> list[float]:
    """The times, in seconds, of the frames with which a new scene starts; the first frame of all is
    none. Reads every frame, holds one.
    """
    detector = CutDetector()
    return [frame.time for frame in frames if detector.is_cut(frame.picture)]


def align_to(timeline: Timeline, times: Sequence[float]) -> Timeline:
    """The same keys, moved so that transitions end on ``times`` (seconds, in any order).

    Each key after the first moves to a time of its own, in order, and all together move as little
    as can be. Where there are fewer times than keys, the keys left over keep their place between
    their neighbours. Times outside of the timeline are no use; with none it stays as it is. What is
    held is held before the change begins, for the change ends on the beat.
    """
    first, end = timeline.keys[0].time, timeline.keys[-1].time
    usable = np.unique([time for time in times if first < time <= end])
    moving = np.array([key.time for key in timeline.keys if key.time > first])
    # Keys at one time are a hard change: they move together.
    places = np.unique(moving)
    if not len(usable) or not len(places):
        return timeline
    pairs = matched(places, usable)
    anchors = np.array([first, *(places[place] for place, _ in pairs)])
    targets = np.array([first, *(usable[time] for _, time in pairs)])
    if anchors[-1] < end:
        anchors, targets = np.append(anchors, end), np.append(targets, end)
    moved = [
        replace(key, time=float(np.interp(key.time, anchors, targets))) for key in timeline.keys
    ]
    return replace(timeline, keys=tuple(landing(moved, timeline.hold)), hold=0.0)


def matched(
    places: npt.NDArray[np.float64], times: npt.NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Pairs (place, time) in order, as many as the shorter row has, of the least squared moves."""
    if len(places) > len(times):
        return [(place, time) for time, place in matched(times, places)]
    many = len(times)
    cost = np.zeros(many + 1)
    taken = np.zeros((len(places), many + 1), bool)
    for index, place in enumerate(places):
        # cost[m]: the least for the places so far with the first m times.
        use = np.concatenate([[np.inf], cost[:-1] + (times - place) ** 2])
        cost = np.minimum.accumulate(use)
        taken[index] = use <= cost
    pairs, time = [], many
    for index in range(len(places) - 1, -1, -1):
        while not taken[index, time]:
            time -= 1
        time -= 1
        pairs.append((index, time))
    return pairs[::-1]


def landing(keys: Sequence[Key], hold: float) -> list[Key]:
    """Keys whose changes end exactly at the next key: what is held comes whole before the change,
    as a key of its own.
    """
    placed: list[Key] = []
    for key, following in zip(keys, [*keys[1:], None]):
        rest = hold if key.hold is None else key.hold
        placed.append(replace(key, hold=None))
        if following is not None and rest > 0 and following.time > key.time:
            until = key.time + rest * (following.time - key.time)
            placed.append(replace(key, time=until, hold=None))
    return placed
