"""Structure: whether a steady painting shows what the frame shows, place by place.

A film that paints nothing new has the lowest warp error of all. Here each painting is compared with
the fresh, unstabilized one of the same frame: a mouth that stays shut, displaced eyes, a wall drawn
into whorls have another local structure. Where no fresh painting is known, the content's own edges
stand in for it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.metrics.base import NO_VALUE, MappedMetric, check_pair

Map = npt.NDArray[np.float32]
"""(height, width)."""

SIGMA = 2.0
"""Strokes finer than this Gaussian, in pixels, are not structure."""
WINDOW = 17
"""Structure is compared in windows of so many pixels square."""
FLAT = 30.0
"""Added to the variances, levels squared: a window without contrast agrees with another one."""
PERCENTILE = 5.0
"""The share of places, in percent, that may be worse than what is reported."""
BORDER, STRIDE = 8, 4
"""Places begin so many pixels from the edge, and are so many pixels apart."""
EDGE_FLAT = 4.0
"""The same as `FLAT`, for the strength of edges."""
EDGE_LEAST = 6.0
"""Variance of the content's edge strength from which on a window holds something to be kept."""


def structure_map(steady: Picture, fresh: Picture) -> Map:
    """Agreement of local structure and contrast, -1..1, 1 for the same; pictures RGB uint8."""
    return compare_windows(_blur_gray(steady), _blur_gray(fresh), FLAT)


def structure(steady: Picture, fresh: Picture) -> float:
    """The 5th percentile over places of `structure_map`: how the worst places agree."""
    return lowest(structure_map(steady, fresh))


def content_structure_map(painted: Picture, content: Picture) -> Map:
    """Correlation of the painting's edges with the content's own, -1..1; NaN where it has none.

    Brightness may be turned around by a style, and the contrast changed: edges are compared by
    their strength, and by correlation alone.
    """
    edges, wanted = _edge_strength(painted), _edge_strength(content)
    shared, first, second = window_moments(edges, wanted)
    # A painting of little contrast has weaker edges, not fewer.
    weaker = min(1.0, float(edges.mean()) / max(1e-6, float(wanted.mean())))
    agreement = shared / np.sqrt((first + EDGE_FLAT * weaker**2) * (second + EDGE_FLAT))
    return np.where(second >= EDGE_LEAST, agreement, np.nan).astype(np.float32)


def content_structure(painted: Picture, content: Picture) -> float:
    """The mean over the content's edges of `content_structure_map`; NaN where there are none."""
    places = content_structure_map(painted, content)[BORDER:-BORDER:STRIDE, BORDER:-BORDER:STRIDE]
    known = places[np.isfinite(places)]
    return float(known.mean()) if known.size else float("nan")


def lowest(agreement: Map, percentile: float = PERCENTILE) -> float:
    """A percentile over places, `STRIDE` pixels apart, off the border."""
    places = agreement[BORDER:-BORDER:STRIDE, BORDER:-BORDER:STRIDE]
    return float(np.percentile(places if places.size else agreement, percentile))


def compare_windows(first: Map, second: Map, flat: float) -> Map:
    """2 * covariance over the sum of variances, in windows, both with ``flat`` added."""
    shared, spread_first, spread_second = window_moments(first, second)
    return np.asarray((2 * shared + flat) / (spread_first + spread_second + flat), np.float32)


def window_moments(first: Map, second: Map) -> tuple[Map, Map, Map]:
    """Covariance and both variances in `WINDOW` x `WINDOW` pixels around each."""

    def mean(values: Map) -> Map:
        return np.asarray(cv2.blur(values, (WINDOW, WINDOW)), np.float32)

    mean_first, mean_second = mean(first), mean(second)
    shared = mean(first * second) - mean_first * mean_second
    spread_first = np.maximum(mean(first * first) - mean_first * mean_first, 0)
    spread_second = np.maximum(mean(second * second) - mean_second * mean_second, 0)
    return shared, spread_first, spread_second


def _blur_gray(picture: Picture) -> Map:
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), SIGMA), np.float32)


def _edge_strength(picture: Picture) -> Map:
    smooth = _blur_gray(picture)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 4)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 4)
    return np.asarray(cv2.magnitude(across, down), np.float32)


class Structure(MappedMetric):
    """`structure` of each frame of a stabilized painting with the fresh one."""

    better = "higher"
    unit = "agreement of local structure with the fresh painting, 5th percentile over places"
    reference = "fresh"
    good = (0.92, 1.0)
    meaning = "Below, the stabilizer shows what the frame does not: a mouth that stays shut."
    map_title = "Where the structure is another one"

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        agreement = structure_map(painted, content)
        self.add_map(1 - agreement)
        return lowest(agreement)


class ContentStructure(MappedMetric):
    """`content_structure` of each frame of a painting with its content.

    The good range begins below what strong styles have: of half of the built-in styles, freshly
    painted from six clips, the least is 0.29. A painting of another film has 0.02 at most.
    """

    better = "higher"
    unit = "correlation with the strength of the content's own edges, mean over its edges"
    good = (0.25, 1.0)
    meaning = "Below, edges of the content are missing or stand elsewhere; styles differ in it."
    map_title = "Where the content's edges are missing"

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        agreement = content_structure_map(painted, content)
        self.add_map(1 - agreement)
        places = agreement[BORDER:-BORDER:STRIDE, BORDER:-BORDER:STRIDE]
        known = places[np.isfinite(places)]
        return float(known.mean()) if known.size else NO_VALUE
