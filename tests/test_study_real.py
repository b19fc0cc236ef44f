"""Studies for real: every engine, small; and the page of a rating in a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import clips
from tests.browser import Browser
from tests.conftest import CommandResult
from tests.page_server import needs_browser
from vst.research.study.rating import Rating, read_group
from vst.research.study.votes import Votes
from vst.samples import Landscape, write_clip

Run = Callable[..., CommandResult]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a moving landscape, 96 x 64."""
    scene = Landscape(96, 64)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_clip(path, (scene.frame(index / 8) for index in range(24)), 96, 64, 8, None)


def rows_of(done: CommandResult) -> dict[str, dict[str, Any]]:
    assert done.code == 0, done.err
    return {row["name"]: row for row in json.loads(done.out)["rows"]}


def test_every_way_paints_the_clip(run: Run, film: Path, tmp_path: Path) -> None:
    words = ("-s", "@indigo-waves", "--out", tmp_path, "--size", 64, "--seconds", 0.6, "--steps", 2)
    rows = rows_of(run("study", "video", film, *words, "--minutes", 0.02, "--json"))
    assert len(rows) == 16
    for name, row in rows.items():
        assert row["state"] == "done", f"{name}: {row['reason']}"
        figures = row["figures"]
        assert {"warp", "warp_root", "adjacent_ssim", "style", "content_ssim"} <= set(figures)
        assert figures["seconds_per_frame"] > 0 and figures["warp"] >= 0
        assert (tmp_path / row["video"]).is_file()
        assert ("training" in figures) == name.startswith("feed-forward")
    for name in ("feed-forward", "embedded"):
        steady = rows[f"{name}, stabilized (steady)"]["figures"]["warp"]
        assert steady < rows[name]["figures"]["warp"]
    assert len(list((tmp_path / "networks").iterdir())) == 3  # each serves two rows
    assert len(read_group(tmp_path)) == 16


def test_backbones_with_untrained_weights(run: Run, film: Path, tmp_path: Path) -> None:
    words = ("-s", "@indigo-waves", "--out", tmp_path, "--size", 48, "--steps", 2, "--json")
    only = ("--only", "embedded", "--only", "vgg19", "--only", "xception")
    rows = rows_of(run("study", "backbones", film, *words, *only, "--backbone-weights", "random"))
    assert set(rows) == {"embedded", "vgg19, random weights", "xception, random weights"}
    assert all(row["figures"]["steps"] == 2 for row in rows.values())
    assert all(row["figures"]["variation"] > 0 for row in rows.values())


def test_optimisers_lower_the_loss(run: Run, film: Path, tmp_path: Path) -> None:
    words = ("-s", "@indigo-waves", "--out", tmp_path, "--size", 64, "--json")
    rows = rows_of(run("study", "optimisers", film, *words, "--steps", "3,12"))
    for optimiser in ("adam", "lbfgs"):
        few, many = (rows[f"{optimiser}, {steps} steps"]["figures"] for steps in (3, 12))
        assert many["loss"] < few["loss"] < few["loss_before"]


@pytest.fixture
def rating(tmp_path: Path) -> Iterator[Rating]:
    for name in ("first", "second", "third"):
        clips.write_clip(tmp_path / f"{name}.mp4", 25)
    with Votes(tmp_path / "rate.json") as votes:
        yield Rating([read_group(tmp_path)], votes)


@pytest.fixture
def page(rating: Rating) -> Iterator[str]:
    pytest.importorskip("gradio")
    from vst.web.rating import serve_rating

    with serve_rating(rating) as address:
        yield address


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


@needs_browser
@pytest.mark.parametrize("width", [1200, 390])
def test_a_person_rates_in_a_browser(
    page: str, rating: Rating, chromium: Browser, width: int
) -> None:
    chromium.complaints()
    chromium.resize(width, 844)
    chromium.visit(page)

    def ready() -> bool:
        return bool(
            chromium.js(
                "return !document.querySelector('button').disabled && "
                "[...document.querySelectorAll('video')].every(one => !one.paused)"
            )
        )

    until(ready)
    assert chromium.text("#question") == "Which looks better?"
    for choice, key in {"left": "ArrowLeft", "same": "ArrowDown"}.items():
        if width > 600:
            chromium.press(key)
        else:
            chromium.click(f"[data-choice={choice}]")
    until(lambda: len(rating.votes) == 2)
    found = [(vote.question, vote.choice) for vote in rating.votes.all()]
    assert found == [("look", "left"), ("smooth", "same")]
    until(ready)
    assert chromium.text("#question") == "Which looks better?"
    chromium.click("summary")
    until(lambda: chromium.count("#tables tr") == 8)
    assert chromium.js("return document.documentElement.scrollWidth <= innerWidth")
    assert [one for one in chromium.complaints() if "favicon" not in one] == []
