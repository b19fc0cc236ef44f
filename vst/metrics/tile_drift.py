"""Tile drift: what a stabilizer does to texture, seen in parts of the picture.

A smear, a stretched stroke or a trail keeps the warp error small and the style of the whole picture
nearly right; in a part of the picture the style numbers give it away. The *natural* drift is that
of the fresh painting to the next frame's fresh painting: what changes anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vst.core.types import Embedding, Picture

ROWS = 3
"""Rows of tiles; a tile is half the picture's height square, and they overlap."""
LEAST_COLUMNS = 3
OVERLAP = 1.5
"""Columns for each tile's width of the picture."""
EVERY = 5
"""Frames from one that is looked at to the next."""
PERCENTILE = 90.0

Map = npt.NDArray[np.float32]
Predictor = Callable[[Picture], Embedding]
"""A picture's style numbers: an engine's ``embed``."""


@dataclass(frozen=True)
class Drift:
    """Distances of style numbers over tiles and frames: their mean and 90th percentile."""

    mean: float
    high: float


def tile_corners(height: int, width: int) -> tuple[list[tuple[int, int]], int]:
    """Upper left corners (y, x) of the tiles, row by row, and a tile's side in pixels."""
    side = min(max(1, height // 2), width)
    columns = max(LEAST_COLUMNS, int(width / side * OVERLAP))
    rows = np.linspace(0, height - side, ROWS).astype(int)
    across = np.linspace(0, width - side, columns).astype(int)
    return [(int(y), int(x)) for y in rows for x in across], side


def tile_drift(steady: Picture, fresh: Picture, predict: Predictor) -> Map:
    """The distance of the style numbers of each tile, in `tile_corners`' order."""
    corners, side = tile_corners(*fresh.shape[:2])
    found = []
    for y, x in corners:
        tile = slice(y, y + side), slice(x, x + side)
        first, second = (predict(np.ascontiguousarray(one[tile])) for one in (steady, fresh))
        found.append(np.linalg.norm(first - second))
    return np.array(found, np.float32)


def drift_map(distances: Map, height: int, width: int) -> Map:
    """The mean over the tiles that cover each pixel, (height, width)."""
    corners, side = tile_corners(height, width)
    total, cover = np.zeros((2, height, width), np.float32)
    for (y, x), distance in zip(corners, distances):
        total[y : y + side, x : x + side] += distance
        cover[y : y + side, x : x + side] += 1
    return np.asarray(total / np.maximum(cover, 1), np.float32)


def measure_drift(
    steady: Sequence[Picture], fresh: Sequence[Picture], predict: Predictor, every: int = EVERY
) -> Drift:
    """The drift of a steady film from its fresh painting."""
    found = [tile_drift(steady[i], fresh[i], predict) for i in range(0, len(fresh), every)]
    return _summarize(found)


def measure_natural_drift(
    fresh: Sequence[Picture], predict: Predictor, every: int = EVERY
) -> Drift:
    """The drift of a fresh painting from frame to frame."""
    pairs = range(0, len(fresh) - 1, every)
    return _summarize([tile_drift(fresh[i], fresh[i + 1], predict) for i in pairs])


def _summarize(found: Sequence[Map]) -> Drift:
    distances = np.concatenate(found)
    return Drift(float(distances.mean()), float(np.percentile(distances, PERCENTILE)))
