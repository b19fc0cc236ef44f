"""SMPTE timecode: the number of a frame as hours, minutes, seconds and frames.

At 29.97 frames a second a clock that counts 30 falls behind. Drop-frame timecode, written with a
semicolon, leaves out the first two numbers of each minute but the tenth (four at 59.94), and no
frame (SMPTE ST 12-1).
"""

from __future__ import annotations

import re
from fractions import Fraction

from vst.errors import UsageError

_TEXT = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")
DAY = 24 * 3600
"""Seconds after which timecode starts again at 0."""


def count_dropped(rate: Fraction) -> int:
    """Return how many numbers drop-frame leaves out each minute; 0: the rate has none."""
    nominal = round(rate)
    is_television = rate == Fraction(nominal * 1000, 1001) and nominal % 30 == 0
    return nominal // 15 if is_television else 0


def parse_timecode(text: str, rate: Fraction) -> tuple[int, bool]:
    """Parse "01:02:03:04", or "01:02:03;04" for drop-frame; return the frame's number from 0, and
    whether numbers are dropped. Raises `UsageError`.
    """
    found = _TEXT.fullmatch(text.strip())
    nominal, dropped = round(rate), count_dropped(rate)
    if found is None:
        raise UsageError(f"timecode {text!r} cannot be read. Write HH:MM:SS:FF, or HH:MM:SS;FF")
    hours, minutes, seconds, frames = (int(found[number]) for number in (1, 2, 3, 5))
    if minutes > 59 or seconds > 59 or frames >= nominal:
        raise UsageError(
            f"timecode {text!r} is not one of {float(rate):g} frames a second. Give minutes and "
            f"seconds below 60, frames below {nominal}"
        )
    drops = found[4] != ":" and dropped > 0
    whole = hours * 60 + minutes
    count = (whole * 60 + seconds) * nominal + frames
    return count - (dropped * (whole - whole // 10) if drops else 0), drops


def format_timecode(count: int, rate: Fraction, drops: bool) -> str:
    """Format the number of a frame, from 0; after a day it starts again."""
    nominal, dropped = round(rate), count_dropped(rate) if drops else 0
    minute = 60 * nominal - dropped
    ten = 10 * minute + dropped
    count %= 144 * ten
    tens, rest = divmod(count, ten)
    if dropped and rest >= 60 * nominal:
        rest += dropped * (1 + (rest - 60 * nominal) // minute)
    number = tens * 600 * nominal + rest
    seconds, frames = divmod(number, nominal)
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{';' if dropped else ':'}{frames:02}"


def shift_timecode(text: str, rate: Fraction, seconds: float, wanted: Fraction) -> str:
    """Return the timecode that lies ``seconds`` later, for frames at the rate ``wanted``."""
    count, drops = parse_timecode(text, rate)
    count += round(seconds * rate)
    if wanted != rate:
        count = round(count / rate * wanted)
        drops = drops and count_dropped(wanted) > 0
    return format_timecode(count, wanted, drops)
