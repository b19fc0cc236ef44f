"""The public API as a tutorial: the examples of docs/python-api.md, and what their options do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import vst
from vst.api import JobOptions, make_job
from vst.engines.options import ENGINE_OPTIONS

PAGE = Path(__file__).parent.parent / "docs" / "python-api.md"
NOT_TYPED = ("content", "styles", "output", "engine_options")
"""Fields of `Job` that are arguments of their own, or stand for others."""


@pytest.fixture
def folder(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a content, a style video and a style picture."""
    shutil.copy(media / "clip.mp4", tmp_path / "holiday.mp4")
    shutil.copy(media / "film.mp4", tmp_path / "film.mp4")
    shutil.copy(media / "red.png", tmp_path / "wall.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_page_has_every_public_name_with_an_example() -> None:
    sections = PAGE.read_text(encoding="utf-8").split("\n### vst.")[1:]
    examples = {section.partition("\n")[0]: "```python\n" in section for section in sections}
    assert examples == dict.fromkeys(vst.__all__, True)


def test_every_example_of_the_page_runs(folder: Path) -> None:
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S):
        exec(compile(code, str(PAGE), "exec"), names)
    assert {path.name for path in folder.glob("*.mp4")} == {
        "holiday.mp4", "film.mp4", "painted.mp4", "walled.mp4",
    }  # fmt: skip


def test_dir_lists_every_public_name() -> None:
    assert set(vst.__all__) <= set(dir(vst))


def test_first_step_paint_a_video_from_one_style_to_another(folder: Path) -> None:
    result = vst.stylize("holiday.mp4", ["none", "wall.png"], "out.mp4", engine="tint")
    with vst.open_source("out.mp4") as painted, vst.open_source("holiday.mp4") as content:
        pictures = [frame.picture.astype(int) for frame in painted.frames()]
        filmed = [frame.picture.astype(int) for frame in content.frames()]
    changes = [np.abs(a - b).mean() for a, b in zip(pictures, filmed, strict=True)]
    assert result.frames == len(pictures) == 20
    assert changes[0] < 3 and changes[-1] > 10 * max(1.0, changes[0])


def test_second_step_control_the_transition_with_options(folder: Path) -> None:
    result = vst.stylize(
        "holiday.mp4", "film.mp4", "out.mp4", engine="tint", keyframes=3, hold=0.5, start="0:01"
    )
    assert result.frames == 10
    assert [key["name"] for key in result.keyframes] == ["film-1", "film-2", "film-3"]


def test_third_step_follow_and_stop_a_job(folder: Path) -> None:
    job = vst.Job("holiday.mp4", ("wall.png",), "out.mp4", engine="tint")

    def stop_after_five(progress: vst.Progress) -> None:
        if progress.stage == "paint" and progress.done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vst.run(job, stop_after_five)
    assert not (folder / "out.mp4").exists()
    assert vst.run(job).frames == 20


def test_fourth_step_paint_frames_with_an_engine(folder: Path) -> None:
    with vst.open_source("holiday.mp4") as source:
        frames = np.stack([frame.picture for frame in source.frames(0, 0.2)])
    with vst.open_engine("tint") as engine:
        engine.prepare({"wall": np.full((8, 8, 3), (230, 20, 20), np.uint8)})
        painted = engine.paint(frames, [vst.Mix({"wall": 1.0})] * len(frames))
    assert painted.shape == frames.shape and painted.dtype == np.uint8


@pytest.mark.parametrize(
    ("options", "text"),
    [({"strenght": 1}, "strength"), ({"picker": "midle"}, "middle"), ({"hold": 2}, "hold")],
)
def test_wrong_options_are_refused_with_a_hint(
    folder: Path, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(vst.VSTError, match=text):
        vst.stylize("holiday.mp4", "wall.png", "out.mp4", **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"keyframes": "5"}, "keyframes '5' has the wrong type, str. Give a whole number"),
        ({"keyframes": True}, "keyframes True has the wrong type, bool. Give a whole number"),
        ({"loop": 1}, "loop 1 has the wrong type, int. Give True or False"),
        ({"at": [1, "2"]}, r"at \(1, '2'\) has the wrong type, tuple. Give a tuple of numbers"),
        ({"size": 48.5}, "size 48.5 has the wrong type, float. Give a whole number or text"),
        ({"steps": "3", "engine": "gatys"}, "steps '3' is of the wrong type"),
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(vst.VSTError, match=text):
        make_job("holiday.mp4", "wall.png", "out.mp4", **options)


def test_numbers_of_numpy_lists_and_paths_are_accepted() -> None:
    job = make_job("a", "b", "c", keyframes=np.int64(3), at=[1, 2.5], mask=Path("mask.png"))
    assert (job.keyframes, job.at, job.mask) == (3, (1, 2.5), "mask.png")


def test_earlier_spellings_of_options_are_accepted() -> None:
    job = make_job("a", "b", "c", colours="content", stabilise="off", mask_ground="@ink-wash")
    assert (job.colors, job.stabilize, job.mask_background) == ("content", "off", "@ink-wash")
    earlier: Any = {"colours": "content", "stabilise": "off", "mask_ground": "@ink-wash"}
    assert job == vst.Job("a", ("b",), "c", **earlier)
    with pytest.raises(vst.VSTError, match="colors: given as colours too"):
        make_job("a", "b", "c", colours="content", colors="style")


def test_the_typed_options_are_the_fields_of_job_and_of_the_engines() -> None:
    job, typed = get_type_hints(vst.Job), get_type_hints(JobOptions)
    expected = {name: hint for name, hint in job.items() if name not in NOT_TYPED}
    for engine in ENGINE_OPTIONS:
        expected |= get_type_hints(ENGINE_OPTIONS[engine])
    assert typed.keys() == expected.keys()
    for name, hint in expected.items():
        assert split_type(hint) <= split_type(typed[name]), name


def split_type(hint: Any) -> set[str]:
    """Return the members of a union, with every kind of sequence as one."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return {str(get_args(one)[0]) + "s" if get_origin(one) else str(one) for one in members}
