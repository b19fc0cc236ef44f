"""Total variation per pixel, as defined in the reports."""

from __future__ import annotations

import numpy as np

from vst.core.types import Picture
from vst.metrics.base import Metric


class TotalVariation(Metric):
    """Sum of absolute differences of neighboring pixels, over both directions and all three
    channels, pixels in 0..1, divided by the number of pixels.

    The reports do not divide by the number of pixels.
    """

    better = "same"
    unit = "sum of absolute gradients per pixel"

    def add(self, content: Picture, painted: Picture) -> float:
        values = painted.astype(np.float32) / 255
        across = np.abs(np.diff(values, axis=1)).sum(dtype=np.float64)
        down = np.abs(np.diff(values, axis=0)).sum(dtype=np.float64)
        return float(across + down) / (painted.shape[0] * painted.shape[1])
