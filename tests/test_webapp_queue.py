"""The queue of the page: order, limits, cancelling, failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.page_visitors import (
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
    until,
)
from vst.core.types import OnProgress, Progress
from vst.errors import MissingFileError, UsageError
from vst.web.queue import QueuedTask, TaskQueue, order_by_turns
from vst.web.sessions import Session, Sessions
from vst.web.tasks import create_paint_task


@pytest.fixture
def jobs() -> Iterator[TaskQueue]:
    found = TaskQueue(at_once=1, waiting=2)
    yield found
    found.close()


def task(session: Session, work: Callable[[OnProgress], dict[str, Any]]) -> QueuedTask:
    number = session.new_id()
    return QueuedTask(number, session, "clip.mp4", session.folder / f"job-{number}", work)


def test_jobs_are_done_in_their_order(session: Session, jobs: TaskQueue) -> None:
    done: list[int] = []
    tasks = [
        jobs.add(task(session, lambda on_progress, n=n: done.append(n) or {"n": n})) for n in (1, 2)
    ]
    until(lambda: all(one.state == "done" for one in tasks))
    assert done == [1, 2] and tasks[1].outcome == {"n": 2}


def test_visitors_take_turns_however_many_jobs_one_of_them_has(sessions: Sessions) -> None:
    queue = TaskQueue(at_once=0, waiting=20)
    first, second, third = (sessions.open(f"10.0.0.{number}") for number in (1, 2, 3))
    greedy = [queue.add(task(first, endless)) for _ in range(3)]
    patient = [queue.add(task(session, endless)) for session in (second, third)]
    order = [greedy[0], *patient, *greedy[1:]]
    assert order_by_turns(queue.tasks.values(), {}) == order
    assert [queue.ahead_of(one) for one in order] == [0, 1, 2, 3, 4]
    assert order_by_turns(patient, {"10.0.0.2": 7}) == patient[::-1]


def test_jobs_keep_their_order_where_the_clock_is_set_back(session: Session) -> None:
    queue = TaskQueue(at_once=0, waiting=9)
    tasks = [task(session, endless) for _ in range(3)]
    for one, made in zip(tasks, (3e9, 2e9, 1e9)):
        one.made = made
        queue.add(one)
    assert [queue.ahead_of(one) for one in tasks] == [0, 1, 2]


def test_jobs_of_a_killed_server_keep_their_order(session: Session) -> None:
    queue = TaskQueue(at_once=0, waiting=9)
    tasks = [task(session, endless) for _ in range(3)]
    tasks[0].state = "running"  # it was saved last
    for one in reversed(tasks):
        queue.restore(one)
    assert [queue.ahead_of(one) for one in tasks] == [0, 1, 2]


def endless(on_progress: OnProgress) -> dict[str, Any]:
    while True:
        on_progress(Progress("paint", 1, 2, 1.0, {"painting": np.zeros((8, 8, 3), np.uint8)}))
        time.sleep(0.005)


def test_a_running_job_can_be_stopped_and_leaves_nothing(session: Session, jobs: TaskQueue) -> None:
    one = jobs.add(task(session, endless))
    until(lambda: one.progress.get("done") == 1 and one.picture)
    assert one.progress["remaining"] == 1.0
    (one.folder / "half.mp4").write_bytes(b"half")
    jobs.cancel(one)
    until(lambda: one.state == "stopped")
    assert not one.folder.exists()
    after = jobs.add(task(session, lambda on_progress: {}))
    until(lambda: after.state == "done")


def test_a_waiting_job_can_be_stopped_and_the_queue_is_bounded(
    session: Session, jobs: TaskQueue
) -> None:
    first = jobs.add(task(session, endless))
    until(lambda: first.state == "running")
    second, third = (jobs.add(task(session, endless)) for _ in range(2))
    assert jobs.ahead_of(third) == 1
    with pytest.raises(UsageError, match="2 jobs are waiting"):
        jobs.add(task(session, endless))
    jobs.cancel(second)
    assert second.state == "stopped" and not second.folder.exists()
    with pytest.raises(UsageError, match="still running"):
        jobs.remove(third)


def test_a_visitor_fills_only_their_share_of_the_queue(sessions: Sessions) -> None:
    queue = TaskQueue(at_once=0, waiting=4, waiting_each=2)
    greedy = [sessions.open("10.0.0.1"), sessions.open("10.0.0.1")]
    for session in greedy:
        queue.add(task(session, endless))
    with pytest.raises(UsageError, match="2 of your jobs are waiting"):
        queue.add(task(greedy[1], endless))
    queue.add(task(sessions.open("10.0.0.2"), endless))


def test_a_list_of_jobs_has_an_end(
    session: Session, sessions: Sessions, jobs: TaskQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vst.web.queue.MOST_TASKS", 2)
    for _ in range(2):
        one = jobs.add(task(session, lambda on_progress: {}))
        until(lambda one=one: one.state == "done")
    with pytest.raises(UsageError, match="2 jobs are on your list; remove some first"):
        jobs.add(task(session, endless))
    jobs.add(task(sessions.open(), lambda on_progress: {}))
    jobs.remove(one)
    jobs.add(task(session, lambda on_progress: {}))


def test_a_job_keeps_the_form_alone(session: Session, sent: dict[str, Any]) -> None:
    sent |= {"more": "x" * 900, "time": "x" * 900}
    sent["keys"][0]["more"] = "x" * 900
    kept = create_paint_task(session, sent).sent
    assert kept["keys"][0] == {"style": "red", "at": 0.25} and kept["time"] == 0
    assert len(str(kept)) < 400


def test_a_refused_job_leaves_no_folder(session: Session, sent: dict[str, Any]) -> None:
    queue = TaskQueue(at_once=0, waiting=1)
    before = set(session.folder.iterdir())
    with pytest.raises(UsageError, match="rectangle is empty"):
        create_paint_task(session, {**sent, "mask": [0, 0, 0, 0]})
    assert set(session.folder.iterdir()) == before
    queue.add_or_clear(create_paint_task(session, sent))
    before = set(session.folder.iterdir())
    with pytest.raises(UsageError, match="waiting already"):
        queue.add_or_clear(create_paint_task(session, sent))
    assert set(session.folder.iterdir()) == before


def test_results_count_before_they_are_rendered(session: Session, sent: dict[str, Any]) -> None:
    queue = TaskQueue(at_once=0, waiting=9)
    one = create_paint_task(session, sent)
    assert one.size > 0
    one.size = 3_000_000
    with pytest.raises(UsageError, match="larger than 2 MB together"):
        queue.add_or_clear(one)
    assert not one.folder.exists() and not queue.tasks


def test_a_failed_job_says_why_without_a_path(session: Session, jobs: TaskQueue) -> None:
    def work(on_progress: OnProgress) -> dict[str, Any]:
        raise UsageError(f"{session.folder}/painted.mp4 is a wall")

    one = jobs.add(task(session, work))
    until(lambda: one.state == "failed")
    assert one.error == "painted.mp4 is a wall" and not one.folder.exists()


def test_a_report_is_not_in_the_list_of_jobs(session: Session, jobs: TaskQueue) -> None:
    one = jobs.add(task(session, lambda on_progress: {"html": "<p>", "verdict": "fine"}))
    until(lambda: one.state == "done")
    assert one.as_dict()["outcome"] == {"verdict": "fine"} and one.outcome["html"] == "<p>"


def test_a_job_is_seen_in_its_own_session_only(
    sessions: Sessions, session: Session, jobs: TaskQueue
) -> None:
    one = jobs.add(task(session, lambda on_progress: {}))
    with pytest.raises(MissingFileError):
        jobs.task(sessions.open(), one.id)
    assert jobs.task(session, one.id) is one


def test_a_waiting_session_is_not_removed(session: Session, jobs: TaskQueue) -> None:
    session.used -= 1000
    one = jobs.add(task(session, endless))
    until(lambda: one.progress.get("done") == 1)
    until(lambda: time.monotonic() - session.used < 100)


def test_the_row_ends_with_the_server(session: Session) -> None:
    row = TaskQueue(at_once=2, waiting=2)
    row.add(task(session, endless))
    row.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("vst job")]
