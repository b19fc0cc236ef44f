"""What a measure promises: content and painted frames go in, one number a frame comes out.

To add one: a file in this folder with a class that derives from `Metric`, and one line in the
table of `vst.metrics`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from vst.core.types import Picture
from vst.errors import UsageError

NO_VALUE = math.nan
"""The value of a frame for which the measure says nothing: the first one of a scene, say."""


class Metric(ABC):
    """One measure of one video; it holds no more frames than it compares."""

    better = "lower"
    """"lower", "higher", or "same": as close to the reference as can be."""
    unit = ""
    """What is counted, in a few words."""

    @abstractmethod
    def add(self, content: Picture, painted: Picture) -> float:
        """Take the next frame, RGB uint8, both of one size; return its value, or `NO_VALUE`."""

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""

    def total(self, values: Sequence[float]) -> float:
        """The value of the whole video: the mean over the frames that have one."""
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else NO_VALUE


def check_pair(content: Picture, painted: Picture) -> None:
    """Refuse pictures that cannot be compared."""
    if content.shape != painted.shape:
        raise UsageError(
            f"a content frame of {content.shape[1]}x{content.shape[0]} and a painted one of "
            f"{painted.shape[1]}x{painted.shape[0]} cannot be compared; bring them to one size"
        )
