"""Limits on what is read and painted: a file from a stranger must not fill the memory or the disk.

The three limits are options of a job; their defaults are defined here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vst.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """The largest input that is accepted.

    ``pixels``: of one picture or frame, by its header, before it is decoded. ``frames``: of one
    video, read or painted. ``memory``: megabytes that a job may need by the estimate; None: as much
    as is free on this machine.
    """

    pixels: int = 100_000_000
    frames: int = 2_000_000
    memory: float | None = None


LIMITS = Limits()
"""The default limits."""


def check_pixels(what: str, width: int, height: int, most: int) -> None:
    """Raise `LimitError` for a picture with more than ``most`` pixels; ``what`` names it."""
    if width * height > most:
        raise LimitError(
            f"{what} has {width} x {height} pixels: at most {most:,} are allowed. Give a smaller "
            "one, or raise max_pixels"
        )


def check_frames(what: str, frames: int, most: int) -> None:
    """Raise `LimitError` for a video with more than ``most`` frames; ``what`` names it."""
    if frames > most:
        raise LimitError(
            f"{what} has {frames:,} frames: at most {most:,} are allowed. Choose a shorter part "
            "(start, end), or raise max_frames"
        )


def check_memory(needed: float, most: float | None) -> None:
    """Raise `LimitError` for a job that needs about ``needed`` megabytes, more than ``most`` (None:
    than are free on this machine).
    """
    free = find_free_memory()
    if most is None and free is None:
        return
    allowed = most if most is not None else float(free or 0)
    if needed <= allowed:
        return
    status = "allowed" if most is not None else "free here"
    raise LimitError(
        f"painting needs about {needed:,.0f} MB of memory: {allowed:,.0f} MB are {status}. Choose "
        "a smaller size or a smaller content, or raise max_memory"
    )


def find_free_memory() -> float | None:
    """Find how many megabytes this process can use without swapping; None where that is unknown.

    It is the smaller of the container's limit and the machine's free memory.
    """
    found = [
        free for free in (_read_machine_memory(), _read_container_memory()) if free is not None
    ]
    return min(found) / 1e6 if found else None


def _read_machine_memory() -> float | None:
    import psutil

    try:
        return float(psutil.virtual_memory().available)
    except (OSError, ValueError, RuntimeError):
        return None


def _read_container_memory() -> float | None:
    """Read what is left of the limit of this process's control group (version 2)."""
    root = Path("/sys/fs/cgroup")
    try:
        most = (root / "memory.max").read_text(encoding="ascii").strip()
        used = (root / "memory.current").read_text(encoding="ascii").strip()
        return None if most == "max" else max(0.0, float(most) - float(used))
    except (OSError, ValueError):
        return None
