"""Easing curves: how a transition from one style to the next progresses.

A curve maps elapsed time, 0 to 1, to the progress of the transition; it is 0 at 0 and 1 at 1. To
add one, write a function here and add it to `EASES`. The formulas are the usual ones of animation
(after Robert Penner).

Two kinds of curve take numbers: ``cubic-bezier(a,b,c,d)``, as in CSS, and ``table(0,…,1)``, values
at equal intervals of time, interpolated linearly, which is how `vst.schedule.pacing` stores a
measured pace.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence

from vst.core.registry import make_unknown_error
from vst.errors import UsageError

Ease = Callable[[float], float]


def linear(part: float) -> float:
    """Progress at constant speed."""
    return part


def smooth(part: float) -> float:
    """Start and end slowly: Hermite's cubic, with zero speed at both ends."""
    return part * part * (3 - 2 * part)


def sine(part: float) -> float:
    """Follow half a period of a cosine: like smooth, slightly faster in the middle."""
    return (1 - math.cos(math.pi * part)) / 2


def cubic(part: float) -> float:
    """Start and end more slowly than smooth, with a faster middle."""
    return 4 * part**3 if part < 0.5 else 1 - (2 - 2 * part) ** 3 / 2


def expo(part: float) -> float:
    """Change almost entirely in the middle."""
    # Ten doublings, shifted so that the curve starts at exactly 0.
    if part > 0.5:
        return 1 - expo(1 - part)
    return (2 ** (20 * part) - 1) / (2 * (2**10 - 1))


def bounce(part: float) -> float:
    """Reach the next style and bounce off it three times, each time less far."""
    if part == 1.0:
        return 1.0
    # Each parabola touches 1 at its ends; each is half as wide as the one before.
    for start, width in ((4 / 11, 4 / 11), (8 / 11, 2 / 11), (10 / 11, 1 / 11)):
        if part >= start:
            middle, half = start + width / 2, width / 2
            rise = (half * 11 / 4) ** 2
            if part < start + width:
                return 1 - rise * (1 - ((part - middle) / half) ** 2)
    return (part * 11 / 4) ** 2


def step(part: float) -> float:
    """Switch in the middle, without a transition."""
    return 0.0 if part < 0.5 else 1.0


EASES: dict[str, Ease] = {
    "linear": linear,
    "smooth": smooth,
    "sine": sine,
    "cubic": cubic,
    "expo": expo,
    "bounce": bounce,
    "step": step,
}


_CALL = re.compile(r"(cubic-bezier|table)\s*\((.*)\)", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def get_ease(name: str) -> Ease:
    """Return the curve of a name in `EASES`, ``cubic-bezier(a,b,c,d)`` or ``table(0,…,1)``.

    Raises `UnknownNameError` for another name, `UsageError` for numbers that define no curve.
    """
    if name in EASES:
        return EASES[name]
    match = _CALL.fullmatch(name.strip())
    if match is None:
        raise make_unknown_error("ease", name, [*EASES, "cubic-bezier(a,b,c,d)"])
    kind, inside = match.groups()
    try:
        numbers = tuple(float(word) for word in inside.split(","))
    except ValueError:
        numbers = ()
    if not all(math.isfinite(number) for number in numbers):
        numbers = ()
    return (
        make_bezier_ease(name, numbers)
        if kind == "cubic-bezier"
        else make_table_ease(name, numbers)
    )


def make_bezier_ease(name: str, numbers: Sequence[float]) -> Ease:
    """Return the Bezier curve from (0, 0) to (1, 1) with the control points (a, b) and (c, d).

    ``numbers``: a, b, c, d. a and c lie in 0..1, so that there is one value for each time; b and d
    are unbounded, and outside 0..1 the transition overshoots. Raises `UsageError`.
    """
    if len(numbers) != 4:
        raise UsageError(
            f"ease {name!r} needs four numbers. Write it as cubic-bezier(0.3,0,0.2,1)."
        )
    a, b, c, d = numbers
    if not (0 <= a <= 1 and 0 <= c <= 1):
        raise UsageError(
            f"ease {name!r}: the first and the third number are times, here {a:g} and {c:g}. "
            "Give numbers between 0 and 1."
        )

    def ease(part: float) -> float:
        if part <= 0 or part >= 1:
            return 0.0 if part <= 0 else 1.0
        return _evaluate_bezier(b, d, _solve_bezier(a, c, part))

    return ease


def _evaluate_bezier(first: float, second: float, at: float) -> float:
    """Return one coordinate of the curve at the parameter ``at`` (0..1).

    ``first`` and ``second`` are the control points' coordinates.
    """
    return 3 * first * (1 - at) ** 2 * at + 3 * second * (1 - at) * at**2 + at**3


def _solve_bezier(first: float, second: float, value: float) -> float:
    """Return the parameter at which the rising coordinate takes ``value``.

    Newton's method, with bisection where a step leaves the bracket.
    """
    low, high, at = 0.0, 1.0, value
    for _ in range(60):
        off = _evaluate_bezier(first, second, at) - value
        if abs(off) < 1e-13:
            break
        low, high = (low, at) if off > 0 else (at, high)
        slope = (
            3 * first * (1 - at) ** 2
            + 6 * (second - first) * (1 - at) * at
            + 3 * (1 - second) * at**2
        )
        step_to = at - off / slope if slope > 1e-9 else -1.0
        at = step_to if low < step_to < high else (low + high) / 2
    return at


def make_table_ease(name: str, values: Sequence[float]) -> Ease:
    """Return the piecewise linear curve through ``values`` at equal intervals of time.

    The first value is 0, the last 1; else raises `UsageError`.
    """
    if len(values) < 2 or values[0] != 0 or values[-1] != 1:
        raise UsageError(
            f"ease {_shorten(name)!r} needs two numbers or more, from 0 to 1. "
            "Write it as table(0,0.2,0.7,1)."
        )
    last = len(values) - 1

    def ease(part: float) -> float:
        if part <= 0 or part >= 1:
            return 0.0 if part <= 0 else 1.0
        index = min(int(part * last), last - 1)
        rest = part * last - index
        return values[index] * (1 - rest) + values[index + 1] * rest

    return ease


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
