"""Adam and L-BFGS on plain arrays, for pictures with values in 0..1.

Keras's Adam does not keep a picture within 0..1, and SciPy would be one more dependency for one
function, so both are written here. Both yield after each step, so that the caller can report, keep
and stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Cost = Callable[[Array], tuple[float, Array]]
"""Returns the cost of a picture and its gradient, of the picture's shape."""


class Step(NamedTuple):
    """A picture and its cost, after ``number`` steps (from 0: the start)."""

    number: int
    picture: Array
    cost: float


BETA1, BETA2, EPSILON = 0.99, 0.999, 0.1
"""Adam's constants, for a picture."""


def adam(
    cost: Cost,
    start: Array,
    steps: int,
    *,
    rate: float = 0.02,
) -> Iterator[Step]:
    """Kingma and Ba, "Adam: a method for stochastic optimization" (2015), with the picture clipped
    to 0..1.

    Each step holds a picture and its cost. The gradient is multiplied by the number of values, so
    that `EPSILON` means the same for every size: the gradient of a mean shrinks with the picture.
    """
    picture = np.array(start, np.float32)
    mean, square = np.zeros_like(picture), np.zeros_like(picture)
    value, gradient = cost(picture)
    yield Step(0, picture.copy(), value)
    for number in range(1, steps + 1):
        gradient = gradient * np.float32(picture.size)
        mean += np.float32(1 - BETA1) * (gradient - mean)
        square += np.float32(1 - BETA2) * (gradient * gradient - square)
        unbiased = rate * (1 - BETA2**number) ** 0.5 / (1 - BETA1**number)
        picture -= np.float32(unbiased) * mean / (np.sqrt(square) + np.float32(EPSILON))
        np.clip(picture, 0, 1, out=picture)
        value, gradient = cost(picture)
        yield Step(number, picture.copy(), value)


HISTORY_LENGTH = 10
"""Pairs of steps and gradient changes from which L-BFGS estimates the curvature."""
ARMIJO = 1e-4
"""Share of the decrease predicted by the gradient that a step must reach (Armijo's condition)."""
MAX_HALVINGS = 20
FIRST_STEP = 0.05
"""Mean change of a value (0..1) in the first step, before the curvature is known."""


def lbfgs(cost: Cost, start: Array, steps: int) -> Iterator[Step]:
    """Nocedal, "Updating quasi-Newton matrices with limited storage" (1980), the two loops,
    with projection to 0..1 and a backtracking line search.

    The cost never rises. Ends before ``steps`` where no direction leads down.
    """
    picture = np.clip(np.array(start, np.float32), 0, 1)
    value, gradient = cost(picture)
    pairs: deque[tuple[Array, Array]] = deque(maxlen=HISTORY_LENGTH)
    yield Step(0, picture.copy(), value)
    for number in range(1, steps + 1):
        found = _search_line(cost, picture, value, gradient, pairs)
        if found is None and pairs:
            pairs.clear()  # the estimated curvature misleads: take the steepest descent
            found = _search_line(cost, picture, value, gradient, pairs)
        if found is None:
            return
        moved, value, after = found
        step, change = moved - picture, after - gradient
        # Curvature that is not positive would turn the next direction uphill.
        if _dot(step, change) > 1e-8 * _dot(change, change) ** 0.5 * _dot(step, step) ** 0.5:
            pairs.append((step, change))
        picture, gradient = moved, after
        yield Step(number, picture.copy(), value)


def find_direction(gradient: Array, pairs: deque[tuple[Array, Array]]) -> Array:
    """Return the descent direction: minus the estimated inverse curvature times the gradient."""
    way = gradient.copy()
    shares = []
    for step, change in reversed(pairs):
        share = _dot(step, way) / _dot(step, change)
        way -= np.float32(share) * change
        shares.append(share)
    if pairs:
        step, change = pairs[-1]
        way *= np.float32(_dot(step, change) / _dot(change, change))
    for (step, change), share in zip(pairs, reversed(shares)):
        way += np.float32(share - _dot(change, way) / _dot(step, change)) * step
    return -way


def _search_line(
    cost: Cost, picture: Array, value: float, gradient: Array, pairs: deque[tuple[Array, Array]]
) -> tuple[Array, float, Array] | None:
    """Halve the step until it satisfies Armijo's condition; returns picture, cost and gradient, or
    None after `MAX_HALVINGS`.
    """
    # Values at a bound that the step would push beyond it stay fixed.
    held = ((picture <= 0) & (gradient > 0)) | ((picture >= 1) & (gradient < 0))
    way = find_direction(np.where(held, 0, gradient), pairs)
    way[held] = 0
    if not pairs:
        way *= np.float32(FIRST_STEP / max(float(np.abs(way).mean()), 1e-30))
    length = 1.0
    for _ in range(MAX_HALVINGS):
        moved = np.clip(picture + np.float32(length) * way, 0, 1)
        promised = _dot(gradient, moved - picture)
        if promised < 0:
            there, after = cost(moved)
            if np.isfinite(there) and there <= value + ARMIJO * promised:
                return moved, there, after
        length /= 2
    return None


def _dot(one: Array, other: Array) -> float:
    return float(np.dot(one.ravel(), other.ravel()))
