"""Find the black bars of a letterbox, which belong neither to the foreground nor to the
background.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture

DARK = 28
"""Brightness (0..255) that 99 % of a bar's line stay below."""
EVEN = 3.0
"""Standard deviation (0..255) that a bar's line stays below: a night sky has more."""
THINNEST, WIDEST = 0.015, 0.3
"""Smallest and largest share of the picture's side that one bar covers."""

Window = tuple[slice, slice]
"""Rows and columns of the picture within the bars."""


def find_window(pictures: Sequence[Picture]) -> Window:
    """Return the part of the pictures (RGB uint8, one size) inside the bars that all of them
    share; the whole picture where there are none.
    """
    bright: Any = np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in pictures])
    return _inner(bright), _inner(bright.transpose(0, 2, 1))


def _inner(bright: npt.NDArray[np.uint8]) -> slice:
    """Return the lines between the bars of (pictures, lines, pixels)."""
    count = bright.shape[1]
    blank = (np.percentile(bright, 99, axis=2) < DARK) & (bright.std(axis=2) < EVEN)
    content = np.flatnonzero(~blank.all(0))
    if not len(content):
        return slice(0, count)
    start, stop = int(content[0]), int(content[-1]) + 1
    # Bars come in pairs: one dark edge alone is part of the scene.
    if not all(THINNEST <= part / count <= WIDEST for part in (start, count - stop)):
        return slice(0, count)
    return slice(start, stop)
