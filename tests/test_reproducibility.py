"""The same job paints the same frames: with one or two decoding threads, whole or in chunks,
uninterrupted or killed at any moment.
"""

from __future__ import annotations

import functools
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from tests.chunk_helpers import is_same, read_pictures
from tests.conftest import CommandResult
from tests.fault_tally import TALLY
from vst.api import make_job
from vst.checkpoint.store import get_chunk_folder
from vst.pipeline.run import run as run_job
from vst.plotting import save_picture
from vst.video.sources import open_source

Run = Callable[..., CommandResult]


def moving(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Grain that moves, with a cut after two fifths of the frames."""
    grain = np.random.default_rng(0).integers(0, 200, (height // 4, 80, 3), np.uint8)
    wide = grain.repeat(4, 0).repeat(4, 1)
    pictures = [np.ascontiguousarray(wide[:, i % 200 : i % 200 + width]) for i in range(count)]
    return [p // 3 if i > 0.4 * count else p for i, p in enumerate(pictures)]


CODECS = {
    "h264.mp4": ("-c:v", "libx264", "-bf", "2"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=error"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-tile-columns", "1"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-q:v", "3"),
}


@pytest.mark.parametrize("name", CODECS)
def test_threads_of_decoding_change_no_frame(tmp_path: Path, name: str) -> None:
    path = clips.encode(tmp_path / name, moving(30), *CODECS[name], "-pix_fmt", "yuv420p")
    decoded = []
    for threads in (1, 2):
        with open_source(path, threads=threads) as source:
            decoded.append([(frame.time, frame.picture) for frame in source.frames()])
    assert [time for time, _ in decoded[0]] == [time for time, _ in decoded[1]]
    assert is_same(*([picture for _, picture in one] for one in decoded))


def test_threads_and_chunks_change_no_painted_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outputs are encoded without loss."""
    clips.encode(tmp_path / "in.mp4", moving(60), rate=10)
    save_picture(tmp_path / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    painted = {}
    for threads in (1, 2):
        opened = functools.partial(open_source, threads=threads)
        monkeypatch.setattr("vst.pipeline.frames.open_source", opened)
        for seconds in (10.0, 1.5):
            output = tmp_path / f"{threads}-{seconds}.mkv"
            job = make_job(
                tmp_path / "in.mp4", tmp_path / "red.png", output, keep_chunks=True,
                engine="tint", stabilize="steady", ghost=0.3, codec="ffv1", size=48,
            )  # fmt: skip
            run_job(job, chunk_seconds=seconds)
            assert get_chunk_folder(output).exists() == (seconds < 6)
            painted[threads, seconds] = read_pictures(output)
    first = painted.pop((1, 10.0))
    assert all(is_same(first, other) for other in painted.values())


@pytest.mark.slow
def test_the_embedded_engine_killed_at_random_moments(tmp_path: Path, run: Run) -> None:
    """With the stabilizer `steady`, which a resumed chunk warms up from chunk to chunk."""
    clips.encode(tmp_path / "in.mp4", moving(120, 160, 96), rate=4)
    words: list[Any] = ["stylize", tmp_path / "in.mp4", "-s", "@ink-wash", "--progress", "none"]
    words += ["--stabilize", "steady", "--codec", "ffv1", "--engine", "embedded", "-o"]
    began = time.monotonic()
    command = [sys.executable, "-m", "vst", *map(str, words)]
    subprocess.run([*command, str(tmp_path / "whole.mkv")], check=True, capture_output=True)
    took = time.monotonic() - began
    whole = read_pictures(tmp_path / "whole.mkv")
    assert len(whole) == 120
    rng = random.Random(5)
    landed = 0
    for number in range(6):
        output = tmp_path / f"out{number}.mkv"
        with TALLY.fault("killed (SIGKILL), embedded engine, stabilizer steady") as fault:
            process = subprocess.Popen([*command, str(output)], stderr=subprocess.DEVNULL)
            wait_until(output, rng.uniform(0.5, 1.0) * took, rng.randrange(3))
            process.kill()
            process.wait()
            if not output.exists():
                landed += get_chunk_folder(output).exists()
                done = run(*words, output)
                assert done.code == 0, done.err
            fault.compare(whole, read_pictures(output))
            fault.count_leftovers(tmp_path, "in.mp4", "whole.mkv", output.name)
            assert (fault.lost, fault.left) == (0, 0)
            output.unlink()
    assert landed >= 3


def wait_until(output: Path, most: float, chunk: int) -> None:
    """Wait for a moment within that chunk, ``most`` seconds at most."""
    until = time.monotonic() + 3 * most
    while time.monotonic() < until and not output.exists():
        if list(get_chunk_folder(output).glob(f"chunk-{chunk:05d}.unfinished*")):
            time.sleep(random.Random(most).uniform(0, 0.1))  # a chunk takes no longer
            return
        time.sleep(0.01)
