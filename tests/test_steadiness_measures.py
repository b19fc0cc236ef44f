"""The measures of steadiness on pictures that were made by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vst.metrics.structure import content_structure, structure, structure_map
from vst.metrics.tile_drift import (
    drift_map,
    measure_drift,
    measure_natural_drift,
    tile_corners,
    tile_drift,
)
from vst.metrics.trail import trail, trail_map

HEIGHT, WIDTH = 128, 192


def texture(seed: int = 0, deviation: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), deviation)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).reshape(HEIGHT, WIDTH, 3)


def face(opening: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
    cv2.ellipse(picture, (96, 64), (40, 55), 0, 0, 360, (220, 170, 150), -1)
    for x in (80, 112):
        cv2.circle(picture, (x, 48), 6, (40, 30, 30), -1)
    cv2.ellipse(picture, (96, 92), (16, max(1, opening)), 0, 0, 360, (70, 10, 20), -1)
    return picture


def brightness(picture: np.ndarray) -> np.ndarray:
    """Stands in for a predictor: how much detail runs across, and how much down."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.array([np.abs(np.diff(gray, axis=axis)).mean() for axis in (0, 1)], np.float32)


class TestStructure:
    def test_the_same_picture_agrees_fully(self) -> None:
        assert structure(texture(), texture()) == pytest.approx(1, abs=1e-4)

    def test_a_mouth_that_stays_shut_is_seen_where_it_is(self) -> None:
        agreement = structure_map(face(1), face(12))
        assert agreement[92, 96] < 0.3
        assert agreement[48, 80] > 0.95
        assert agreement[10, 10] > 0.95

    def test_strokes_finer_than_structure_do_not_count(self) -> None:
        strokes = np.random.default_rng(1).normal(0, 6, (HEIGHT, WIDTH, 1))
        other = (face(12) + strokes).clip(0, 255).astype(np.uint8)
        assert structure(other, face(12)) > 0.9

    def test_edges_of_another_frame_are_not_the_content_s_own(self) -> None:
        painted = 255 - face(12)
        assert content_structure(painted, face(12)) > content_structure(painted, face(1)) + 0.01

    def test_a_picture_without_edges_has_no_content_structure(self) -> None:
        plain = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        assert np.isnan(content_structure(texture(), plain))


class TestTileDrift:
    def test_stretched_texture_drifts_more_than_a_new_one(self) -> None:
        fresh, other = texture(1), texture(2)
        stretched = cv2.resize(fresh[:, : WIDTH // 4], (WIDTH, HEIGHT))
        natural = measure_natural_drift([fresh, other], brightness, every=1)
        drift = measure_drift([stretched], [fresh], brightness, every=1)
        assert drift.mean > 5 * natural.mean
        assert drift.high >= drift.mean

    def test_a_smear_in_one_corner_is_on_the_map_there(self) -> None:
        fresh = texture(1)
        smeared = fresh.copy()
        smeared[:64, :64] = cv2.blur(fresh[:64, :64], (31, 1))
        found = drift_map(tile_drift(smeared, fresh, brightness), HEIGHT, WIDTH)
        assert found.shape == (HEIGHT, WIDTH)
        assert found[20, 20] > 3 * found[-20, -20]

    @pytest.mark.parametrize("size", [(128, 192), (192, 128), (9, 4)])
    def test_tiles_cover_the_picture(self, size: tuple[int, int]) -> None:
        corners, side = tile_corners(*size)
        assert max(y for y, _ in corners) + side == size[0]
        assert max(x for _, x in corners) + side == size[1]


class TestTrail:
    def test_paint_that_stuck_is_a_trail_where_it_stuck(self) -> None:
        fresh = np.full((256, 384, 3), 100, np.uint8)
        stuck = fresh.copy()
        cv2.circle(stuck, (300, 60), 24, (200, 40, 40), -1)
        assert trail(stuck, fresh) > 20
        assert trail_map(stuck, fresh)[60, 300] > 40
        assert trail_map(stuck, fresh)[200, 60] < 1

    def test_other_strokes_are_no_trail(self) -> None:
        strokes = np.random.default_rng(3).normal(0, 20, (2, 256, 384, 1))
        one, other = ((128 + x + np.zeros(3)).clip(0, 255).astype(np.uint8) for x in strokes)
        assert trail(one, other) < 5
