"""Resizing of pictures: one rule for which filter is used."""

from __future__ import annotations

import cv2
import numpy as np

from vst.core.types import Picture


def resize(picture: Picture, width: int, height: int, growth: int = cv2.INTER_CUBIC) -> Picture:
    """Return the picture at another size: area means when it shrinks, else OpenCV's ``growth``."""
    if picture.shape[:2] == (height, width):
        return picture
    grows = width * height > picture.shape[0] * picture.shape[1]
    method = growth if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def shrink_short_side(picture: Picture, pixels: int) -> Picture:
    """Shrink a picture to a short side of ``pixels``; a smaller one is returned unchanged."""
    height, width = picture.shape[:2]
    scale = pixels / min(height, width)
    if scale >= 1:
        return picture
    return resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def shrink_long_side(picture: Picture, pixels: int) -> Picture:
    """Shrink a picture to a long side of ``pixels``; a smaller one is returned unchanged."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= pixels:
        return picture
    return resize(
        picture, max(1, round(width * pixels / longer)), max(1, round(height * pixels / longer))
    )
