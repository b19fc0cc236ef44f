"""Stages side by side: reading ahead and writing behind, in threads, with bounded queues.

FFmpeg's libraries, OpenCV and TensorFlow let go of Python's lock while they work, so threads are
enough. A queue that is full makes its stage wait: memory stays bounded whatever is slow. An error
in a thread is raised where its work is waited for; leaving a ``with`` block ends the thread. With a
``patience`` (seconds) a thread that does not go on for so long is an error, not a wait for ever.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from vst.errors import StalledError

Item = TypeVar("Item")

PATIENCE = 0.1
"""Seconds between two looks at whether the other side has gone."""
LEAVING = 10.0
"""Seconds that a thread has to end when its block is left; one that hangs is left to itself."""


class _End:
    """Marks the end of a queue, with the error that brought it, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Stage:
    """A thread that works until it is done or told to stop."""

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
        """Queue an item; False if the other side has gone."""
        until = time.monotonic() + patience if patience is not None else None
        while not self._stop.is_set():
            try:
                target.put(item, timeout=PATIENCE)
                return True
            except queue.Full:
                if until is not None and time.monotonic() > until:
                    raise self._stalled() from None
        return False

    def _stalled(self) -> StalledError:
        what = self._thread.name.removeprefix("vst ")
        return StalledError(
            f"{what} has not gone on for {self._patience:g} s; look at the disk and the file, or "
            "give it more time with --patience"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(LEAVING)


class Ahead(_Stage, Generic[Item]):
    """Iterates over ``items`` in a thread, at most ``depth`` items ahead of whoever iterates here.

    >>> with Ahead(range(3), depth=2) as ahead:
    ...     list(ahead)
    [0, 1, 2]
    """

    def __init__(self, items: Iterable[Item], depth: int, patience: float | None = None) -> None:
        self._items = items
        self._queue: queue.Queue[object] = queue.Queue(depth)
        super().__init__("reading ahead", patience)

    def _work(self) -> None:
        end = _End()
        iterator = iter(self._items)
        try:
            for item in iterator:
                if not self._put(self._queue, item):
                    break
        except BaseException as error:
            end = _End(error)
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
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item  # type: ignore[misc]

    def __enter__(self) -> Ahead[Item]:
        return self


class Behind(_Stage, Generic[Item]):
    """Calls ``take`` with each item in a thread, in order, at most ``depth`` items behind.

    `finish` waits for the last one. What ``take`` raises is raised by the next call here.
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
                item = self._queue.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                return
            try:
                self._take(item)  # type: ignore[arg-type]
            except BaseException as error:
                self._error = error
                self._stop.set()

    def __call__(self, item: Item) -> None:
        """Hand an item over; waits while the queue is full."""
        if not self._put(self._queue, item, self._patience):
            self._raise()

    def finish(self) -> None:
        """Wait until everything handed over has been taken."""
        self._put(self._queue, _End(), self._patience)
        self._thread.join(self._patience)
        if self._thread.is_alive():
            raise self._stalled()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Behind[Item]:
        return self
