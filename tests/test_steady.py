"""What `steady` promises beyond the contract of all stabilizers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from vst.errors import UsageError
from vst.schedule.timeline import Mix
from vst.stabilizers.steady import Steady, SteadySettings, choose_settings
from vst.stabilizers.steady_frames import exclude_halo, restore_structure

SIZE = (96, 128)
QUICK = SteadySettings(anchors=4)
CASES = {
    "default": QUICK,
    "two passes": SteadySettings(anchors=5, passes=(1, 2)),
    "live": SteadySettings(anchors=4, latency=1),
    "live, at once": SteadySettings(anchors=4, passes=(1, 2), latency=0),
}


def smooth(deviation: float, seed: int, width: int = SIZE[1]) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (SIZE[0], width, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), deviation)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).reshape(SIZE[0], width, 3)


def film(count: int, speed: int = 2, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A ground that moves to the left, and a painting of it whose strokes flicker."""
    ground = smooth(3, seed, SIZE[1] + speed * count)
    contents, paintings = [], []
    for index in range(count):
        view = np.ascontiguousarray(ground[:, speed * index : speed * index + SIZE[1]])
        flicker = smooth(1, 100 + seed + index).astype(np.float32) - 128
        contents.append(view)
        paintings.append((0.6 * (255 - view) + 0.3 * flicker + 30).clip(0, 255).astype(np.uint8))
    return contents, paintings


def run(settings: SteadySettings, frames: Any, start: int = 0, end: int | None = None) -> Any:
    stabilizer = Steady(settings)
    stabilizer.seek(start)
    found = []
    for content, painted in list(zip(*frames))[start:end]:
        found += stabilizer.step(content, painted)
    return found + stabilizer.flush()


@pytest.mark.parametrize("name", CASES)
class TestExactChunks:
    @pytest.mark.parametrize("start", [8, 9, 11])
    def test_a_chunk_with_warm_up_and_look_ahead_equals_the_whole(
        self, name: str, start: int
    ) -> None:
        frames, settings = film(24), CASES[name]
        stabilizer = Steady(settings)
        first = max(0, start - stabilizer.warmup)
        part = run(settings, frames, first, start + 3 + stabilizer.lookahead)
        whole = run(settings, frames)
        for index in range(start, start + 3):
            assert np.array_equal(part[index - first], whole[index])

    def test_a_cut_forgets_the_shot_before(self, name: str) -> None:
        first, second = film(7), film(9, seed=50)
        stabilizer, found = Steady(CASES[name]), []
        for shot in (first, second):
            for pair in zip(*shot):
                found += stabilizer.step(*pair)
            found += stabilizer.flush()
            stabilizer.reset()
        alone = Steady(CASES[name])
        alone.seek(7)
        expected = [x for pair in zip(*second) for x in alone.step(*pair)] + alone.flush()
        assert len(found) == 16
        assert all(np.array_equal(a, b) for a, b in zip(found[7:], expected))


def test_a_moved_film_flickers_less() -> None:
    contents, paintings = film(16)
    steady = run(SteadySettings(anchors=8), (contents, paintings))

    def flicker(pictures: Any) -> float:
        pairs = [(a[:, 2:], b[:, :-2]) for a, b in pairwise(pictures)]
        return float(np.mean([np.square(a.astype(float) - b).mean() for a, b in pairs]))

    assert flicker(steady) < 0.35 * flicker(paintings)


def test_still_content_with_a_sensor_s_noise_stays_still() -> None:
    picture, chance = smooth(3, 0), np.random.default_rng(2)
    contents = [(picture + chance.normal(0, 1, picture.shape)).clip(0, 255).astype(np.uint8)
                for _ in range(20)]  # fmt: skip
    still = [(0.6 * picture + 0.3 * smooth(1, 300 + t)).astype(np.uint8) for t in range(20)]
    steady = run(SteadySettings(anchors=10), (contents, still))
    changes = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(steady)]
    fresh = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(still)]
    assert np.mean(changes) < 0.25 * np.mean(fresh)


def test_a_style_that_changes_does_not_lag_in_the_middle() -> None:
    """Looking both ways, the mean color halfway is that of the fresh painting."""
    contents, _ = film(24, speed=1)
    levels = np.linspace(40, 200, 24)
    paintings = [np.full((*SIZE, 3), round(level), np.uint8) for level in levels]
    steady = run(SteadySettings(anchors=6, passes=(1, 2)), (contents, paintings))
    per_frame = (200 - 40) / 23
    assert abs(steady[12].mean() - paintings[12].mean()) < 0.3 * per_frame


def test_live_follows_a_mix_that_it_was_told() -> None:
    contents, _ = film(30, speed=0)
    stripes = [np.roll(np.tile(np.uint8([40, 216]), 64), x)[None, :, None] for x in (0, 1)]
    first, second = (np.broadcast_to(x, (*SIZE, 3)).copy() for x in stripes)
    stabilizer, found = Steady(CASES["live"]), []
    for index, content in enumerate(contents):
        part = 0.0 if index < 15 else 1.0
        stabilizer.set_mix(Mix({"first": 1 - part, "second": part}))
        found += stabilizer.step(content, second if part else first)
    found += stabilizer.flush()
    far = [np.abs(found[17].astype(int) - x).mean() for x in (first, second)]
    assert far[1] < 0.2 * far[0]


def test_zero_is_off_and_one_reaches_furthest() -> None:
    contents, paintings = film(4)
    off = run(choose_settings(0), (contents, paintings))
    assert all(np.array_equal(a, b) for a, b in zip(off, paintings))
    assert Steady(choose_settings(1)).warmup > Steady(choose_settings(0.5)).warmup > 0
    with pytest.raises(UsageError, match="from 0"):
        choose_settings(1.5)


def test_live_looks_ahead_no_further_than_its_latency() -> None:
    for latency in (0, 1):
        assert Steady(choose_settings(0.5, latency)).lookahead <= latency


def test_coarse_structure_that_strokes_brought_along_gives_way_to_the_fresh_one() -> None:
    fresh = smooth(4, 1)
    low = np.asarray(cv2.resize(fresh, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    steady = fresh.copy()
    steady[32:64, 32:64] = smooth(4, 2)[32:64, 32:64]
    restored = restore_structure(steady, low, choose_settings())
    np.testing.assert_array_equal(restored[:, 80:], steady[:, 80:])
    inside = np.s_[36:60, 36:60]
    before, after = (
        np.abs(one[inside].astype(int) - fresh[inside]).mean() for one in (steady, restored)
    )
    assert after < before / 5


def test_strokes_are_not_carried_into_the_surroundings_of_a_change() -> None:
    agreement = np.ones((60, 80), np.float32)
    agreement[20:30, 20:30] = 0  # an eye that closed
    agreement[:, 60:62] = 0.2  # an edge that the flow missed
    left = exclude_halo(agreement, 4)
    assert left[20:30, 16].max() == 0 and left[16, 20:30].max() == 0
    assert left[20:30, 14].min() == 1
    np.testing.assert_array_equal(left[:, 50:], agreement[:, 50:])
