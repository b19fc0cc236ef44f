"""The tasks that workers have: which task is whose, and which one takes so long that an idle worker
should try it, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from vst.cluster.tasks import Task

LATE = 2.0
"""Times the usual duration after which a task counts as late."""
KNOWN = 5
"""Tasks that have to end before it is known what is usual."""


@dataclass(frozen=True)
class RunningTask:
    """A task, the worker that has it, and when (``time.monotonic``) it was given."""

    task: Task
    actor: Any
    began: float


@dataclass
class RunningTasks:
    """Reference of a call -> the task; and how long tasks of their size took."""

    tasks: dict[Any, RunningTask] = field(default_factory=dict)
    _copied: set[tuple[str, str, int]] = field(default_factory=set)
    _pace_of: dict[Any, float] = field(default_factory=dict)
    _paces: deque[float] = field(default_factory=lambda: deque(maxlen=200))

    def add(self, reference: Any, task: Task, actor: Any, now: float) -> None:
        """A worker has got a task."""
        self.tasks[reference] = RunningTask(task, actor, now)

    def pop(self, reference: Any) -> RunningTask:
        """A worker has ended its task, or was lost."""
        return self.tasks.pop(reference)

    def record(self, done: RunningTask, now: float) -> None:
        """Take the duration of a task that succeeded into account."""
        pace = (now - done.began) / measure_task(done.task)
        self._paces.append(pace)
        self._pace_of[done.actor] = pace

    def forget_copy(self, task: Task) -> None:
        """The copy of a task was lost with its worker: another may be made."""
        self._copied.discard(task.key)

    def choose_fast(self, actors: list[Any]) -> Any:
        """The fastest of some workers; None where none is known to be as fast as usual."""
        known = [actor for actor in actors if actor in self._pace_of]
        fastest = min(known, key=lambda actor: self._pace_of[actor], default=None)
        if fastest is None or self._pace_of[fastest] > LATE * median(self._paces):
            return None
        return fastest

    def count_copies(self, task: Task) -> int:
        """How many workers have this task."""
        return sum(one.task.key == task.key for one in self.tasks.values())

    def choose_late(self, now: float) -> Task | None:
        """The task that is late by the most, to be given to another worker too; each is chosen only
        once, unless the worker of its copy was lost.
        """
        if len(self._paces) < KNOWN:
            return None
        usual = median(self._paces)
        lateness = [
            ((now - one.began) / (usual * measure_task(one.task)), one.task)
            for one in self.tasks.values()
            if one.task.key not in self._copied
        ]
        factor, task = max(lateness, key=lambda late: late[0], default=(0.0, None))
        if task is None or factor <= LATE:
            return None
        self._copied.add(task.key)
        return task


def measure_task(task: Task) -> int:
    """The frames of a chunk that are painted; 1 for a clip and for a section."""
    if task.plan is None:
        return 1
    start = task.plan.start
    warmup = start.first_written - start.read_from.index if start is not None else 0
    return max(1, task.plan.frames + warmup)
