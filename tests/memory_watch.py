"""Runs a program and measures its memory from outside, child processes included."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
"""Seconds between two measurements."""


@dataclass
class WatchedResult:
    """How a program ended.

    ``seconds``: wall clock minus the time in which it was ready to run and other programs had the
    CPU. ``peak``: bytes of memory of the program and its children, the maximum of all measurements;
    shared libraries count once per process.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: int


def run_vst(*words: object, timeout: float = 60.0, folder: Path | None = None) -> WatchedResult:
    """Run ``vst`` in a separate process, in ``folder``; it is killed after ``timeout`` seconds."""
    return run_watched([sys.executable, "-m", "vst", *map(str, words)], timeout, folder)


def run_watched(command: list[str], timeout: float, folder: Path | None = None) -> WatchedResult:
    began = time.monotonic()
    peak, kept_waiting = 0, 0.0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        while True:
            try:
                out, err = process.communicate(timeout=POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, measure_resident(process.pid))
                kept_waiting = max(kept_waiting, seconds_preempted(process.pid))
                if time.monotonic() - began - kept_waiting > timeout:
                    process.kill()
                    raise
    seconds = max(0.0, time.monotonic() - began - kept_waiting)
    return WatchedResult(process.returncode, out, err, seconds, peak)


def seconds_preempted(process: int) -> float:
    """Seconds that a process's first thread was ready to run and waited for a CPU."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def measure_resident(process: int) -> int:
    """Bytes of memory of a process and its children; 0 once it has ended."""
    held = 0
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(process)
        for each in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                held += each.memory_info().rss
    return held
