"""The report's four edges: each cuts the picture in two and paints both parts; they differ in what
fills the hole and how wide the seam is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.masks.base import Alpha, Edge, MaskParts, blend, check_alpha, get_short_side

WIDE_SEAM = 0.025
"""Standard deviation of the blurred edge, as a share of the picture's short side."""
SOFT_SEAM = 1.0
"""Standard deviation of the soft edge, in pixels."""
DEEP_BLUR = 0.06
"""Standard deviation of the blur that hides the other part, as a share of the short side."""


class SoftEdge(Edge):
    """Fills the other part with black; the seam is a pixel or two wide and visible."""

    def parts(self, content: Picture, alpha: Alpha) -> MaskParts:
        check_alpha(content, alpha)
        alpha = self.seam(alpha)
        black = np.zeros_like(content)
        return MaskParts(blend(content, black, alpha), blend(black, content, alpha))

    def join(
        self, parts: MaskParts, alpha: Alpha, foreground: Picture, background: Picture
    ) -> Picture:
        return blend(foreground, background, self.seam(alpha))

    def seam(self, alpha: Alpha) -> Alpha:
        """Soften the mask for cutting and joining."""
        return np.asarray(cv2.GaussianBlur(alpha, (0, 0), SOFT_SEAM), np.uint8)


class BlurredEdge(SoftEdge):
    """Fills the other part with black; in the wide seam both styles overlap."""

    def seam(self, alpha: Alpha) -> Alpha:
        deviation = max(1.0, WIDE_SEAM * get_short_side(alpha))
        return np.asarray(cv2.GaussianBlur(alpha, (0, 0), deviation), np.uint8)


class ResizedEdge(SoftEdge):
    """Enlarges the foreground until it fills the picture, so that less of it is black, and shrinks
    the painting back into place.
    """

    def parts(self, content: Picture, alpha: Alpha) -> MaskParts:
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
        foreground = cv2.warpAffine(cut.foreground, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return MaskParts(np.asarray(foreground, np.uint8), cut.background, {"matrix": matrix})

    def join(
        self, parts: MaskParts, alpha: Alpha, foreground: Picture, background: Picture
    ) -> Picture:
        if "matrix" in parts.extra:
            height, width = alpha.shape
            # Blur before shrinking, so that strokes do not alias.
            scale = float(parts.extra["matrix"][0, 0])
            if scale > 1.5:
                foreground = np.asarray(cv2.GaussianBlur(foreground, (0, 0), scale / 3), np.uint8)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            foreground = np.asarray(
                cv2.warpAffine(
                    foreground,
                    parts.extra["matrix"],
                    (width, height),
                    flags=flags,
                    borderMode=cv2.BORDER_REPLICATE,
                ),
                np.uint8,
            )
        return super().join(parts, alpha, foreground, background)


class GaussianEdge(SoftEdge):
    """Blurs the other part strongly: the report's best edge; a halo remains."""

    def parts(self, content: Picture, alpha: Alpha) -> MaskParts:
        check_alpha(content, alpha)
        alpha = self.seam(alpha)
        blurred = blur_strongly(content, max(1.0, DEEP_BLUR * get_short_side(content)))
        return MaskParts(blend(content, blurred, alpha), blend(blurred, content, alpha))


def blur_strongly(picture: Picture, deviation: float) -> Picture:
    """Blur with a Gaussian of ``deviation`` pixels, a wide one on a smaller copy for speed."""
    shrink = max(1.0, deviation / 4)
    height, width = picture.shape[:2]
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), deviation / shrink)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
