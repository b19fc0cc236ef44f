"""A score laid out on a content that is not known, to be looked at."""

from __future__ import annotations

from vst.schedule.score.model import Clock, Score
from vst.schedule.timeline import Timeline

NOMINAL = 10.0
"""Seconds of a content that is not known."""


def sketch_timeline(score: Score) -> tuple[Timeline, float]:
    """The timeline on a content that is not known, and its seconds: long enough for every time in
    the score, with as many cuts as it names, evenly spaced, and two beats a second.
    """
    moments = [key.at for key in (*score.keys, *score.ground)]
    moments += [moment for moment, _ in (*score.strength, *score.brush)]
    rate = 25.0
    seconds = [moment.value for moment in moments if moment.unit == "s"]
    seconds += [moment.value / rate for moment in moments if moment.unit == "f"]
    seconds += [moment.value / 2 for moment in moments if moment.unit == "beat"]
    furthest = max([*seconds, 0.0])
    clocked = not score.loop and all(moment.unit == "s" for moment in moments)
    last = furthest if clocked and furthest else max(NOMINAL, 1.25 * furthest)
    count = round(max([moment.value for moment in moments if moment.unit == "cut"], default=0.0))
    clock = Clock(
        0.0,
        last,
        rate,
        [last * (index + 1) / (count + 1) for index in range(count)],
        [index / 2 for index in range(round(2 * last) + 2)],
    )
    return score.on(clock), last
