"""Shapes with smooth edges at fractions of a pixel, drawn in place on float32 canvases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.samples.noise import Colors

Points = npt.NDArray[Any]
"""Corners in pixels, (count, 2), x first."""

FRACTION_BITS = 3  # OpenCV takes whole numbers: these count eighths of a pixel
FRACTION = 1 << FRACTION_BITS


def _to_fixed_point(points: npt.ArrayLike) -> npt.NDArray[np.int32]:
    return np.round(np.asarray(points, np.float64) * FRACTION).astype(np.int32)


def draw_line(canvas: Colors, points: npt.ArrayLike, color: Sequence[float], pen: float) -> None:
    """A line through ``points``, ``pen`` pixels thick (at least one)."""
    thick = max(1, round(pen))
    cv2.polylines(
        canvas, [_to_fixed_point(points)], False, color, thick, cv2.LINE_AA, FRACTION_BITS
    )


def fill_shape(canvas: Colors, points: npt.ArrayLike, color: Sequence[float]) -> None:
    """A filled outline."""
    cv2.fillPoly(canvas, [_to_fixed_point(points)], color, cv2.LINE_AA, FRACTION_BITS)


def fill_disc(
    canvas: Colors,
    middle: tuple[float, float],
    radius: float,
    color: Sequence[float],
    *,
    flat: float = 1.0,
    turn: float = 0.0,
) -> None:
    """Fill a disc, or an ellipse: ``flat`` is its height over its width, ``turn`` its angle in
    degrees.
    """
    x, y = middle
    center = (round(x * FRACTION), round(y * FRACTION))
    axes = (round(radius * FRACTION), round(radius * flat * FRACTION))
    cv2.ellipse(canvas, center, axes, turn, 0, 360, color, -1, cv2.LINE_AA, FRACTION_BITS)
