"""Easing curves: how a change from one style to the next feels.

A curve maps the part of the time that has passed, 0 to 1, to the part of the change that is done;
it is 0 at 0 and 1 at 1. To add one: a function here and its line in `EASES`. Formulas are the usual
ones of animation (after Robert Penner).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from vst.registry import unknown

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


def ease_named(name: str) -> Ease:
    """The curve of that name."""
    if name not in EASES:
        raise unknown("ease", name, EASES)
    return EASES[name]
