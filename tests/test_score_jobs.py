"""Scores, masks, transitions and effects, from the command line to the output."""

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


def paint(run: Run, *words: object) -> list[np.ndarray]:
    """Run `vst stylize`, and return the output's frames."""
    done = run("stylize", *words, *TINT)
    assert done.code == 0, done.err
    output = Path(str(words[words.index("-o") + 1]))
    with open_source(output) as source:
        return [frame.picture for frame in source.frames()]


def find_main_channels(frames: list[np.ndarray]) -> list[int]:
    """Return which of red, green and blue is strongest in a corner without motion."""
    return [int(frame[44, 60].argmax()) for frame in frames]


def test_a_score_can_be_written_checked_plotted_and_painted(
    run: Run, media: Path, tmp_path: Path
) -> None:
    score, picture, output = (tmp_path / name for name in ("s.yaml", "s.png", "o.mp4"))
    styles = ("-s", media / "red.png", "-s", media / "blue.png")
    assert run("score", "init", media / "clip.mp4", *styles, "-o", score).code == 0
    assert run("score", "check", score).code == 0
    assert run("score", "plot", score, "-o", picture).code == 0
    channels = find_main_channels(paint(run, media / "clip.mp4", "--score", score, "-o", output))
    assert (channels[0], channels[-1]) == (0, 2)


def test_a_score_and_options_that_it_replaces_are_refused(
    run: Run, media: Path, tmp_path: Path
) -> None:
    score = tmp_path / "s.yaml"
    run("score", "init", media / "clip.mp4", "-s", media / "red.png", "-o", score)
    words = ("stylize", media / "clip.mp4", "--score", score, "-o", tmp_path / "o.mp4", *TINT)
    for more in (("-s", media / "red.png"), ("--hold", "0.5"), ("--loop",)):
        done = run(*words, *more)
        assert done.code == 2
        assert "beside a score" in done.err


def test_ease_step_changes_the_style_in_the_middle(run: Run, media: Path, tmp_path: Path) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", media / "blue.png")
    frames = paint(run, *words, "-o", tmp_path / "o.mp4", "--ease", "step")
    assert find_main_channels(frames) == [0] * 10 + [2] * 10


def test_a_loop_ends_with_its_first_style(run: Run, media: Path, tmp_path: Path) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", media / "blue.png", "--loop")
    frames = paint(run, *words, "-o", tmp_path / "o.mp4")
    assert find_main_channels([frames[0], frames[10], frames[-1]]) == [0, 2, 0]


def test_the_style_none_fades_to_the_unpainted_content(
    run: Run, media: Path, tmp_path: Path
) -> None:
    words = (media / "clip.mp4", "-s", media / "red.png", "-s", "none")
    frames = paint(run, *words, "-o", tmp_path / "o.mp4")
    with open_source(media / "clip.mp4") as source:
        content = source.at(1.9)
    assert np.abs(frames[-1].astype(int) - content).mean() < 3
    assert np.abs(frames[0].astype(int) - content).mean() > 20


def test_half_speed_doubles_the_frames_and_warns_that_the_sound_is_stretched(
    run: Run, media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "o.mp4"
    words = ("stylize", media / "clip.mp4", "-s", media / "red.png", "-o", output)
    report = json.loads(run(*words, "--speed", 0.5, "--json", *TINT).out)
    assert report["frames"] == 40
    assert any("stretched" in line for line in report["warnings"])
    with open_source(output) as source:
        assert source.info.duration == pytest.approx(4.0)
        assert source.info.audio == ("aac",)


def test_a_mask_keeps_the_background_unpainted_or_gives_it_its_style(
    run: Run, media: Path, tmp_path: Path
) -> None:
    mask = np.zeros((48, 64, 3), np.uint8)
    mask[:, 32:] = 255
    save_picture(tmp_path / "mask.png", mask)
    words = (media / "clip.mp4", "-s", media / "red.png", "--mask", tmp_path / "mask.png")
    frames = paint(run, *words, "-o", tmp_path / "o.mp4")
    assert frames[0][40, 60].tolist() == pytest.approx([163, 58, 58], abs=6)
    assert frames[0][40, 4].tolist() == pytest.approx([96, 96, 96], abs=4)
    blue = ("--mask-background", media / "blue.png")
    frames = paint(run, *words, "-o", tmp_path / "p.mp4", *blue)
    assert find_main_channels(frames[:1]) == [0]
    assert int(frames[0][40, 4].argmax()) == 2


def test_show_prints_the_alignment_of_the_run(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.mp4"
    words = (media / "film.mp4", "-s", media / "red.png", "-s", media / "blue.png")
    paint(run, *words, "-s", media / "red.png", "-o", output, "--align", "cuts")
    shown = json.loads(run("show", output).out)
    assert shown["align"] == "cuts"


def test_the_manual_picker_takes_the_keyframes_at_the_given_times(
    run: Run, media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "o.mp4"
    words = ("stylize", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT)
    report = json.loads(run(*words, "--picker", "manual", "--at", "0.5,2.5", "--json").out)
    assert [key["time"] for key in report["keyframes"]] == [0.5, 2.5]


def test_a_preview_is_a_sheet_and_reports_the_estimated_time(
    run: Run, media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "sheet.png"
    done = run("preview", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT)
    assert done.code == 0, done.err
    assert "takes about" in done.out
    with open_source(output) as source:
        assert source.info.width > 1000


@pytest.mark.parametrize(
    ("words", "message"),
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
        (("--mask-background", "missing.png"), "missing.png"),
        (("--score", "missing.yaml"), "missing.yaml|beside a score"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_error_of_a_wrong_option_is_one_line_with_what_is_allowed(
    run: Run, media: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    import re

    output = tmp_path / "o.mp4"
    done = run("stylize", media / "clip.mp4", "-s", media / "film.mp4", "-o", output, *TINT, *words)
    assert done.code == 2, done.err
    assert re.search(message, done.err), done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not output.exists()
