"""Continue the colors of a part of a picture beyond its edge."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture

Part = npt.NDArray[np.bool_]
"""(height, width)."""


def extend_colors(content: Picture, known: Part) -> Picture:
    """Fill what is not ``known`` with the colors of the known part's edge, smoother with distance.

    An image pyramid fills each level's holes from the next smaller one (push-pull; Gortler et al.,
    "The Lumigraph", 1996).
    """
    weight = known.astype(np.float32)
    filled = _pull_push(content.astype(np.float32) * weight[..., None], weight)
    result = content.copy()
    result[~known] = np.rint(filled[~known]).clip(0, 255)
    return result


def _pull_push(sums: Any, weight: Any) -> Any:
    """Return sums / weight; where the weight is 0, the colors of a level half the size."""
    height, width = weight.shape
    if min(height, width) > 1 and float(weight.min()) < 1:
        size = (-(-width // 2), -(-height // 2))
        smaller = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (sums, weight)]
        # A half-known pixel determines the level below as well as a fully known one.
        share = np.minimum(1.0, smaller[1] * 2) / np.maximum(smaller[1], 1e-6)
        below = _pull_push(smaller[0] * share[..., None], smaller[1] * share)
        below = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        below = sums / np.maximum(weight, 1e-6)[..., None]
    return sums + (1 - weight)[..., None] * below
