"""Pictures of what is no picture: motion, masks, the numbers of a style."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.plotting.basics import Color

HIDDEN: Color = (222, 60, 90)
"""The colour of what a mask leaves out."""
BELOW: Color = (38, 92, 150)
ABOVE: Color = (196, 84, 36)
PAPER: Color = (250, 248, 243)


def draw_flow(flow: npt.NDArray[np.float32], longest: float | None = None) -> Picture:
    """A flow, (height, width, 2) in pixels, as colours: the hue is the direction, white stands
    still, full colour moves by ``longest`` pixels (None: the fastest hundredth of the picture).
    """
    length = np.hypot(flow[..., 0], flow[..., 1])
    most = float(np.percentile(length, 99)) if longest is None else longest
    share = np.clip(length / max(most, 1e-6), 0, 1)
    # OpenCV's hue of a byte goes round in 180 steps of two degrees.
    hue = np.degrees(np.arctan2(flow[..., 1], flow[..., 0])) % 360 / 2
    full = np.full_like(share, 255.0)
    colours = np.stack([hue % 180, share * 235, full], axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_HSV2RGB), np.uint8)


def highlight_hidden(
    picture: Picture, seen: npt.NDArray[np.bool_], colour: Color = HIDDEN
) -> Picture:
    """The picture with the pixels that are not ``seen``, (height, width), in ``colour``."""
    return np.where(seen[..., None], picture, np.array(colour, np.uint8))


def draw_numbers(numbers: npt.NDArray[np.float32], *, columns: int = 25, cell: int = 8) -> Picture:
    """Numbers, (dim,), as rows of square cells of ``cell`` pixels: blue below 0, pale at 0, brown
    above; the largest has the full colour.
    """
    rows = -(-numbers.size // columns)
    values = np.zeros(rows * columns)
    values[: numbers.size] = numbers / max(float(np.abs(numbers).max(initial=0.0)), 1e-12)
    share = np.abs(values)[:, None]
    ends = np.where(values[:, None] < 0, np.array(BELOW), np.array(ABOVE))
    colours = np.rint(np.array(PAPER) * (1 - share) + ends * share).astype(np.uint8)
    colours[numbers.size :] = 255  # beyond the last number
    table = colours.reshape(rows, columns, 3)
    return np.ascontiguousarray(table.repeat(cell, 0).repeat(cell, 1))
