"""Many jobs in one process: memory, open files, threads and temporary files do not grow."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import vst
from tests.conftest import make_clip
from vst.plotting import save_picture

JOBS = 1000
GROWTH = 30_000
"""Kilobytes that the process may grow by after the first tenth of the jobs."""


def get_memory() -> int:
    """Resident memory of this process in kilobytes."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0])


def count_open(temporary: Path) -> tuple[int, int, int]:
    """Open files, threads, and temporary files."""
    files = len(list(Path("/proc/self/fd").iterdir()))
    return files, threading.active_count(), len(list(temporary.iterdir()))


@pytest.mark.huge
@pytest.mark.slow
def test_a_thousand_short_jobs_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    make_clip(tmp_path / "clip.mp4", frames=5)
    save_picture(tmp_path / "red.png", np.full((8, 8, 3), (230, 20, 20), np.uint8))
    seen = []
    for number in range(JOBS):
        name = ("out.mp4", "out.mkv", "out.gif")[number % 3]
        vst.stylize(
            tmp_path / "clip.mp4", tmp_path / "red.png", tmp_path / name,
            engine="tint", stabilize="gaussian", overwrite=True,
        )  # fmt: skip
        if number % (JOBS // 10) == JOBS // 10 - 1:
            seen.append((get_memory(), *count_open(temporary)))
    assert len({each[1:] for each in seen}) == 1, seen
    assert seen[-1][0] - seen[0][0] < GROWTH, seen
    assert len(list(tmp_path.iterdir())) == 6
    print(seen)
