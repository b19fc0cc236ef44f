"""Threads that read ahead and write behind, with bounded queues.

FFmpeg's libraries, OpenCV and TensorFlow release Python's lock while they work, so threads are
enough. `PatientCaller` has slow work done in a thread only so that a hang of it is found. A full
queue blocks its producer, so that memory stays bounded whichever stage is slow. An
error in a thread is raised in the thread that waits for its work; leaving the ``with`` block ends
the thread. With ``patience`` (seconds), a thread without progress for that long raises
`StalledError`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from vst.core.closable import Closable
from vst.errors import Cancelled, StalledError

Item = TypeVar("Item")
Value = TypeVar("Value")

POLL_SECONDS = 0.1
"""Interval, in seconds, at which a blocked thread checks whether it was stopped."""
EVENTS = 16
"""Reports of a call that may wait to be processed."""
EXIT_SECONDS = 10.0
"""Seconds for which the end of a block waits for its thread; one that hangs is abandoned."""


class _EndOfQueue:
    """Marks the end of a queue, with the error that caused it, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Worker(Closable):
    """A thread that works until it is done or stopped."""

    REMEDY = "Check the disk and the file"

    def __init__(self, name: str, patience: float | None) -> None:
        self._patience = patience
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"vst {name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        raise NotImplementedError

    def _put(
        self, target: queue.Queue[object], item: object, patience: float | None = None
    ) -> bool:
        """Queue an item; returns False if the worker was stopped first."""
        until = time.monotonic() + patience if patience is not None else None
        while not self._stop.is_set():
            try:
                target.put(item, timeout=POLL_SECONDS)
                return True
            except queue.Full:
                if until is not None and time.monotonic() > until:
                    raise self._stalled() from None
        return False

    def _stalled(self) -> StalledError:
        what = self._thread.name.removeprefix("vst ")
        return StalledError(
            f"{what} has made no progress for {self._patience:g} s. {self.REMEDY}, or allow more "
            f"time with patience={10 * (self._patience or 1):g}"
        )

    def close(self) -> None:
        """Stop the thread; items that are still queued are dropped."""
        self._stop.set()
        self._thread.join(EXIT_SECONDS)


class ReadAhead(_Worker, Generic[Item]):
    """Iterates over ``items`` in a thread, at most ``depth`` items ahead of its consumer.

    >>> with ReadAhead(range(3), depth=2) as ahead:
    ...     list(ahead)
    [0, 1, 2]
    """

    def __init__(self, items: Iterable[Item], depth: int, patience: float | None = None) -> None:
        self._items = items
        self._queue: queue.Queue[object] = queue.Queue(depth)
        super().__init__("reading ahead", patience)

    def _work(self) -> None:
        end = _EndOfQueue()
        iterator = iter(self._items)
        try:
            for item in iterator:
                if not self._put(self._queue, item):
                    break
        except BaseException as error:
            end = _EndOfQueue(error)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
            self._put(self._queue, end)

    def __iter__(self) -> Iterator[Item]:
        while True:
            try:
                item = self._queue.get(timeout=self._patience)
            except queue.Empty:
                raise self._stalled() from None
            if isinstance(item, _EndOfQueue):
                if item.error is not None:
                    raise item.error
                return
            yield item  # type: ignore[misc]


class WriteBehind(_Worker, Generic[Item]):
    """Calls ``take`` with each item in a thread, in order, at most ``depth`` behind its producer.

    `finish` waits for the last item. An error in ``take`` is raised by the next call.
    """

    def __init__(
        self, take: Callable[[Item], None], depth: int, patience: float | None = None
    ) -> None:
        self._take = take
        self._queue: queue.Queue[object] = queue.Queue(depth)
        self._error: BaseException | None = None
        super().__init__("writing behind", patience)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, _EndOfQueue):
                return
            try:
                self._take(item)  # type: ignore[arg-type]
            except BaseException as error:
                self._error = error
                self._stop.set()

    def __call__(self, item: Item) -> None:
        """Queue an item; blocks while the queue is full."""
        if not self._put(self._queue, item, self._patience):
            self._raise()

    def finish(self) -> None:
        """Wait until ``take`` has returned for every queued item."""
        self._put(self._queue, _EndOfQueue(), self._patience)
        self._thread.join(self._patience)
        if self._thread.is_alive():
            raise self._stalled()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


_calling = threading.local()


class PatientCaller(_Worker):
    """Calls functions in a thread, one at a time, and waits for each. A call that neither returns
    nor reports with `call_back` for ``patience`` seconds raises `StalledError`; its thread, which
    nothing can end from outside, is abandoned, and what it returns later is dropped.
    """

    REMEDY = "Try a smaller size or another engine"

    def __init__(self, name: str, patience: float | None) -> None:
        self._calls: queue.Queue[Callable[[], object]] = queue.Queue(1)
        self._answers: queue.Queue[object] = queue.Queue(EVENTS)
        super().__init__(name, patience)

    def _work(self) -> None:
        _calling.caller = self
        while not self._stop.is_set():
            try:
                call = self._calls.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            try:
                answer = _Answer(call())
            except BaseException as error:
                answer = _Answer(None, error)
            self._put(self._answers, answer)
            del call, answer  # an idle thread holds no pictures

    def __call__(self, function: Callable[..., Value], *words: object) -> Value:
        """Call ``function`` in the thread; returns what it returns, or raises what it raises."""
        self._calls.put(lambda: function(*words))
        beat = time.monotonic()
        while True:
            try:
                answer = self._answers.get(timeout=self._wait_seconds(beat))
            except queue.Empty:
                if self._patience is not None and time.monotonic() - beat >= self._patience:
                    raise self._stalled() from None
                continue
            if isinstance(answer, _Answer):
                if answer.error is not None:
                    raise answer.error
                return answer.value  # type: ignore[return-value]
            answer()  # type: ignore[operator]
            beat = time.monotonic()

    def _wait_seconds(self, beat: float) -> float:
        """Seconds until the call counts as hung; at most one, for Windows handles Ctrl-C only
        between two waits.
        """
        left = beat + self._patience - time.monotonic() if self._patience is not None else 1.0
        return min(1.0, max(0.0, left))

    def report(self, event: Callable[[], None]) -> None:
        """Have the waiting thread call ``event``; raises `Cancelled` if nobody waits any more."""
        if not self._put(self._answers, event):
            raise Cancelled("stopped")


class _Answer:
    """What a call has returned, or the error that it has raised."""

    def __init__(self, value: object, error: BaseException | None = None) -> None:
        self.value, self.error = value, error


def call_back(event: Callable[[], None]) -> None:
    """Call ``event``, inside a call of a `PatientCaller` in the thread that waits for it."""
    caller: PatientCaller | None = getattr(_calling, "caller", None)
    if caller is None:
        event()
    else:
        caller.report(event)
