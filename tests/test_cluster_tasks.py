"""How a pool ends a task that no worker survives; without Ray."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.test_cluster_simulation import make_task
from vst.cluster import pool
from vst.cluster.pool import DEATH, DIED, MOST_LOSSES, ClusterSettings, TaskOutcome, WorkerPool
from vst.cluster.running import RunningTasks


class DeadlyPool(WorkerPool):
    """Two workers that die of every task; Ray starts them again at once. A task is always late."""

    def __init__(self) -> None:
        super().__init__(ClusterSettings("local"))
        self.given, self._references = 0, count()
        self._idle += ["first", "second"]

    def _give(self, task: Any, actor: Any, running: Any) -> None:
        self.given += 1
        assert self.given < 50, "the task is given to workers forever"
        self._idle.remove(actor)
        running.add(next(self._references), task, actor, 0.0)

    def _copy_late(self, running: Any, ended: Any) -> None:
        for one in list(running.tasks.values())[:1]:
            if one.task.key not in ended:
                self._give(one.task, self._idle[0], running)

    def _wait(self, seconds: float, since: float, waited: Any = None) -> list[Any]:
        return list(waited or [])[:1]

    def _outcome(self, reference: Any, task: Any, actor: Any) -> TaskOutcome | None:
        self._idle.append(actor)
        self._losses[task.key] += DEATH
        return None


class NothingReady:
    """Ray, as far as the pool asks it here."""

    def wait(self, references: Any, timeout: float) -> tuple[list[Any], list[Any]]:
        return [], list(references)


def test_a_task_that_kills_each_worker_ends_although_a_copy_always_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "import_ray", NothingReady)
    deadly = DeadlyPool()
    found = list(deadly._run_tasks(iter([make_task(0)]), lambda: True, RunningTasks()))
    assert [str(one.error) for one in found] == [DIED]
    assert deadly._losses[make_task(0).key] >= MOST_LOSSES
