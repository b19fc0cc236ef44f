"""Ctrl-C on real processes: what is kept, and the command that goes on, which is run and ends.

`test_resume.py` covers videos that are painted in chunks.
"""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chunk_helpers import wait_for_chunks
from tests.conftest import CommandResult, make_clip
from vst.video.sources import open_source

pytestmark = pytest.mark.slow
Run = Callable[..., CommandResult]
FRAMES = 600
CONTINUED = re.compile(r"(?:Resume|Start again) with: vst (.+)$")


@pytest.fixture
def folder(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a clip of a minute, which is painted in chunks, and a picture."""
    make_clip(tmp_path / "long.mp4", frames=FRAMES, size=(640, 480))
    (tmp_path / "red.png").write_bytes((media / "red.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(words: str) -> subprocess.Popen[str]:
    """Start a command."""
    command = [sys.executable, "-m", "vst", *shlex.split(words), "--progress", "plain"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Interrupt a command; return the last line of its stderr."""
    process.send_signal(signal.SIGINT)
    last = process.communicate(timeout=60)[1].strip().splitlines()[-1]
    assert process.returncode == 1
    assert last.startswith("vst: stopped: ")
    return last


def go_on(run: Run, line: str) -> CommandResult:
    """Run the command that the line names."""
    found = CONTINUED.search(line)
    assert found is not None, line
    done = run(*shlex.split(found[1]))
    assert done.code == 0, done.err
    return done


def count_frames(path: str) -> int:
    with open_source(path) as source:
        return sum(1 for _ in source.frames())


def test_stylize_keeps_the_complete_chunks_and_resumes(folder: Path, run: Run) -> None:
    process = start("stylize long.mp4 -s red.png -o out.mp4 --engine tint")
    wait_for_chunks(Path("out.mp4"), 1)
    line = press_ctrl_c(process)
    assert re.search(r"stopped: \d+ frames are kept\. Resume with: vst resume out\.mp4$", line)
    done = go_on(run, line)
    assert count_frames("out.mp4") == FRAMES
    assert "vst compare long.mp4 out.mp4" in done.err


@pytest.mark.parametrize("option", ["", " --overwrite"])
def test_batch_counts_the_complete_outputs_and_goes_on(folder: Path, run: Run, option: str) -> None:
    """Outputs of an earlier run do not count where they are to be replaced."""
    make_clip(folder / "short.mp4", frames=20)
    if option:
        (folder / "out").mkdir()
        make_clip(folder / "out" / "long.mp4", frames=3)
    (folder / "jobs.yaml").write_text(
        "contents: [short.mp4, long.mp4]\nstyles: red.png\noutput: out/{content}.mp4\n"
        "options: {engine: tint}\n",
        encoding="utf-8",
    )
    process = start(f"batch jobs.yaml{option}")
    wait_for_chunks(folder / "out" / "long.mp4", 1)
    line = press_ctrl_c(process)
    assert "1 of 2 outputs are complete" in line
    assert line.endswith(f"vst batch jobs.yaml{option}")
    go_on(run, line)
    assert [count_frames(f"out/{name}.mp4") for name in ("short", "long")] == [20, FRAMES]


def test_image_by_gatys_leaves_nothing_and_starts_again(folder: Path, run: Run) -> None:
    before = sorted(folder.iterdir())
    process = start("image red.png -s red.png -o out.png --engine gatys --steps 150 --size 48")
    assert process.stderr is not None
    while "steps" not in process.stderr.readline():
        assert process.poll() is None
    line = press_ctrl_c(process)
    assert "nothing was written" in line
    assert sorted(folder.iterdir()) == before
    go_on(run, line)
    assert (folder / "out.png").exists()
