"""The public API as a tutorial: the examples of docs/python-api.md, and what their options do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vst

PAGE = Path(__file__).parent.parent / "docs" / "python-api.md"


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
