"""Mixing embeddings linearly mixes each layer's scale and shift linearly, and so gives the
Wasserstein barycenter of the layers' Gaussians.

The tests read the painter's layers, in two steps: the scale and the shift of a conditional instance
normalization are affine in the embedding; and the layer's output has, per channel, the shift as its
mean and the absolute value of the scale as its standard deviation. For one-dimensional Gaussians
(m, s) the squared Wasserstein distance is (m - m')^2 + (s - s')^2, so the weighted barycenter of
several has the weighted means of m and of s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.schedule.interpolation import blend_embeddings

WEIGHTS = [0.5, 0.3, 0.2]
RNG = np.random.default_rng(7)
STYLES = [RNG.normal(size=100).astype(np.float32) for _ in WEIGHTS]
MIXED = blend_embeddings(STYLES, WEIGHTS, "embedding")


@pytest.fixture(scope="module")
def painter() -> Any:
    import os

    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    from vst.nets.embedded import Painter

    keras.utils.set_random_seed(11)
    painter = Painter()
    painter.set_space(RNG.normal(size=(400, 100)).astype(np.float32))
    return painter


def read_scales_and_shifts(painter: Any, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Return every styled layer's scales and shifts for an embedding."""
    from vst.nets.embedded import PainterOperations, normalize_instances

    found: dict[str, np.ndarray] = {}

    def listen(x: Any, scale: Any, shift: Any) -> Any:
        layer = len(found) // 2
        found[f"{layer} scale"] = np.asarray(scale)[0]
        found[f"{layer} shift"] = np.asarray(shift)[0]
        return normalize_instances(x, scale, shift)

    pictures = np.random.default_rng(1).random((1, 32, 32, 3)).astype(np.float32)
    painter(pictures, numbers[None], operations=PainterOperations(normalize=listen))
    return found


def test_scales_and_shifts_of_a_mix_are_the_mixes_of_scales_and_shifts(painter: Any) -> None:
    each = [read_scales_and_shifts(painter, style) for style in STYLES]
    mixed = read_scales_and_shifts(painter, MIXED)
    assert len(mixed) >= 8
    for name, values in mixed.items():
        wanted = sum(weight * one[name] for weight, one in zip(WEIGHTS, each))
        assert values == pytest.approx(wanted, abs=2e-5)


def test_a_layer_s_statistics_are_its_shift_and_the_absolute_value_of_its_scale(
    painter: Any,
) -> None:
    from vst.nets.embedded import normalize_instances

    scale = RNG.normal(1, 0.5, (1, 8)).astype(np.float32)
    shift = RNG.normal(0, 0.5, (1, 8)).astype(np.float32)
    layer = RNG.gamma(2, 3, (1, 64, 48, 8)).astype(np.float32)
    given_out = np.asarray(normalize_instances(layer, scale, shift))[0]
    assert given_out.mean((0, 1)) == pytest.approx(shift[0], abs=1e-3)
    assert given_out.std((0, 1)) == pytest.approx(np.abs(scale[0]), abs=1e-3)


def test_a_mix_of_the_layers_is_their_barycenter(painter: Any) -> None:
    each = [read_scales_and_shifts(painter, style) for style in STYLES]
    mixed = read_scales_and_shifts(painter, MIXED)
    for name in (name for name in mixed if name.endswith("scale")):
        shift = name.replace("scale", "shift")
        # This holds for channels whose scales have the same sign; the others cross 0.
        one_sign = np.abs(sum(np.sign(one[name]) for one in each)) == len(each)
        assert one_sign.mean() > 0.5
        means = np.stack([one[shift][one_sign] for one in each])
        deviations = np.stack([np.abs(one[name][one_sign]) for one in each])
        found = find_barycenter(means, deviations)
        assert mixed[shift][one_sign] == pytest.approx(found[0], abs=2e-5)
        assert np.abs(mixed[name][one_sign]) == pytest.approx(found[1], abs=2e-5)


def find_barycenter(means: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Gaussians with the least weighted sum of squared Wasserstein distances to the
    given ones, (styles, channels), by gradient descent instead of the closed form.
    """
    place = np.stack([np.zeros(means.shape[1]), np.ones(means.shape[1])])
    for _ in range(200):
        away = [place - np.stack(pair) for pair in zip(means, deviations)]
        place = place - 0.2 * sum(2 * weight * off for weight, off in zip(WEIGHTS, away))
        place[1] = np.maximum(place[1], 0)
    return place[0], place[1]


@given(
    m=st.lists(st.floats(-3, 3), min_size=2, max_size=2),
    s=st.lists(st.floats(0.1, 3), min_size=2, max_size=2),
)
def test_the_wasserstein_distance_of_gaussians_is_that_of_their_means_and_deviations(
    m: list[float], s: list[float]
) -> None:
    # By definition: in one dimension the optimal plan pairs quantiles.
    from statistics import NormalDist

    parts = (np.arange(4000) + 0.5) / 4000
    one, other = (
        np.array([NormalDist(mean, spread).inv_cdf(part) for part in parts[::8]])
        for mean, spread in zip(m, s)
    )
    measured = float(((one - other) ** 2).mean())
    assert measured == pytest.approx((m[0] - m[1]) ** 2 + (s[0] - s[1]) ** 2, rel=0.03, abs=0.01)


def test_mixing_along_the_sphere_does_not_give_the_barycenter(painter: Any) -> None:
    slerped = read_scales_and_shifts(painter, blend_embeddings(STYLES, WEIGHTS, "slerp"))
    each = [read_scales_and_shifts(painter, style) for style in STYLES]
    wanted = sum(weight * one["0 shift"] for weight, one in zip(WEIGHTS, each))
    assert np.abs(slerped["0 shift"] - wanted).max() > 1e-3
