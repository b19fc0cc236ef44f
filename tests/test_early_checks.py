"""Mistakes are found before an engine opens, whoever runs the job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vst
from vst.cluster import LOCAL, ClusterSettings, run_on_cluster
from vst.errors import UsageError, VSTError
from vst.job import Job
from vst.pipeline.estimate import estimate
from vst.pipeline.run import run

MISTAKES = {
    "a picture as content": ({"content": "red.png"}, "is a picture"),
    "a style that is SVG": ({"styles": ("art.svg",)}, "SVG drawing"),
    "a background without a mask": ({"mask_background": "@ink-wash"}, "without a mask"),
    "a mask that is missing": ({"mask": "no.png"}, "does not exist"),
    "a model of another engine": ({"model": "net.keras"}, "a model of engine 'fast'"),
    "a score's style that is SVG": ({"styles": (), "score": "score.yaml"}, "styles: art"),
}
"""Mistake -> the fields of the job that are wrong, and what the error says."""
RUNNERS: dict[str, Callable[[Job], object]] = {
    "run": run,
    "estimate": estimate,
    "cluster": lambda job: run_on_cluster(ClusterSettings(LOCAL), job),
}


@pytest.fixture
def folder(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with files that are given by mistake; no engine can be opened."""
    for name in ("clip.mp4", "red.png"):
        (tmp_path / name).symlink_to(media / name)
    (tmp_path / "art.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    (tmp_path / "net.keras").write_bytes(b"PK")
    (tmp_path / "score.yaml").write_text(
        "styles: {art: art.svg}\nkeys: [{at: 0, style: art}]\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vst.pipeline.parts.ENGINES", {})
    monkeypatch.setattr("vst.cluster.WorkerPool", None)
    return tmp_path


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_before_an_engine_or_a_cluster_opens(
    folder: Path, mistake: str, runner: str
) -> None:
    wrong, expected = MISTAKES[mistake]
    fields = {"content": "clip.mp4", "styles": ("@ink-wash",), "output": "out.mp4", **wrong}
    before = sorted(folder.iterdir())
    with pytest.raises(VSTError, match=expected):
        RUNNERS[runner](Job(**fields))
    assert sorted(folder.iterdir()) == before


def test_a_painted_picture_checks_its_style_before_an_engine_opens(folder: Path) -> None:
    with pytest.raises(VSTError, match="SVG drawing"):
        vst.stylize_picture("red.png", "art.svg")


def test_what_is_not_a_path_is_refused(folder: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(UsageError, match="content is ndarray, not a path"):
        vst.stylize_picture(picture, "@ink-wash")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a style is int"):
        vst.stylize("clip.mp4", 5, "out.mp4")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a source is NoneType"):
        vst.open_source(None)  # type: ignore[arg-type]


def test_a_mistake_names_the_field_not_the_option(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"^mask_edge 'soft' without a mask"):
        vst.stylize("clip.mp4", "@ink-wash", "out.mp4", mask_edge="soft")
