"""Easing curves: how a change from one style to the next feels.

A curve maps the part of the time that has passed, 0 to 1, to the part of the change that is done;
it is 0 at 0 and 1 at 1. To add one: a function here and its line in `EASES`. Formulas are the usual
ones of animation (after Robert Penner).

Two kinds of curve are written with their numbers: ``cubic-bezier(a,b,c,d)``, as style sheets of the
web have it, and ``table(0,…,1)``, values at equal parts of the time joined by straight lines, which
is how a measured pace is kept (see `vst.schedule.pacing`).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence

from vst.core.registry import unknown
from vst.errors import UsageError

Ease = Callable[[float], float]


def linear(part: float) -> float:
    """At one speed all the way."""
    return part


def smooth(part: float) -> float:
    """Slow, fast, slow: Hermite's cubic, at rest at both ends."""
    return part * part * (3 - 2 * part)


def sine(part: float) -> float:
    """Half a wave of the cosine: like smooth, a little livelier."""
    return (1 - math.cos(math.pi * part)) / 2


def cubic(part: float) -> float:
    """Slow for longer, then a quick middle."""
    return 4 * part**3 if part < 0.5 else 1 - (2 - 2 * part) ** 3 / 2


def expo(part: float) -> float:
    """Almost nothing, a burst in the middle, almost nothing."""
    # Ten doublings, brought down by their start so that the curve begins at 0 itself.
    if part > 0.5:
        return 1 - expo(1 - part)
    return (2 ** (20 * part) - 1) / (2 * (2**10 - 1))


def bounce(part: float) -> float:
    """Falls onto the next style and bounces three times, each lower."""
    if part == 1.0:
        return 1.0
    # Each parabola touches 1 at its ends; the widths shrink by half from one to the next.
    for start, width in ((4 / 11, 4 / 11), (8 / 11, 2 / 11), (10 / 11, 1 / 11)):
        if part >= start:
            middle, half = start + width / 2, width / 2
            rise = (half * 11 / 4) ** 2
            if part < start + width:
                return 1 - rise * (1 - ((part - middle) / half) ** 2)
    return (part * 11 / 4) ** 2


def step(part: float) -> float:
    """A hard cut in the middle."""
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
def ease_named(name: str) -> Ease:
    """The curve of that name, or the one written with its numbers."""
    if name in EASES:
        return EASES[name]
    match = _CALL.fullmatch(name.strip())
    if match is None:
        raise unknown("ease", name, [*EASES, "cubic-bezier(a,b,c,d)"])
    kind, inside = match.groups()
    try:
        numbers = tuple(float(word) for word in inside.split(","))
    except ValueError:
        numbers = ()
    if not all(math.isfinite(number) for number in numbers):
        numbers = ()
    return cubic_bezier(name, numbers) if kind == "cubic-bezier" else table(name, numbers)


def cubic_bezier(name: str, numbers: Sequence[float]) -> Ease:
    """The curve from (0, 0) to (1, 1) that (a, b) and (c, d) pull at; ``numbers``: a, b, c, d.

    a and c lie in 0..1, so that there is one value for each time; b and d are free: outside 0..1
    the change overshoots.
    """
    if len(numbers) != 4:
        raise UsageError(f"ease {name!r} needs four numbers; write it as cubic-bezier(0.3,0,0.2,1)")
    a, b, c, d = numbers
    if not (0 <= a <= 1 and 0 <= c <= 1):
        raise UsageError(
            f"ease {name!r}: the first and the third number are times and lie between 0 and 1; "
            f"they are {a:g} and {c:g}"
        )

    def ease(part: float) -> float:
        if part <= 0 or part >= 1:
            return 0.0 if part <= 0 else 1.0
        return _bezier(b, d, _solve(a, c, part))

    return ease


def _bezier(first: float, second: float, at: float) -> float:
    """One coordinate of the curve: from 0 to 1, pulled by ``first`` and ``second``."""
    return 3 * first * (1 - at) ** 2 * at + 3 * second * (1 - at) * at**2 + at**3


def _solve(first: float, second: float, value: float) -> float:
    """Where the rising coordinate takes ``value``: Newton's steps, halving where they leave."""
    low, high, at = 0.0, 1.0, value
    for _ in range(60):
        off = _bezier(first, second, at) - value
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


def table(name: str, values: Sequence[float]) -> Ease:
    """Straight lines through ``values`` at equal parts of the time; the first is 0, the last 1."""
    if len(values) < 2 or values[0] != 0 or values[-1] != 1:
        raise UsageError(
            f"ease {_short(name)!r} needs two numbers or more, from 0 to 1; "
            "write it as table(0,0.2,0.7,1)"
        )
    last = len(values) - 1

    def ease(part: float) -> float:
        if part <= 0 or part >= 1:
            return 0.0 if part <= 0 else 1.0
        index = min(int(part * last), last - 1)
        rest = part * last - index
        return values[index] * (1 - rest) + values[index + 1] * rest

    return ease


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
