"""The interface of metrics: they take content and painted frames and return one number a frame.

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
"""The value of a frame for which the metric is undefined, such as the first of a shot."""


class Metric(ABC):
    """One metric of one video; buffers no more frames than it compares."""

    better = "lower"
    """"lower", "higher", or "same": as close to the reference as possible."""
    unit = ""
    """The unit, in a few words."""

    @abstractmethod
    def add(self, content: Picture, painted: Picture) -> float:
        """Process the next frame, RGB uint8, both of one size; return its value or `NO_VALUE`."""

    def reset(self) -> None:
        """Drop all state: the next frame starts another shot."""

    def total(self, values: Sequence[float]) -> float:
        """Return the video's value: the mean over the frames that have one."""
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else NO_VALUE


def check_pair(content: Picture, painted: Picture) -> None:
    """Raise `UsageError` unless both pictures have the same size."""
    if content.shape != painted.shape:
        raise UsageError(
            f"a content frame of {content.shape[1]}x{content.shape[0]} and a painted one of "
            f"{painted.shape[1]}x{painted.shape[0]} cannot be compared. Resize one of them"
        )
