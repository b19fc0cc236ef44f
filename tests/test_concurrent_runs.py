"""Two runs with one output, what a killed short run leaves, and a join that hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import vst
from tests.conftest import CommandResult, make_clip
from tests.fault_tally import FaultCounts
from vst.api import make_job
from vst.checkpoint.planner import ChunkRule
from vst.checkpoint.store import ChunkFolder
from vst.cli import stopping
from vst.errors import OutputError, StalledError
from vst.pipeline.run import run as run_job
from vst.video.sinks import assemble, ffmpeg
from vst.video.sinks.atomic_output import AtomicOutput, get_working_folder
from vst.video.sources import open_source

Run = Callable[..., CommandResult]
SECOND_RUN = pytest.mark.fault("a second run with the same output")
HANGS = pytest.mark.fault("reading, painting, writing or joining hangs")
KILLED = pytest.mark.fault("a short job killed (SIGKILL)")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media: Path) -> Path:
    make_clip(tmp_path / "in.mp4", frames=10)
    (tmp_path / "red.png").write_bytes((media / "red.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(output: str, *more: object) -> list[str]:
    chosen = ("--engine", "tint", "--progress", "none", "--overwrite", *map(str, more))
    return ["stylize", "in.mp4", "-s", "red.png", "-o", output, *chosen]


OUTPUTS = ("out.mp4", "out.gif", "frames/", "n" * 240 + ".mp4")


@SECOND_RUN
@pytest.mark.parametrize("output", OUTPUTS)
def test_a_short_job_holds_its_output(
    workspace: Path, run: Run, output: str, fault: FaultCounts
) -> None:
    held = AtomicOutput(Path(output), overwrite=True)  # as a run does until its end
    (held.folder / "pictures.mp4").write_bytes(b"painted by the first run")
    done = run(*words(output))
    assert done.code == 1
    assert f"is being written by another run (process {os.getpid()})" in done.err
    assert (held.folder / "pictures.mp4").exists()
    held.discard()
    assert run(*words(output)).code == 0
    fault.count_leftovers(workspace, "in.mp4", "red.png", Path(output).name)
    assert fault.left == 0


@SECOND_RUN
def test_a_long_and_a_short_job_do_not_write_one_output(workspace: Path, run: Run) -> None:
    job = make_job("in.mp4", "red.png", "out.mp4", engine="tint", overwrite=True)
    held = AtomicOutput(Path("out.mp4"), overwrite=True)
    with pytest.raises(OutputError, match="another run"):
        run_job(job, chunk_seconds=0.5)
    held.discard()
    folder = ChunkFolder(Path("out.mp4"), {}, ChunkRule(1, 1))
    done = run(*words("out.mp4"))
    assert (done.code, "another run" in done.err) == (1, True)
    folder.close(keep=False)
    assert run(*words("out.mp4")).code == 0


@KILLED
@pytest.mark.parametrize("output", ["out.mp4", "out.gif", "frames/"])
def test_the_next_run_removes_what_a_killed_one_left(
    workspace: Path, run: Run, output: str, fault: FaultCounts
) -> None:
    code = (
        "import sys, os, signal; from vst import cli as commands\n"
        "from vst.video.sinks import atomic_output\n"
        "def die(*words): os.kill(os.getpid(), signal.SIGKILL)\n"
        "atomic_output.AtomicOutput.publish = die\n"
        "import vst.video.sinks.folder as folder; folder.FolderSink._publish = die\n"
        "commands.main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *words(output)], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert get_working_folder(Path(output)).is_dir()
    assert not Path(output).exists()
    assert run(*words(output)).code == 0
    fault.count_leftovers(workspace, "in.mp4", "red.png", Path(output).name)
    assert fault.left == 0


def test_a_folder_with_foreign_files_is_left_alone(workspace: Path, run: Run) -> None:
    folder = get_working_folder(Path("out.mp4"))
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = run(*words("out.mp4"))
    assert (done.code, "Move it away" in done.err) == (1, True)
    assert (folder / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    (folder / "thesis.txt").unlink()
    folder.rmdir()
    folder.symlink_to(workspace)
    assert run(*words("out.mp4")).code == 1
    assert (workspace / "in.mp4").exists()


@pytest.mark.parametrize("output", ["", ".", "..", "/"])
def test_an_output_needs_a_name(workspace: Path, run: Run, output: str) -> None:
    for done in (run(*words(output)), run("resume", output)):
        assert (done.code, "has no name" in done.err) == (2, True), done.err


def test_many_runs_at_once_write_one_after_the_other(workspace: Path) -> None:
    ended: list[object] = []

    def paint() -> None:
        try:
            ended.append(vst.stylize("in.mp4", "red.png", "out.mp4", engine="tint", overwrite=True))
        except OutputError as error:
            ended.append(error)

    threads = [threading.Thread(target=paint) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [one for one in ended if isinstance(one, OutputError)]
    assert all("another run" in str(one) for one in refused)
    assert len(refused) < 6
    with open_source("out.mp4") as source:
        assert len(list(source.frames())) == 10
    assert {path.name for path in workspace.iterdir()} == {"in.mp4", "red.png", "out.mp4"}


class Stopped(ffmpeg.FFmpegProcess):
    """An ffmpeg that is stopped as soon as it runs, as on a disk that does not respond."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.popen.send_signal(signal.SIGSTOP)


@HANGS
def test_a_join_that_hangs_raises(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "FFmpegProcess", Stopped)
    with pytest.raises(StalledError, match="ffmpeg made no progress for 1 s"):
        vst.stylize("in.mp4", "red.png", "out.mp4", engine="tint", patience=1.0)
    assert {path.name for path in workspace.iterdir()} == {"in.mp4", "red.png"}


@HANGS
@pytest.mark.slow
def test_a_join_that_hangs_in_this_process_ends_the_command(
    workspace: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble, "probe_output", lambda *words: time.sleep(60))
    began = time.monotonic()
    done = run(*words("out.mp4", "--patience", 1))
    assert done.code == 1
    assert "assembling the output made no progress for 1 s" in done.err
    assert time.monotonic() - began < 30
    assert {path.name for path in workspace.iterdir()} == {"in.mp4", "red.png"}


@pytest.mark.slow
def test_a_slow_join_whose_file_grows_is_not_ended(
    workspace: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = assemble.probe_output

    def slow(finished: Path, target: Path) -> Any:
        for _ in range(8):
            time.sleep(1)
            with (finished.parent / "grows").open("ab") as file:
                file.write(b"x")
        return probe(finished, target)

    monkeypatch.setattr(assemble, "probe_output", slow)
    monkeypatch.setattr(stopping, "LATER", 1.0)
    assert run(*words("out.mp4", "--patience", 2)).code == 0


def test_a_folder_that_the_run_before_deletes_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = get_working_folder(tmp_path / "out.mp4")
    folder.mkdir()
    iterate = Path.iterdir

    def iterate_after_the_other_run_ended(path: Path) -> Iterator[Path]:
        monkeypatch.setattr(Path, "iterdir", iterate)
        folder.rmdir()
        return iterate(path)

    monkeypatch.setattr(Path, "iterdir", iterate_after_the_other_run_ended)
    output = AtomicOutput(tmp_path / "out.mp4", overwrite=False)
    assert output.folder.is_dir()
    output.discard()
    assert not folder.exists()
