"""Times and frame rates as users write them."""

from __future__ import annotations

import re
from fractions import Fraction

from vst.errors import UsageError

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)")


def parse_time(text: str | float) -> float:
    """Convert "12.5", "1:30" or "0:01:02.250" to seconds."""
    if isinstance(text, (int, float)):
        seconds = float(text)
    else:
        match = _CLOCK.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"time {text!r} cannot be read. Write seconds (12.5) or H:MM:SS.mmm (0:01:02.250)"
            )
        hours, minutes, rest = match.groups()
        if minutes is not None and float(rest) >= 60:
            raise UsageError(
                f"time {text!r} has {rest} seconds after a colon. Write less than 60 there"
            )
        seconds = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"time {text!r} is not a time in a video. Write 0 or more")
    return seconds


def format_time(seconds: float) -> str:
    """Format 12.5 as "0:12.500"; from an hour on as "1:00:12.500"."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def parse_rate(text: str | float | Fraction) -> Fraction:
    """Convert "25", "30000/1001" or "23.976" to frames per second.

    A decimal within 0.001 of a television rate (N*1000/1001) becomes that rate, because 23.976 is
    always short for 24000/1001.
    """
    try:
        rate = Fraction(text) if not isinstance(text, float) else Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"rate {text!r} cannot be read. Write 25, 23.976 or 30000/1001") from None
    if not 0 < rate <= 1000:
        raise UsageError(
            f"rate {text} is out of range. Write more than 0, at most 1000 frames per second"
        )
    television = Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)
    if rate.denominator != 1 and rate != television and abs(rate - television) < Fraction(1, 1000):
        return television
    return rate
