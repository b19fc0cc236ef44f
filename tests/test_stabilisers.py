"""What every stabiliser promises, and what the steady ones do."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from vst.errors import UsageError
from vst.metrics.sharpness import Sharpness
from vst.metrics.warp import WarpError
from vst.schedule.timeline import Mix
from vst.stabilizers import STABILIZERS, mixing
from vst.stabilizers.anchored import AnchoredSettings
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.flow import FlowGuided
from vst.stabilizers.light import Light, LightSettings

NAMES = list(STABILIZERS)
STEADY = ["flow", "strong"]
SIZE = (96, 128)


def smooth(height: int, width: int, deviation: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), deviation)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).reshape(height, width, 3)


def clip(
    count: int = 24, size: tuple[int, int] = SIZE, seed: int = 0, speed: int = 2
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A ground that moves to the left, and a "painting" of it: other colours, strokes that move
    along, and as many that are new in each frame.
    """
    height, width = size
    far = width + speed * count
    ground, strokes = smooth(height, far, 3, seed), smooth(height, far, 1, seed + 1)
    contents, paintings = [], []
    for index in range(count):
        view = slice(speed * index, speed * index + width)
        flicker = smooth(height, width, 1, 100 + seed + index).astype(np.float32) - 128
        painted = 0.5 * (255 - ground[:, view]) + 0.35 * strokes[:, view] + 0.25 * flicker
        contents.append(np.ascontiguousarray(ground[:, view]))
        paintings.append(painted.clip(0, 255).astype(np.uint8))
    return contents, paintings


def through(stabiliser: Stabilizer, contents: Any, paintings: Any) -> list[np.ndarray]:
    found = []
    for content, painted in zip(contents, paintings):
        found += stabiliser.step(content, painted)
    return found + stabiliser.flush()


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    @pytest.mark.parametrize("count", [0, 1, 2, 5, 13])
    def test_as_many_come_out_as_go_in(self, name: str, count: int) -> None:
        contents, paintings = clip(count)
        found = through(STABILIZERS[name](), contents, paintings)
        assert len(found) == count
        assert all(x.shape == (*SIZE, 3) and x.dtype == np.uint8 for x in found)

    @pytest.mark.parametrize("size", [(1, 1), (9, 200), (33, 47), (101, 67)])
    def test_any_size(self, name: str, size: tuple[int, int]) -> None:
        contents, paintings = clip(4, size)
        assert [x.shape for x in through(STABILIZERS[name](), contents, paintings)] == [
            (*size, 3)
        ] * 4

    def test_nothing_waits_longer_than_it_says(self, name: str) -> None:
        stabiliser = STABILIZERS[name]()
        out = 0
        for index, pair in enumerate(zip(*clip(8)), 1):
            out += len(stabiliser.step(*pair))
            assert index - stabiliser.lookahead <= out <= index

    def test_frames_come_out_in_order(self, name: str) -> None:
        """Each is most like the painting of its own place."""
        contents, paintings = clip(8, speed=6)
        for index, picture in enumerate(through(STABILIZERS[name](), contents, paintings)):
            distances = [np.abs(picture.astype(int) - other).mean() for other in paintings]
            assert int(np.argmin(distances)) == index

    def test_the_same_again(self, name: str) -> None:
        frames = clip(10)
        assert same(through(STABILIZERS[name](), *frames), through(STABILIZERS[name](), *frames))

    def test_what_goes_in_is_not_changed(self, name: str) -> None:
        contents, paintings = clip(10)
        copies = [x.copy() for x in (*contents, *paintings)]
        through(STABILIZERS[name](), contents, paintings)
        assert same([*contents, *paintings], copies)

    def test_what_comes_out_may_be_written_to(self, name: str) -> None:
        contents, paintings = clip(12)
        stabiliser, spoiled = STABILIZERS[name](), []
        for content, painted in zip(contents, [x.copy() for x in paintings]):
            for picture in stabiliser.step(content, painted):
                spoiled.append(picture.copy())
                picture[:] = 7
            painted[:] = 9
        spoiled += stabiliser.flush()
        if name != "off":
            assert same(spoiled, through(STABILIZERS[name](), contents, paintings))

    @pytest.mark.parametrize("at", [1, 7, 12])
    def test_going_on_from_a_state_is_going_on(self, name: str, at: int) -> None:
        contents, paintings = clip(20)
        whole = through(STABILIZERS[name](), contents, paintings)
        first, second = STABILIZERS[name](), STABILIZERS[name]()
        found = [x for pair in zip(contents[:at], paintings[:at]) for x in first.step(*pair)]
        state = first.state()
        through(first, contents[at:], paintings[at:])  # must not reach into the state
        second.restore(state)
        assert same(found + through(second, contents[at:], paintings[at:]), whole)

    def test_a_warm_up_is_enough(self, name: str) -> None:
        stabiliser = STABILIZERS[name]()
        if stabiliser.warmup is None:
            pytest.skip("it remembers without end")
        contents, paintings = clip(14)
        whole = through(STABILIZERS[name](), contents, paintings)
        start = 8 - stabiliser.warmup
        late = through(stabiliser, contents[start:], paintings[start:])
        assert same(late[stabiliser.warmup :], whole[8:])

    def test_a_reset_leaves_no_ghost(self, name: str) -> None:
        stabiliser = STABILIZERS[name]()
        through(stabiliser, *clip(12, seed=5))
        stabiliser.reset()
        contents, paintings = clip(12, seed=9)
        found = through(stabiliser, contents, paintings)
        assert same(found, through(STABILIZERS[name](), contents, paintings))

    def test_a_still_scene_stays_still(self, name: str) -> None:
        """With a sensor's noise the output changes no more than the content does."""
        if name in ("off", "light"):
            pytest.skip("it knows no motion")
        picture, painted = clip(1)[0][0], clip(12)[1]
        noise = np.random.default_rng(3)
        contents = [
            (picture + noise.normal(0, 2, picture.shape)).clip(0, 255).astype(np.uint8)
            for _ in range(12)
        ]
        # Paintings of one place, each with its own flicker.
        still = [
            (0.7 * painted[0] + 0.3 * smooth(*SIZE, 1, index)).astype(np.uint8)
            for index in range(12)
        ]
        found = through(STABILIZERS[name](), contents, still)
        assert change(found) <= change(contents)


def change(pictures: list[np.ndarray]) -> float:
    """Mean difference from frame to frame, of 255."""
    pairs = pairwise(pictures)
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]))


def test_every_file_of_the_folder_is_in_the_table() -> None:
    assert NAMES == ["off", "light", "flow", "strong"]


def mean_of(measure: Any, contents: Any, pictures: Any) -> float:
    return measure.total([measure.add(*pair) for pair in zip(contents, pictures)])


@pytest.mark.parametrize("name", STEADY)
@pytest.mark.parametrize(("lag", "part"), [(1, 0.2), (10, 0.5)])
def test_flicker_goes_and_sharpness_stays(name: str, lag: int, part: float) -> None:
    contents, paintings = clip(24, speed=1)
    steady = through(STABILIZERS[name](), contents, paintings)
    before = mean_of(WarpError(lag), contents, paintings)
    assert mean_of(WarpError(lag), contents, steady) < part * before
    sharp = mean_of(Sharpness(), contents, steady) / mean_of(Sharpness(), contents, paintings)
    assert 0.7 < sharp < 1.3


@pytest.mark.parametrize("name", STEADY)
@pytest.mark.parametrize("speed", [0, 2])
def test_a_change_of_style_is_followed(name: str, speed: int) -> None:
    """The painting goes from its colours to others within 30 frames; halfway, the output is no more
    than 2 frames behind.
    """
    contents, paintings = clip(40, speed=speed)
    parts = np.clip((np.arange(40) - 5) / 30, 0, 1)
    other = np.array([230, 120, 40], np.float32)
    changing = [
        (painted * (1 - 0.7 * part) + other * 0.7 * part).astype(np.uint8)
        for part, painted in zip(parts, paintings)
    ]
    steady = through(STABILIZERS[name](), contents, changing)
    wanted = np.array([x.mean((0, 1)) for x in changing])
    found = np.array([x.mean((0, 1)) for x in steady])
    way = wanted[-1] - wanted[0]
    done = (found[15:26] - wanted[0]) @ way / (way @ way)
    wished = (wanted[15:26] - wanted[0]) @ way / (way @ way)
    assert np.mean(wished - done) * 30 <= 2


@pytest.mark.parametrize("name", STEADY)
def test_a_standing_scene_follows_a_change_of_style(name: str) -> None:
    content = clip(1)[0][0]
    first, second = smooth(*SIZE, 1, 20), 255 - smooth(*SIZE, 1, 21)
    stabiliser = STABILIZERS[name]()
    for part in np.clip(np.arange(40) / 30, 0, 1):
        [found] = stabiliser.step(content, cv2.addWeighted(second, part, first, 1 - part, 0))
    to_second = np.abs(found.astype(int) - second).mean()
    assert to_second < 0.25 * np.abs(found.astype(int) - first).mean()


@pytest.mark.parametrize("name", STEADY)
def test_slow_motion_is_not_taken_for_standing(name: str) -> None:
    """A tenth of a pixel a frame: after 40 frames the output is where the content is."""
    ground, strokes = smooth(96, 160, 3, 1), smooth(96, 160, 1, 2)
    stabiliser = STABILIZERS[name]()
    for index in range(41):
        shift = np.float32([[1, 0, -0.1 * index - 8], [0, 1, 0]])
        content, painted = (cv2.warpAffine(x, shift, (128, 96)) for x in (ground, strokes))
        [found] = stabiliser.step(content, painted)
    here = np.abs(found.astype(int) - painted)[:, 8:-8].mean()
    back = cv2.warpAffine(strokes, np.float32([[1, 0, -8], [0, 1, 0]]), (128, 96))
    assert here < 0.3 * np.abs(found.astype(int) - back)[:, 8:-8].mean()


def between(count: int, share: float) -> Mix:
    return Mix({"first": 1 - share * count, "second": share * count})


@pytest.mark.parametrize("name", STEADY)
@pytest.mark.parametrize("told", [True, False])
def test_another_texture_of_like_colours_comes_at_once_where_it_is_told(
    name: str, told: bool
) -> None:
    contents, paintings = clip(8)
    stabiliser = STABILIZERS[name]()
    for place in range(7):
        if told:
            stabiliser.set_mix(Mix({"first": 1.0}))
        stabiliser.step(contents[place], paintings[place])
    other = np.ascontiguousarray(np.roll(paintings[7], 37, axis=1))
    if told:
        stabiliser.set_mix(Mix({"second": 1.0}))
    [found] = stabiliser.step(contents[7], other)
    to_new, to_old = (np.abs(found.astype(int) - x).mean() for x in (other, paintings[7]))
    assert (to_new < 0.2 * to_old) == told


@pytest.mark.parametrize("name", STEADY)
def test_what_was_told_is_carried_over_a_chunk(name: str) -> None:
    contents, paintings = clip(12)

    def go(stabiliser: Stabilizer, places: range) -> list[np.ndarray]:
        found = []
        for place in places:
            stabiliser.set_mix(between(place, 1 / 20))
            found += stabiliser.step(contents[place], paintings[place])
        return found

    whole = go(STABILIZERS[name](), range(12))
    first, second = STABILIZERS[name](), STABILIZERS[name]()
    found = go(first, range(6))
    second.restore(first.state())
    assert same(found + go(second, range(6, 12)), whole)


@pytest.mark.parametrize("name", STEADY)
def test_a_mix_that_stays_changes_nothing(name: str) -> None:
    contents, paintings = clip(10)
    stabiliser, found = STABILIZERS[name](), []
    for content, painted in zip(contents, paintings):
        stabiliser.set_mix(Mix({"first": 1.0}))
        found += stabiliser.step(content, painted)
    assert same(found, through(STABILIZERS[name](), contents, paintings))


def test_how_far_a_mix_changes() -> None:
    def apart(one: Mix, other: Mix) -> float:
        return mixing.change(mixing.shares(one), mixing.shares(other))

    one, other = Mix({"a": 1.0}), Mix({"a": 0.75, "b": 0.25})
    assert apart(one, one) == 0
    assert apart(one, other) == 0.25
    assert apart(one, Mix({"b": 1.0})) == 1
    assert apart(one, Mix({"a": 1.0}, brush=2.0)) == 1
    assert apart(Mix({}, ground=one), Mix({}, ground=other)) == 0.25


def test_light_is_a_weighted_mean() -> None:
    settings = LightSettings(deviation=1.0, reach=1)
    frames = [np.full((2, 2, 3), value, np.uint8) for value in (0, 100, 200)]
    found = through(Light(settings), frames, frames)
    side = float(np.exp(-0.5))
    first = 100 * side / (1 + side)
    assert found[0][0, 0, 0] == round(first)
    assert found[1][0, 0, 0] == 100
    assert found[2][0, 0, 0] == round(200 - first)


def test_light_refuses_no_filter_and_two_sizes() -> None:
    with pytest.raises(UsageError, match="deviation"):
        LightSettings(deviation=0)
    light = Light()
    light.step(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UsageError, match="flush and reset"):
        light.step(np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))


def test_another_size_starts_afresh() -> None:
    stabiliser = FlowGuided(AnchoredSettings())
    through(stabiliser, *clip(3))
    content, painted = (x[0] for x in clip(1, (50, 60)))
    assert np.array_equal(stabiliser.step(content, painted)[0], painted)
