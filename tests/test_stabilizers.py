"""What every stabilizer promises, and what the steady ones do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.build_schedule import apply_score
from vst.pipeline.parts import make_stabilizer
from vst.schedule.score.reading import parse_score
from vst.schedule.score.writing import format_score
from vst.schedule.timeline import Mix
from vst.stabilizers import STABILIZERS
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.gaussian import Gaussian, GaussianSettings
from vst.stabilizers.mix_change import flatten_mix, measure_mix_change
from vst.stabilizers.off import Off

NAMES = list(STABILIZERS)
SIZE = (96, 128)


def smooth(height: int, width: int, deviation: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), deviation)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).reshape(height, width, 3)


def clip(
    count: int = 24, size: tuple[int, int] = SIZE, seed: int = 0, speed: int = 2
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A ground that moves to the left, and a "painting" of it: other colors, strokes that move
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


def through(stabilizer: Stabilizer, contents: Any, paintings: Any) -> list[np.ndarray]:
    found = []
    for content, painted in zip(contents, paintings):
        found += stabilizer.step(content, painted)
    return found + stabilizer.flush()


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
        stabilizer = STABILIZERS[name]()
        out = 0
        for index, pair in enumerate(zip(*clip(8)), 1):
            out += len(stabilizer.step(*pair))
            assert index - stabilizer.lookahead <= out <= index

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
        stabilizer, spoiled = STABILIZERS[name](), []
        for content, painted in zip(contents, [x.copy() for x in paintings]):
            for picture in stabilizer.step(content, painted):
                spoiled.append(picture.copy())
                picture[:] = 7
            painted[:] = 9
        spoiled += stabilizer.flush()
        if name != "off":
            assert same(spoiled, through(STABILIZERS[name](), contents, paintings))

    @pytest.mark.parametrize("start", [0, 19, 33])
    def test_a_chunk_with_its_warmup_equals_the_whole(self, name: str, start: int) -> None:
        contents, paintings = clip(60)
        whole = through(STABILIZERS[name](), contents, paintings)
        stabilizer = STABILIZERS[name]()
        first, end = max(0, start - stabilizer.warmup), start + 5
        stop = end + stabilizer.lookahead
        stabilizer.seek(first)
        found = through(stabilizer, contents[first:stop], paintings[first:stop])
        assert same(found[start - first : end - first], whole[start:end])

    def test_a_reset_leaves_no_ghost(self, name: str) -> None:
        stabilizer = STABILIZERS[name]()
        through(stabilizer, *clip(12, seed=5))
        stabilizer.reset()
        stabilizer.seek(0)
        contents, paintings = clip(12, seed=9)
        found = through(stabilizer, contents, paintings)
        assert same(found, through(STABILIZERS[name](), contents, paintings))

    def test_a_still_scene_stays_still(self, name: str) -> None:
        """With a sensor's noise the output changes no more than the content does."""
        if name in ("off", "gaussian"):
            pytest.skip("it does not follow motion")
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
    assert NAMES == ["off", "steady", "gaussian"]


def test_how_far_a_mix_changes() -> None:
    def apart(one: Mix, other: Mix) -> float:
        return measure_mix_change(flatten_mix(one), flatten_mix(other))

    one, other = Mix({"a": 1.0}), Mix({"a": 0.75, "b": 0.25})
    assert apart(one, one) == 0
    assert apart(one, other) == 0.25
    assert apart(one, Mix({"b": 1.0})) == 1
    assert apart(one, Mix({"a": 1.0}, brush=2.0)) == 1
    assert apart(Mix({}, background=one), Mix({}, background=other)) == 0.25


def test_gaussian_is_a_weighted_mean() -> None:
    settings = GaussianSettings(deviation=1.0, reach=1)
    frames = [np.full((2, 2, 3), value, np.uint8) for value in (0, 100, 200)]
    found = through(Gaussian(settings), frames, frames)
    side = float(np.exp(-0.5))
    first = 100 * side / (1 + side)
    assert found[0][0, 0, 0] == round(first)
    assert found[1][0, 0, 0] == 100
    assert found[2][0, 0, 0] == round(200 - first)


def test_gaussian_refuses_no_filter_and_two_sizes() -> None:
    with pytest.raises(UsageError, match="deviation"):
        GaussianSettings(deviation=0)
    gaussian = Gaussian()
    gaussian.step(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UsageError, match="flush and reset"):
        gaussian.step(np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))


@pytest.mark.parametrize(
    ("given", "stabilize", "steadiness"),
    [
        ({"stabilize": "flow"}, "steady", 0.5),
        ({"stabilize": "strong"}, "steady", 1.0),
        ({"stabilise": "strong", "steadiness": 0.7}, "steady", 0.7),
        ({"stabilize": "light"}, "gaussian", 0.5),
        ({}, "steady", 0.5),
    ],
)
def test_names_of_earlier_versions_stand_for_present_ones(
    given: dict[str, Any], stabilize: str, steadiness: float
) -> None:
    job = Job("a.mp4", ("b.png",), "c.mp4", **given)
    assert (job.stabilize, job.steadiness) == (stabilize, steadiness)


def test_a_steadiness_of_0_is_off() -> None:
    job = Job("a.mp4", ("b.png",), "c.mp4", steadiness=0)
    assert isinstance(make_stabilizer(job), Off)


def test_the_steadiness_of_a_score_is_the_job_s() -> None:
    score = parse_score("keys: [{at: 0, style: '@ink-wash'}]\nsteadiness: 0.8\n")
    assert "steadiness: 0.8" in format_score(score)
    job = Job("a.mp4", (), "c.mp4", score="s.yaml")
    assert apply_score(job, score).steadiness == 0.8
    assert apply_score(job, replace(score, steadiness=None)) is job
    with pytest.raises(UsageError, match=r"steadiness 0\.3 was given beside a score"):
        apply_score(replace(job, steadiness=0.3), score)
