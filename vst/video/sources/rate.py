"""Resample frames at any times to a constant rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from vst.core.types import Frame
from vst.errors import UsageError

HIGHEST_RATE = 1000
"""Frames a second; more than screens show and cameras film."""


def check_rate(rate: Fraction) -> Fraction:
    """Return ``rate`` in frames a second; raise `UsageError` outside 0 < rate <= `HIGHEST_RATE`."""
    if not 0 < rate <= HIGHEST_RATE:
        raise UsageError(
            f"a rate of {rate} frames a second is out of range. Give one above 0 and at most "
            f"{HIGHEST_RATE}"
        )
    return rate


def resample(frames: Iterable[Frame], rate: Fraction, end: float | None = None) -> Iterator[Frame]:
    """Yield frames at a constant ``rate`` from the time of the first one, by repeating and
    dropping: each time shows the frame that is on screen then.

    A frame that is late by less than a quarter of a step, at most 5 ms, counts as on time, so that
    rounded times (milliseconds in Matroska) neither drop nor repeat one. The last frame lasts as
    long as the one before it, or until ``end`` seconds. Pictures are not copied.
    """
    step = 1 / check_rate(rate)
    grace = min(step / 4, Fraction(5, 1000))
    shown: Frame | None = None
    start = 0.0
    span = float(step)
    count = 0
    for frame in frames:
        if shown is None:
            start = frame.time
        else:
            span = frame.time - shown.time
            while start + float(count * step + grace) < frame.time:
                yield Frame(
                    count, start + float(count * step), shown.picture, shown.alpha, shown.deep
                )
                count += 1
        shown = frame
    if shown is None:
        return
    stop = shown.time + span if end is None else end
    while count == 0 or start + float((count + Fraction(1, 2)) * step) < stop:
        yield replace(shown, index=count, time=start + float(count * step))
        count += 1
