"""Sharpness: gradient energy. Relative to the unstabilized video it shows blur."""

from __future__ import annotations

import numpy as np

from vst.core.types import Picture
from vst.metrics.base import Metric


class Sharpness(Metric):
    """Mean squared difference to the pixel on the right plus that below, pixels in 0..1.

    Only meaningful relative to the unstabilized video.
    """

    better = "same"
    unit = "mean squared gradient, pixels in 0..1"

    def add(self, content: Picture, painted: Picture) -> float:
        return measure_gradient(painted)


def measure_gradient(picture: Picture) -> float:
    """Return the mean squared difference of neighboring pixels, across plus down, in 0..1."""
    values = picture.astype(np.float32) / 255
    across, down = np.diff(values, axis=1), np.diff(values, axis=0)
    parts = [np.square(part).mean(dtype=np.float64) for part in (across, down) if part.size]
    return float(sum(parts))
