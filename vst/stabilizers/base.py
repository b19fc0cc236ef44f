"""The interface of a stabilizer: it takes content and painted frames, and returns steady painted
frames in the same order.

To add one: a file in this folder with a class that derives from `Stabilizer`, and one line in the
table of `vst.stabilizers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from vst.core.types import Picture
from vst.schedule.timeline import Mix


class Stabilizer(ABC):
    """Removes flicker. Both pictures of a step are RGB uint8 of the painting's size.

    Its memory is bounded: the output for a frame depends on the `warmup` frames before it, on the
    `lookahead` frames after it, and on their indices, so that a video can be painted in chunks.
    """

    warmup = 0
    """Frames that it must see before a chunk for its output to be exact."""
    lookahead = 0
    """Future frames that it needs: the most steps by which it returns a frame late."""

    @classmethod
    def make(cls, steadiness: float) -> Stabilizer:
        """Make one of a steadiness above 0, up to 1; those that have no degrees ignore it."""
        return cls()

    def seek(self, index: int) -> None:
        """Set the index of the next frame in the video; indices advance from there by themselves,
        over cuts too. Called before the first frame of a chunk's warm-up.
        """

    def set_mix(self, mix: Mix) -> None:
        """Set the mix with which the next frame was painted. Optional."""

    @abstractmethod
    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        """Take one frame; return the frames that are ready, in order."""

    def flush(self) -> list[Picture]:
        """Return the frames that are still buffered. Called at a scene cut and at the end."""
        return []

    def reset(self) -> None:
        """Forget the scene: the next frame follows a cut. `flush` was called before."""

    def close(self) -> None:
        """End its threads. It cannot be used afterwards."""
