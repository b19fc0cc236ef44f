"""What is read and painted at most: files from others must not fill the memory or the disk.

The three limits are options of a job; their defaults stand here and nowhere else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vst.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """The largest that is taken on.

    ``pixels``: of one picture or frame, by its header, before it is decoded. ``frames``: of one
    video, read or painted. ``memory``: megabytes that a job may be expected to need; None: as much
    as is free on this machine.
    """

    pixels: int = 100_000_000
    frames: int = 2_000_000
    memory: float | None = None


LIMITS = Limits()
"""The limits where none are given."""


def check_pixels(what: str, width: int, height: int, most: int) -> None:
    """Raise `LimitError` where a picture of this size is not to be read. ``what`` names it."""
    if width * height > most:
        raise LimitError(
            f"{what} has {width} x {height} pixels; at most {most:,} are read; make it smaller, or "
            "raise --max-pixels (vst stylize, vst image)"
        )


def check_frames(what: str, frames: int, most: int) -> None:
    """Raise `LimitError` where so many frames are not to be read or painted."""
    if frames > most:
        raise LimitError(
            f"{what} has {frames:,} frames; at most {most:,} are taken; choose a part with --start "
            "and --end, or raise --max-frames (vst stylize)"
        )


def check_memory(needed: float, most: float | None) -> None:
    """Raise `LimitError` where a job that needs about ``needed`` megabytes is not to be begun;
    ``most`` None: where they are not free here.
    """
    free = free_memory()
    if most is None and free is None:
        return
    allowed = most if most is not None else float(free or 0)
    if needed <= allowed:
        return
    of_what = "allowed" if most is not None else "free here"
    raise LimitError(
        f"painting needs about {needed:,.0f} MB of memory, {allowed:,.0f} MB are {of_what}; choose "
        "a smaller --size or a smaller content, or raise --max-memory"
    )


def free_memory() -> float | None:
    """Megabytes that can be had on this machine without swapping; None where it does not say.

    Of a container's limit and the whole machine's free memory the smaller one.
    """
    found = [free for free in (_of_machine(), _of_container()) if free is not None]
    return min(found) / 1e6 if found else None


def _of_machine() -> float | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # no Linux: what is there, free or not
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


def _of_container() -> float | None:
    """What the control group of this process (version 2) leaves it."""
    root = Path("/sys/fs/cgroup")
    try:
        most = (root / "memory.max").read_text(encoding="ascii").strip()
        used = (root / "memory.current").read_text(encoding="ascii").strip()
        return None if most == "max" else max(0.0, float(most) - float(used))
    except (OSError, ValueError):
        return None
