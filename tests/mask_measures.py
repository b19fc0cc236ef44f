"""How good a mask is, and how much of one style is found on the other's side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from vst.core.types import Frame, Picture
from vst.masks.base import BACKGROUND, FOREGROUND, Alpha, Edge, Paint, blend
from vst.samples.figure import FigureClip, FigureFrame

BAND = 8
"""Pixels on either side of the outline in which a halo is looked for."""


REACH = 24
"""Pixels that a painter's convolutions look to either side."""


def frames_of(clip: FigureClip) -> list[Frame]:
    return [Frame(n, n / 25, clip.layers(n).picture) for n in range(clip.count)]


def overlap(found: Alpha, true: Alpha) -> float:
    """Intersection over union of two masks, each from half on."""
    a, b = found > 127, true > 127
    return float((a & b).sum() / max(1, (a | b).sum()))


def own_flicker(found: Sequence[Alpha], true: Sequence[Alpha]) -> tuple[float, float]:
    """How much a mask's error changes from frame to frame, and how much the true mask does: means
    over all pixels in 0..1.
    """
    errors = [(f.astype(np.float32) - t) / 255 for f, t in zip(found, true)]
    own = np.mean([np.abs(b - a).mean() for a, b in pairwise(errors)])
    moved = np.mean([cv2.absdiff(a, b).mean() / 255 for a, b in pairwise(true)])
    return float(own), float(moved)


def bands(alpha: Alpha) -> tuple[np.ndarray, np.ndarray]:
    """The pixels within `BAND` of the outline on the ground's side, and on the figure's."""
    outside = cv2.distanceTransform((alpha < 128).astype(np.uint8), cv2.DIST_L2, 5)
    inside = cv2.distanceTransform((alpha >= 128).astype(np.uint8), cv2.DIST_L2, 5)
    # The pixels of the outline itself belong to both and to neither.
    return (outside > 1) & (outside <= BAND), (inside > 1) & (inside <= BAND)


def halo(edge: Edge, layers: FigureFrame, paint: Paint) -> tuple[float, float]:
    """Mean difference (0..255) within `BAND` of the outline, on the ground's and the figure's side,
    to what the paintings are where the other side is not near.

    For that the pictures that the edge gives to the painter get, within `REACH` beyond the outline,
    what is truly there: the ground behind the figure, the figure's cloth going on. The rest stays,
    because a painter that looks at the whole picture changes with it.
    """
    parts = edge.parts(layers.picture, layers.alpha)
    result = edge.join(
        parts,
        layers.alpha,
        paint(parts.foreground, FOREGROUND),
        paint(parts.background, BACKGROUND),
    )
    near = [within(layers.alpha < 128), within(layers.alpha >= 128)]
    truth = layers.figure
    if "matrix" in parts.extra:  # the figure was enlarged
        size = layers.alpha.shape[::-1]
        truth = cv2.warpAffine(truth, parts.extra["matrix"], size, borderMode=cv2.BORDER_REFLECT)
        whole = cv2.warpAffine(layers.alpha, parts.extra["matrix"], size)
        near[0] = within(whole < 128)
    figure = np.where(near[0][..., None], truth, parts.foreground)
    ground = np.where(near[1][..., None], layers.background, parts.background)
    painted = paint(figure, FOREGROUND), paint(ground, BACKGROUND)
    if "matrix" in parts.extra:
        whole_figure = edge.join(parts, np.full_like(layers.alpha, 255), *painted)
        painted = whole_figure, painted[1]
    away = cv2.absdiff(result, blend(*painted, layers.alpha)).mean(2)
    sides = [float(away[band].mean()) for band in bands(layers.alpha)]
    return sides[0], sides[1]


def within(side: np.ndarray) -> np.ndarray:
    """The pixels of one side that are at most `REACH` from the other."""
    distance = cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((distance > 0) & (distance <= REACH))


def halos(edge: Edge, clip: FigureClip, paint: Paint, measured: int = 4) -> tuple[float, float]:
    """The mean `halo` of both sides over the last frames of a clip; the edge sees them all."""
    found = []
    for index in range(clip.count):
        layers = clip.layers(index)
        if index >= clip.count - measured:
            found.append(halo(edge, layers, paint))
        else:
            edge.parts(layers.picture, layers.alpha)
    ground, figure = np.mean(found, axis=0)
    return float(ground), float(figure)


def spreading(picture: Picture, which: str) -> Picture:
    """A painter that is known: its strokes reach as far as a convolution's, and each part has its
    own color.
    """
    tint = (230, 60, 40) if which == FOREGROUND else (30, 90, 220)
    strokes = cv2.GaussianBlur(picture, (0, 0), 4)
    bright = cv2.GaussianBlur(strokes, (0, 0), 2).astype(np.float32)
    return np.rint(0.7 * bright + 0.3 * np.array(tint, np.float32)).astype(np.uint8)
