"""Numbers that the page sends."""

from __future__ import annotations

import math

from vst.errors import UsageError


def parse_number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number within its range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{name} {value!r}; give a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{name} {value!r}; give a number")
    if not low <= number <= high:
        raise UsageError(f"{name} {number:g}; allowed is {low:g} to {high:g}")
    return number
