"""The base class of what holds a file, a model or a process until it is closed."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

Self = TypeVar("Self", bound="Closable")


class Closable:
    """Releases what it holds in `close`, and at the end of a ``with`` block."""

    def close(self) -> None:
        """Release what is held; does nothing the second time."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
