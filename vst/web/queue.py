"""The queue of all visitors' jobs. A few run at once, and the visitors take turns; each can be
stopped at any time and leaves no files then.
"""

from __future__ import annotations

import contextlib
import heapq
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vst.core.types import OnProgress, Picture, Progress
from vst.errors import Cancelled, MissingFileError, UsageError, VSTError
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.pipeline.run import Result, run
from vst.web.previews import encode_jpeg
from vst.web.sessions import Session

PREVIEW_INTERVAL = 0.5
"""Seconds between two previews of the frame that is being painted."""
PREVIEW_SIDE = 480
"""Longer side of such a preview, in pixels."""
SAVED = ("title", "kind", "sent", "size", "state", "outcome", "error", "made")
"""Fields of a task that are kept on disk."""
FINISHED = ("done", "failed", "stopped")
MOST_TASKS = 100
"""Jobs on a session's list, the finished ones with their forms included."""
SHUTDOWN_SECONDS = 20.0
"""Seconds that jobs have to end when the server shuts down."""

log = logging.getLogger(__name__)

Outcome = dict[str, Any]
"""The result of a task: JSON values for the page."""


class RunJob(Protocol):
    """Runs a job, as `vst.pipeline.run.run` does."""

    def __call__(
        self,
        job: Job,
        on_progress: OnProgress = ...,
        control: RunControl | None = ...,
        *,
        chunk_seconds: float = ...,
    ) -> Result:
        """Run it."""


@dataclass
class QueuedTask:
    """One job of the queue. ``folder`` holds every file that it writes, ``size`` bytes at most as
    expected; ``sent`` is the form that it came from.
    """

    id: str
    session: Session
    title: str
    folder: Path
    work: Callable[[OnProgress], Outcome]
    kind: str = "paint"
    sent: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    state: str = "waiting"
    progress: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=dict)
    error: str = ""
    picture: bytes = b""
    pictures: int = 0
    made: float = field(default_factory=time.time)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _preview_time: float = 0.0

    def update(self, progress: Progress) -> None:
        """Take over a progress event; raise `Cancelled` to stop the library's function."""
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
        if painting is not None and time.monotonic() - self._preview_time > PREVIEW_INTERVAL:
            self._store_preview(painting)

    def _store_preview(self, painting: Picture) -> None:
        self._preview_time = time.monotonic()
        self.picture = encode_jpeg(painting, PREVIEW_SIDE, 80)
        self.pictures += 1

    def as_dict(self) -> dict[str, Any]:
        """The task as JSON for the page, which asks for a report's long text by itself, once."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "progress": self.progress,
            "outcome": {name: value for name, value in self.outcome.items() if name != "html"},
            "error": self.error,
            "pictures": self.pictures,
            "made": self.made,
            "sent": self.sent,
        }

    def save(self) -> None:
        """Write the task into the session's store, for a server that starts after a kill."""
        body = {n: getattr(self, n) for n in SAVED}
        self.session.store.put(self.session.token, "task", self.id, body)


def order_by_turns(tasks: Iterable[QueuedTask], served: Mapping[str, int]) -> list[QueuedTask]:
    """Order waiting tasks: next is always the oldest of the visitor who was served the longest ago
    (``served``: address -> a number that grows with each task that begins).
    """
    waiting: dict[str, list[QueuedTask]] = {}
    for task in sorted(tasks, key=lambda one: one.made, reverse=True):
        waiting.setdefault(task.session.address, []).append(task)
    turns = [(served.get(address, 0), own[-1].made, address) for address, own in waiting.items()]
    heapq.heapify(turns)
    latest, found = max(served.values(), default=0), []
    while turns:
        _, _, address = heapq.heappop(turns)
        found.append(waiting[address].pop())
        latest += 1
        if waiting[address]:
            heapq.heappush(turns, (latest, waiting[address][-1].made, address))
    return found


class TaskQueue:
    """Runs tasks in its own threads, whether or not the page is open. ``run_job`` paints a job."""

    def __init__(
        self, at_once: int, waiting: int, waiting_each: int = 0, run_job: RunJob = run
    ) -> None:
        self.waiting, self.waiting_each = waiting, waiting_each or waiting
        self.run_job = run_job
        self.tasks: dict[str, QueuedTask] = {}
        self._served: dict[str, int] = {}  # address -> number of its task that began last
        self._begun = 0
        self._closed = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._threads = [
            threading.Thread(target=self._work, name=f"vst job {n}", daemon=True)
            for n in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    def check_room(self, session: Session) -> None:
        """Raise `UsageError` if the queue is full, or the visitor's share of it, or the list of the
        session's jobs.
        """
        if len(self.list_of(session)) >= MOST_TASKS:
            raise UsageError(f"{MOST_TASKS} jobs are on your list; remove some first")
        waiting = [one for one in list(self.tasks.values()) if one.state == "waiting"]
        own = sum(one.session.address == session.address for one in waiting)
        if len(waiting) >= self.waiting:
            raise UsageError(f"{len(waiting)} jobs are waiting already; try again when one is done")
        if own >= self.waiting_each:
            raise UsageError(f"{own} of your jobs are waiting already; try again when one is done")

    def add(self, task: QueuedTask) -> QueuedTask:
        """Append a task; raise `UsageError` if the queue is full or the files would be too
        large.
        """
        with self._lock:
            self.check_room(task.session)
            latest = max((one.made for one in self.tasks.values()), default=0.0)
            task.made = max(task.made, latest + 1e-6)  # also where the clock was set back
            task.session.reserve(task.folder, task.size)
            self.tasks[task.id] = task
            task.save()
            self._changed.notify()
        return task

    def add_or_clear(self, task: QueuedTask) -> QueuedTask:
        """Append a task; delete its folder if it is refused."""
        try:
            return self.add(task)
        except BaseException:
            shutil.rmtree(task.folder, ignore_errors=True)
            raise

    def restore(self, task: QueuedTask) -> None:
        """Take over a task of a killed server; one that had not finished runs again, from its
        checkpoints.
        """
        with self._lock:
            if task.state not in FINISHED:
                task.state = "waiting"
                with contextlib.suppress(UsageError):  # it had room when it was added
                    task.session.reserve(task.folder, task.size)
            self.tasks[task.id] = task
            task.save()
            self._changed.notify()

    def is_busy(self, session: Session) -> bool:
        """Return whether a task of the session waits or runs."""
        return any(
            one.session is session and one.state not in FINISHED
            for one in list(self.tasks.values())
        )

    def task(self, session: Session, number: object) -> QueuedTask:
        """Return a task of this session."""
        found = self.tasks.get(number) if isinstance(number, str) else None
        if found is None or found.session is not session:
            raise MissingFileError("this job is gone")
        return found

    def list_of(self, session: Session) -> list[QueuedTask]:
        """List the session's tasks, the latest first."""
        found = [task for task in list(self.tasks.values()) if task.session is session]
        return sorted(found, key=lambda task: task.made, reverse=True)

    def ahead_of(self, task: QueuedTask) -> int:
        """Count the tasks that wait before this one."""
        with self._lock:
            waiting = self._order_waiting()
        return waiting.index(task) if task in waiting else 0

    def _order_waiting(self) -> list[QueuedTask]:
        waiting = [one for one in self.tasks.values() if one.state == "waiting"]
        return order_by_turns(waiting, self._served)

    def cancel(self, task: QueuedTask) -> None:
        """Stop a task and delete what it has written."""
        task.cancelled.set()
        with self._lock:
            if task.state == "waiting":
                self._clear(task, "stopped")

    def forget(self, gone: Callable[[Session], bool]) -> None:
        """Drop finished tasks of sessions that are gone."""
        for task in [
            one for one in self.tasks.values() if one.state in FINISHED and gone(one.session)
        ]:
            self.tasks.pop(task.id, None)

    def remove(self, task: QueuedTask) -> None:
        """Drop a finished task and delete its files."""
        if task.state not in FINISHED:
            raise UsageError("this job is still running; stop it first")
        self._clear(task, task.state)
        task.session.store.drop(task.session.token, "task", task.id)
        self.tasks.pop(task.id, None)

    def close(self) -> None:
        """Stop all tasks, and wait until they have stopped."""
        for task in list(self.tasks.values()):
            self.cancel(task)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(SHUTDOWN_SECONDS)

    def _work(self) -> None:
        while (task := self._take()) is not None:
            self._do(task)

    def _take(self) -> QueuedTask | None:
        """Wait for a task whose turn it is, and mark it as running; None at the end."""
        with self._changed:
            while not (self._closed or (waiting := self._order_waiting())):
                self._changed.wait()
            if self._closed:
                return None
            task = waiting[0]
            self._begun += 1
            self._served[task.session.address] = self._begun
            task.state = "running"
            task.save()
            return task

    def _do(self, task: QueuedTask) -> None:
        try:
            task.folder.mkdir(exist_ok=True)
            task.update(Progress("prepare", 0))
            task.outcome = task.work(self._reporter(task))
            task.update(Progress("done", 1, 1))
            task.session.release(task.folder)
            task.state = "done"
            task.save()
        except Cancelled:
            self._clear(task, "stopped")
        except VSTError as error:
            task.error = task.session.hide_paths(str(error))
            self._clear(task, "failed")
        except Exception as error:
            log.exception("a job failed")
            task.error = f"unexpected {type(error).__name__}; the server's log says more"
            self._clear(task, "failed")
        finally:
            task.picture = b""

    def _reporter(self, task: QueuedTask) -> OnProgress:
        """Return a progress callback that updates the task and keeps waiting sessions alive."""

        def report(progress: Progress) -> None:
            task.update(progress)
            for one in list(self.tasks.values()):
                if one.state not in FINISHED:
                    one.session.used = time.monotonic()

        return report

    def _clear(self, task: QueuedTask, state: str) -> None:
        shutil.rmtree(task.folder, ignore_errors=True)
        task.session.release(task.folder)
        task.state = state
        task.outcome = {} if state != "done" else task.outcome
        for number in [
            n for n, kept in task.session.files.items() if kept.path.parent == task.folder
        ]:
            task.session.drop_file(number)
        if task.session.folder.exists():
            task.save()
