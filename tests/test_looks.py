"""From what a user names as style to the looks that are played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FILM_COLORS
from vst.core.style_spaces import TFLITE_SPACE
from vst.errors import MissingFileError, SpaceError, UsageError
from vst.keyframes import PICKERS
from vst.keyframes.middle import MiddlePicker
from vst.plotting import save_picture
from vst.styles.resolve import check_space, resolve_styles
from vst.video.sources import open_source


def test_a_film_s_segments_each_give_their_middle(media: Path) -> None:
    looks = resolve_styles([str(media / "film.mp4")], keyframes=3, picker="middle")
    assert [look.name for look in looks] == ["film-1", "film-2", "film-3"]
    assert [look.time for look in looks] == [0.5, 1.5, 2.5]
    for look, colour in zip(looks, FILM_COLORS):
        assert look.picture[30, 30].astype(int) == pytest.approx(colour, abs=6)


def test_keyframes_count_for_each_film_and_pictures_are_one_each(media: Path) -> None:
    styles = [str(media / name) for name in ("film.mp4", "red.png", "film.mp4")]
    looks = resolve_styles(styles, keyframes=2, picker="middle")
    assert [look.name for look in looks] == ["film-1", "film-2", "red", "film-1~2", "film-2~2"]


def test_a_folder_gives_its_pictures_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        save_picture(tmp_path / f"{name}.png", np.full((8, 8, 3), 50, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    assert [
        look.name for look in resolve_styles([str(tmp_path)], keyframes=5, picker="middle")
    ] == [
        "a",
        "b",
        "c",
    ]


def test_a_name_gives_numbers_of_a_named_space() -> None:
    (look,) = resolve_styles(["@ink-wash"], keyframes=5, picker="middle")
    assert (look.space, np.shape(look.style)) == (TFLITE_SPACE, (100,))
    with pytest.raises(UsageError, match="numbers"):
        _ = look.picture


def test_numbers_of_another_space_are_refused() -> None:
    looks = resolve_styles(["@ink-wash"], keyframes=5, picker="middle")
    check_space(looks, "embedded", TFLITE_SPACE)
    with pytest.raises(SpaceError, match=r"ink-wash.*magenta-tflite-100.*tint-3"):
        check_space(looks, "tint", "tint-3")


def test_a_missing_file_that_looks_like_a_style_s_name_is_answered_with_it() -> None:
    with pytest.raises(MissingFileError, match="@ink-wash"):
        resolve_styles(["ink-wash"], keyframes=5, picker="middle")


@pytest.mark.parametrize("picker", PICKERS)
@pytest.mark.parametrize("count", [1, 3, 7, 100])
def test_every_picker_gives_rising_times_inside_the_film(
    media: Path, picker: str, count: int
) -> None:
    with open_source(media / "film.mp4") as film:
        at = (0.5,) if picker == "manual" else ()
        times = PICKERS[picker](at).pick(film, count).times
        assert 1 <= len(times) <= count
        assert list(times) == sorted(set(times))
        assert times[0] >= 0
        assert times[-1] < film.info.duration


def test_a_film_with_fewer_frames_than_keyframes_gives_each_frame_once(tmp_path: Path) -> None:
    from tests.conftest import make_clip

    make_clip(tmp_path / "short.mp4", frames=3)
    with open_source(tmp_path / "short.mp4") as film:
        assert MiddlePicker().pick(film, 10).times == pytest.approx([0.05, 0.15, 0.25])
