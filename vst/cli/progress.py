"""Shows progress on a terminal, as bars, and in a log, as lines."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from vst.core.closable import Closable
from vst.core.types import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

BETWEEN_BARS = 0.1
BETWEEN_LINES = 5.0
PARTS = {"jobs": "all_jobs", "clips": "all_clips", "chunks": "all_chunks"}
"""What a task may consist of -> the detail with their number; each has a bar of its own."""


class Reporter(Closable):
    """Shows `Progress` events on stderr.

    ``mode``: "auto" (bars on a terminal, lines elsewhere), "plain" (lines), "none". ``unit``: the
    unit of events that do not name their own.
    """

    def __init__(self, mode: str = "auto", unit: str = "frames") -> None:
        self.bars = Bars() if mode == "auto" and sys.stderr.isatty() else None
        self.silent = mode == "none"
        self.unit = unit
        self.shown = 0.0
        self.stage = ""

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        last = progress.total is not None and progress.done >= progress.total
        new_stage, self.stage = progress.stage != self.stage, progress.stage
        pause = BETWEEN_BARS if self.bars else BETWEEN_LINES
        if self.silent or not (last or new_stage or now - self.shown >= pause):
            return
        self.shown = now
        if self.bars:
            self.bars.show(progress, self.unit)
        else:
            sys.stderr.write(format_progress(progress, self.unit) + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the bars as they are, and the cursor below them."""
        if self.bars:
            self.bars.close()


class Bars(Closable):
    """A bar for the present stage and, below it, one for each of the `PARTS` of the task."""

    def __init__(self) -> None:
        self._display: RichProgress | None = None
        self._tasks: dict[str, Any] = {}

    def show(self, progress: Progress, unit: str) -> None:
        """Draw the bars as they are after the event."""
        stage = Progress(
            progress.stage, progress.done, progress.total, progress.seconds,
            {name: value for name, value in progress.detail.items() if name not in PARTS},
        )  # fmt: skip
        self._update("", progress.done, progress.total, format_progress(stage, unit))
        for name, all_of_them in PARTS.items():
            if name in progress.detail:
                done, total = progress.detail[name], progress.detail.get(all_of_them)
                self._update(name, done, total, format_part(name, progress.detail))
        self._open().refresh()

    def close(self) -> None:
        if self._display is not None:
            self._display.stop()
            self._display = None

    def _update(self, name: str, done: int, total: int | None, text: str) -> None:
        display = self._open()
        if name not in self._tasks:
            self._tasks[name] = display.add_task("", total=total, text=text)
        # None would mean: as before.
        display.tasks[list(self._tasks).index(name)].total = total
        display.update(self._tasks[name], completed=done, text=text)

    def _open(self) -> RichProgress:
        """Start the display, without a thread of its own."""
        if self._display is None:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as RichProgress

            console = Console(file=sys.stderr, force_terminal=True, highlight=False)
            columns = (BarColumn(28), TextColumn("{task.fields[text]}", markup=False))
            self._display = RichProgress(
                *columns, console=console, auto_refresh=False, redirect_stdout=False
            )
            self._display.start()
            console.show_cursor(True)  # a program that is killed would leave it hidden
        return self._display


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
    return text + format_parts(progress.detail)


def format_parts(detail: dict[str, Any]) -> str:
    """Format what else is known, as in ", 3/12 chunks, 4 workers"."""
    parts = [format_part(name, detail) for name in PARTS if name in detail]
    if "workers" in detail:
        parts.append(f"{detail['workers']} workers")
    return "".join(f", {part}" for part in parts)


def format_part(name: str, detail: dict[str, Any]) -> str:
    """Format the parts that are done, as in "3/12 chunks"; "…" while their number is unknown."""
    total = detail.get(PARTS[name])
    return f"{detail[name]}/{'…' if total is None else total} {name}"
