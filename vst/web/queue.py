"""The jobs of all visitors: a few at once, the others in a row; each can be stopped at any time and
leaves nothing behind then.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vst.core.types import OnProgress, Picture, Progress
from vst.errors import Cancelled, MissingFileError, UsageError, VSTError
from vst.web.desk import jpeg
from vst.web.rooms import Room

SHOWN_EVERY = 0.5
"""Seconds between two pictures of the frame that is being painted."""
SHOWN_SIZE = 480
"""Its longer side, in pixels."""
OVER = ("done", "failed", "stopped")
LEAVING = 20.0
"""Seconds that jobs have to end when the server does."""

log = logging.getLogger(__name__)

Outcome = dict[str, Any]
"""What a task leaves: plain values for the page."""


@dataclass
class Task:
    """One job of the row, as the page sees it. ``folder``: all that it writes lies there."""

    id: str
    room: Room
    title: str
    folder: Path
    work: Callable[[OnProgress], Outcome]
    kind: str = "paint"
    state: str = "waiting"
    progress: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=dict)
    error: str = ""
    picture: bytes = b""
    pictures: int = 0
    made: float = field(default_factory=time.time)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _shown: float = 0.0

    def hear(self, progress: Progress) -> None:
        """Take up an event of the library; the way to stop it is to raise here."""
        if self.cancelled.is_set():
            raise Cancelled("stopped")
        self.progress = {
            "stage": progress.stage,
            "done": progress.done,
            "total": progress.total,
            "remaining": progress.remaining,
            "per_second": round(progress.per_second, 2),
        }
        painting = progress.detail.get("painting")
        if painting is not None and time.monotonic() - self._shown > SHOWN_EVERY:
            self._show(painting)

    def _show(self, painting: Picture) -> None:
        self._shown = time.monotonic()
        self.picture = jpeg(painting, SHOWN_SIZE, 80)
        self.pictures += 1

    def as_dict(self) -> dict[str, Any]:
        """What the page is told."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "progress": self.progress,
            "outcome": self.outcome,
            "error": self.error,
            "pictures": self.pictures,
            "made": self.made,
        }


class Queue:
    """Does tasks in threads of its own, whoever looks on."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self.waiting = waiting
        self.tasks: dict[str, Task] = {}
        self._row: queue.Queue[Task | None] = queue.Queue()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"vst job {n}", daemon=True)
            for n in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, task: Task) -> Task:
        """Put a task at the end of the row; refused where the row is full."""
        with self._lock:
            row = sum(one.state == "waiting" for one in self.tasks.values())
            if row >= self.waiting:
                raise UsageError(f"{row} jobs are waiting already; try again when one is done")
            self.tasks[task.id] = task
        self._row.put(task)
        return task

    def task(self, room: Room, number: object) -> Task:
        """A task of this room."""
        found = self.tasks.get(number) if isinstance(number, str) else None
        if found is None or found.room is not room:
            raise MissingFileError("this job is not here any more")
        return found

    def of_room(self, room: Room) -> list[Task]:
        """The room's tasks, the latest first."""
        found = [task for task in self.tasks.values() if task.room is room]
        return sorted(found, key=lambda task: task.made, reverse=True)

    def ahead_of(self, task: Task) -> int:
        """How many wait before this one."""
        row = [one for one in self.tasks.values() if one.state == "waiting"]
        return sum(one.made < task.made for one in row)

    def cancel(self, task: Task) -> None:
        """Stop a task; what it has written goes."""
        task.cancelled.set()
        with self._lock:
            if task.state == "waiting":
                self._clear(task, "stopped")

    def forget(self, gone: Callable[[Room], bool]) -> None:
        """Forget what is over of visitors who have gone."""
        for task in [one for one in self.tasks.values() if one.state in OVER and gone(one.room)]:
            self.tasks.pop(task.id, None)

    def remove(self, task: Task) -> None:
        """Forget a task that is over, with its files."""
        if task.state not in OVER:
            raise UsageError("this job is not over yet; stop it first")
        self._clear(task, task.state)
        self.tasks.pop(task.id, None)

    def close(self) -> None:
        """Stop everything, and wait until it has stopped."""
        for task in list(self.tasks.values()):
            self.cancel(task)
        for _ in self._threads:
            self._row.put(None)
        for thread in self._threads:
            thread.join(LEAVING)

    def _work(self) -> None:
        while (task := self._row.get()) is not None:
            with self._lock:
                if task.state != "waiting":
                    continue
                task.state = "running"
            self._do(task)

    def _do(self, task: Task) -> None:
        try:
            task.folder.mkdir(exist_ok=True)
            task.hear(Progress("prepare", 0))
            task.outcome = task.work(self._heard(task))
            task.hear(Progress("done", 1, 1))
            task.state = "done"
        except Cancelled:
            self._clear(task, "stopped")
        except VSTError as error:
            task.error = task.room.spoken(str(error))
            self._clear(task, "failed")
        except Exception as error:
            log.exception("a job failed")
            task.error = f"unexpected {type(error).__name__}; the server's log says more"
            self._clear(task, "failed")
        finally:
            task.picture = b""

    def _heard(self, task: Task) -> OnProgress:
        """What a task tells goes to the page; whoever waits is still here meanwhile."""

        def heard(progress: Progress) -> None:
            task.hear(progress)
            for one in list(self.tasks.values()):
                if one.state not in OVER:
                    one.room.used = time.monotonic()

        return heard

    def _clear(self, task: Task, state: str) -> None:
        shutil.rmtree(task.folder, ignore_errors=True)
        task.state = state
        task.outcome = {} if state != "done" else task.outcome
        for number in [n for n, kept in task.room.files.items() if kept.path.parent == task.folder]:
            del task.room.files[number]
