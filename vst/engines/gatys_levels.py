"""Painting from coarse to fine: engine ``gatys`` optimizes a small picture first, and each larger
one from the result of the smaller.

A step at half the sides takes a quarter of the time, and moves strokes that are twice as large:
most steps are taken there.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vst.engines.gatys_objective import Floats, WarpedPainting

MIN_SIDE = 64
"""Pixels; smaller pictures leave nothing for the deepest layers to see."""


def share_steps(steps: int, levels: int) -> list[int]:
    """Share steps over levels, the full size first: each smaller size gets twice as many as the
    next larger one, and each at least one. Fewer steps than levels make fewer levels.
    """
    levels = min(levels, steps)
    unit = steps / (2**levels - 1)
    shares = [max(1, round(unit * 2**level)) for level in range(levels)]
    shares[-1] += steps - sum(shares)
    return shares


def halve_size(height: int, width: int, level: int) -> tuple[int, int]:
    """Halve both sides ``level`` times, as long as the shorter one has `MIN_SIDE` pixels."""
    while level > 0 and min(height, width) // 2 >= MIN_SIDE:
        height, width, level = height // 2, width // 2, level - 1
    return height, width


def resize_floats(picture: Floats, height: int, width: int) -> Floats:
    """Resize (H,W,C) of floats: area means when it shrinks, else cubic."""
    if picture.shape[:2] == (height, width):
        return picture
    method = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    resized = cv2.resize(picture, (width, height), interpolation=method)
    return np.asarray(resized.reshape(height, width, picture.shape[2]), np.float32)


def resize_painting(painting: WarpedPainting, height: int, width: int) -> WarpedPainting:
    """Resize an earlier painting, and what belongs to it."""
    parts = {
        name: resize_floats(getattr(painting, name), height, width)
        for name in ("warped", "weights", "allowed")
    }
    return replace(painting, **parts)
