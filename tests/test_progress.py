"""Progress on a terminal and in a log."""

from __future__ import annotations

import io
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from vst.api import make_job
from vst.batch import run_batch
from vst.cli.progress import Reporter
from vst.core.types import Progress
from vst.plotting import save_picture


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def read_lines(self) -> list[str]:
        """The lines that a terminal of 80 columns showed, one after the other."""
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())
        return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Write errors to a terminal; in the test itself, because pytest replaces them before it."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    return terminal


def test_a_batch_shows_a_bar_for_the_frames_and_one_for_the_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = open_terminal(monkeypatch)
    threads = threading.active_count()
    with Reporter() as reporter:
        for job in range(2):
            for frame in (1, 50):
                detail = {"jobs": job, "all_jobs": 2}
                reporter(Progress("paint", frame, 50, 2.0, detail))
        assert threading.active_count() == threads
    lines = terminal.read_lines()
    assert any(line.endswith("paint 50/50 frames, 25.0 fps, 0:00 left") for line in lines)
    assert [line.split("  ")[-1].split(" ", 1)[-1] for line in lines][-1].endswith("1/2 jobs")


def test_a_cluster_s_chunks_have_a_bar_whose_end_may_be_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = open_terminal(monkeypatch)
    with Reporter() as reporter:
        reporter(Progress("paint", 5, 50, 1.0, {"chunks": 1, "workers": 2}))
        reporter(Progress("paint", 50, 50, 9.0, {"chunks": 3, "all_chunks": 3, "workers": 2}))
    lines = terminal.read_lines()
    assert any("1/… chunks" in line for line in lines) and "3/3 chunks" in lines[-1]
    assert any("2 workers" in line for line in lines)


def test_the_cursor_is_not_left_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    reporter = Reporter()
    reporter(Progress("paint", 1, 2, 1.0))
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")
    reporter.close()


def test_a_text_with_brackets_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with Reporter() as reporter:
        reporter(Progress("fetch [bold]x", 1, 2, 1.0, {"unit": "MB"}))
    assert any("fetch [bold]x 1/2 MB" in line for line in terminal.read_lines())


def test_a_log_gets_lines_without_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter() as reporter:
        reporter(Progress("paint", 50, 50, 2.0, {"jobs": 1, "all_jobs": 2}))
    assert capsys.readouterr().err == "paint 50/50 frames, 25.0 fps, 0:00 left, 1/2 jobs\n"


def test_a_batch_reports_how_many_jobs_are_done(media: Path, tmp_path: Path) -> None:
    save_picture(tmp_path / "red.png", np.full((8, 8, 3), (230, 20, 20), np.uint8))
    jobs = [
        make_job(media / "clip.mp4", tmp_path / "red.png", tmp_path / f"{n}.mp4", engine="tint")
        for n in range(2)
    ]
    seen: list[tuple[int, int]] = []
    run_batch(jobs, lambda event: seen.append((event.detail["jobs"], event.detail["all_jobs"])))
    assert seen[0] == (0, 2) and seen[-1] == (1, 2)
