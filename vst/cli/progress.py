"""Shows progress on a terminal and in a log."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from vst.core.closable import Closable
from vst.core.types import Progress

WIDTH = 28
BETWEEN_BARS = 0.1
BETWEEN_LINES = 5.0


class Reporter(Closable):
    """Shows `Progress` events on stderr.

    ``mode``: "auto" (a bar on a terminal, lines elsewhere), "plain" (lines), "none". ``unit``: the
    unit of events that do not name their own.
    """

    def __init__(self, mode: str = "auto", unit: str = "frames") -> None:
        self.bar = mode == "auto" and sys.stderr.isatty()
        self.silent = mode == "none"
        self.unit = unit
        self.shown = 0.0
        self.drawn = False
        self.stage = ""

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        last = progress.total is not None and progress.done >= progress.total
        new_stage, self.stage = progress.stage != self.stage, progress.stage
        pause = BETWEEN_BARS if self.bar else BETWEEN_LINES
        if self.silent or not (last or new_stage or now - self.shown >= pause):
            return
        self.shown = now
        text = format_progress(progress, self.unit)
        if self.bar:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + f"{draw_bar(progress)} {text}"[:width].ljust(width))
            self.drawn = True
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line of the bar."""
        if self.drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()


def draw_bar(progress: Progress) -> str:
    """Draw a bar of fixed width; empty if the total is unknown."""
    part = min(1.0, progress.done / progress.total) if progress.total else 0.0
    full = round(part * WIDTH)
    return "█" * full + "░" * (WIDTH - full)


def format_progress(progress: Progress, unit: str) -> str:
    """Format an event, as in "paint 120/250 frames, 23.9 fps, 0:05 left"."""
    unit = str(progress.detail.get("unit", unit))
    total = f"/{progress.total}" if progress.total is not None else ""
    if progress.seconds == 0:
        return (
            f"{progress.stage} {progress.done}{total}" if progress.done else f"{progress.stage} …"
        )
    speed = "fps" if unit == "frames" else f"{unit}/s"
    text = f"{progress.stage} {progress.done}{total} {unit}, {progress.per_second:.1f} {speed}"
    if progress.remaining is not None:
        minutes, seconds = divmod(round(progress.remaining), 60)
        text += f", {minutes}:{seconds:02d} left"
    return text + format_cluster(progress.detail)


def format_cluster(detail: dict[str, Any]) -> str:
    """Format a cluster's progress, as in ", 3/12 chunks, 4 workers"."""
    parts = []
    if "chunks" in detail:
        known = detail.get("all_chunks")
        parts.append(f"{detail['chunks']}/{known if known is not None else '…'} chunks")
    if "clips" in detail:
        parts.append(f"{detail['clips']} clips")
    if "workers" in detail:
        parts.append(f"{detail['workers']} workers")
    return "".join(f", {part}" for part in parts)
