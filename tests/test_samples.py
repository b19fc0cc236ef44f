"""The samples: drawn the same every time, different from one another, moving, with sound."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vst.errors import OutputError, UnknownNameError, UsageError
from vst.samples import (
    PATTERNS,
    SCENES,
    Landscape,
    StyleFilm,
    draw_pattern,
    draw_patterns,
    draw_photo,
    write_clip,
    write_content,
    write_style_film,
)
from vst.samples.tune import RATE, synthesize_tune


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    return draw_patterns(96, 72)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("samples") / "content.mp4"
    return write_content(path, width=96, height=64, duration=1.0)


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_there_are_at_least_ten_patterns() -> None:
    assert len(PATTERNS) >= 10


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_a_picture_with_contrast(name: str, drawn: dict[str, np.ndarray]) -> None:
    picture = drawn[name]
    assert (picture.shape, picture.dtype) == ((72, 96, 3), np.uint8)
    assert picture.std() > 12


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_can_be_small_or_upright(name: str) -> None:
    assert draw_pattern(name, 32, 48).shape == (48, 32, 3)


def test_a_pattern_is_the_same_every_time(drawn: dict[str, np.ndarray]) -> None:
    assert np.array_equal(draw_pattern("blue-swirls", 96, 72), drawn["blue-swirls"])


def test_patterns_look_different_from_one_another(drawn: dict[str, np.ndarray]) -> None:
    # Told by colour and by how colours spread: 8 bins for each channel, the share that overlaps.
    shares = {
        name: np.histogramdd(picture.reshape(-1, 3), bins=(8, 8, 8), range=[(0, 256)] * 3)[0]
        for name, picture in drawn.items()
    }
    names = list(shares)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            alike = np.minimum(shares[one], shares[other]).sum() / (96 * 72)
            assert alike < 0.75, f"{one} and {other}"


def test_the_error_for_an_unknown_pattern_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ink-wash'"):
        draw_pattern("ink-wosh")


def test_the_photo_has_the_size_asked_for() -> None:
    assert draw_photo(120, 80).shape == (80, 120, 3)


def test_the_scene_is_the_same_every_time() -> None:
    assert np.array_equal(Landscape(96, 64).frame(1.0), Landscape(96, 64).frame(1.0))


def test_the_scene_moves_smoothly() -> None:
    scene = Landscape(192, 108, grain=0.0)
    first, next_one, later = (scene.frame(t).astype(np.float32) for t in (2.0, 2.04, 3.0))
    step = np.abs(next_one - first).mean()
    assert 0 < step < 0.6 * np.abs(later - first).mean()


def test_the_content_clip_has_its_frames_and_rate(content: Path) -> None:
    with av.open(str(content)) as file:
        video = file.streams.video[0]
        assert (video.width, video.height, video.average_rate) == (96, 64, Fraction(25))
    assert len(frames_of(content)) == 25


def test_the_content_clip_is_what_was_drawn(content: Path) -> None:
    # Grain and small colour detail are lost to the encoder; a wrong colour matrix would be seen.
    shown = frames_of(content)[0].astype(np.float32)
    drawn = Landscape(96, 64, 1.0).frame(0.0).astype(np.float32)
    assert np.abs(shown.mean((0, 1)) - drawn.mean((0, 1))).max() < 3


def test_the_content_clip_sounds_to_its_end(content: Path) -> None:
    with av.open(str(content)) as file:
        assert file.streams.audio[0].codec_context.name == "aac"
        pieces = [frame.to_ndarray() for frame in file.decode(audio=0)]
    sound = np.concatenate(pieces, 1)
    assert sound.shape[1] == pytest.approx(RATE, abs=2048)
    halves = np.array_split(sound[0], 2)
    assert min(np.sqrt((half**2).mean()) for half in halves) > 0.01


@pytest.mark.parametrize("duration", [0.5, 7.3])
def test_the_tune_has_its_length_and_does_not_clip(duration: float) -> None:
    sound = synthesize_tune(duration)
    assert sound.shape == (2, round(duration * RATE))
    assert np.abs(sound).max() < 1


def test_the_style_film_cuts_hard_and_only_between_scenes(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_style_film(path, width=96, height=72, seconds=0.5)
    frames = [frame.astype(np.float32) for frame in frames_of(path)]
    assert len(frames) == 12 * len(SCENES)
    change = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    cuts = [index + 1 for index in np.argsort(change)[-(len(SCENES) - 1) :]]
    assert sorted(cuts) == [12 * number for number in range(1, len(SCENES))]


def test_the_style_film_has_at_least_five_scenes() -> None:
    assert len(set(SCENES)) >= 5


def test_a_scene_of_the_style_film_moves() -> None:
    frames = list(StyleFilm(("warm-dots",), 96, 72, 0.25).frames())
    assert not np.array_equal(frames[0], frames[-1])


def test_an_odd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="97x64"):
        write_content(tmp_path / "clip.mp4", width=97, height=64)


def test_writing_a_clip_in_a_missing_folder_raises_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_clip(tmp_path / "no" / "clip.mp4", [], 32, 32, 25, None)


def test_a_failing_drawing_leaves_no_file(tmp_path: Path) -> None:
    def failing():  # type: ignore[no-untyped-def]
        yield np.zeros((32, 32, 3), np.uint8)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_clip(tmp_path / "clip.mp4", failing(), 32, 32, 25, None)
    assert list(tmp_path.iterdir()) == []
