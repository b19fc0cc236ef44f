"""From a source's pixels, with opacity or 16 bits, to a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Frame, Picture
from vst.imaging.deep_color import reduce_depth
from vst.imaging.extend_colors import extend_colors

Pixels = npt.NDArray[Any]
"""RGB or RGBA, uint8 or uint16, (height, width, 3 or 4)."""


def make_frame(index: int, time: float, pixels: Pixels, shown: Picture | None = None) -> Frame:
    """Make a frame of pixels: its picture in 8 bits, with colors below transparent pixels.
    ``shown``: that picture, where it is not the pixels themselves (HDR).
    """
    deep = None
    eight = pixels
    if pixels.dtype == np.uint16:
        deep = np.ascontiguousarray(pixels[..., :3])
        eight = reduce_depth(pixels)
    picture = np.ascontiguousarray(eight[..., :3], np.uint8) if shown is None else shown
    if pixels.shape[2] == 3:
        return Frame(index, time, picture, None, deep)
    alpha = np.ascontiguousarray(eight[..., 3], np.uint8)
    return Frame(index, time, extend_colors(picture, alpha > 0), alpha, deep)
