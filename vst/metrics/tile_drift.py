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
from vst.metrics.base import NO_VALUE, MappedMetric, check_pair

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


class TileDrift(MappedMetric):
    """The drift of every fifth frame of a stabilized painting from the fresh one, relative to the
    natural drift.
    """

    unit = "distance of style numbers in parts of the picture, relative to the natural change"
    reference = "fresh"
    good = (0.0, 1.7)
    meaning = "Above, texture is smeared, stretched or stuck in parts of the picture."
    map_title = "Where the texture is another one"

    def __init__(self, predict: Predictor) -> None:
        super().__init__()
        self.predict = predict
        self._natural: list[float] = []
        self._before: npt.NDArray[np.float32] | None = None
        self._count = 0

    def add(self, content: Picture, painted: Picture) -> float:
        check_pair(content, painted)
        place, self._count = self._count % EVERY, self._count + 1
        if place == 1 and self._before is not None:
            now = self._embed_tiles(content)
            self._natural.append(float(np.linalg.norm(now - self._before, axis=1).mean()))
            self._before = None
        if place != 0:
            return NO_VALUE
        self._before = self._embed_tiles(content)
        distances = np.linalg.norm(self._embed_tiles(painted) - self._before, axis=1)
        self.add_map(drift_map(distances.astype(np.float32), *content.shape[:2]))
        return float(distances.mean())

    def reset(self) -> None:
        self._before, self._count = None, 0

    def total(self, values: Sequence[float]) -> float:
        mean = super().total(values)
        natural = float(np.mean(self._natural)) if self._natural else 0.0
        return mean / natural if natural > 0 else NO_VALUE

    def _embed_tiles(self, picture: Picture) -> npt.NDArray[np.float32]:
        corners, side = tile_corners(*picture.shape[:2])
        tiles = (picture[y : y + side, x : x + side] for y, x in corners)
        return np.stack([self.predict(np.ascontiguousarray(tile)) for tile in tiles])
