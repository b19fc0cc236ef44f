"""How the machine's cores are divided among the stages that run in parallel.

The rule, for a job that may use ``cores`` of them (docs/speed.md has the measurements behind it):

- *Painting* uses all of them: as many frames at once as there are cores, each on one core. A single
  frame on all cores would synchronize after every operation.
- *OpenCV* (flow, stabilizer, resizing) uses half of them, at least one: it fills the time that the
  painting leaves idle.
- *Decoder and encoder* start the threads that FFmpeg chooses, about one per core. They have little
  work, and idle threads sleep.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2

MAX_FRAMES_AT_ONCE = 8
"""Most frames that are painted at once, because each needs its own memory."""
TENSORFLOW_SETTING = "TF_NUM_INTRAOP_THREADS"
"""TensorFlow's environment variable for the threads of one operation; read once per process."""


@dataclass(frozen=True)
class CoreShares:
    """The threads of each stage, for a number of ``cores``."""

    cores: int
    frames: int
    """Frames painted at once."""
    opencv: int
    """Threads of OpenCV."""


def count_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def share_cores(cores: int | None = None) -> CoreShares:
    """Divide ``cores`` (None: all of this process) by the rule above.

    >>> share_cores(2)
    CoreShares(cores=2, frames=2, opencv=1)
    >>> share_cores(16)
    CoreShares(cores=16, frames=8, opencv=8)
    """
    cores = cores or count_cores()
    return CoreShares(cores, min(MAX_FRAMES_AT_ONCE, cores), max(1, cores // 2))


@contextlib.contextmanager
def limit_opencv_threads(threads: int) -> Iterator[None]:
    """Let OpenCV use ``threads`` threads inside the block, and as many as before after it."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextlib.contextmanager
def limit_tensorflow_threads(limit: bool = True) -> Iterator[None]:
    """Let TensorFlow, if it is first used inside the block, run each operation on one core.

    For a process that only paints several frames at once: any other use of TensorFlow in it gets
    slower. Without ``limit``, and where the user has set the variable, nothing changes.
    """
    if not limit or TENSORFLOW_SETTING in os.environ:
        yield
        return
    os.environ[TENSORFLOW_SETTING] = "1"
    try:
        yield
    finally:
        os.environ.pop(TENSORFLOW_SETTING, None)


def limit_heaps(most: int = 2) -> None:
    """Let the threads of this process share ``most`` heaps of the C library (glibc only).

    By default each thread has its own heap, and no other thread reuses what it has freed: 30 MB
    more at 720p.
    """
    arenas = -8  # M_ARENA_MAX
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(arenas, most)
