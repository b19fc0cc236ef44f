"""Resolution of style arguments, and the pickers of keyframes."""

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
from vst.styles.resolve import StyleReading, check_space, resolve_styles
from vst.video.sources import open_source


def test_each_segment_of_a_video_gives_its_middle_frame(media: Path) -> None:
    styles = resolve_styles([str(media / "film.mp4")], keyframes=3, picker="middle")
    assert [style.name for style in styles] == ["film-1", "film-2", "film-3"]
    assert [style.time for style in styles] == [0.5, 1.5, 2.5]
    for style, color in zip(styles, FILM_COLORS):
        assert style.picture[30, 30].astype(int) == pytest.approx(color, abs=6)


def test_how_videos_are_read_may_be_given_as_keywords_as_in_earlier_versions(media: Path) -> None:
    notes: list[str] = []
    film = [str(media / "film.mp4")]
    resolve_styles(film, keyframes=9, picker="scene", embed=None, notes=notes)
    assert any("duplicates" in note for note in notes)
    with pytest.raises(UsageError, match="notes: given beside reading"):
        resolve_styles(film, keyframes=2, picker="scene", notes=notes, reading=StyleReading())


def test_each_video_gives_its_keyframes_and_duplicate_names_get_a_number(media: Path) -> None:
    arguments = [str(media / name) for name in ("film.mp4", "red.png", "film.mp4")]
    styles = resolve_styles(arguments, keyframes=2, picker="middle")
    assert [style.name for style in styles] == ["film-1", "film-2", "red", "film-1~2", "film-2~2"]


def test_a_folder_gives_its_pictures_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        save_picture(tmp_path / f"{name}.png", np.full((8, 8, 3), 50, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture", encoding="utf-8")
    assert [
        style.name for style in resolve_styles([str(tmp_path)], keyframes=5, picker="middle")
    ] == [
        "a",
        "b",
        "c",
    ]


def test_a_named_style_gives_an_embedding_and_its_space() -> None:
    (style,) = resolve_styles(["@ink-wash"], keyframes=5, picker="middle")
    assert (style.space, np.shape(style.style)) == (TFLITE_SPACE, (100,))
    with pytest.raises(UsageError, match="numbers"):
        _ = style.picture


def test_embeddings_of_another_space_are_refused() -> None:
    styles = resolve_styles(["@ink-wash"], keyframes=5, picker="middle")
    check_space(styles, "embedded", TFLITE_SPACE)
    with pytest.raises(SpaceError, match=r"ink-wash.*magenta-tflite-100.*tint-3"):
        check_space(styles, "tint", "tint-3")


def test_the_error_of_a_missing_file_suggests_the_named_style() -> None:
    with pytest.raises(MissingFileError, match="@ink-wash"):
        resolve_styles(["ink-wash"], keyframes=5, picker="middle")


@pytest.mark.parametrize("picker", PICKERS)
@pytest.mark.parametrize("count", [1, 3, 7, 100])
def test_every_picker_gives_rising_times_within_the_video(
    media: Path, picker: str, count: int
) -> None:
    with open_source(media / "film.mp4") as film:
        at = (0.5,) if picker == "manual" else ()
        times = PICKERS[picker](at).pick(film, count).times
        assert 1 <= len(times) <= count
        assert list(times) == sorted(set(times))
        assert times[0] >= 0
        assert times[-1] < film.info.duration


def test_a_short_video_of_near_twins_gives_one_keyframe(tmp_path: Path) -> None:
    from tests.conftest import make_clip

    make_clip(tmp_path / "short.mp4", frames=3)
    with open_source(tmp_path / "short.mp4") as film:
        assert MiddlePicker().pick(film, 10).times == pytest.approx([0.05])
