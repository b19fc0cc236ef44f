"""Metrics by networks that judge (`vst.nets.judges`): LPIPS and Gram distances.

They cost far more than the other metrics, so only every fifth frame is measured. Each takes what it
measures with as a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import Gray
from vst.metrics.base import NO_VALUE, Metric, check_pair
from vst.metrics.warped_pair import WarpedPairMetric

EVERY = 5
"""Frames from one that is measured to the next."""

Grams = Sequence[npt.NDArray[np.float32]]
Distance = Callable[[Picture, Picture], float]
"""LPIPS of two pictures of one size."""
MeasureGrams = Callable[[Picture], Grams]
"""The Gram matrices of a picture, layer by layer."""
CompareGrams = Callable[[Grams, Grams], float]
"""How far the first are from the second, which are wanted."""


class WarpedLpips(WarpedPairMetric):
    """LPIPS of a painted frame to the one ``lag`` frames before, warped along the content's flow.

    Where the flow is not valid, the warped frame takes the painted frame's own pixels: a mask's
    edge would be a difference itself. The first pair of each shot is measured, and every fifth
    after it.
    """

    unit = "LPIPS to the warped earlier frame"
    meaning = "Flicker as a trained network sees it: changes of texture more than of brightness."

    def __init__(self, distance: Distance, lag: int = 1) -> None:
        super().__init__(lag)
        self.distance = distance
        self._pairs = 0

    def reset(self) -> None:
        super().reset()
        self._pairs = 0

    def _compare(self, gray: Gray, painted: Picture, before: Gray, earlier: Picture) -> float:
        place, self._pairs = self._pairs % EVERY, self._pairs + 1
        if place:
            return NO_VALUE
        warped, seen = self.warp_earlier(gray, before, earlier)
        filled = np.where(seen[..., None], warped, painted)
        rounded = np.clip(np.rint(filled), 0, 255).astype(np.uint8)
        return self.distance(rounded, painted) if seen.any() else NO_VALUE


def make_one_frame_lpips(distance: Distance) -> WarpedLpips:
    """Make the LPIPS to the frame before."""
    return WarpedLpips(distance, 1)


def make_ten_frame_lpips(distance: Distance) -> WarpedLpips:
    """Make the LPIPS to the frame ten frames before."""
    return WarpedLpips(distance, 10)


class JudgedMetric(Metric):
    """A metric of every fifth frame, from the first on."""

    def __init__(self) -> None:
        self._index = -1

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        self._index += 1
        return NO_VALUE if self._index % EVERY else self.measure(content, painted)

    def measure(self, content: Picture, painted: Picture) -> float:
        """Measure the frame number ``self._index``."""
        raise NotImplementedError


class ContentLpips(JudgedMetric):
    """LPIPS of the painted frame to its content."""

    unit = "LPIPS to the content"
    meaning = "How much a painting differs from its content; a strong style raises it."

    def __init__(self, distance: Distance) -> None:
        super().__init__()
        self.distance = distance

    def measure(self, content: Picture, painted: Picture) -> float:
        return self.distance(painted, content)


class JudgedStyle(JudgedMetric):
    """Gram distance to the style: Σ over layers of the Gram matrix's mean squared error, relative
    to the mean square of the style's own.

    ``wanted``: the mixed style's Gram matrices for each frame, counted from 0.
    """

    unit = "relative error of Gram matrices, sum over layers"
    meaning = "Distance from the style by a network that the default painter was not trained on."

    def __init__(
        self, grams: MeasureGrams, compare: CompareGrams, wanted: Callable[[int], Grams]
    ) -> None:
        super().__init__()
        self.grams, self.compare, self.wanted = grams, compare, wanted

    def measure(self, content: Picture, painted: Picture) -> float:
        return self.compare(self.grams(painted), self.wanted(self._index))


class JudgedContent(JudgedMetric):
    """Distance of a network's features to the content's, relative to their mean square."""

    unit = "relative error of features"
    meaning = "How much of the content's shapes is lost; a strong style raises it."

    def __init__(self, distance: Distance) -> None:
        super().__init__()
        self.distance = distance

    def measure(self, content: Picture, painted: Picture) -> float:
        return self.distance(painted, content)
