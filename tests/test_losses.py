"""Each loss against a case worked out by hand, and its gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from vst.errors import UnknownNameError, UsageError
from vst.imaging import optical_flow as flow
from vst.metrics.variation import TotalVariation
from vst.nets import losses

RNG = np.random.default_rng(3)


def pictures(*shape: int) -> np.ndarray:
    return RNG.random(shape).astype(np.float32)


def test_gram_of_a_known_map() -> None:
    # Two positions: (1, 2) and (3, 4). Products summed and divided by two.
    features = np.array([[[[1.0, 2.0], [3.0, 4.0]]]], np.float32)
    np.testing.assert_allclose(losses.gram(features), [[[5.0, 7.0], [7.0, 10.0]]])


def test_gram_does_not_know_where_things_are() -> None:
    features = pictures(1, 4, 6, 5)
    mixed = RNG.permutation(features.reshape(24, 5)).reshape(1, 6, 4, 5)
    np.testing.assert_allclose(losses.gram(features), losses.gram(mixed), rtol=1e-5)


def test_style_loss_by_hand() -> None:
    found, wanted = np.zeros((1, 2, 2), np.float32), np.full((1, 2, 2), 4, np.float32)
    assert float(losses.style_loss([found], [wanted])) == 16 / 4  # C² = 4
    assert float(losses.style_loss([found], [wanted], [3.0])) == 12
    assert float(losses.style_loss([found], [wanted], relative=True)) == 1
    assert float(losses.style_loss([found] * 2, [wanted] * 2)) == 8


def test_content_loss_by_hand() -> None:
    found, wanted = np.full((1, 3, 3, 2), 1, np.float32), np.full((1, 3, 3, 2), 3, np.float32)
    assert float(losses.content_loss([found], [wanted], [0.5])) == 2
    assert float(losses.content_loss([found], [wanted], relative=True)) == pytest.approx(4 / 9)


def test_a_target_of_nothing_does_not_divide_by_nothing() -> None:
    nothing = np.zeros((1, 2, 2), np.float32)
    assert float(losses.style_loss([nothing], [nothing], relative=True)) == 0


def test_a_layer_without_a_target_is_refused() -> None:
    with pytest.raises(UsageError, match="2 layers, 1 targets"):
        losses.style_loss([0.0, 0.0], [0.0])


def test_total_variation_of_a_checkerboard() -> None:
    board = np.repeat(np.indices((4, 4)).sum(0)[None, ..., None] % 2, 3, 3).astype(np.float32)
    # 12 pairs across, 12 down, three channels, over 16 pixels.
    assert float(losses.total_variation(board)) == (12 + 12) * 3 / 16


def test_total_variation_is_the_measure_of_that_name() -> None:
    picture = RNG.integers(0, 256, (9, 7, 3)).astype(np.uint8)
    measured = TotalVariation().add(picture, picture)
    assert float(losses.total_variation(picture[None] / np.float32(255))) == pytest.approx(measured)


def test_temporal_loss_of_a_shifted_frame_sees_only_what_the_mask_shows() -> None:
    before = pictures(1, 8, 10, 3)
    now = np.roll(before, 2, axis=2)
    backward = np.zeros((1, 8, 10, 2), np.float32)
    backward[..., 0] = -2
    warped = np.asarray(losses.warp(before, backward))
    seen = np.ones((1, 8, 10, 1), np.float32)
    seen[:, :, :2] = 0  # came in at the left: was nowhere before
    assert float(losses.temporal_loss(now, warped, seen)) == pytest.approx(0, abs=1e-12)
    difference = now[:, :, :2] - before[:, :, :1]  # there the warp repeats the edge
    everywhere = float(losses.temporal_loss(now, warped, np.ones_like(seen)))
    assert everywhere == pytest.approx((difference**2).sum() / (8 * 10 * 3), rel=1e-5)


def test_a_change_of_brightness_is_allowed_by_the_luminance_term() -> None:
    content, painted = pictures(1, 5, 5, 3), pictures(1, 5, 5, 3)
    brighter = content + np.float32(0.1)
    change = losses.luminance(brighter) - losses.luminance(content)
    ones = np.ones((1, 5, 5, 1), np.float32)
    follows = losses.temporal_loss(painted + np.float32(0.1), painted, ones, change)
    assert float(follows) == pytest.approx(0, abs=1e-12)
    stays = losses.temporal_loss(painted, painted, ones, change)
    assert float(stays) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize(("formula", "red"), [("filmed", 0.2126), ("animated", 0.2989)])
def test_luminance_weighs_red_first(formula: str, red: float) -> None:
    picture = np.zeros((1, 1, 1, 3), np.float32)
    picture[..., 0] = 1
    assert float(losses.luminance(picture, formula)[0, 0, 0, 0]) == pytest.approx(red)
    white = losses.luminance(np.ones((1, 1, 1, 3), np.float32), formula)
    assert float(white[0, 0, 0, 0]) == pytest.approx(1, abs=2e-4)


def test_an_unknown_luminance_is_named() -> None:
    with pytest.raises(UnknownNameError, match="filmed"):
        losses.luminance(pictures(1, 2, 2, 3), "film")


def test_an_identity_network_has_no_noise_loss() -> None:
    def identity(x: np.ndarray) -> np.ndarray:
        return x

    content = pictures(2, 6, 6, 3)
    noisy = content + RNG.normal(0, 0.1, content.shape).astype(np.float32)
    change = content - noisy
    assert float(losses.noise_stability_loss(identity(content), identity(noisy), change)) == 0
    plain = float(losses.noise_stability_loss(identity(content), identity(noisy)))
    assert plain == pytest.approx(np.square(change).mean(), rel=1e-5)


def test_warp_is_the_warp_of_the_stabilisers() -> None:
    picture, motion = pictures(1, 13, 17, 3), RNG.normal(0, 4, (1, 13, 17, 2)).astype(np.float32)
    expected = flow.warp(picture[0], motion[0])
    np.testing.assert_allclose(losses.warp(picture, motion)[0], expected, atol=1e-5)


TARGET = pictures(1, 5, 6, 3)
GRAM = np.asarray(losses.gram(pictures(1, 5, 6, 3)))
SEEN = (pictures(1, 5, 6, 1) > 0.3).astype(np.float32)
MOTION = RNG.normal(0, 1, (1, 5, 6, 2)).astype(np.float32)
LOSSES: dict[str, Callable[[Any], Any]] = {
    "style": lambda x: losses.style_loss([losses.gram(x)], [GRAM]),
    "relative style": lambda x: losses.style_loss([losses.gram(x)], [GRAM], relative=True),
    "content": lambda x: losses.content_loss([x], [TARGET], relative=True),
    "variation": losses.total_variation,
    "temporal": lambda x: losses.temporal_loss(x, TARGET, SEEN),
    "temporal, by the earlier picture": lambda x: losses.temporal_loss(
        TARGET, losses.warp(x, MOTION), SEEN
    ),
    "noise": lambda x: losses.noise_stability_loss(x, TARGET),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    loss, start = LOSSES[name], np.random.default_rng(7).random((1, 5, 6, 3))
    with tf.GradientTape() as tape:
        picture = tf.constant(start, tf.float32)
        tape.watch(picture)
        value = loss(picture)
    gradient = np.asarray(tape.gradient(value, picture))
    for place in [(0, 0, 0, 0), (0, 2, 3, 1), (0, 4, 5, 2), (0, 1, 4, 0)]:
        step = np.zeros_like(start)
        step[place] = 1e-3
        up, down = (float(loss(tf.constant(start + s, tf.float32))) for s in (step, -step))
        assert gradient[place] == pytest.approx((up - down) / 2e-3, rel=0.02, abs=2e-5)
