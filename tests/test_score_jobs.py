"""Scores, masks, paces and effects as a user asks for them, through the whole program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import CommandResult
from vst.plotting import save_picture
from vst.video.sources import open_source

Run = Callable[..., CommandResult]
TINT = ("--engine", "tint", "--progress", "none")


def painted(run: Run, *words: object) -> list[np.ndarray]:
    """Paint, and return the output's frames."""
    done = run("stylize", *words, *TINT)
    assert done.code == 0, done.err
    output = Path(str(words[words.index("-o") + 1]))
    with open_source(output) as source:
        return [frame.picture for frame in source.frames()]


def main_channels(frames: list[np.ndarray]) -> list[int]:
    """Which of red, green, blue is strongest in a corner where nothing moves."""
    return [int(frame[44, 60].argmax()) for frame in frames]


def test_a_score_is_written_checked_drawn_and_played(run: Run, media: Path, tmp_path: Path) -> None:
    score, picture, output = (tmp_path / name for name in ("s.yaml", "s.png", "o.mp4"))
    styles = ("-s", media / "red.png", "-s", media / "blue.png")
    assert run("score", "init", media / "clip.mp4", *styles, "-o", score).code == 0
    assert run("score", "check", score).code == 0
    assert run("score", "plot", score, "-o", picture).code == 0
    channels = main_channels(painted(run, media / "clip.mp4", "--score", score, "-o", output))
    assert (channels[0], channels[-1]) == (0, 2)


def test_styles_beside_a_score_are_refused(run: Run, media: Path, tmp_path: Path) -> None:
    score = tmp_path / "s.yaml"
    run("score", "init", media / "clip.mp4", "-s", media / "red.png", "-o", score)
    words = ("stylize", media / "clip.mp4", "--score", score, "-o", tmp_path / "o.mp4", *TINT)
    for more in (("-s", media / "red.png"), ("--hold", "0.5"), ("--loop",)):
        done = run(*words, *more)
        assert done.code == 2
        assert "beside a score" in done.err


def test_a_hard_step_in_the_middle_of_a_hold(run: Run, media: Path, tmp_path: Path) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", media / "blue.png")
    frames = painted(run, *words, "-o", tmp_path / "o.mp4", "--ease", "step")
    assert main_channels(frames) == [0] * 10 + [2] * 10


def test_a_loop_ends_as_it_began(run: Run, media: Path, tmp_path: Path) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", media / "blue.png", "--loop")
    frames = painted(run, *words, "-o", tmp_path / "o.mp4")
    assert main_channels([frames[0], frames[10], frames[-1]]) == [0, 2, 0]


def test_none_fades_to_the_content_itself(run: Run, media: Path, tmp_path: Path) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", "none")
    frames = painted(run, *words, "-o", tmp_path / "o.mp4")
    with open_source(media / "clip.mp4") as source:
        content = source.at(1.9)
    assert np.abs(frames[-1].astype(int) - content).mean() < 3
    assert np.abs(frames[0].astype(int) - content).mean() > 20


def test_slow_motion_has_twice_the_frames_and_says_what_becomes_of_the_sound(
    run: Run, media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "o.mp4"
    words = ("stylize", media / "clip.mp4", "-s", media / "red.png", "-o", output)
    told = json.loads(run(*words, "--speed", 0.5, "--json", *TINT).out)
    assert told["frames"] == 40
    assert any("stretched" in line for line in told["warnings"])
    with open_source(output) as source:
        assert source.info.duration == pytest.approx(4.0)
        assert source.info.audio == ("aac",)


def test_a_mask_picture_keeps_the_ground_as_filmed(run: Run, media: Path, tmp_path: Path) -> None:
    mask = np.zeros((48, 64, 3), np.uint8)
    mask[:, 32:] = 255
    save_picture(tmp_path / "mask.png", mask)
    words = (media / "clip.mp4", "-s", media / "red.png", "--mask", tmp_path / "mask.png")
    frames = painted(run, *words, "-o", tmp_path / "o.mp4")
    assert frames[0][40, 60].tolist() == pytest.approx([163, 58, 58], abs=6)
    assert frames[0][40, 4].tolist() == pytest.approx([96, 96, 96], abs=4)
    blue = ("--mask-ground", media / "blue.png")
    frames = painted(run, *words, "-o", tmp_path / "p.mp4", *blue)
    assert main_channels(frames[:1]) == [0]
    assert int(frames[0][40, 4].argmax()) == 2


def test_a_change_ends_on_a_cut(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.mp4"
    words = (media / "film.mp4", "-s", media / "red.png", "-s", media / "blue.png")
    painted(run, *words, "-s", media / "red.png", "-o", output, "--align", "cuts")
    score = json.loads(run("show", output).out)
    assert score["align"] == "cuts"


def test_keyframes_at_given_times(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.mp4"
    words = ("stylize", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT)
    told = json.loads(run(*words, "--picker", "manual", "--at", "0.5,2.5", "--json").out)
    assert [key["time"] for key in told["keyframes"]] == [0.5, 2.5]


def test_a_preview_is_a_sheet_with_the_time_it_takes(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "sheet.png"
    done = run("preview", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT)
    assert done.code == 0, done.err
    assert "takes about" in done.out
    with open_source(output) as source:
        assert source.info.width > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ease", "cubic-bezier(1,2)"), "cubic-bezier"),
        (("--hold", "2"), "0 to 1"),
        (("--speed", "0.001"), "speed"),
        (("--ghost", "-1"), "0 to 1"),
        (("--brush", "9"), "0.25 to 4"),
        (("--align", "beat"), "did you mean 'beats'"),
        (("--order", "paths"), "did you mean 'path'"),
        (("--colors", "contents"), "did you mean 'content'"),
        (("--picker", "manual"), "--at"),
        (("--at", "1,x"), "H:MM:SS"),
        (("--mask", "missing.png"), "missing.png"),
        (("--mask", "auto:1,x"), "left, top, width"),
        (("--mask-ground", "missing.png"), "missing.png"),
        (("--score", "missing.yaml"), "missing.yaml|beside a score"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_options_say_what_is_allowed(
    run: Run, media: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    import re

    output = tmp_path / "o.mp4"
    done = run("stylize", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT, *words)
    assert done.code == 2, done.err
    assert re.search(said, done.err), done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not output.exists()
