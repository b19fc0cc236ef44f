"""Find what moves unlike the camera: the seeds of a foreground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.imaging.optical_flow import Flow, Gray, compute_squared_length, warp
from vst.masks.motion import compute_affine_flow, estimate_background_motion

MOVED = 0.9
"""Pixels by which something must move unlike the background."""
SLIGHTLY = 0.45
"""The same for something that is known to be a foreground if it moves at all."""
PARALLAX = 0.3
"""Share of the background's own motion that nearer and farther parts of it deviate by."""
VISIBLE = 5.0
"""Mean difference (0..255) to where the background's motion would have put a pixel: in even areas
the flow means nothing.
"""
TEXTURE = 8
"""Difference to the surroundings (0..255) that makes a pixel recognizable."""
SPREAD = 4
"""Pixels around a visible difference in which the flow counts as evidence."""

Part = npt.NDArray[np.bool_]
"""(height, width)."""


@dataclass(frozen=True)
class Deviation:
    """How far each pixel moves unlike the background (pixels), and where that can be seen."""

    away: npt.NDArray[np.float32]
    visible: Part
    camera: float


def measure_deviation(
    flow: Flow, here: Gray, other: Gray, foreground: Part | None = None
) -> Deviation:
    """Compare a flow from ``here`` to ``other`` with the motion of the background.

    ``foreground``: pixels known not to be background.
    """
    height, width = here.shape
    motion = estimate_background_motion(flow, foreground)
    background = compute_affine_flow(motion, height, width)
    away = np.sqrt(compute_squared_length(flow - background))
    left = cv2.absdiff(here, warp(other, background)).astype(np.float32)
    visible = cv2.blur(left, (5, 5)) > VISIBLE
    near = cv2.dilate(visible.astype(np.uint8), make_square(SPREAD)) > 0
    camera = float(np.sqrt(compute_squared_length(background)).mean())
    away = cv2.medianBlur(away.clip(0, 255).astype(np.float32), 5)
    return Deviation(np.asarray(away, np.float32), np.asarray(near), camera)


def find_moving(deviations: list[Deviation], share: float = 0.0, least: float = MOVED) -> Part:
    """Return the pixels that move unlike the background in all of the deviations: what one frame
    hides, the other shows. ``share``: of the largest deviation, that a pixel must reach; ``least``:
    pixels.
    """
    found: Any = None
    for one in deviations:
        level = max(least, PARALLAX * one.camera, share * float(np.percentile(one.away, 98)))
        moving = (one.away > level) & one.visible
        found = moving if found is None else found & moving
    return np.asarray(found, np.bool_)


def find_still(deviation: Deviation, gray: Gray) -> Part:
    """Return the pixels with texture that move like the background."""
    texture = find_texture(gray)
    return np.asarray(texture & ~deviation.visible & (deviation.away < MOVED / 2), np.bool_)


def find_texture(gray: Gray) -> Part:
    """Return the pixels that differ enough from their surroundings to be recognized."""
    difference = cv2.absdiff(gray, cv2.blur(gray, (7, 7)))
    return np.asarray(cv2.dilate(difference, make_square(2)) > TEXTURE)


def make_square(radius: int) -> npt.NDArray[np.uint8]:
    """Make a square structuring element for morphology."""
    return np.ones((2 * radius + 1,) * 2, np.uint8)
