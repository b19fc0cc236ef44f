"""Keyframe pickers: what each takes, and what all of them pass over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import CommandResult
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError
from vst.keyframes import PICKERS, survey
from vst.keyframes.base import KeyframeSelection
from vst.keyframes.diverse import describe_styles, measure_distances
from vst.plotting.maps import HEAT, draw_heat_table
from vst.video.sources.base import FrameReader

RATE = 10


class MadeFilm:
    """Pictures held in memory, as a picker sees a video of `RATE` frames a second."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.pictures = list(pictures)
        height, width = self.pictures[0].shape[:2]
        count = len(self.pictures)
        self.info = VideoInfo(Path("film"), width, height, Fraction(RATE), count, count / RATE)

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        index = 0
        for number, picture in enumerate(self.pictures):
            time = number / RATE
            if time >= start - 1e-6 and (end is None or time < end - 1e-6):
                yield Frame(index, time, picture)
                index += 1


def scene(seed: int, count: int, colour: Sequence[int], step: int = 2) -> list[Picture]:
    """A texture of one colour that drifts by ``step`` pixels: no two frames are the same."""
    noise = np.random.default_rng(seed).normal(0, 1, (72, 300))
    blobs = cv2.GaussianBlur(noise, (0, 0), 1.5 + seed % 3)
    blobs = blobs / np.abs(blobs).max() * 70
    wide = np.clip(blobs[..., None] + np.array(colour), 0, 255).astype(np.uint8)
    return [wide[:, step * n : step * n + 96] for n in range(count)]


RED, GREEN, BLUE, GREY = (200, 60, 50), (60, 180, 70), (60, 70, 200), (120, 120, 120)
BLACK = np.zeros((72, 96, 3), np.uint8)


def pick(picker: str, film: FrameReader, count: int) -> KeyframeSelection:
    at = (0.5, 1.5) if picker == "manual" else ()
    picked: KeyframeSelection = PICKERS[picker](at).pick(film, count)
    return picked


def test_scene_takes_one_from_each_scene() -> None:
    film = MadeFilm([*scene(0, 20, RED), *scene(1, 40, GREEN), *scene(2, 12, BLUE)])
    times = pick("scene", film, 3).times
    assert times == pytest.approx([0.95, 3.95, 6.55], abs=0.06)


def test_scene_takes_the_longest_of_many_and_splits_the_longest_of_few() -> None:
    film = MadeFilm([*scene(0, 20, RED), *scene(1, 40, GREEN), *scene(2, 12, BLUE)])
    two = pick("scene", film, 2)
    assert two.times[0] < 2 <= two.times[1] < 6
    assert "3 shots were found; the 2 longest" in two.notes[0]
    five = pick("scene", film, 5).times
    assert [sum(low <= t < high for t in five) for low, high in ((0, 2), (2, 6), (6, 7.2))] == [
        2, 2, 1,
    ]  # fmt: skip


def test_a_fade_through_black_parts_two_scenes() -> None:
    red, blue = scene(0, 15, RED), scene(1, 15, BLUE)
    out = [(frame * (1 - n / 14)).astype(np.uint8) for n, frame in enumerate(red)]
    back = [(frame * (n / 14)).astype(np.uint8) for n, frame in enumerate(blue)]
    film = MadeFilm([*red, *out, *[BLACK] * 4, *back, *blue])
    picked = pick("scene", film, 2)
    assert picked.times[0] < 2.9 < 3.4 < picked.times[1]
    assert "black" in picked.notes[0]


def test_change_takes_the_frames_where_most_happens() -> None:
    calm = scene(0, 40, GREY)
    flash = [*calm[:10], np.roll(calm[10] + 60, 30, 1), *calm[11:30], calm[30] // 2, *calm[31:]]
    assert pick("change", MadeFilm(flash), 2).times == (1.0, 3.0)


def test_diverse_takes_different_looks_where_middle_takes_the_same() -> None:
    frames = [*scene(0, 60, RED), *scene(1, 6, GREEN), *scene(2, 6, BLUE), *scene(3, 6, GREY)]
    film = MadeFilm(frames)
    spread = {}
    for picker in ("diverse", "middle"):
        times = pick(picker, film, 4).times
        numbers = describe_styles([frames[round(time * RATE)] for time in times], None)
        apart = measure_distances(numbers)
        spread[picker] = apart[~np.eye(4, dtype=bool)].min()
        if picker == "diverse":
            assert {int(t * RATE) // 6 for t in times if t >= 6} == {10, 11, 12}
    assert spread["diverse"] > 2 * spread["middle"]


def test_diverse_asks_the_engine_where_there_is_one() -> None:
    frames = [*scene(0, 30, RED), *scene(1, 30, GREEN)]
    asked = []

    def embed(picture: Picture) -> np.ndarray:
        asked.append(picture.shape)
        return np.array([len(asked) == 7, 0], np.float32)

    assert len(PICKERS["diverse"]().pick(MadeFilm(frames), 2, embed).times) == 2
    assert 8 < len(asked) <= survey.MOST_SAMPLES


def test_manual_takes_the_times_as_they_are() -> None:
    film = MadeFilm([*scene(0, 20, RED), *[BLACK] * 5])
    picked = PICKERS["manual"]((2.1, 0.33)).pick(film, 5)
    assert picked.times == (0.33, 2.1)
    assert picked.notes == ("the frame at 0:02.100 is black; it is taken as asked",)
    with pytest.raises(UsageError, match=r"9 s is outside film.*0:02\.500"):
        PICKERS["manual"]((1.0, 9.0)).pick(film, 5)
    with pytest.raises(UsageError, match="--at"):
        PICKERS["manual"]()
    with pytest.raises(UsageError, match="manual"):
        PICKERS["scene"]((1.0,))


def fade(frames: Sequence[Picture], color: int = 0) -> list[Picture]:
    """A fade of the frames to black (0) or white (255)."""
    parts = np.linspace(0, 1, len(frames))
    return [
        (frame * (1 - part) + color * part).astype(np.uint8) for frame, part in zip(frames, parts)
    ]


def write_title(frame: Picture) -> Picture:
    titled = frame.copy()
    cv2.putText(titled, "THE END", (20, 62), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return titled


@pytest.mark.parametrize("picker", ["middle", "scene", "change", "diverse"])
@pytest.mark.parametrize("color", [0, 255])
@pytest.mark.parametrize("length", [4, 15])
def test_fades_and_blank_frames_are_passed_over(picker: str, color: int, length: int) -> None:
    red, blue = scene(0, 45, RED, 1), scene(1, 45, BLUE, 1)
    blank = np.full_like(red[0], color)
    falling, rising = fade(red[-length:], color), fade(blue[:length], color)[::-1]
    film = MadeFilm([*red[:-length], *falling, *[blank] * 8, *rising, *blue[length:]])
    picked = pick(picker, film, 6)
    numbers = [round(time * RATE) for time in picked.times]
    # The first and the last frame of a fade are whole.
    assert numbers and not [n for n in numbers if 46 - length < n < 52 + length]


@pytest.mark.parametrize("picker", ["middle", "scene", "change", "diverse"])
def test_credits_are_passed_over(picker: str) -> None:
    page = np.full((72, 96, 3), 12, np.uint8)
    rolled = [np.roll(write_title(page), -n, 0) for n in range(30)]
    picked = pick(picker, MadeFilm([*scene(0, 40, GREEN), *rolled]), 5)
    assert picked.times and max(picked.times) < 4
    assert "credits" in " ".join(picked.notes)


def test_motion_blur_along_one_direction_is_passed_over() -> None:
    frames = scene(3, 30, GREY)
    kernel = np.zeros((9, 9), np.float32)
    kernel[4] = 1 / 9
    frames[10:20] = [cv2.filter2D(frame, -1, kernel) for frame in frames[10:20]]
    found = survey.survey_frames(MadeFilm(frames))
    assert [n for n in range(30) if found.blurred[n]] == list(range(10, 20))


@pytest.mark.parametrize("picker", ["scene", "change", "diverse"])
def test_a_frame_and_its_titled_twin_are_not_both_taken(picker: str) -> None:
    stills = [scene(seed, 1, color)[0] for seed, color in ((0, RED), (1, GREEN), (2, BLUE))]
    film = MadeFilm([one for still in stills for one in [*[still] * 10, *[write_title(still)] * 5]])
    assert len(pick(picker, film, 6).times) == 3


@pytest.mark.parametrize("picker", ["middle", "scene", "change", "diverse"])
def test_no_two_keyframes_are_nearer_than_the_median_step(picker: str) -> None:
    film = MadeFilm([*scene(0, 30, RED), *scene(1, 30, GREEN)])
    found = survey.survey_frames(film)
    numbers = [found.find_frame_at(time) for time in pick(picker, film, 8).times]
    apart = [found.measure_difference(a, b) for a in numbers for b in numbers if a < b]
    assert min(apart) > found.median_step > 0


@pytest.mark.parametrize("picker", ["middle", "scene", "change", "diverse"])
def test_black_blurred_and_double_frames_are_passed_over(picker: str) -> None:
    sharp = scene(3, 30, GREY)
    soft = [cv2.GaussianBlur(frame, (0, 0), 4) for frame in sharp[12:18]]
    still = [scene(7, 1, GREEN)[0]] * 20
    film = MadeFilm([*[BLACK] * 6, *sharp[:12], *soft, *sharp[18:], *still, *[BLACK] * 14])
    picked = pick(picker, film, 7)
    numbers = [round(time * RATE) for time in picked.times]
    assert all(6 <= number < 56 and not 18 <= number < 24 for number in numbers)
    assert sum(36 <= number < 56 for number in numbers) <= 1
    assert len(numbers) >= 3
    text = " ".join(picked.notes)
    assert "black" in text
    if picker == "middle":
        assert "is taken instead" in text and "the same as" in text


def test_middle_moves_off_a_blurred_frame_and_says_where_to() -> None:
    frames = scene(3, 30, GREY)
    frames[14:17] = [cv2.GaussianBlur(frame, (0, 0), 5) for frame in frames[14:17]]
    picked = pick("middle", MadeFilm(frames), 1)
    assert picked.times in ((1.3,), (1.7,))
    assert "0:01.500 is blurred" in picked.notes[0]


@pytest.mark.parametrize("picker", PICKERS)
def test_a_film_without_a_good_frame_still_gives_one(picker: str) -> None:
    assert len(pick(picker, MadeFilm([BLACK] * 20), 3).times) >= 1


def test_a_long_film_is_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_FRAMES", 16)
    monkeypatch.setattr(survey, "MOST_SAMPLES", 4)
    found = survey.survey_frames(MadeFilm(scene(0, 90, RED)), with_samples=True)
    assert len(found.times) <= 16 and len(found.samples) <= 4
    assert found.times == sorted(found.times) and found.times[-1] > 8
    assert len({len(x) for x in (found.times, found.shots, found.black, found.thumbnails)}) == 1


def test_the_map_s_cells_are_darker_the_farther() -> None:
    picture = draw_heat_table(
        [[0, 1, 4], [1, 0, 2], [4, 2, 0]], ["a", "b", "c"], title="Map", width=400
    )
    assert picture.shape[1] == 400 and picture.dtype == np.uint8
    for color in HEAT:
        assert (np.abs(picture.astype(int) - color).max(2) < 4).any(), color
    assert sum(HEAT[0]) > sum(HEAT[1]) > sum(HEAT[2])
    assert (
        draw_heat_table(np.ones((60, 60)), [str(n) for n in range(60)], width=400).shape[1] == 400
    )
    with pytest.raises(UsageError, match="3 labels"):
        draw_heat_table(np.ones((2, 2)), ["a", "b", "c"])


def test_the_command_shows_times_and_the_map(
    run: Callable[..., CommandResult], media: Path, tmp_path: Path
) -> None:
    film, folder = media / "film.mp4", tmp_path / "keys"
    sheet = tmp_path / "sheet.png"
    done = run("keyframes", film, "--at", "0.5,2.5", "-o", sheet, "--engine", "tint", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [key["time"] for key in told["keyframes"]] == [0.5, 2.5]
    assert np.array(told["distances"]).shape == (2, 2) and told["space"] == "tint-3"
    done = run("keyframes", film, "-n", 5, "--picker", "scene", "-o", folder, "--engine", "tint")
    assert done.code == 0 and "nearest are" in done.out and "duplicates" in done.err
    assert (folder / "map.jpg").exists()
    done = run("keyframes", film, "--picker", "manual", "-o", sheet, "--overwrite")
    assert done.code == 2 and "--at" in done.err
