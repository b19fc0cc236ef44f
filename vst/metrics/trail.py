"""Trail: paint that stays behind where something was.

Both paintings at 256 pixels high, blurred until strokes are gone: what is left is color, and where
the steady painting's color is not the fresh one's, something has stuck.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.metrics.base import MappedMetric, check_pair

HEIGHT = 256
"""Pixels; pictures are brought to this height."""
SIGMA = 8.0
"""Deviation of the Gaussian, in pixels at that height."""
PERCENTILE = 99.0


def trail_map(steady: Picture, fresh: Picture) -> npt.NDArray[np.float32]:
    """Mean absolute difference of the channels after the blur, levels of 255, 256 pixels high."""
    difference = _blur_small(steady) - _blur_small(fresh)
    return np.asarray(np.abs(difference).mean(2), np.float32)


def trail(steady: Picture, fresh: Picture) -> float:
    """The 99th percentile over places of `trail_map`, levels; pictures RGB uint8."""
    return float(np.percentile(trail_map(steady, fresh), PERCENTILE))


def _blur_small(picture: Picture) -> npt.NDArray[np.float32]:
    height, width = picture.shape[:2]
    size = max(1, round(width * HEIGHT / height)), HEIGHT
    if (width, height) != size:
        how = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), SIGMA)
    return np.asarray(blurred, np.float32)


class Trail(MappedMetric):
    """`trail` of each frame of a stabilized painting against the fresh one."""

    unit = "levels of 255, blurred, 99th percentile over places"
    reference = "fresh"
    good = (0.0, 10.0)
    meaning = "Above, paint stays behind where something was."
    map_title = "Where paint stays behind"

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        difference = trail_map(painted, content)
        self.add_map(difference)
        return float(np.percentile(difference, PERCENTILE))
