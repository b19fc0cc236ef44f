"""The main job with the real engine: a video in the style of another, with no network."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vst
from tests.conftest import CommandResult
from vst.video.sources import open_source

Run = Callable[..., CommandResult]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> None:
        raise OSError("there is no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_video_is_painted_by_the_embedded_model(
    media: Path, tmp_path: Path, no_network: None
) -> None:
    events: list[vst.Progress] = []
    result = vst.stylize(
        media / "clip.mp4",
        [media / "film.mp4", "@ink-wash"],
        tmp_path / "out.mp4",
        keyframes=2,
        size=48,
        on_progress=events.append,
    )
    assert (result.frames, result.fps, result.engine) == (20, "10/1", "embedded")
    assert [key["name"] for key in result.keyframes] == ["film-1", "film-2", "ink-wash"]
    assert events[-1].done == 20
    with open_source(media / "clip.mp4") as source, open_source(tmp_path / "out.mp4") as painted:
        assert (painted.info.width, painted.info.height) == (64, 48)
        pairs = list(zip(source.frames(), painted.frames()))
    changes = [np.abs(a.picture.astype(int) - b.picture).mean() for a, b in pairs]
    assert min(changes) > 5  # every frame is painted


@pytest.mark.parametrize(
    ("quality", "search"), [("draft", b"subme=0"), ("normal", b"subme=2"), ("best", b"subme=7")]
)
def test_the_quality_sets_x264s_preset(
    media: Path, tmp_path: Path, quality: str, search: bytes
) -> None:
    """x264 writes its settings into the stream; `subme`, the motion search, differs by preset."""
    out = tmp_path / "out.mp4"
    options = {"engine": "tint", "keyframes": 1, "size": 48, "end": 0.3}
    vst.stylize(media / "clip.mp4", media / "film.mp4", out, quality=quality, **options)
    assert search + b" " in out.read_bytes()


def test_strength_0_gives_the_content_back(media: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    vst.stylize(media / "clip.mp4", "@ink-wash", out, strength=0, codec="ffv1")
    with open_source(media / "clip.mp4") as source, open_source(out) as painted:
        for a, b in zip(source.frames(), painted.frames()):
            assert np.abs(a.picture.astype(int) - b.picture).mean() < 1.5


@pytest.mark.parametrize("blend", ["embedding", "slerp", "pixels"])
def test_every_blend_begins_and_ends_in_the_pure_styles(
    media: Path, tmp_path: Path, blend: str
) -> None:
    styles = ["@ink-wash", "@fire-impasto"]
    out = tmp_path / "out.mkv"
    vst.stylize(
        media / "clip.mp4",
        styles,
        out,
        blend=blend,
        end=0.5,
        size=48,
        codec="ffv1",
        stabilize="off",
    )
    with open_source(out) as painted:
        first, *_, last = [frame.picture for frame in painted.frames()]
    for style, frame, time in ((styles[0], first, 0), (styles[1], last, 0.4)):
        pure = tmp_path / f"{style[1:]}.mkv"
        vst.stylize(
            media / "clip.mp4", style, pure, end=0.5, size=48, codec="ffv1", stabilize="off"
        )
        with open_source(pure) as painted:
            assert np.abs(painted.at(time).astype(int) - frame).max() <= 2, style
    assert np.abs(first.astype(int) - last).mean() > 5


def test_nothing_but_the_object_is_on_stdout_and_no_chatter_on_stderr(
    media: Path, tmp_path: Path
) -> None:
    words = ["stylize", str(media / "clip.mp4"), "-s", "@ink-wash", "-o", str(tmp_path / "o.mp4")]
    done = subprocess.run(
        [sys.executable, "-m", "vst", *words, "--size", "48", "--json", "--progress", "none"],
        capture_output=True,
        text=True,
        env={**os.environ, "VST_HOME": str(tmp_path)},
        check=True,
    )
    assert json.loads(done.stdout)["frames"] == 20
    assert done.stderr == ""


@pytest.mark.slow
def test_the_demo_leaves_what_it_says(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--output", tmp_path, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["frames"] == 150
    assert {path.name for path in tmp_path.iterdir()} == {
        "content.mp4", "style-film.mp4", "demo.mp4", "demo.png",
    }  # fmt: skip


@pytest.mark.slow
def test_the_shared_clips_go_through(run: Run, shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"
    video = shared / "video"
    words = ("stylize", video / "bikes.mp4", "-s", video / "bigbuckbunny.mp4", "-o", out)
    result = json.loads(run(*words, "--json").out)
    assert (result["frames"], result["fps"], len(result["keyframes"])) == (250, "25/1", 5)
