"""A constant rate out of frames at any times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from vst.errors import UsageError
from vst.frames import Frame

HIGHEST_RATE = 1000
"""Frames a second; more than any screen or camera of a user shows."""


def check_rate(rate: Fraction) -> Fraction:
    """Return ``rate`` in frames a second; raise `UsageError` outside 0 < rate <= `HIGHEST_RATE`."""
    if not 0 < rate <= HIGHEST_RATE:
        raise UsageError(f"a rate of {rate} frames a second; it must be above 0 and at most {HIGHEST_RATE}")
    return rate


def resample(frames: Iterable[Frame], rate: Fraction, end: float | None = None) -> Iterator[Frame]:
    """Yield frames at a constant ``rate``, counted from the time of the first one, by repeating and dropping.

    Each yielded frame shows what is on the screen at the middle of its span, so that rounded times (milliseconds in
    Matroska) neither drop nor double a frame. The last frame lasts as long as the one before it did, or until ``end``
    seconds. The pictures are handed through, not copied.
    """
    check_rate(rate)
    step = 1 / rate
    shown: Frame | None = None
    start = 0.0
    span = float(step)
    count = 0
    for frame in frames:
        if shown is None:
            start = frame.time
        else:
            span = frame.time - shown.time
            while start + float((count + Fraction(1, 2)) * step) < frame.time:
                yield Frame(count, start + float(count * step), shown.picture)
                count += 1
        shown = frame
    if shown is None:
        return
    stop = shown.time + span if end is None else end
    while count == 0 or start + float((count + Fraction(1, 2)) * step) < stop:
        yield Frame(count, start + float(count * step), shown.picture)
        count += 1
