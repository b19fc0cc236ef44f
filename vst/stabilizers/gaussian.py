"""``gaussian``: a Gaussian filter over time, which does not follow motion. For comparison: whatever
moves leaves a ghost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vst.core.types import Picture
from vst.errors import UsageError
from vst.stabilizers.base import Stabilizer


@dataclass(frozen=True)
class GaussianSettings:
    """``deviation`` of the Gaussian and its ``reach`` to either side, both in frames.

    With 0.8 and 2 the weights are 0.50 for the frame itself, 0.23 and 0.02 for those beside it.
    """

    deviation: float = 0.8
    reach: int = 2

    def __post_init__(self) -> None:
        if self.deviation <= 0 or self.reach < 0:
            raise UsageError(
                f"a Gaussian of deviation {self.deviation:g} and reach {self.reach}; "
                "give a deviation above 0 and a reach of 0 or more"
            )

    def weight(self, distance: int) -> float:
        """The weight of a frame so many frames away, before all are brought to a sum of 1."""
        return float(np.exp(-0.5 * (distance / self.deviation) ** 2))


class Gaussian(Stabilizer):
    """Each frame is the mean of its neighbors in time, the nearest counting most. At the ends of
    a scene the others share the weights of those that are missing.
    """

    def __init__(self, settings: GaussianSettings = GaussianSettings()) -> None:
        self.settings = settings
        self.warmup = settings.reach
        self.lookahead = settings.reach
        self.reset()

    def reset(self) -> None:
        self._held: deque[Picture] = deque(maxlen=2 * self.settings.reach + 1)
        self._waiting = 0  # the last so many of what is held have not come out yet

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        if self._held and self._held[-1].shape != painted.shape:
            raise UsageError(
                f"a painting of {painted.shape[1]}x{painted.shape[0]} after one of "
                f"{self._held[-1].shape[1]}x{self._held[-1].shape[0]}; call flush and reset between"
            )
        self._held.append(painted.copy())
        self._waiting += 1
        return [self._next()] if self._waiting > self.settings.reach else []

    def flush(self) -> list[Picture]:
        rest = [self._next() for _ in range(self._waiting)]
        self._held.clear()
        return rest

    def _next(self) -> Picture:
        """The oldest frame that has not come out, filtered."""
        middle = len(self._held) - self._waiting
        self._waiting -= 1
        near = [
            (self.settings.weight(abs(place - middle)), picture)
            for place, picture in enumerate(self._held)
            if abs(place - middle) <= self.settings.reach
        ]
        total = sum(weight for weight, _ in near)
        mean = np.zeros(self._held[0].shape, np.float32)
        for weight, picture in near:
            mean += picture * np.float32(weight / total)
        return np.asarray(mean + 0.5, np.float32).clip(0, 255).astype(np.uint8)
