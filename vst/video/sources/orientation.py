"""The display matrix of phones' videos: how a stored picture is rotated and flipped upright."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_ONE = 1 << 16


@dataclass(frozen=True)
class Orientation:
    """Transposes a picture if ``swap``, then flips it if ``left_right`` or ``up_down``."""

    swap: bool = False
    left_right: bool = False
    up_down: bool = False
    degrees: int = 0
    """Clockwise rotation, for display: 0, 90, 180 or 270."""
    is_slanted: bool = False
    """Whether the matrix asks for an angle other than a quarter turn; the nearest one is used."""

    def apply(self, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the upright picture; the same array where it is upright already."""
        if self.swap:
            picture = np.ascontiguousarray(cv2.transpose(picture))
        if self.left_right or self.up_down:
            code = -1 if self.left_right and self.up_down else int(self.left_right)
            picture = np.ascontiguousarray(cv2.flip(picture, code))
        return picture


def parse_display_matrix(matrix: bytes | None) -> Orientation:
    """Parse FFmpeg's display matrix of nine int32; it shows a stored point (p, q) at
    (a p + c q, b p + d q).
    """
    if matrix is None or len(matrix) < 36:
        return Orientation()
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    if a == b == c == d == 0:  # a damaged matrix; players ignore it
        return Orientation()
    swap = abs(b) + abs(c) > abs(a) + abs(d)
    degrees = math.degrees(math.atan2(b, a))
    lesser, greater = (
        (abs(a) + abs(d), abs(b) + abs(c)) if swap else (abs(b) + abs(c), abs(a) + abs(d))
    )
    return Orientation(
        swap=swap,
        left_right=(c if swap else a) < 0,
        up_down=(b if swap else d) < 0,
        degrees=round(degrees / 90) * 90 % 360,
        is_slanted=lesser > greater * 0.02,
    )
