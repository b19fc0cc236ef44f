"""What stabilisers do to pictures: trust, mix, recolour, sharpen. Pictures are RGB uint8."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import Flow, FlowEstimator, Gray, sample, warp

Weights = npt.NDArray[np.float32]
"""(height, width), 0..1."""

STATISTICS = 6
"""Mean and deviation of three channels."""
AFAR = 64
"""Side of a picture seen from afar, in cells."""
LITTLE = 0.0005
"""Part of the pixels that may seem to move in a picture that stands still."""
FINE = (5, 5)
"""Detail is what differs from the mean of so many pixels: a box as wide as a Gaussian of 1.4."""
CELL = 8
"""Local contrast is compared in cells of so many pixels square."""


def alike(gray: Gray, earlier: Gray, where: Flow, tolerance: float) -> Weights:
    """How far the earlier brightness at ``where`` is the present one: 1 for the same, falling as a
    Gaussian to 1/e at ``tolerance`` (0..1).
    """
    error = cv2.absdiff(gray, sample(earlier, where))
    falling = np.exp(-((np.arange(256) / (255 * tolerance)) ** 2)).astype(np.float32)
    return np.asarray(cv2.LUT(error, falling), np.float32)


def flow_if_moving(gray: Gray, before: Gray, noise: float, look: FlowEstimator) -> Flow | None:
    """None where nothing moves: where the flow explains nothing that standing still does not
    explain as well; else the backward flow. It is not looked for where nothing changes at all.

    On still pictures with a sensor's noise (deviation 1 to 8 of 255) the flow explains more than 2
    of 255 (mean of 5 x 5) at no more than 0.014 % of the pixels; on the slowest clips at hand,
    where anything moves at all, at 0.6 %.
    """
    stayed = cv2.blur(cv2.absdiff(gray, before), (5, 5))
    if np.mean(stayed > 255 * noise) < LITTLE:
        return None
    backward = look(gray, before)
    moved = cv2.blur(cv2.absdiff(gray, warp(before, backward)), (5, 5))
    explained = cv2.subtract(stayed, moved)
    return None if np.mean(explained > 255 * noise) < LITTLE else backward


def mixed(first: Picture, second: Picture, share: Weights) -> Picture:
    """``share`` (of any size; enlarged to the pictures') of the first, the rest of the second: in
    steps of 1/255, by whole numbers, which takes a third of the time of fractions.
    """
    part = as_picture(share, first)
    one = cv2.multiply(first, part, scale=1 / 255)
    other = cv2.multiply(second, cv2.bitwise_not(part), scale=1 / 255)
    return np.asarray(cv2.add(one, other), np.uint8)


def as_picture(share: Weights, like: Picture) -> Picture:
    """The weights as 0..255, at the picture's size, in each channel."""
    height, width = like.shape[:2]
    part = cv2.convertScaleAbs(share, alpha=255)
    if part.shape != (height, width):
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_GRAY2RGB), np.uint8)


def from_afar(picture: Picture) -> Picture:
    """The picture in `AFAR` x `AFAR` cells: its colours without its strokes."""
    return np.asarray(cv2.resize(picture, (AFAR, AFAR), interpolation=cv2.INTER_AREA), np.uint8)


def statistics(cells: Picture) -> npt.NDArray[np.float64]:
    """Mean and deviation of each channel, 0..1: (6,)."""
    mean, deviation = cv2.meanStdDev(cells)
    return np.concatenate([mean[:, 0], deviation[:, 0]]) / 255


def recoloured(picture: Picture, has: Any, wanted: Any) -> Picture:
    """The picture, with its channels' statistics changed from ``has`` to ``wanted``."""
    # A channel that hardly varies has no contrast that could be told from noise.
    factor = np.clip((wanted[3:] + 0.02) / (has[3:] + 0.02), 0.5, 2)
    matrix = np.column_stack([np.diag(factor), 255 * (wanted[:3] - has[:3] * factor)])
    return np.asarray(cv2.transform(picture, matrix.astype(np.float32)), np.uint8)


def raise_detail(picture: Picture, fresh: Picture, limit: float, part: float = 1.0) -> Picture:
    """Raise what is finer than about five pixels to ``part`` of the fresh painting's local
    contrast, at most ``limit`` times. Where the picture has more contrast, it stays as it is.
    """
    if limit <= 1:
        return picture
    has, wanted = local_contrast(picture), local_contrast(fresh)
    more = np.clip((part * wanted + 0.5) / (has + 0.5) - 1, 0, limit - 1)
    gain, smooth = as_picture(more / np.float32(limit - 1), picture), cv2.blur(picture, FINE)
    # What stands out from the smooth picture and what lies below it, apart: no number below 0.
    above, below = (
        cv2.multiply(cv2.subtract(*pair), gain, scale=(limit - 1) / 255)
        for pair in ((picture, smooth), (smooth, picture))
    )
    return np.asarray(cv2.subtract(cv2.add(picture, above), below), np.uint8)


def local_contrast(picture: Picture) -> npt.NDArray[np.float32]:
    """Mean absolute fine detail of the brightness, of 255, in cells of `CELL` pixels and their
    neighbours.
    """
    height, width = picture.shape[:2]
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(gray, cv2.blur(gray, FINE)).astype(np.float32)
    cells = (max(1, width // CELL), max(1, height // CELL))
    means = cv2.resize(fine, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(means, (3, 3)), np.float32)
