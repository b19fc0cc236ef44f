"""How the ground moves, and what moves otherwise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.imaging.optical_flow import Flow, places, squared, warp

STEP = 6
"""Pixels between the places whose flow is asked."""
STILL = 0.08
"""Pixels: a ground that moves less at every corner stands, and is not sampled anew."""

Matrix = npt.NDArray[np.float64]
"""(2, 3): from a pixel's place in a frame to its place in the one before."""


def ground_motion(flow: Flow, apart_from: npt.NDArray[np.bool_] | None = None) -> Matrix:
    """The dominant motion of a backward flow as an affine map; the identity where it stands.

    ``apart_from``: pixels that are known not to be ground.
    """
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[STEP // 2 : height : STEP, STEP // 2 : width : STEP]
    rows, columns = rows.ravel(), columns.ravel()
    if apart_from is not None:
        kept = ~apart_from[rows, columns]
        rows, columns = rows[kept], columns[kept]
    if len(rows) < 12:
        return np.eye(2, 3)
    here = np.stack([columns, rows], 1).astype(np.float32)
    there = places(flow)[rows, columns]
    found: Any = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=0.6, maxIters=500, confidence=0.99
    )[0]
    if found is None:
        return np.eye(2, 3)
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    moved = corners @ found.T - corners[:, :2]
    return np.eye(2, 3) if np.abs(moved).max() < STILL else np.asarray(found, np.float64)


def of_ground(matrix: Matrix, height: int, width: int) -> Flow:
    """The backward flow that the ground has by itself, (height, width, 2)."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return np.stack([(a - 1) * x + b * y + c, d * x + (e - 1) * y + f], -1).astype(np.float32)


def carried(picture: Any, matrix: Matrix, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """An earlier picture as the ground's motion brings it into the next frame."""
    if (matrix == np.eye(2, 3)).all():
        return picture
    height, width = picture.shape[:2]
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderValue=0)


def scaled_matrix(matrix: Matrix, scale: float) -> Matrix:
    """The same motion between pictures ``scale`` times as large; pixel centres are kept."""
    larger = matrix.copy()
    middle = (scale - 1) / 2
    larger[:, 2] = matrix[:, 2] * scale + middle - matrix[:, :2] @ np.array([middle, middle])
    return larger


PARTED = 0.7
"""Pixels by which figure and ground must move differently to be told apart by it."""
SURE = 0.6
"""One motion explains a pixel if it leaves less than this part of what the other leaves ..."""
NOISE = 2.5
"""... and that by more than this (0..255)."""


def evidence(
    picture: Any, others: list[tuple[Any, Flow]], figure: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Pixels that surely move as the ground, and those that surely move as the figure.

    ``others``: pictures before and after, each with the flow to it. A pixel that one of them hides
    is seen in another one: what leaves the least counts. ``figure``: about where the figure is.
    """
    height, width = figure.shape
    left_by_ground = np.full((height, width), np.inf, np.float32)
    left_by_figure = left_by_ground.copy()
    wide = cv2.dilate(figure.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for other, flow in others:
        of_it = of_ground(ground_motion(flow, ~figure), height, width)
        of_rest = of_ground(ground_motion(flow, wide), height, width)
        apart = np.sqrt(squared(of_it - of_rest))
        if not figure.any() or float(apart[figure].mean()) < PARTED:
            continue
        left_by_ground = np.minimum(left_by_ground, remainder(picture, other, of_rest))
        left = remainder(picture, other, of_it)
        # Limbs move by themselves: the flow's own motion is the figure's, too, if not the ground's.
        own = np.where(squared(flow - of_rest) > 1.0, remainder(picture, other, flow), np.inf)
        left_by_figure = np.minimum(left_by_figure, np.minimum(left, own).astype(np.float32))
    ground = left_by_ground + NOISE < SURE * left_by_figure
    moving = left_by_figure + NOISE < SURE * left_by_ground
    known = np.isfinite(left_by_ground)
    return np.asarray(ground & known), np.asarray(moving & known)


def remainder(picture: Any, other: Any, flow: Flow) -> npt.NDArray[np.float32]:
    """What a motion does not explain: mean difference (0..255) of 5 x 5 pixels."""
    left = cv2.absdiff(picture, warp(other, flow)).astype(np.float32).mean(2)
    return np.asarray(cv2.blur(left, (5, 5)), np.float32)
