"""The library of styles: the built-in ones, and saving and removing the user's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vst
from vst.core.style_spaces import TFLITE_SPACE
from vst.errors import (
    AssetError,
    OutputError,
    OutputExistsError,
    UnknownNameError,
    UsageError,
)
from vst.styles import library
from vst.styles.library import (
    add_style,
    all_styles,
    get_style,
    get_user_folder,
    load_builtin_styles,
    load_own_styles,
    normalize_style_name,
    remove_style,
)

NUMBERS = np.linspace(-1, 1, 100, dtype=np.float32)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_there_are_at_least_24_built_in_styles() -> None:
    assert len(load_builtin_styles()) >= 24


@pytest.mark.parametrize("style", load_builtin_styles().values(), ids=lambda style: style.name)
def test_a_built_in_style_has_all_its_fields(style: library.Style) -> None:
    assert normalize_style_name(style.name) == style.name
    assert style.space == TFLITE_SPACE
    assert (style.embedding.shape, style.embedding.dtype) == ((100,), np.float32)
    assert np.isfinite(style.embedding).all()
    assert style.description and "\n" not in style.description
    assert style.origin


def test_built_in_styles_are_at_least_2_apart() -> None:
    numbers = np.stack([style.embedding for style in load_builtin_styles().values()])
    apart = np.linalg.norm(numbers[:, None] - numbers[None], axis=-1)
    assert apart[np.triu_indices(len(numbers), 1)].min() > 2


@pytest.mark.parametrize("name", ["blue-swirls", "@blue-swirls", "Blue-Swirls"])
def test_a_style_is_found_by_its_name(name: str) -> None:
    assert get_style(name).name == "blue-swirls"


def test_the_earlier_name_of_get_style_works() -> None:
    assert vst.style_named is vst.get_style


def test_the_error_of_an_unknown_style_suggests_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'blue-swirls'"):
        get_style("@blue-swirl")


@pytest.mark.parametrize("name", [None, 5, ["ink-wash"]])
def test_a_name_that_is_not_a_text_is_an_unknown_style(name: object) -> None:
    with pytest.raises(UnknownNameError, match=r"Known: .*ink-wash"):
        get_style(name)  # type: ignore[arg-type]


def test_an_own_style_is_saved_exactly() -> None:
    numbers = np.random.default_rng(1).standard_normal(100).astype(np.float32)
    add_style("My-Style", numbers, "some-space", "what one sees", origin="picture.png")
    found = get_style("@my-style")
    assert (found.space, found.description) == ("some-space", "what one sees")
    assert found.origin == "picture.png"
    assert np.array_equal(found.embedding, numbers)


def test_own_styles_are_among_all_styles() -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    assert set(all_styles()) == {*load_builtin_styles(), "mine"}


def test_a_taken_name_is_not_overwritten() -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    with pytest.raises(OutputExistsError, match="'mine' already"):
        add_style("mine", 2 * NUMBERS, TFLITE_SPACE)
    assert np.array_equal(get_style("mine").embedding, NUMBERS)


def test_a_taken_name_is_overwritten_when_asked() -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    add_style("mine", 2 * NUMBERS, TFLITE_SPACE, overwrite=True)
    assert np.array_equal(get_style("mine").embedding, 2 * NUMBERS)


def test_a_built_in_name_cannot_be_taken() -> None:
    with pytest.raises(OutputExistsError, match="built-in"):
        add_style("ink-wash", NUMBERS, TFLITE_SPACE, overwrite=True)


@pytest.mark.parametrize(
    "name",
    [
        *("", "../up", "a/b", "a\\b", "a.b", ".hidden", "-dash", "dash-", "a b", "ü", "con"),
        *("x" * 65, "none", "name\n", "@at"),
    ],
)
def test_a_name_that_is_not_a_plain_word_is_refused(name: str, own_home: Path) -> None:
    with pytest.raises(UsageError, match="letters, digits and dashes"):
        add_style(name, NUMBERS, TFLITE_SPACE)
    assert not own_home.exists()


@pytest.mark.parametrize(
    "numbers",
    [[], [[1.0]], [float("nan")], ["a"], [1.0, float("inf")]],
    ids=["none", "two rows", "nan", "text", "infinite"],
)
def test_an_embedding_that_is_not_a_row_of_finite_numbers_is_refused(numbers: list[float]) -> None:
    with pytest.raises(UsageError, match="embedding"):
        add_style("mine", numbers, TFLITE_SPACE)


def test_a_removed_style_is_not_listed() -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    remove_style("@mine")
    assert load_own_styles() == {}


def test_a_built_in_style_cannot_be_removed() -> None:
    with pytest.raises(UsageError, match="built-in"):
        remove_style("ink-wash")


def test_the_error_of_removing_an_unknown_style_suggests_the_nearest() -> None:
    add_style("my-waves", NUMBERS, TFLITE_SPACE)
    with pytest.raises(UnknownNameError, match="did you mean 'my-waves'"):
        remove_style("my-wave")


def test_nothing_but_the_style_is_left_in_the_folder(own_home: Path) -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    assert [path.name for path in (own_home / "styles").iterdir()] == ["mine.json"]


def test_the_error_of_a_damaged_style_names_its_file(own_home: Path) -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    (own_home / "styles" / "mine.json").write_text('{"version": 1, "name": "mi', encoding="utf-8")
    with pytest.raises(AssetError, match=r"mine\.json.*remove"):
        load_own_styles()


def test_a_damaged_own_style_does_not_block_the_built_in_ones(own_home: Path) -> None:
    (own_home / "styles").mkdir(parents=True)
    (own_home / "styles" / "bad.json").write_text("[]", encoding="utf-8")
    assert get_style("ink-wash").name == "ink-wash"


def test_a_file_that_is_not_a_style_is_skipped(own_home: Path) -> None:
    (own_home / "styles").mkdir(parents=True)
    (own_home / "styles" / "my notes.json").write_text("{}", encoding="utf-8")
    assert load_own_styles() == {}


def test_a_style_is_saved_on_a_file_system_without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", no_links)
    add_style("mine", NUMBERS, TFLITE_SPACE)
    assert np.array_equal(get_style("mine").embedding, NUMBERS)


def test_a_style_of_a_later_version_is_refused(own_home: Path) -> None:
    add_style("mine", NUMBERS, TFLITE_SPACE)
    file = own_home / "styles" / "mine.json"
    file.write_text(
        json.dumps({**json.loads(file.read_text(encoding="utf-8")), "version": 99}),
        encoding="utf-8",
    )
    with pytest.raises(AssetError, match="version 99"):
        get_style("mine")


def test_the_error_of_an_unwritable_folder_names_vst_home(own_home: Path) -> None:
    own_home.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(OutputError, match="VST_HOME"):
        add_style("mine", NUMBERS, TFLITE_SPACE)


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="another rule holds there")
@pytest.mark.parametrize(
    ("data", "folder"),
    [("/data", "/data/vst"), ("relative", "~/.local/share/vst"), ("", "~/.local/share/vst")],
)
def test_the_users_folder_follows_the_platform(
    data: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VST_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", data)
    assert get_user_folder() == Path(folder).expanduser()


def test_the_library_imports_neither_opencv_nor_tensorflow() -> None:
    code = (
        "import sys, vst.styles.library; print('cv2' in sys.modules, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
