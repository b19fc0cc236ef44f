"""A drawn clip whose layers are painted: what a perfect carrying of painted frames would show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vst.core.types import Picture
from vst.samples import draw_pattern
from vst.samples.figure import FigureClip


def paint_over(picture: Picture, pattern: str) -> Picture:
    """Paint a layer of a drawn clip, so that the paint belongs to what moves."""
    paint = draw_pattern(pattern, picture.shape[1], picture.shape[0])
    return np.asarray(cv2.addWeighted(picture, 0.5, paint, 0.5, 0), np.uint8)


@dataclass(frozen=True)
class PaintedClip(FigureClip):
    """The clip as it is if figure and landscape are painted, and move as before: the truth."""

    @cached_property
    def _wide(self) -> Picture:
        return paint_over(super()._wide, "blue-swirls")

    @cached_property
    def _cloth(self) -> Picture:
        return paint_over(super()._cloth, "fire-impasto")
