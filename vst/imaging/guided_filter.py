"""Enlarge a picture along the edges of a larger one (He & Sun, "Fast guided filter", 2015)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.resize import resize

RADIUS = 2
"""Pixels of the small picture to each side over which one linear map is fitted."""
SMOOTHNESS = 1e-3
"""Variance (pixels in 0..1) below which the guide's detail is smoothed instead of followed."""


def enlarge_guided(picture: Picture, guide: Picture) -> Picture:
    """Enlarge ``picture`` to the size of ``guide``, with the guide's edges instead of blurred ones.

    In each neighborhood the result is a linear function of the guide's three colors.
    """
    height, width = guide.shape[:2]
    small: Any = picture.astype(np.float32) / 255
    reduced: Any = resize(guide, picture.shape[1], picture.shape[0]).astype(np.float32) / 255
    slope, offset = _fit(reduced, small)
    large: Any = guide.astype(np.float32) / 255
    size = (width, height)
    result = cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)
    for channel in range(3):
        # One guide channel's share in the three channels of the picture.
        part = cv2.resize(slope[channel], size, interpolation=cv2.INTER_LINEAR)
        result += part * large[..., channel, None]
    return np.asarray(np.rint(result * 255).clip(0, 255), np.uint8)


def _fit(guide: Any, picture: Any) -> tuple[list[Any], Any]:
    """Fit picture = sum of slope[channel] * guide[..., channel] + offset around each pixel."""
    mean, mean_picture = _average(guide), _average(picture)
    spread = guide[..., :, None] * guide[..., None, :]
    spread = _average(spread.reshape(*guide.shape[:2], 9)).reshape(spread.shape)
    spread = spread - mean[..., :, None] * mean[..., None, :]
    spread += SMOOTHNESS * np.eye(3, dtype=np.float32)
    together = guide[..., :, None] * picture[..., None, :]
    together = _average(together.reshape(*guide.shape[:2], 9)).reshape(together.shape)
    together = together - mean[..., :, None] * mean_picture[..., None, :]
    slope = np.linalg.solve(spread, together)
    offset = mean_picture - (mean[..., None, :] @ slope)[..., 0, :]
    slopes = [_average(np.ascontiguousarray(slope[..., channel, :])) for channel in range(3)]
    return slopes, _average(offset)


def _average(values: Any) -> Any:
    """Average over the neighborhood of each pixel; any number of channels."""
    side = 2 * RADIUS + 1
    return cv2.blur(np.ascontiguousarray(values, np.float32), (side, side))
