"""The interface of metrics: they take content and painted frames and return one number a frame.

To add one: a file in this folder with a class that derives from `Metric`, and one line in the
table of `vst.metrics`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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
    reference = "content"
    """What the first picture of `add` is: the content's frame, or the "fresh" painting of the same
    frame, without a stabilizer.
    """
    good: tuple[float, float] | None = None
    """Least and most of a good video's total, where that can be said in general."""
    meaning = ""
    """One sentence on what the number shows."""

    @abstractmethod
    def add(self, content: Picture, painted: Picture) -> float:
        """Process the next frame, RGB uint8, both of one size; return its value or `NO_VALUE`."""

    def reset(self) -> None:
        """Drop all state: the next frame starts another shot."""

    def total(self, values: Sequence[float]) -> float:
        """Return the video's value: the mean over the frames that have one."""
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else NO_VALUE


class MeanMap:
    """The mean over frames of a map, resized to the first one's size; NaN counts nowhere."""

    def __init__(self) -> None:
        self._total: npt.NDArray[np.float64] | None = None
        self._count: npt.NDArray[np.float64] | None = None

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Add the map of one frame, (height, width)."""
        if self._total is None or self._count is None:
            self._total, self._count = np.zeros(values.shape), np.zeros(values.shape)
        if values.shape == self._total.shape:
            known = np.isfinite(values)
            self._total += np.where(known, values, 0)
            self._count += known

    def mean(self) -> npt.NDArray[np.float32] | None:
        """The mean so far; None before the first frame."""
        if self._total is None or self._count is None:
            return None
        return np.asarray(self._total / np.maximum(self._count, 1), np.float32)


class MappedMetric(Metric):
    """A metric that also shows where in the picture its value comes from.

    ``worst_place``: row and column, 0..1 of the picture, of the worst place of the last frame.
    """

    map_title = ""
    """The heading of its map in a report."""

    def __init__(self) -> None:
        self.maps = MeanMap()
        self.worst_place: tuple[float, float] | None = None

    def add_map(self, values: npt.NDArray[np.float32], *, sign: float = 1.0) -> None:
        """Add a frame's map, high where it is bad; ``sign`` -1: low where it is bad."""
        self.maps.add(values)
        bad = np.where(np.isfinite(values), sign * values, -np.inf)
        row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
        self.worst_place = (float(row) / bad.shape[0], float(column) / bad.shape[1])


def check_pair(content: Picture, painted: Picture) -> None:
    """Raise `UsageError` unless both pictures have the same size."""
    if content.shape != painted.shape:
        raise UsageError(
            f"a content frame of {content.shape[1]}x{content.shape[0]} and a painted one of "
            f"{painted.shape[1]}x{painted.shape[0]} cannot be compared. Resize one of them"
        )
