"""Finding the picture that costs least, step by step: Adam and L-BFGS on plain arrays.

Both are written out here, a page each: a picture lives between 0 and 1, where Keras's Adam would
not keep it, and SciPy's L-BFGS would be one more dependency for one function.

Both yield after each step, so that who asks can watch, keep and stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Cost = Callable[[Array], tuple[float, Array]]
"""A picture's cost and the cost's gradient, of the picture's shape."""


class Step(NamedTuple):
    """A picture and its cost, after ``number`` steps (from 0: the start)."""

    number: int
    picture: Array
    cost: float


def adam(
    cost: Cost,
    start: Array,
    steps: int,
    *,
    rate: float = 0.02,
    beta1: float = 0.99,
    beta2: float = 0.999,
    epsilon: float = 0.1,
) -> Iterator[Step]:
    """Kingma and Ba, "Adam: a method for stochastic optimization" (2015), the picture kept in
    0..1.

    Each yielded cost is that of the picture yielded with it. ``epsilon`` is measured by a gradient
    in units of one pixel: the gradient is multiplied by the number of values first, or a mean over
    a larger picture would stand still.
    """
    picture = np.array(start, np.float32)
    mean, square = np.zeros_like(picture), np.zeros_like(picture)
    value, gradient = cost(picture)
    yield Step(0, picture.copy(), value)
    for number in range(1, steps + 1):
        gradient = gradient * np.float32(picture.size)
        mean += np.float32(1 - beta1) * (gradient - mean)
        square += np.float32(1 - beta2) * (gradient * gradient - square)
        unbiased = rate * (1 - beta2**number) ** 0.5 / (1 - beta1**number)
        picture -= np.float32(unbiased) * mean / (np.sqrt(square) + np.float32(epsilon))
        np.clip(picture, 0, 1, out=picture)
        value, gradient = cost(picture)
        yield Step(number, picture.copy(), value)


REMEMBERED = 10
"""Pairs of steps and changes of the gradient from which L-BFGS guesses the curvature."""
ENOUGH = 1e-4
"""Part of the decrease promised by the gradient that a step must bring (Armijo's condition)."""
HALVINGS = 20
FIRST = 0.05
"""Mean change of a value, of 0..1, in the very first step, before anything of the curvature is
known."""


def lbfgs(cost: Cost, start: Array, steps: int) -> Iterator[Step]:
    """Nocedal, "Updating quasi-Newton matrices with limited storage" (1980), the two loops; the
    picture is kept in 0..1 by projection, the step's length is found by halving.

    The cost never rises. Ends before ``steps`` where no direction goes down any more.
    """
    picture = np.clip(np.array(start, np.float32), 0, 1)
    value, gradient = cost(picture)
    pairs: deque[tuple[Array, Array]] = deque(maxlen=REMEMBERED)
    yield Step(0, picture.copy(), value)
    for number in range(1, steps + 1):
        found = _searched(cost, picture, value, gradient, pairs)
        if found is None and pairs:
            pairs.clear()  # what was remembered misleads: straight downhill once more
            found = _searched(cost, picture, value, gradient, pairs)
        if found is None:
            return
        moved, value, after = found
        step, change = moved - picture, after - gradient
        # Curvature that is not positive would turn the next direction uphill.
        if _dot(step, change) > 1e-8 * _dot(change, change) ** 0.5 * _dot(step, step) ** 0.5:
            pairs.append((step, change))
        picture, gradient = moved, after
        yield Step(number, picture.copy(), value)


def direction(gradient: Array, pairs: deque[tuple[Array, Array]]) -> Array:
    """The gradient, turned and scaled by the curvature that the pairs tell, downhill."""
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


def _searched(
    cost: Cost, picture: Array, value: float, gradient: Array, pairs: deque[tuple[Array, Array]]
) -> tuple[Array, float, Array] | None:
    """The first of ever shorter steps that brings enough: picture, cost, gradient."""
    # What lies at its bound and is pushed beyond stays out of it.
    held = ((picture <= 0) & (gradient > 0)) | ((picture >= 1) & (gradient < 0))
    way = direction(np.where(held, 0, gradient), pairs)
    way[held] = 0
    if not pairs:
        way *= np.float32(FIRST / max(float(np.abs(way).mean()), 1e-30))
    length = 1.0
    for _ in range(HALVINGS):
        moved = np.clip(picture + np.float32(length) * way, 0, 1)
        promised = _dot(gradient, moved - picture)
        if promised < 0:
            there, after = cost(moved)
            if np.isfinite(there) and there <= value + ENOUGH * promised:
                return moved, there, after
        length /= 2
    return None


def _dot(one: Array, other: Array) -> float:
    return float(np.dot(one.ravel(), other.ravel()))
