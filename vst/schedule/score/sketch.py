"""The timeline of a score without a content, for plots and checks."""

from __future__ import annotations

from vst.schedule.score.model import Clock, Score
from vst.schedule.timeline import Timeline

NOMINAL_SECONDS = 10.0
"""Assumed duration of the content, in seconds."""


def sketch_timeline(score: Score) -> tuple[Timeline, float]:
    """Return the timeline for an assumed content, and the content's duration in seconds.

    The content is long enough for every time in the score, with as many cuts as the score uses,
    evenly spaced, and two beats per second.
    """
    times = score.times
    rate = 25.0
    seconds = [time.value for time in times if time.unit == "s"]
    seconds += [time.value / rate for time in times if time.unit == "f"]
    seconds += [time.value / 2 for time in times if time.unit == "beat"]
    furthest = max([*seconds, 0.0])
    seconds_only = not score.loop and all(time.unit == "s" for time in times)
    last = furthest if seconds_only and furthest else max(NOMINAL_SECONDS, 1.25 * furthest)
    count = round(max([time.value for time in times if time.unit == "cut"], default=0.0))
    clock = Clock(
        0.0,
        last,
        rate,
        [last * (index + 1) / (count + 1) for index in range(count)],
        [index / 2 for index in range(round(2 * last) + 2)],
    )
    return score.make_timeline(clock), last
