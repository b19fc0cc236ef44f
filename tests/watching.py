"""Watching a program from outside: how much memory it and what it starts hold together."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

STEP = 0.05
"""Seconds between two looks."""


@dataclass
class Watched:
    """How a program ended. ``seconds``: without those in which it could have computed and other
    programs had the processor. ``peak``: most bytes that it and its children held at one look;
    shared libraries count for each of them.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: int


def vst(*words: object, timeout: float = 60.0, folder: Path | None = None) -> Watched:
    """Run ``vst`` with these words in a process of its own; killed after ``timeout`` seconds.
    ``folder``: where it runs.
    """
    return watched([sys.executable, "-m", "vst", *map(str, words)], timeout, folder)


def watched(command: list[str], timeout: float, folder: Path | None = None) -> Watched:
    began = time.monotonic()
    peak, kept_waiting = 0, 0.0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        while True:
            try:
                out, err = process.communicate(timeout=STEP)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, held_by(process.pid))
                kept_waiting = max(kept_waiting, waited_by(process.pid))
                if time.monotonic() - began - kept_waiting > timeout:
                    process.kill()
                    raise
    seconds = max(0.0, time.monotonic() - began - kept_waiting)
    return Watched(process.returncode, out, err, seconds, peak)


def waited_by(process: int) -> float:
    """Seconds that a process's first thread was ready and waited for a processor."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def held_by(process: int) -> int:
    """Bytes of memory that a process and its children hold; 0 where there is no /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        held = int(status.split("VmRSS:")[1].split()[0]) * 1024 if "VmRSS:" in status else 0
        for tasks in Path(f"/proc/{process}/task").iterdir():
            held += sum(map(held_by, map(int, (tasks / "children").read_text().split())))
    except (OSError, ValueError):
        return 0
    return held
