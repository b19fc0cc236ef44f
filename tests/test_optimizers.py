"""The two optimizers on costs whose least value is known."""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np
import pytest

from vst.engines.optimizers import Array, adam, lbfgs

RNG = np.random.default_rng(5)


def bowl(low: Array, steep: Array):  # type: ignore[no-untyped-def]
    """Least at ``low``, as steep in each direction as given."""

    def cost(x: Array) -> tuple[float, Array]:
        return float(0.5 * (steep * (x - low) ** 2).sum()), (steep * (x - low)).astype(np.float32)

    return cost


def banana(x: Array) -> tuple[float, Array]:
    """Rosenbrock's valley, least at (1, 1)."""
    a, b = float(x[0]), float(x[1])
    gradient = [-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)]
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2, np.array(gradient, np.float32)


def test_lbfgs_finds_the_bottom_of_a_long_bowl() -> None:
    low = RNG.uniform(0.2, 0.8, (6, 5, 3)).astype(np.float32)
    steep = np.logspace(0, 2, low.size).reshape(low.shape).astype(np.float32)
    *_, last = lbfgs(bowl(low, steep), np.full_like(low, 0.5), 80)
    np.testing.assert_allclose(last.picture, low, atol=2e-3)


def test_lbfgs_goes_round_a_bent_valley() -> None:
    *_, last = lbfgs(banana, np.array([0.1, 0.9], np.float32), 100)
    np.testing.assert_allclose(last.picture, [1, 1], atol=5e-3)


def test_lbfgs_never_goes_up_and_stays_in_the_box() -> None:
    low = RNG.uniform(-0.5, 1.5, (40,)).astype(np.float32)
    steps = list(lbfgs(bowl(low, np.ones_like(low)), np.full_like(low, 0.5), 30))
    costs = [step.cost for step in steps]
    assert all(after <= before for before, after in pairwise(costs))
    np.testing.assert_allclose(steps[-1].picture, low.clip(0, 1), atol=1e-4)


def test_lbfgs_ends_where_nothing_is_left_to_gain() -> None:
    flat = np.zeros(4, np.float32)
    steps = list(lbfgs(lambda x: (0.0, flat), np.full(4, 0.5, np.float32), 30))
    assert [step.number for step in steps] == [0]


def test_adam_is_that_of_keras() -> None:
    low = RNG.uniform(0.3, 0.7, 12).astype(np.float32)
    cost = bowl(low, np.full_like(low, 0.5))
    *_, ours = adam(cost, np.full_like(low, 0.5), 20)
    theirs = keras.Variable(np.full_like(low, 0.5))
    optimizer = keras.optimizers.Adam(0.02, beta_1=0.99, beta_2=0.999, epsilon=0.1)
    optimizer.build([theirs])
    for _ in range(20):
        value = np.asarray(theirs.value)
        optimizer.apply([cost(value)[1] * value.size], [theirs])
    # Keras applies epsilon before the correction of the second moment, as is done here.
    np.testing.assert_allclose(ours.picture, np.asarray(theirs.value), atol=1e-5)


@pytest.mark.parametrize("method", [adam, lbfgs])
def test_each_step_reports_the_cost_of_its_own_picture(method) -> None:  # type: ignore[no-untyped-def]
    low = RNG.uniform(0.3, 0.7, 12).astype(np.float32)
    cost = bowl(low, np.ones_like(low))
    for step in method(cost, np.full_like(low, 0.1), 5):
        assert step.cost == pytest.approx(cost(step.picture)[0])
