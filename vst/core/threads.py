"""The machine's cores, shared out between those that work side by side.

The rule, for a job that may use ``cores`` of them (docs/speed.md has the measurements behind it):

- *Painting* gets them all: as many frames at once as there are cores, each on one core. One frame
  on all cores waits for itself between any two operations.
- *OpenCV* (flow, stabiliser, scaling) gets half of them, at least one: it fills what the painting
  leaves free.
- *Decoder and encoder* start what FFmpeg chooses, about one thread for each core. Theirs is little
  work, and their threads sleep while there is none.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2

MOST_FRAMES = 8
"""Frames painted at once, at most: each holds its own memory."""
OF_TENSORFLOW = "TF_NUM_INTRAOP_THREADS"
"""TensorFlow's own setting of the cores for one operation; read once in a process."""


@dataclass(frozen=True)
class Share:
    """How many threads each has, of ``cores``."""

    cores: int
    frames: int
    """Frames painted at once."""
    opencv: int
    """Threads of OpenCV."""


def available() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def share(cores: int | None = None) -> Share:
    """The rule above, for so many cores (None: all that there are).

    >>> share(2)
    Share(cores=2, frames=2, opencv=1)
    >>> share(16)
    Share(cores=16, frames=8, opencv=8)
    """
    cores = cores or available()
    return Share(cores, min(MOST_FRAMES, cores), max(1, cores // 2))


@contextlib.contextmanager
def opencv_on(threads: int) -> Iterator[None]:
    """OpenCV works on so many threads; what was set before is set again at the end."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextlib.contextmanager
def one_core_a_frame(wanted: bool = True) -> Iterator[None]:
    """TensorFlow, if it starts within, keeps each operation on one core. For a process that does
    nothing but paint several frames at once: any other use of TensorFlow in it is slower.
    """
    if not wanted or OF_TENSORFLOW in os.environ:
        yield
        return
    os.environ[OF_TENSORFLOW] = "1"
    try:
        yield
    finally:
        os.environ.pop(OF_TENSORFLOW, None)


def share_heaps(most: int = 2) -> None:
    """Let all threads of this process share so many heaps of the C library (glibc; elsewhere
    nothing happens). With one for each thread, what one has freed is of no use to the others:
    30 MB more were held at 720p.
    """
    arenas = -8  # M_ARENA_MAX
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(arenas, most)
