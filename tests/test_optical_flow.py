"""Flow, warp and the checks of it, against cases worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vst.errors import UsageError
from vst.imaging.optical_flow import (
    FlowEstimator,
    FlowSettings,
    compute_positions,
    compute_slope,
    enlarge_positions,
    find_consistent,
    find_inside,
    find_non_occluded,
    find_unbroken,
    get_pixel_grid,
    sample,
    shrink_fast,
    warp,
)


def texture(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    """Smooth noise, RGB: something to see everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def constant(x: float, y: float, height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 2), (x, y), np.float32)


def test_a_shift_of_whole_pixels_is_undone_exactly() -> None:
    before = texture(20, 30)
    now = np.roll(before, (2, 3), (0, 1))  # what was at (x, y) is now at (x + 3, y + 2)
    moved = warp(before, constant(-3, -2))
    assert np.array_equal(moved[2:, 3:], now[2:, 3:])


def test_half_a_pixel_is_the_mean_of_two() -> None:
    row = np.array([[[0, 0, 0], [100, 100, 100], [200, 200, 200]]], np.uint8)
    moved = warp(row, constant(0.5, 0, 1, 3))
    assert moved[0, :, 0].tolist() == [50, 150, 200]  # beyond the edge, the edge goes on


@pytest.mark.parametrize(("right", "down"), [(4, 0), (-3, 2), (1, -5)])
def test_the_flow_of_a_shifted_picture_is_the_shift(right: int, down: int) -> None:
    look = FlowEstimator()
    before = texture()
    now = np.roll(before, (down, right), (0, 1))
    flow = look(look.gray(now), look.gray(before))
    middle = flow[24:-24, 24:-24].reshape(-1, 2)
    assert np.allclose(np.median(middle, axis=0), (-right, -down), atol=0.1)


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (70, 3), (17, 23), (33, 31)])
def test_any_size_has_a_flow(size: tuple[int, int]) -> None:
    gray = texture(*size)[..., 0]
    assert FlowEstimator()(gray, gray).shape == (*size, 2)


def test_pictures_of_two_sizes_have_none() -> None:
    with pytest.raises(UsageError, match="same size"):
        FlowEstimator()(np.zeros((40, 40), np.uint8), np.zeros((40, 41), np.uint8))


@pytest.mark.parametrize("scale", [0, -1, 1.5])
def test_a_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(UsageError, match="out of range"):
        FlowSettings(scale=scale)


def test_the_working_size_follows_scale_and_limit() -> None:
    assert FlowSettings(scale=0.5).working_size(100, 60) == (50, 30)
    assert FlowSettings(scale=0.5, limit=256).working_size(720, 1280) == (256, 455)


def test_pixels_that_come_back_agree() -> None:
    assert find_consistent(constant(-3, 0), constant(3, 0)).all()
    # |F + B|² = 4; allowed is 0.01 · (9 + 1) + 0.5 = 0.6
    assert not find_consistent(constant(-3, 0), constant(1, 0)).any()
    # |F + B|² = 0.25; allowed is 0.01 · (9 + 6.25) + 0.5
    assert find_consistent(constant(-3, 0), constant(2.5, 0)).all()


def test_a_jump_of_the_flow_is_a_boundary() -> None:
    flow = constant(0, 0)
    flow[:, 15:] = (2, 0)
    broken = ~find_unbroken(flow)
    assert np.flatnonzero(broken.any(axis=0)).tolist() == [14]
    assert compute_slope(flow)[:, 14].tolist() == [4.0] * 20
    assert compute_slope(flow).sum() == 4.0 * 20


def test_what_came_from_outside_is_known() -> None:
    assert find_inside(constant(-3, 0)).sum() == 20 * 27
    assert find_inside(constant(0, 2)).sum() == 18 * 30


def test_the_ground_that_a_square_uncovers_is_occluded() -> None:
    """A square of 32 moves 8 to the right over a still ground: the 8 columns behind it are new."""
    ground, square = texture(96, 128, 1), texture(32, 32, 2)
    before, now = ground.copy(), ground.copy()
    before[32:64, 40:72], now[32:64, 48:80] = square, square
    look = FlowEstimator()
    grays = look.gray(now), look.gray(before)
    seen = find_non_occluded(look(*grays), look(*grays[::-1]))
    assert seen[40:56, 41:47].mean() < 0.35
    assert seen[40:56, 54:74].mean() > 0.9
    assert seen[:24].mean() > 0.95


def test_places_are_enlarged_by_pixel_centres() -> None:
    large = enlarge_positions(get_pixel_grid(4, 5), 8, 10)
    # Away from the edge, where OpenCV repeats the outermost places.
    assert np.allclose(large[2:-2, 2:-2], get_pixel_grid(8, 10)[2:-2, 2:-2], atol=1e-4)
    onto = enlarge_positions(get_pixel_grid(4, 5), 4, 5, 2)
    assert np.allclose(onto, get_pixel_grid(4, 5) * 2 + 0.5)


def test_places_of_a_picture_further_down() -> None:
    found = enlarge_positions(get_pixel_grid(4, 5), 4, 5, below=7)
    assert np.allclose(found, get_pixel_grid(4, 5) + np.array([0, 7]))


@pytest.mark.parametrize("size", [(12, 20), (5, 9), (24, 40), (16, 27)])
def test_a_ramp_reduced_is_a_ramp(size: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0, 240, 40), (24, 1)).astype(np.uint8)
    small = shrink_fast(ramp, *size)
    columns = (np.arange(size[1]) + 0.5) / size[1] * 240
    assert small.shape == size
    assert np.abs(small[:, 1:-1] - columns[1:-1]).max() < 6


def test_composed_places_are_those_of_the_whole_way() -> None:
    first, second = constant(-2, 1), constant(-1.5, 0)
    through = sample(compute_positions(first), compute_positions(second))
    assert np.allclose(
        through[5:-5, 5:-5], compute_positions(first + second)[5:-5, 5:-5], atol=1e-4
    )


@pytest.mark.parametrize("side", [35, 40, 44, 80, 96])
def test_an_estimator_that_was_used_sees_what_a_fresh_one_sees(side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (side + 3, side + 3), dtype=np.uint8)
    film = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    one, two, three = (np.ascontiguousarray(film[k : k + side, k : k + side]) for k in range(3))
    used = FlowEstimator()
    used(two, one)
    assert np.array_equal(used(three, two), FlowEstimator()(three, two))
