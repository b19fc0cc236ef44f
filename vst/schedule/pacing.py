"""A transition at an even visible speed: the painter is asked how much the picture changes.

Between two styles the picture often hardly moves at first and then turns within a few steps: even
steps of weight are not even steps to the eye. Here the path is walked with the painter, and each
transition gets an ease along which consecutive paintings differ by the same amount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.schedule.interpolation import same
from vst.schedule.timeline import Mix, Timeline

Paint = Callable[[Mix], Picture]
"""Paints one still, always the same, in a mix: what a viewer would see of it."""

STEPS = 24
"""Steps into which a transition is cut to measure its speed."""
ROUNDS = 6
"""Times that the steps are measured and moved, at most; three do for most pairs of styles."""
EVEN = 0.04
"""Unevenness (`unevenness`) with which a transition is left as it is."""


def uniform(timeline: Timeline, paint: Paint) -> Timeline:
    """The same timeline with each change re-timed to a constant visible speed.

    Each key whose look changes towards the next gets an ease ``table(…)`` of `STEPS` steps, in
    place of its own. About 25 paintings a round and transition: a small still is enough.
    """
    keys = list(timeline.keys)
    for index, (key, following) in enumerate(pairwise(keys)):
        if key.time == following.time or _at_rest(timeline, index):
            continue
        parts = even_parts(lambda part, index=index: paint(timeline.between(index, part)))  # type: ignore[misc]
        written = ",".join(f"{part:.5g}" for part in parts)
        keys[index] = replace(key, ease=f"table({written})")
    return replace(timeline, keys=tuple(keys))


def even_parts(picture_at: Callable[[float], Picture]) -> npt.NDArray[np.float64]:
    """Parts 0..1 (STEPS + 1 of them, rising, with both ends) at which the picture of a transition
    has moved on by the same amount from one to the next.
    """
    parts = np.linspace(0.0, 1.0, STEPS + 1)
    ends = picture_at(0.0), picture_at(1.0)
    best, least = parts, np.inf
    for _ in range(ROUNDS):
        pictures = [ends[0], *(picture_at(float(part)) for part in parts[1:-1]), ends[1]]
        changes = differences(pictures)
        if changes.sum() == 0:
            return parts
        uneven = unevenness(changes)
        if uneven < least:
            best, least = parts, uneven
        if uneven <= EVEN:
            break
        # The length of the way so far, at the parts just painted; its inverse at even lengths is
        # the next guess. Where nothing changes at all, a sliver of length keeps it rising.
        length = np.concatenate([[0.0], np.cumsum(changes + 1e-6 * changes.sum())])
        parts = np.interp(np.linspace(0.0, length[-1], STEPS + 1), length, parts)
        parts[0], parts[-1] = 0.0, 1.0
    return best


def differences(pictures: list[Picture]) -> npt.NDArray[np.float64]:
    """Mean absolute difference (0..255) between each picture and the next."""
    return np.array(
        [np.abs(one.astype(np.float32) - other).mean() for one, other in pairwise(pictures)],
        np.float64,
    )


def unevenness(changes: npt.NDArray[np.float64]) -> float:
    """Standard deviation over mean of the changes; 0 is a constant speed."""
    return float(changes.std() / changes.mean()) if changes.any() else 0.0


def _at_rest(timeline: Timeline, index: int) -> bool:
    """Whether nothing changes from a key to the next."""
    start, middle, end = (timeline.between(index, part) for part in (0.0, 0.5, 1.0))
    return all(
        same(start.weights, other.weights)
        and (start.strength, start.brush, start.colours)
        == (other.strength, other.brush, other.colours)
        for other in (middle, end)
    )
