"""Paint pictures of 16 bits with an engine of 8: the painting's difference to the content is added
to the content itself.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture

Deep = npt.NDArray[np.uint16]
"""RGB, uint16, (height, width, 3)."""

STEP = 257
"""Steps of 16 bits in one of 8."""
RADIUS = 4
"""Pixels to each side over which the difference's own steps are smoothed."""
ROUGH = 2.0
"""Variance (levels of 255, squared) of a difference that is smoothed; strokes vary more."""


def reduce_depth(deep: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Round 16 bits to 8."""
    return np.asarray((deep.astype(np.uint32) + STEP // 2) // STEP, np.uint8)


def apply_difference(deep: Deep, content: Picture, painted: Picture) -> Deep:
    """Return the painted picture in 16 bits. ``content`` is ``deep`` in 8 bits, and what was
    painted; where nothing was, the result is ``deep`` to the bit.
    """
    if np.array_equal(content, painted):
        return deep
    result = deep.astype(np.float32) + compute_difference(content, painted) * STEP
    return np.asarray(np.rint(result).clip(0, 65535), np.uint16)


def compute_difference(content: Picture, painted: Picture) -> Any:
    """Return the painting minus the content, in levels of 8 bits, float32, without the steps that
    their rounding to whole levels makes.
    """
    difference = painted.astype(np.float32) - content
    smooth = _smooth_steps(difference)
    # Content and painting were rounded by half a level each.
    smooth = np.clip(smooth, difference - 1, difference + 1)
    return np.where(difference == 0, np.clip(smooth, -0.5, 0.5), smooth)


def _smooth_steps(difference: Any) -> Any:
    """Smooth steps of a level, and keep edges (a guided filter with itself as guide; He et al.
    2013).
    """
    window = (2 * RADIUS + 1, 2 * RADIUS + 1)
    mean = cv2.blur(difference, window)
    variance = cv2.blur(difference * difference, window) - mean * mean
    slope = np.maximum(variance, 0) / (np.maximum(variance, 0) + ROUGH)
    offset = mean * (1 - slope)
    return cv2.blur(slope, window) * difference + cv2.blur(offset, window)
