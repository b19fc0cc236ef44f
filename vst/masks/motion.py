"""Estimate the background's motion and find what moves unlike it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.imaging.optical_flow import Flow, compute_squared_length, get_pixel_grid, warp

STEP = 6
"""Pixels between the points at which the flow is sampled."""
STILL = 0.08
"""Pixels: a background that moves less at every corner counts as still and is not resampled."""

Matrix = npt.NDArray[np.float64]
"""(2, 3): maps a pixel's position in a frame to its position in the frame before."""


def estimate_background_motion(
    flow: Flow, apart_from: npt.NDArray[np.bool_] | None = None
) -> Matrix:
    """Fit an affine map to the dominant motion of a backward flow; the identity if it is still.

    ``apart_from``: pixels known not to be background.
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
    there = here + flow[rows, columns]
    found: Any = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=0.6, maxIters=500, confidence=0.99
    )[0]
    if found is None:
        return np.eye(2, 3)
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    moved = corners @ found.T - corners[:, :2]
    return np.eye(2, 3) if np.abs(moved).max() < STILL else np.asarray(found, np.float64)


def compute_affine_flow(matrix: Matrix, height: int, width: int) -> Flow:
    """Compute the backward flow of an affine map, (height, width, 2)."""
    change = matrix - np.eye(2, 3)
    return np.asarray(cv2.transform(get_pixel_grid(height, width), change), np.float32)


def warp_affine(picture: Any, matrix: Matrix, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """Warp an earlier picture into the next frame; the picture itself for the identity."""
    if (matrix == np.eye(2, 3)).all():
        return picture
    height, width = picture.shape[:2]
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderValue=0)


def scale_matrix(matrix: Matrix, scale: float) -> Matrix:
    """Scale a motion to pictures ``scale`` times as large, keeping pixel centers aligned."""
    larger = matrix.copy()
    middle = (scale - 1) / 2
    larger[:, 2] = matrix[:, 2] * scale + middle - matrix[:, :2] @ np.array([middle, middle])
    return larger


PARTED = 0.7
"""Pixels by which foreground and background must move differently for motion to separate them."""
SURE = 0.6
"""A motion explains a pixel if its residual is below this share of the other motion's ..."""
NOISE = 2.5
"""... by more than this (0..255)."""


def classify_motion(
    picture: Any, others: list[tuple[Any, Flow]], foreground: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the pixels that surely move with the background, and those that surely move with the
    foreground.

    ``others``: pictures before and after, each with the flow to it. A pixel that is occluded in one
    is visible in another, so the smallest residual counts. ``foreground``: its approximate area.
    """
    height, width = foreground.shape
    background_residual = np.full((height, width), np.inf, np.float32)
    foreground_residual = background_residual.copy()
    wide = cv2.dilate(foreground.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for other, flow in others:
        foreground_flow = compute_affine_flow(
            estimate_background_motion(flow, ~foreground), height, width
        )
        background_flow = compute_affine_flow(estimate_background_motion(flow, wide), height, width)
        apart = np.sqrt(compute_squared_length(foreground_flow - background_flow))
        if not foreground.any() or float(apart[foreground].mean()) < PARTED:
            continue
        background_residual = np.minimum(
            background_residual, measure_residual(picture, other, background_flow)
        )
        left = measure_residual(picture, other, foreground_flow)
        # Limbs move independently: the flow itself is the foreground's motion, too, where it is not
        # the background's.
        own = np.where(
            compute_squared_length(flow - background_flow) > 1.0,
            measure_residual(picture, other, flow),
            np.inf,
        )
        foreground_residual = np.minimum(
            foreground_residual, np.minimum(left, own).astype(np.float32)
        )
    background = background_residual + NOISE < SURE * foreground_residual
    moving = foreground_residual + NOISE < SURE * background_residual
    known = np.isfinite(background_residual)
    return np.asarray(background & known), np.asarray(moving & known)


def measure_residual(picture: Any, other: Any, flow: Flow) -> npt.NDArray[np.float32]:
    """Compute what a motion leaves unexplained: mean difference (0..255) over 5 x 5 pixels."""
    left: Any = cv2.absdiff(picture, warp(other, flow))
    # Averaging the channels in OpenCV takes a tenth of NumPy's time.
    mean = cv2.transform(left.astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
    return np.asarray(cv2.blur(mean, (5, 5)), np.float32)
