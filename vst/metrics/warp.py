"""Warp error: how much a painted frame differs from an earlier one moved along the content's flow.

After Lai et al., "Learning blind video temporal consistency" (2018), with the occlusion and motion
boundary checks of Ruder et al. (2016). Blur lowers it: read it together with the sharpness and the
style distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import MEDIUM, FlowSettings, Gray
from vst.metrics.base import NO_VALUE
from vst.metrics.warped_pair import WarpedPairMetric


class WarpError(WarpedPairMetric):
    """E(t) = Σ noc · (warp(V[t-lag]) - V[t])² / (3 · Σ noc), pixels in 0..1, bilinear warp.

    The flow is the content's, from t back to t-lag, by DIS medium at full size; ``noc`` are the
    pixels that `vst.imaging.optical_flow.find_non_occluded` finds. The video's error is the mean
    over its frames; a frame that shares no pixel with the earlier one has no value.

    `root` is the reports' variant: √ of the mean over frames of Σ noc · (…)² / (3 · pixels).
    """

    unit = "mean squared difference, pixels in 0..1"

    def __init__(self, lag: int = 1, settings: FlowSettings = MEDIUM) -> None:
        super().__init__(lag, settings)
        self._parts: list[float] = []
        self._map: npt.NDArray[np.float64] | None = None
        self._seen: npt.NDArray[np.float64] | None = None
        self.last_map: npt.NDArray[np.float32] | None = None
        """The last frame's absolute difference, 0..1, 0 where it is not valid."""

    def _compare(self, gray: Gray, painted: Picture, before: Gray, earlier: Picture) -> float:
        warped, seen = self.warp_earlier(gray, before, earlier)
        difference = warped - painted
        squares = np.where(seen, np.square(difference / 255).sum(2, dtype=np.float64), 0.0)
        if self._map is None or self._seen is None or self._map.shape != seen.shape:
            self._map, self._seen = np.zeros(seen.shape), np.zeros(seen.shape)
        self.last_map = np.where(seen, np.abs(difference).mean(2) / 255, 0.0).astype(np.float32)
        self._map += self.last_map
        self._seen += seen
        self._parts.append(float(squares.sum()) / (3 * seen.size))
        return float(squares.sum()) / (3 * float(seen.sum())) if seen.any() else NO_VALUE

    def root(self, values: Sequence[float] = ()) -> float:
        """Return the reports' E(V) over all frames so far."""
        return math.sqrt(sum(self._parts) / len(self._parts)) if self._parts else NO_VALUE

    def flicker_map(self) -> npt.NDArray[np.float32] | None:
        """Return the mean absolute warped difference of each pixel, 0..1, (height, width), over the
        frames in which it is valid; None before the second frame.
        """
        if self._map is None or self._seen is None:
            return None
        return np.asarray(self._map / np.maximum(self._seen, 1), np.float32)


def make_one_frame_error() -> WarpError:
    """Make the error from one frame to the next."""
    return WarpError(1)


def make_five_frame_error() -> WarpError:
    """Make the error over five frames."""
    return WarpError(5)


def make_ten_frame_error() -> WarpError:
    """Make the error over ten frames."""
    return WarpError(10)
