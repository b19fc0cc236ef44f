"""What metrics of flicker share: a frame, and an earlier one warped to it along the flow."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import (
    MEDIUM,
    Flow,
    FlowEstimator,
    FlowSettings,
    Gray,
    Mask,
    find_non_occluded,
    warp,
)
from vst.metrics.base import NO_VALUE, Metric, check_pair


class WarpedPairMetric(Metric):
    """Compares each painted frame with the one ``lag`` frames before, warped bilinearly along the
    content's flow, from t back to t-lag, by DIS medium at full size.
    """

    def __init__(self, lag: int = 1, settings: FlowSettings = MEDIUM) -> None:
        self.lag = lag
        self._estimate_flow = FlowEstimator(settings)
        self._earlier: deque[tuple[Gray, Picture]] = deque(maxlen=lag)

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        gray = cv2.cvtColor(content, cv2.COLOR_RGB2GRAY)
        value = NO_VALUE
        if len(self._earlier) == self.lag:
            value = self._compare(gray, painted, *self._earlier[0])
        self._earlier.append((gray, painted.copy()))
        return value

    def reset(self) -> None:
        self._earlier.clear()

    def motion(self, gray: Gray, before: Gray) -> tuple[Flow, Mask]:
        """Estimate the content's backward flow and the pixels in which it is valid."""
        backward = self._estimate_flow(gray, before)
        return backward, find_non_occluded(backward, self._estimate_flow(before, gray))

    def warp_earlier(
        self, gray: Gray, before: Gray, earlier: Picture
    ) -> tuple[npt.NDArray[np.float32], Mask]:
        """Warp an earlier painting to this frame, 0..255, with the pixels in which it is valid."""
        backward, seen = self.motion(gray, before)
        return warp(earlier.astype(np.float32), backward), seen

    @abstractmethod
    def _compare(self, gray: Gray, painted: Picture, before: Gray, earlier: Picture) -> float:
        """Compare a painted frame with an earlier one, given the brightness of their contents."""
