"""Processes killed or stopped and resumed: the frames are those of an uninterrupted run.

`test_resume_faults` has the faults inside one process.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import clips
from tests.chunk_helpers import read_pictures, wait_for_chunks
from tests.conftest import CommandResult
from tests.fault_tally import TALLY, FaultCounts
from vst.checkpoint.store import get_chunk_folder, read_manifest
from vst.video.sources import open_source

pytestmark = pytest.mark.usefixtures("no_thread_is_left")
Run = Callable[..., CommandResult]
SECONDS, RATE = 60, 5
CHUNKS = 6  # of ten seconds


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """content.mp4: a minute of numbered frames, 160 x 120, a cut at 0:27, with sound; red.png;
    whole.mp4: painted without interruption.
    """
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("long")
    pictures = clips.draw_numbered_frames(SECONDS * RATE, 160, 120)
    for picture in pictures[27 * RATE :]:
        picture //= 3
    clips.encode(folder / "content.mp4", pictures, "-c:a", "aac", rate=RATE, inputs=clips.SOUND)
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    subprocess.run(command(folder, folder / "whole.mp4"), check=True, capture_output=True)
    return folder


def words(long: Path, output: Path) -> list[str]:
    options = ["--engine", "tint", "--stabilise", "light", "--ghost", "0.3", "--progress", "none"]
    return ["stylize", str(long / "content.mp4"), "-s", str(long / "red.png"),
            "-o", str(output) + ("" if output.suffix else "/"), *options]  # fmt: skip


def command(long: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "vst", *words(long, output), *more]


def start(long: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(long, output, *more), stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def check_same(expected: Path, output: Path, fault: FaultCounts) -> None:
    """The output has the frames, times and sound of ``expected``; nothing is left."""
    with open_source(expected) as whole, open_source(output) as found:
        pairs = list(zip(whole.frames(), found.frames(), strict=True))
    assert len(pairs) == SECONDS * RATE
    assert all(one.time == two.time for one, two in pairs)
    fault.compare((one.picture for one, _ in pairs), (two.picture for _, two in pairs))
    fault.count_leftovers(output.parent, output.name)
    assert (fault.lost, fault.left) == (0, 0)
    if expected.suffix in (".mp4", ".mkv"):
        assert clips.read_sound_packets(output) == clips.read_sound_packets(expected)
    assert not get_chunk_folder(output).exists()


def no_process_names(path: Path) -> bool:
    """Whether no process has ``path`` in its command line, within a few seconds."""
    for _ in range(50):
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.append(os.fsencode(path) in entry.read_bytes())
            except OSError:
                continue
        if not any(found):
            return True
        time.sleep(0.1)
    return False


def wait_for_random_moment(
    process: subprocess.Popen[str], output: Path, rng: random.Random
) -> None:
    """Wait until a random number of chunks are whole and up to 0.2 s more, or until it ends.

    Counted in chunks: seconds of an earlier run say nothing when the machine is shared.
    """
    count = rng.randrange(CHUNKS)
    while process.poll() is None:
        manifest = read_manifest(output)
        if manifest is not None and len(manifest["chunks"]) >= count:
            break
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 0.2))


def check_killed_runs(
    long: Path, tmp_path: Path, run: Run, times: int, *, seed: int, suffix: str = ".mp4"
) -> None:
    rng = random.Random(seed)
    whole = long / f"whole{suffix}"
    if not whole.exists():
        subprocess.run(command(long, whole), check=True, capture_output=True)
    interrupted = 0
    for number in range(times):
        output = tmp_path / f"out{number}{suffix}"
        with TALLY.fault(f"killed (SIGKILL) at a random moment: {suffix or 'folder'}") as fault:
            process = start(long, output)
            wait_for_random_moment(process, output, rng)
            process.kill()
            process.communicate()
            assert no_process_names(output)
            if output.exists():
                read_pictures(output)  # whole, or it would not be there
            else:
                interrupted += 1
                again = rng.random() < 0.5 and read_manifest(output) is not None
                done = run("resume", output) if again else run(*words(long, output))
                assert done.code == 0, done.err
            assert run("resume", output).code == 0
            check_same(whole, output, fault)
            shutil.rmtree(output) if output.is_dir() else output.unlink()
    assert interrupted > 0


def test_a_killed_run_is_resumed_to_the_same_frames(long: Path, tmp_path: Path, run: Run) -> None:
    check_killed_runs(long, tmp_path, run, 3, seed=1)


@pytest.mark.huge
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ""])
def test_a_run_killed_fifty_times(long: Path, tmp_path: Path, run: Run, suffix: str) -> None:
    """Videos, GIFs, and (without a suffix) folders of frames."""
    check_killed_runs(long, tmp_path, run, 50, seed=2, suffix=suffix)


@pytest.mark.fault("killed twice in one job")
def test_a_run_killed_again_and_again_ends(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    for count in (1, 3):
        process = start(long, output)
        wait_for_chunks(output, count)
        process.kill()
        process.communicate()
    done = run("resume", output, "--json", "--progress", "none")
    assert done.code == 0, done.err
    assert json.loads(done.out)["frames"] == SECONDS * RATE
    check_same(long / "whole.mp4", output, fault)


@pytest.mark.fault("Ctrl-C once, twice, SIGTERM")
def test_ctrl_c_once_finishes_the_chunk_and_names_the_command_that_resumes(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    process = start(long, output)
    wait_for_chunks(output, 1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "finishing this chunk" in said
    assert said.strip().splitlines()[-1].endswith(f"Resume with: vst resume {output}")
    manifest = read_manifest(output)
    assert manifest is not None
    assert not [path for path in get_chunk_folder(output).iterdir() if "unfinished" in path.name]
    assert not (get_chunk_folder(output) / "lock").exists()
    assert run("resume", output).code == 0
    check_same(long / "whole.mp4", output, fault)


@pytest.mark.fault("Ctrl-C once, twice, SIGTERM")
@pytest.mark.parametrize(
    "signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGTERM]], ids=["twice", "term"]
)
def test_stopped_at_once_and_resumed(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts, signals: list[signal.Signals]
) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"the old output")
    process = start(long, output, "--overwrite")
    wait_for_chunks(output, 2)
    for each in signals:
        process.send_signal(each)
        time.sleep(0.05)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert f"Resume with: vst resume {output}" in said
    assert "Traceback" not in said
    assert output.read_bytes() == b"the old output"
    assert no_process_names(output)
    assert run("resume", output).code == 0
    check_same(long / "whole.mp4", output, fault)


@pytest.mark.fault("a second run with the same output")
def test_a_second_run_is_refused_and_the_first_finishes(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    process = start(long, output)
    wait_for_chunks(output, 1)
    process.send_signal(signal.SIGSTOP)
    try:
        for again in (words(long, output), ["resume", str(output)]):
            done = run(*again)
            assert done.code == 1
            assert f"being written by another run (process {process.pid})" in done.err
    finally:
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    check_same(long / "whole.mp4", output, fault)


def test_resume_reports_a_whole_output_and_a_missing_one(
    long: Path, tmp_path: Path, run: Run
) -> None:
    shutil.copy(long / "whole.mp4", tmp_path / "out.mp4")
    done = run("resume", tmp_path / "out.mp4")
    assert (done.code, "is complete" in done.out) == (0, True)
    done = run("resume", tmp_path / "none.mp4")
    assert (done.code, "nothing to resume" in done.err) == (2, True)
    (tmp_path / "text.mp4").write_text("no video", encoding="utf-8")
    assert run("resume", tmp_path / "text.mp4").code == 1
    assert len(list(tmp_path.iterdir())) == 2
