"""Threads of their own for previews, so that they never hold up the page itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from vst.errors import Cancelled


class Replaced(Cancelled):
    """A newer request of the same visitor has taken the place of this one."""


@dataclass
class _Request:
    owner: str
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class PreviewPool:
    """Runs work in a few threads. For each key only the newest request waits; the visitors take
    turns, however many requests one of them sends.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pending: dict[Hashable, _Request] = {}
        self._served: dict[str, int] = {}
        self._count = 0
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"vst preview {n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, owner: str, key: Hashable, work: Callable[[], Any]) -> Future[Any]:
        """Queue ``work`` in place of the waiting request with the same key, which fails with
        `Replaced`.
        """
        request = _Request(owner, work)
        with self._changed:
            old = self._pending.pop(key, None)
            if self._closed:
                _fail(request, "the server is shutting down")
            else:
                self._pending[key] = request
                self._changed.notify()
        if old is not None:
            _fail(old, "a newer request replaced this one")
        return request.future

    def waits(self, key: Hashable) -> bool:
        """Return whether a request with this key is waiting."""
        with self._changed:
            return key in self._pending

    def close(self) -> None:
        """Drop what waits, and wait until the running work has ended."""
        with self._changed:
            self._closed = True
            dropped = list(self._pending.values())
            self._pending.clear()
            self._changed.notify_all()
        for request in dropped:
            _fail(request, "the server is shutting down")
        for thread in self._threads:
            thread.join()

    def _take(self) -> _Request | None:
        """Wait for a request; take the oldest of the visitor who was served the longest ago."""
        with self._changed:
            while not self._pending and not self._closed:
                self._changed.wait()
            if not self._pending:
                return None
            key = min(self._pending, key=lambda one: self._served.get(self._pending[one].owner, 0))
            request = self._pending.pop(key)
            self._count += 1
            waiting = {one.owner for one in self._pending.values()}
            self._served = {who: at for who, at in self._served.items() if who in waiting}
            self._served[request.owner] = self._count
            return request

    def _run(self) -> None:
        while (request := self._take()) is not None:
            if not request.future.set_running_or_notify_cancel():
                continue  # the visitor has left
            try:
                request.future.set_result(request.work())
            except BaseException as error:
                request.future.set_exception(error)


def _fail(request: _Request, why: str) -> None:
    if request.future.set_running_or_notify_cancel():
        request.future.set_exception(Replaced(why))
