"""What a stabiliser promises: content and painted frames go in, steady painted frames come out in
the same order.

To add one: a file in this folder with a class that derives from `Stabiliser`, and one line in the
table of `vst.stabilizers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from vst.core.types import Picture
from vst.schedule.timeline import Mix


class Stabiliser(ABC):
    """Works at the size of the painting; both pictures of a step have that size, RGB uint8."""

    warmup: int | None = 0
    """Frames that it must see before a chunk for its output to be exact; None: it remembers without
    end.
    """
    lookahead = 0
    """Frames of the future that it needs: how many steps may pass before a frame comes out."""

    def told(self, mix: Mix) -> None:
        """Hear with which mix the next frame was painted. It may be left out: then a change of
        style is known from the paintings alone, a few frames late.
        """

    @abstractmethod
    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        """Take one frame; return none or some, in order."""

    def flush(self) -> list[Picture]:
        """Return the frames still held; nothing is held afterwards. Called at a scene cut and at
        the end.
        """
        return []

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another. What is held was flushed
        before.
        """

    def state(self) -> dict[str, Any]:
        """Everything remembered, as plain arrays and numbers, to be carried over the end of a
        chunk.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
