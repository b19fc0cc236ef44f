"""Re-times transitions to a constant visible speed, measured on painted pictures.

Between two styles the picture often hardly changes at first and then within a few steps: equal
steps of weight are not equal steps to the eye. This module paints a still along each transition
and computes an ease along which consecutive paintings differ by the same amount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.schedule.interpolation import are_equal
from vst.schedule.timeline import Mix, Timeline

Paint = Callable[[Mix], Picture]
"""Paints one still, always the same, with a mix."""

STEPS = 24
"""Steps into which a transition is divided to measure its speed."""
ROUNDS = 6
"""Upper limit of rounds of measuring and moving the steps; three suffice for most styles."""
EVEN_ENOUGH = 0.04
"""Unevenness (see `measure_unevenness`) at which the search ends."""


def equalize_pace(timeline: Timeline, paint: Paint) -> Timeline:
    """Return the timeline with each transition re-timed to a constant visible speed.

    Each key that differs from the next gets an ease ``table(…)`` of `STEPS` steps in place of its
    own. Paints about 25 pictures per round and transition; a small still is enough.
    """
    keys = list(timeline.keys)
    for index, (key, following) in enumerate(pairwise(keys)):
        if key.time == following.time or _is_still(timeline, index):
            continue
        parts = find_even_parts(lambda part, index=index: paint(timeline.between(index, part)))  # type: ignore[misc]
        written = ",".join(f"{part:.5g}" for part in parts)
        keys[index] = replace(key, ease=f"table({written})")
    return replace(timeline, keys=tuple(keys))


def find_even_parts(picture_at: Callable[[float], Picture]) -> npt.NDArray[np.float64]:
    """Return STEPS + 1 rising parts, from 0 to 1, between which the picture changes equally.

    ``picture_at`` gives the picture at a part (0..1) of the transition.
    """
    parts = np.linspace(0.0, 1.0, STEPS + 1)
    ends = picture_at(0.0), picture_at(1.0)
    best, least = parts, np.inf
    for _ in range(ROUNDS):
        pictures = [ends[0], *(picture_at(float(part)) for part in parts[1:-1]), ends[1]]
        changes = measure_changes(pictures)
        if changes.sum() == 0:
            return parts
        uneven = measure_unevenness(changes)
        if uneven < least:
            best, least = parts, uneven
        if uneven <= EVEN_ENOUGH:
            break
        # The path's length up to each part just painted; its inverse at equal lengths is the next
        # guess. Where nothing changes, a tiny length keeps it strictly rising.
        length = np.concatenate([[0.0], np.cumsum(changes + 1e-6 * changes.sum())])
        parts = np.interp(np.linspace(0.0, length[-1], STEPS + 1), length, parts)
        parts[0], parts[-1] = 0.0, 1.0
    return best


def measure_changes(pictures: list[Picture]) -> npt.NDArray[np.float64]:
    """Return the mean absolute difference (0..255) between each picture and the next."""
    return np.array(
        [np.abs(one.astype(np.float32) - other).mean() for one, other in pairwise(pictures)],
        np.float64,
    )


def measure_unevenness(changes: npt.NDArray[np.float64]) -> float:
    """Return the standard deviation of the changes over their mean; 0 is a constant speed."""
    return float(changes.std() / changes.mean()) if changes.any() else 0.0


def _is_still(timeline: Timeline, index: int) -> bool:
    """Report whether nothing changes from the key ``index`` to the next."""
    start, middle, end = (timeline.between(index, part) for part in (0.0, 0.5, 1.0))
    return all(
        are_equal(start.weights, other.weights)
        and (start.strength, start.brush, start.colors)
        == (other.strength, other.brush, other.colors)
        for other in (middle, end)
    )
