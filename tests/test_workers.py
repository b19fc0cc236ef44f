"""Threads that read ahead and write behind: order, bounds, errors, and that they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from vst.core import workers
from vst.core.workers import PatientCaller, ReadAhead, WriteBehind, call_back
from vst.errors import Cancelled, StalledError

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_items_come_in_order() -> None:
    with ReadAhead(range(100), 3) as ahead:
        assert list(ahead) == list(range(100))


def test_no_more_is_read_ahead_than_asked_for() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    with ReadAhead(items(), 4) as ahead:
        first = next(iter(ahead))
        time.sleep(0.05)
        assert first == 0
        assert len(read) <= 1 + 4 + 1  # taken, queued, and the one that waits for a place


def test_an_error_while_reading_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"), ReadAhead(items(), 2) as ahead:
        for item in ahead:
            seen.append(item)
    assert seen == [1]


def test_leaving_early_closes_the_source() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    with ReadAhead(items(), 2) as ahead:
        next(iter(ahead))
    assert closed.is_set()


def test_everything_handed_over_is_taken_in_order() -> None:
    taken: list[int] = []
    with WriteBehind(taken.append, 2) as behind:
        for number in range(50):
            behind(number)
        behind.finish()
    assert taken == list(range(50))


def test_a_slow_taker_makes_the_giver_wait() -> None:
    taken: list[int] = []

    def take(number: int) -> None:
        time.sleep(0.01)
        taken.append(number)

    with WriteBehind(take, 2) as behind:
        for number in range(10):
            behind(number)
            assert number - len(taken) <= 3
        behind.finish()


def test_an_error_while_taking_is_raised_to_the_giver() -> None:
    def take(number: int) -> None:
        if number == 3:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), WriteBehind(take, 2) as behind:
        for number in range(1000):
            behind(number)
        behind.finish()


def test_an_error_on_the_last_item_is_raised_by_finish() -> None:
    def take(number: int) -> None:
        raise OSError("no space left")

    with WriteBehind(take, 2) as behind:
        behind(1)
        with pytest.raises(OSError, match="no space left"):
            behind.finish()


def test_leaving_early_drops_what_waits() -> None:
    started = threading.Event()
    taken: list[int] = []

    def take(number: int) -> None:
        started.set()
        time.sleep(0.05)
        taken.append(number)

    with WriteBehind(take, 5) as behind:
        for number in range(5):
            behind(number)
        started.wait()
    assert len(taken) < 5


def test_a_call_in_a_thread_returns_and_raises_as_the_function_does() -> None:
    with PatientCaller("painting", 10.0) as call:
        assert call(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            call(divmod, 7, 0)
        assert call(threading.current_thread) is not threading.current_thread()


def test_a_call_that_reports_does_not_hang_and_its_reports_arrive_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[threading.Thread] = []
    now = [0.0]
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def work() -> str:
        for _ in range(4):
            now[0] += 9.0
            call_back(lambda: heard.append(threading.current_thread()))
        return "done"

    with PatientCaller("painting", 10.0) as call:
        assert call(work) == "done"
    assert heard == [threading.current_thread()] * 4


def test_a_call_that_hangs_raises_and_its_thread_ends_when_it_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "EXIT_SECONDS", 0.1)
    free, threads = threading.Event(), []

    def hang() -> None:
        threads.append(threading.current_thread())
        free.wait(30)
        call_back(lambda: None)  # raises: nobody waits for it
        free.clear()

    message = r"painting has made no progress for 0.2 s. Try a smaller size .* patience=2"
    with pytest.raises(StalledError, match=message), PatientCaller("painting", 0.2) as call:
        call(hang)
    free.set()
    threads[0].join(10)
    assert not threads[0].is_alive() and free.is_set()


def test_an_error_in_a_report_ends_the_call() -> None:
    steps: list[int] = []

    def work() -> None:
        for step in range(1000):
            steps.append(step)
            call_back(cancel)

    def cancel() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"), PatientCaller("painting", 10.0) as call:
        call(work)
    assert len(steps) < 100
