"""Give a picture the palette of another one, and nothing else of it: the same colors, as often.

Colors are taken as a normal distribution in Lab. The map between two such distributions that moves
colors least is linear (Pitié and Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
example-based colour transfer", 2007): no seams, no bands, and the same color becomes the same
everywhere in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture

NOISE = 2.0
"""Variance, in Lab, added to each direction: grain in an even content is not stretched to color."""
STEEPEST = 4.0
"""Factor by which the map spreads colors at most."""
SAMPLED = 160
"""Longer side, in pixels, of the small picture whose colors are counted."""


@dataclass(frozen=True)
class Palette:
    """Mean (3,) and covariance (3, 3) of a picture's colors in Lab, and of how many pixels."""

    mean: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class PaletteMap:
    """Maps a color in Lab: ``matrix`` (3, 3) times the color plus ``offset`` (3,)."""

    matrix: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    def apply(self, colors: Any) -> Any:
        """Map colors, RGB float32 in 0..1 of (height, width, 3); the result may lie outside."""
        lab: Any = cv2.cvtColor(np.ascontiguousarray(colors, np.float32), cv2.COLOR_RGB2Lab)
        moved = cv2.transform(lab, np.hstack([self.matrix, self.offset[:, None]]))
        return cv2.cvtColor(moved, cv2.COLOR_Lab2RGB)


def measure_palette(picture: Picture, weights: npt.NDArray[np.uint8] | None = None) -> Palette:
    """Measure the colors of a picture, RGB uint8; ``weights``: of each pixel, (height, width)."""
    height, width = picture.shape[:2]
    scale = min(1.0, SAMPLED / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colors = cv2.cvtColor(small, cv2.COLOR_RGB2Lab).reshape(-1, 3).astype(np.float64)
    share = np.ones(len(colors))
    if weights is not None and weights.any():
        shrunk: Any = cv2.resize(weights, size, interpolation=cv2.INTER_AREA)
        share = np.maximum(shrunk.reshape(-1).astype(np.float64), 1e-6)
    total = share.sum()
    mean = share @ colors / total
    apart = colors - mean
    return Palette(mean, (apart * share[:, None]).T @ apart / total, float(total))


def pool_palettes(palettes: Sequence[Palette]) -> Palette:
    """Return the palette of all pictures together."""
    weights = np.array([one.weight for one in palettes])
    weights /= weights.sum()
    mean = sum(w * one.mean for w, one in zip(weights, palettes))
    spread = sum(
        w * (one.covariance + np.outer(one.mean - mean, one.mean - mean))
        for w, one in zip(weights, palettes)
    )
    return Palette(np.asarray(mean), np.asarray(spread), float(sum(one.weight for one in palettes)))


def fit_palette(of: Palette, to: Palette) -> PaletteMap:
    """Fit the map that turns the colors ``of`` one picture into those of another."""
    root, inverse = _take_roots(of.covariance)
    middle, _ = _take_roots(root @ (to.covariance + NOISE * np.eye(3)) @ root, added=0.0)
    matrix = inverse @ middle @ inverse
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    matrix = (vectors * np.clip(values, 0, STEEPEST)) @ vectors.T
    return PaletteMap(matrix, to.mean - matrix @ of.mean)


def _take_roots(matrix: Any, added: float = NOISE) -> tuple[Any, Any]:
    """Return the square root of a symmetric matrix plus ``added``, and the root's inverse."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    roots = np.sqrt(np.maximum(values + added, 1e-9))
    return (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T


def recolor_by_palette(
    content: Picture, painting: Picture, weights: npt.NDArray[np.uint8] | None = None
) -> Picture:
    """Return the content in the painting's palette; the pictures may differ in size.

    ``weights``: of the content's pixels, (height, width): which of them count.
    """
    smaller = weights
    if weights is not None and painting.shape[:2] != weights.shape:
        smaller = np.asarray(
            cv2.resize(weights, painting.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8
        )
    found = fit_palette(measure_palette(content, weights), measure_palette(painting, smaller))
    colors = found.apply(content.astype(np.float32) / 255)
    return np.asarray(np.rint(colors * 255).clip(0, 255), np.uint8)
