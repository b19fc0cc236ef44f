"""The interface of a stabilizer: it takes content and painted frames, and returns steady painted
frames in the same order.

To add one: a file in this folder with a class that derives from `Stabilizer`, and one line in the
table of `vst.stabilizers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from vst.core.types import Picture
from vst.schedule.timeline import Mix


class Stabilizer(ABC):
    """Removes flicker. Both pictures of a step are RGB uint8 of the painting's size."""

    warmup: int | None = 0
    """Frames that it must see before a chunk for its output to be exact; None: all frames of the
    scene.
    """
    lookahead = 0
    """Future frames that it needs: the most steps by which it returns a frame late."""

    def set_mix(self, mix: Mix) -> None:
        """Set the mix with which the next frame was painted. Optional: without it the stabilizer
        detects a change of style from the paintings, a few frames late.
        """

    @abstractmethod
    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        """Take one frame; return the frames that are ready, in order."""

    def flush(self) -> list[Picture]:
        """Return the frames that are still buffered. Called at a scene cut and at the end."""
        return []

    def reset(self) -> None:
        """Forget the scene: the next frame follows a cut. `flush` was called before."""

    def state(self) -> dict[str, Any]:
        """Return everything that it remembers, as plain arrays and numbers; the next chunk restores
        it.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
