"""Draw optical flow, masks and embeddings."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.plotting.basics import Color

HIDDEN: Color = (222, 60, 90)
"""The color of what a mask excludes."""
BELOW: Color = (38, 92, 150)
ABOVE: Color = (196, 84, 36)
PAPER: Color = (250, 248, 243)


def draw_flow(flow: npt.NDArray[np.float32], longest: float | None = None) -> Picture:
    """Draw a flow, (height, width, 2) in pixels: hue is the direction, white is still, full color
    moves by ``longest`` pixels (None: the 99th percentile).
    """
    length = np.hypot(flow[..., 0], flow[..., 1])
    most = float(np.percentile(length, 99)) if longest is None else longest
    share = np.clip(length / max(most, 1e-6), 0, 1)
    # OpenCV stores hue in a byte, in 180 steps of two degrees.
    hue = np.degrees(np.arctan2(flow[..., 1], flow[..., 0])) % 360 / 2
    full = np.full_like(share, 255.0)
    colors = np.stack([hue % 180, share * 235, full], axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(colors, cv2.COLOR_HSV2RGB), np.uint8)


def highlight_hidden(
    picture: Picture, seen: npt.NDArray[np.bool_], color: Color = HIDDEN
) -> Picture:
    """Paint the pixels that are not ``seen``, (height, width), in ``color``."""
    return np.where(seen[..., None], picture, np.array(color, np.uint8))


def draw_numbers(numbers: npt.NDArray[np.float32], *, columns: int = 25, cell: int = 8) -> Picture:
    """Draw numbers, (dim,), as rows of square cells of ``cell`` pixels: blue below 0, pale at 0,
    brown above; the largest has the full color.
    """
    rows = -(-numbers.size // columns)
    values = np.zeros(rows * columns)
    values[: numbers.size] = numbers / max(float(np.abs(numbers).max(initial=0.0)), 1e-12)
    share = np.abs(values)[:, None]
    ends = np.where(values[:, None] < 0, np.array(BELOW), np.array(ABOVE))
    colors = np.rint(np.array(PAPER) * (1 - share) + ends * share).astype(np.uint8)
    colors[numbers.size :] = 255  # beyond the last number
    table = colors.reshape(rows, columns, 3)
    return np.ascontiguousarray(table.repeat(cell, 0).repeat(cell, 1))
