"""The newest frame: who is slow misses frames, and nobody waits behind a queue."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from vst.core.types import Picture

Item = TypeVar("Item")


@dataclass(frozen=True)
class LiveFrame:
    """A picture with its ``index`` among the frames that arrived, and when (``time.monotonic``)."""

    index: int
    arrived: float
    picture: Picture


class NewestSlot(Generic[Item]):
    """Holds one item; a newer one replaces it, which counts as ``dropped``."""

    def __init__(self) -> None:
        self.dropped = 0
        self.is_closed = False
        self._item: Item | None = None
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Put the newest item in place of what nobody has taken."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self, timeout: float) -> Item | None:
        """Take the item; None where none comes for ``timeout`` seconds, or once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self.is_closed, timeout)
            item, self._item = self._item, None
            return item

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take."""
        return self._item is None

    def close(self) -> None:
        """Let nobody wait any longer; an item that is there can still be taken."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
