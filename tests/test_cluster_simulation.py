"""The real driver of a cluster against simulated workers: nothing is lost, and it is as fast as the
model says, with slow workers, lost machines and a driver that is restarted.
"""

from __future__ import annotations

import math

import pytest

from bench.cluster_simulation import Case, Costs, Outcome, list_cases, simulate
from vst.cluster import running
from vst.cluster.running import RunningTasks
from vst.cluster.tasks import ClipOrder, Task
from vst.cluster.transport import FileTransport
from vst.job import Job

COSTS = Costs(chunk=0.3, frame=0.05, read=0.0005, start=5.0)
WORKERS, HOURS = 40, 0.5


@pytest.mark.parametrize("name", list(list_cases(WORKERS)))
def test_nothing_is_lost_and_the_model_holds(name: str) -> None:
    found = simulate(list_cases(WORKERS)[name], COSTS, HOURS)
    assert found.lost == 0
    assert abs(found.seconds / found.model - 1) < 0.15, (found.seconds, found.model)
    assert found.calls < 10 * found.chunks  # for its sections, too


def test_a_lost_machine_is_simulated() -> None:
    assert simulate(Case(WORKERS, lost_a_minute=0.3), COSTS, HOURS).losses > 10


def test_late_chunks_are_given_to_idle_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_slow() -> Outcome:
        return simulate(Case(WORKERS, slow_share=0.05), COSTS, HOURS)

    with_copies = run_slow().seconds
    monkeypatch.setattr(running, "LATE", math.inf)
    assert run_slow().seconds > 1.1 * with_copies


def test_a_late_task_is_copied_once() -> None:
    """One that fails on each worker has to end, not to be copied forever."""
    tasks = RunningTasks()
    for number in range(running.KNOWN + 1):
        tasks.add(number, make_task(number), "worker", 0.0)
    for number in range(running.KNOWN):
        tasks.record(tasks.pop(number), 1.0)
    assert tasks.choose_late(1.9) is None
    late = tasks.choose_late(2.1)
    assert late is not None and late.key == make_task(running.KNOWN).key
    assert tasks.choose_late(9.0) is None


def make_task(number: int) -> Task:
    job = Job("film.mp4", ("@ink-wash",), "out.mp4")
    order = ClipOrder(str(number), job, {}, FileTransport(None), "")
    return Task("paint_clip", order)
