"""The four ways of the report that this project grew from: each cuts the picture in two and paints
the pieces, and differs in what fills the hole and how wide the seam is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.masks.base import Alpha, Edge, Parts, check_alpha, layered, short_side

WIDE_SEAM = 0.025
"""Deviation of the blurred edge, as a part of the picture's short side."""
SOFT_SEAM = 1.0
"""Deviation of the soft edge, in pixels."""
DEEP_BLUR = 0.06
"""Deviation of the blur that hides the other part, as a part of the short side."""


class SoftEdge(Edge):
    """The rest of the picture is black; the seam is a pixel or two wide and can be seen."""

    def parts(self, content: Picture, alpha: Alpha) -> Parts:
        check_alpha(content, alpha)
        alpha = self.seam(alpha)
        black = np.zeros_like(content)
        return Parts(layered(content, black, alpha), layered(black, content, alpha))

    def join(self, parts: Parts, alpha: Alpha, figure: Picture, ground: Picture) -> Picture:
        return layered(figure, ground, self.seam(alpha))

    def seam(self, alpha: Alpha) -> Alpha:
        """The mask with the edge that the pieces are cut and joined with."""
        return np.asarray(cv2.GaussianBlur(alpha, (0, 0), SOFT_SEAM), np.uint8)


class BlurredEdge(SoftEdge):
    """The rest of the picture is black; the seam is wide, and both styles overlap in it."""

    def seam(self, alpha: Alpha) -> Alpha:
        deviation = max(1.0, WIDE_SEAM * short_side(alpha))
        return np.asarray(cv2.GaussianBlur(alpha, (0, 0), deviation), np.uint8)


class ResizedEdge(SoftEdge):
    """The figure is enlarged until it fills the picture, so that less of it is black, and brought
    back to its place when it is painted.
    """

    def parts(self, content: Picture, alpha: Alpha) -> Parts:
        cut = super().parts(content, alpha)
        points: Any = cv2.findNonZero((alpha > 127).astype(np.uint8))
        if points is None:
            return cut
        height, width = alpha.shape
        x, y, wide, high = cv2.boundingRect(points)
        scale = min(width / wide, height / high)
        matrix = np.array(
            [
                [scale, 0, width / 2 - scale * (x + wide / 2)],
                [0, scale, height / 2 - scale * (y + high / 2)],
            ],
            np.float32,
        )
        figure = cv2.warpAffine(cut.figure, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return Parts(np.asarray(figure, np.uint8), cut.ground, {"matrix": matrix})

    def join(self, parts: Parts, alpha: Alpha, figure: Picture, ground: Picture) -> Picture:
        if "matrix" in parts.about:
            height, width = alpha.shape
            # Smaller again: blurred first, so that strokes do not become grains.
            scale = float(parts.about["matrix"][0, 0])
            if scale > 1.5:
                figure = np.asarray(cv2.GaussianBlur(figure, (0, 0), scale / 3), np.uint8)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            figure = np.asarray(
                cv2.warpAffine(
                    figure,
                    parts.about["matrix"],
                    (width, height),
                    flags=flags,
                    borderMode=cv2.BORDER_REPLICATE,
                ),
                np.uint8,
            )
        return super().join(parts, alpha, figure, ground)


class GaussianEdge(SoftEdge):
    """The rest of the picture is there, but strongly blurred: the report's best; a halo remains."""

    def parts(self, content: Picture, alpha: Alpha) -> Parts:
        check_alpha(content, alpha)
        alpha = self.seam(alpha)
        blurred = deep_blur(content, max(1.0, DEEP_BLUR * short_side(content)))
        return Parts(layered(content, blurred, alpha), layered(blurred, content, alpha))


def deep_blur(picture: Picture, deviation: float) -> Picture:
    """A Gaussian blur of so many pixels; a wide one is done on a smaller copy: none can tell."""
    shrink = max(1.0, deviation / 4)
    height, width = picture.shape[:2]
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), deviation / shrink)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
