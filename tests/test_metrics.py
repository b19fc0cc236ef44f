"""Each measure against a case worked out by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from vst.errors import UnknownNameError, UsageError
from vst.evaluation.judging import JUDGED_METRICS
from vst.metrics import METRICS
from vst.metrics.sharpness import Sharpness
from vst.metrics.ssim import AdjacentSimilarity, ContentSimilarity, compute_ssim
from vst.metrics.style import StyleDistance
from vst.metrics.variation import TotalVariation
from vst.metrics.warp import WarpError

HEIGHT, WIDTH = 96, 128


def texture(seed: int = 0, width: int = WIDTH) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, width, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def flat(value: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def checkerboard(low: int, high: int, height: int = 8, width: int = 8) -> np.ndarray:
    odd = np.indices((height, width)).sum(0) % 2
    return np.repeat(np.where(odd, high, low)[..., None], 3, 2).astype(np.uint8)


def views(count: int, speed: int) -> list[np.ndarray]:
    """A window that moves over a wide texture: flow of ``speed`` pixels to the left a frame."""
    wide = texture(1, WIDTH + speed * count)
    return [np.ascontiguousarray(wide[:, speed * i : speed * i + WIDTH]) for i in range(count)]


def test_a_painting_that_moves_with_its_content_has_no_warp_error() -> None:
    contents = views(4, 3)
    paintings = [255 - content for content in contents]
    measure = WarpError()
    values = [measure.add(*pair) for pair in zip(contents, paintings)]
    assert math.isnan(values[0])
    assert max(values[1:]) < 1e-4
    assert measure.root() < 0.01


def test_the_warp_error_of_a_constant_difference_is_its_square() -> None:
    """The painting brightens by 51 of 255 at each frame, on a content that moves."""
    contents = views(3, 2)
    measure = WarpError()
    values = [measure.add(content, flat(51 * i)) for i, content in enumerate(contents)]
    assert values[1:] == pytest.approx([0.04, 0.04])
    assert measure.total(values) == pytest.approx(0.04)
    flicker = measure.flicker_map()
    assert flicker is not None
    assert flicker[48, 64] == pytest.approx(0.2)


def test_the_lag_is_counted_in_frames() -> None:
    content = texture()
    measure = WarpError(5)
    values = [measure.add(content, flat(10 * i)) for i in range(8)]
    assert [math.isnan(value) for value in values] == [True] * 5 + [False] * 3
    assert values[5:] == pytest.approx([(50 / 255) ** 2] * 3)


def test_the_reports_form_divides_by_all_pixels() -> None:
    """Still content: every pixel is seen, and √E is the difference itself."""
    content = texture()
    measure = WarpError()
    for i in range(3):
        measure.add(content, flat(51 * i))
    assert measure.root() == pytest.approx(0.2)


def test_what_was_hidden_is_not_counted() -> None:
    """A square moves by 8; the painting differs only on the ground that it uncovers."""
    ground, square = texture(1), texture(2)[:32, :32]
    before, now = ground.copy(), ground.copy()
    before[32:64, 40:72], now[32:64, 48:80] = square, square
    new = flat(100)
    new[36:60, 41:47] = 255
    measure = WarpError()
    measure.add(before, flat(100))
    counted = measure.add(now, new)
    everywhere = float((((new / 255) - 100 / 255) ** 2).mean())
    assert counted < 0.4 * everywhere


def test_a_scene_starts_without_a_warp_error() -> None:
    measure = WarpError()
    measure.add(texture(), flat(0))
    measure.reset()
    assert math.isnan(measure.add(texture(5), flat(255)))
    assert math.isnan(measure.root())
    assert measure.flicker_map() is None


def test_the_sharpness_of_a_checkerboard() -> None:
    """Every neighbour differs by 0.4: 0.16 across and 0.16 down."""
    board = checkerboard(51, 153)
    assert Sharpness().add(board, board) == pytest.approx(0.32)
    assert Sharpness().add(board, flat(9, 8, 8)) == 0
    assert Sharpness().add(flat(9, 1, 1), flat(9, 1, 1)) == 0


def test_the_total_variation_of_a_checkerboard() -> None:
    """8 rows of 7 steps of 0.4 in 3 channels, the same down: 2 · 8 · 7 · 0.4 · 3 over 64 pixels."""
    board = checkerboard(51, 153)
    assert TotalVariation().add(board, board) == pytest.approx(2 * 8 * 7 * 0.4 * 3 / 64)


def test_ssim_of_flat_pictures_is_that_of_their_means() -> None:
    """No spread: (2ab + C1) / (a² + b² + C1), with a = 100, b = 200, C1 = 6.5025."""
    wanted = (2 * 100 * 200 + 6.5025) / (100**2 + 200**2 + 6.5025)
    assert compute_ssim(flat(100), flat(200)) == pytest.approx(wanted, rel=1e-3)


def test_ssim_of_a_negative_is_negative() -> None:
    """A checkerboard of 64 and 192 and its negative: means 128, spreads 64², shared -64²; inside,
    where the window is whole, ((2·128² + C1)(-2·64² + C2)) / ((2·128² + C1)(2·64² + C2)).
    """
    board, negative = checkerboard(64, 192, 64, 64), checkerboard(192, 64, 64, 64)
    wanted = (-2 * 64**2 + 58.5225) / (2 * 64**2 + 58.5225)
    assert compute_ssim(board, negative) == pytest.approx(wanted, abs=0.02)
    assert compute_ssim(board, board) == pytest.approx(1)


def test_adjacent_ssim_has_none_for_the_first_frame_of_a_scene() -> None:
    measure = AdjacentSimilarity()
    a, b = texture(1), texture(2)
    assert math.isnan(measure.add(a, a))
    assert measure.add(a, a) == pytest.approx(1)
    assert measure.add(a, b) == pytest.approx(compute_ssim(a, b))
    measure.reset()
    assert math.isnan(measure.add(a, a))


def test_adjacent_ssim_in_patches_sees_whole_patches_alone() -> None:
    """256 x 128 holds two patches of 100; what changes beside them does not count."""
    before = np.concatenate([texture(1), texture(2)], axis=1)
    before = np.concatenate([before, before[:32]], axis=0)
    after = before.copy()
    after[102:], after[:, 202:] = 0, 0
    measure = AdjacentSimilarity(100)
    measure.add(before, before)
    assert measure.add(after, after) == pytest.approx(1)


def test_content_ssim_compares_with_the_content() -> None:
    a, b = texture(1), texture(2)
    assert ContentSimilarity().add(a, b) == pytest.approx(compute_ssim(a, b))


def test_the_style_distance_is_a_distance_of_numbers() -> None:
    """Numbers: the mean colour. Wanted is black, then grey."""
    measure = StyleDistance(
        lambda picture: picture.mean((0, 1)).astype(np.float32),
        lambda index: np.full(3, 100 * index, np.float32),
    )
    values = [measure.add(flat(0), flat(20)), measure.add(flat(0), flat(20))]
    assert values == pytest.approx([20 * 3**0.5, 80 * 3**0.5])
    assert measure.total(values) == pytest.approx(50 * 3**0.5)


def test_the_style_distance_may_skip_frames() -> None:
    measure = StyleDistance(lambda _: np.ones(4, np.float32), lambda _: np.zeros(4, np.float32), 2)
    values = [measure.add(flat(0), flat(0)) for _ in range(3)]
    assert [math.isnan(value) for value in values] == [False, True, False]
    assert measure.total(values) == 2


def average(picture: np.ndarray) -> np.ndarray:
    """Stands in for a predictor: the mean color."""
    return np.asarray(picture.mean((0, 1)), np.float32)


@pytest.mark.parametrize(
    "name", [name for name in METRICS if name not in ("style", *JUDGED_METRICS)]
)
def test_every_measure_takes_frames_and_resets(name: str) -> None:
    measure = METRICS[name](average) if name == "tile-drift" else METRICS[name]()
    assert measure.better in ("lower", "higher", "same")
    assert measure.unit
    contents = views(12, 1)
    values = [measure.add(content, content) for content in contents]
    assert any(map(math.isfinite, values[1:]))
    assert math.isfinite(measure.total(values))
    measure.reset()
    measure.add(contents[0], contents[0])
    assert math.isnan(measure.total([]))


def test_pictures_of_two_sizes_cannot_be_compared() -> None:
    for name in ("warp", "content-ssim"):
        with pytest.raises(UsageError, match="cannot be compared"):
            METRICS[name]().add(flat(0), flat(0, 10, 10))


def test_an_unknown_measure_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="sharpness"):
        METRICS["sharpnes"]
