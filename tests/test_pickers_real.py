"""Pickers on real films, as they are and joined by fades, credits and blurred frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.test_pickers import MadeFilm, write_title
from vst.core.types import Picture
from vst.keyframes import PICKERS
from vst.keyframes.survey import FrameSurvey, survey_frames
from vst.video.sources import open_source

CLIPS = ("bikes", "bigbuckbunny", "cockatoo", "Zulko_media_doc_medias_example2")
AUTOMATIC = ("middle", "scene", "change", "diverse")
WIDTH, HEIGHT = 480, 270
LENGTH = 40
"""Frames taken from each clip."""


def find_nearest_pair(found: FrameSurvey, times: Sequence[float]) -> float:
    numbers = [found.find_frame_at(time) for time in times]
    return min(found.measure_difference(a, b) for a in numbers for b in numbers if a < b)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_keyframes_of_real_films_have_no_fault_and_are_apart(shared: Path, name: str) -> None:
    with open_source(str(shared / "video" / f"{name}.mp4")) as source:
        found = survey_frames(source)
        for picker in ("scene", "change", "diverse"):
            times = PICKERS[picker]().pick(source, 6).times
            numbers = [found.find_frame_at(time) for time in times]
            assert len(numbers) >= 4
            assert not [found.describe_fault(n) for n in numbers if found.describe_fault(n)]
            assert find_nearest_pair(found, times) > found.median_step


@pytest.fixture(scope="module")
def shots(shared: Path) -> list[list[Picture]]:
    """The beginning of each clip."""
    found = []
    for name in CLIPS:
        with open_source(str(shared / "video" / f"{name}.mp4")) as source:
            frames = [frame.picture for frame in source.frames(0, 2)][:LENGTH]
        found.append([cv2.resize(one, (WIDTH, HEIGHT), interpolation=3) for one in frames])
    return found


def fade(shot: list[Picture], length: int, color: int) -> tuple[list[Picture], list[bool]]:
    """Fade a shot in and out over ``length`` frames; return also which frames are whole."""
    steps = np.arange(len(shot))
    shares = np.clip(np.minimum(steps, len(shot) - 1 - steps) / length, 0, 1)
    faded = [(one * p + color * (1 - p)).astype(np.uint8) for one, p in zip(shot, shares)]
    return faded, [bool(one) for one in shares > 0.9]


@pytest.mark.slow
@pytest.mark.parametrize("color", [0, 255])
@pytest.mark.parametrize("length", [3, 6, 12])
def test_no_picker_takes_a_frame_of_a_fade_between_real_shots(
    shots: list[list[Picture]], length: int, color: int
) -> None:
    parts = [fade(shot, length, color) for shot in shots]
    film = MadeFilm([one for pictures, _ in parts for one in pictures])
    whole = [one for _, flags in parts for one in flags]
    found = survey_frames(film)
    for picker in AUTOMATIC:
        times = PICKERS[picker]().pick(film, 6).times
        assert len(times) >= 4  # of six segments of 27 frames, two may lie in long fades
        assert [time for time in times if not whole[found.find_frame_at(time)]] == [], picker
        assert find_nearest_pair(found, times) > found.median_step


@pytest.mark.slow
def test_no_picker_takes_credits_or_smeared_frames_between_real_shots(
    shots: list[list[Picture]],
) -> None:
    page = np.full((HEIGHT, WIDTH, 3), 12, np.uint8)
    credits = [np.roll(write_title(page), -n, 0) for n in range(LENGTH)]
    pictures, good = [], []
    for shot in shots:
        for number, one in enumerate(shot):
            smeared = 14 <= number < 22
            pictures.append(cv2.blur(one, (61, 1)) if smeared else one)
            good.append(not smeared)
    film = MadeFilm([*credits, *pictures, *credits])
    good = [False] * LENGTH + good + [False] * LENGTH
    found = survey_frames(film)
    for picker in AUTOMATIC:
        times = PICKERS[picker]().pick(film, 5).times
        assert len(times) >= 3
        assert [time for time in times if not good[found.find_frame_at(time)]] == [], picker
