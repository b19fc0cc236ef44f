"""Draw the icons of the site: the mark of `vst app` as PNG, for phones that install the page."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.resize import resize
from vst.plotting import save_picture

SIDES = (180, 192, 512)
"""Pixels: iOS takes the first, Android the others."""
GRID = 32
"""The mark is drawn on a grid of so many units, as in vst/web/page/mark.svg."""
GROUND = (0x26, 0x24, 0x22)
CURVES = (
    ((0xE0, 0x67, 0x3C), ((4, 22), (9, 22), (10, 9), (16, 9), (22, 9), (23, 22), (28, 22))),
    ((0x6F, 0xA3, 0xE0), ((4, 10), (9, 10), (10, 23), (16, 23), (22, 23), (23, 10), (28, 10))),
)
"""Color and points of each curve: two cubic Bézier curves, which share the point in the middle."""
STROKE, FINER = 3, 4
"""Width of the curves in units; how many times finer it is drawn than shown, to be smooth."""


def write_icons(folder: Path) -> None:
    """Write icon-180.png and its like into ``folder``."""
    for side in SIDES:
        save_picture(folder / f"icon-{side}.png", draw_icon(side))


def draw_icon(side: int) -> Picture:
    """Draw the mark on a full square: a phone rounds the corners itself."""
    scale = side * FINER / GRID
    drawn = np.full((side * FINER, side * FINER, 3), GROUND, np.uint8)
    for color, points in CURVES:
        line = np.concatenate([sample_bezier(points[:4]), sample_bezier(points[3:])]) * scale
        rounded = np.rint(line).astype(np.int32)
        cv2.polylines(drawn, [rounded], False, color, round(STROKE * scale), cv2.LINE_AA)
    return resize(drawn, side, side)


def sample_bezier(points: tuple[tuple[int, int], ...], count: int = 64) -> np.ndarray:
    """Return ``count`` points (x, y) along a cubic Bézier curve of four points."""
    part = np.linspace(0, 1, count)[:, None]
    first, second, third, last = np.array(points, np.float64)
    rest = 1 - part
    inner = 3 * rest**2 * part * second + 3 * rest * part**2 * third
    return rest**3 * first + inner + part**3 * last
