"""Structural similarity (Wang et al. 2004) to the content, and to the frame before."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.metrics.base import NO_VALUE, Metric, check_pair

WINDOW, DEVIATION = 11, 1.5
STEADY_MEAN, STEADY_SPREAD = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def compute_ssim(a: Picture, b: Picture) -> float:
    """Compute the SSIM of the brightness of two pictures of one size, -1..1: 11 x 11 Gaussian
    window, σ 1.5, mean over all pixels.
    """
    return float(compute_ssim_map(a, b).mean(dtype=np.float64))


def compute_ssim_map(a: Picture, b: Picture) -> npt.NDArray[np.float32]:
    """Compute the SSIM around each pixel, (height, width)."""
    check_pair(a, b)
    first, second = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (a, b))

    def mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(values, (WINDOW, WINDOW), DEVIATION), np.float32)

    mean_a, mean_b = mean(first), mean(second)
    spread_a = mean(first * first) - mean_a * mean_a
    spread_b = mean(second * second) - mean_b * mean_b
    shared = mean(first * second) - mean_a * mean_b
    above = (2 * mean_a * mean_b + STEADY_MEAN) * (2 * shared + STEADY_SPREAD)
    below = (mean_a**2 + mean_b**2 + STEADY_MEAN) * (spread_a + spread_b + STEADY_SPREAD)
    return np.asarray(above / below, np.float32)


class ContentSimilarity(Metric):
    """SSIM of the painted frame to its content: how much of the content is still visible."""

    better = "higher"
    unit = "SSIM"

    def add(self, content: Picture, painted: Picture) -> float:
        return compute_ssim(content, painted)


class AdjacentSimilarity(Metric):
    """SSIM of each painted frame to the one before, without motion compensation.

    ``patch``: the reports' variant, the mean over separate square patches of this many pixels a
    side; a smaller picture is one patch.
    """

    better = "higher"
    unit = "SSIM"

    def __init__(self, patch: int | None = None) -> None:
        self.patch = patch
        self._before: Picture | None = None

    def add(self, content: Picture, painted: Picture) -> float:
        before, self._before = self._before, painted.copy()
        if before is None or before.shape != painted.shape:
            return NO_VALUE
        height, width = painted.shape[:2]
        if not self.patch or min(height, width) < self.patch:
            return compute_ssim(before, painted)
        corners = [
            (slice(y, y + self.patch), slice(x, x + self.patch))
            for y in range(0, height - self.patch + 1, self.patch)
            for x in range(0, width - self.patch + 1, self.patch)
        ]
        return float(np.mean([compute_ssim(before[at], painted[at]) for at in corners]))

    def reset(self) -> None:
        self._before = None


def make_patch_similarity() -> AdjacentSimilarity:
    """Make the variant of the report on consistent fast networks, with patches of 100 pixels."""
    return AdjacentSimilarity(100)
