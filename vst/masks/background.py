"""Remember what the background looks like where the foreground does not cover it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.masks.motion import Matrix, warp_affine

Part = npt.NDArray[np.bool_]
"""(height, width)."""

FRESH = 0.25
"""Weight of the newest frame where the background is visible."""
LIKE = 7.0
"""Mean difference (0..255) up to which a pixel shows the remembered background."""
APART = 5
"""Pixels beside the foreground's outline that are not learned: the outline is not exact."""


class BackgroundPlate:
    """The background of one shot at the camera's present position, as far as it has been seen."""

    def __init__(self) -> None:
        self._picture: npt.NDArray[np.float32] | None = None
        self._seen: npt.NDArray[np.float32] | None = None

    def move(self, motion: Matrix) -> None:
        """Follow the camera to the next frame."""
        if self._picture is not None and self._seen is not None:
            self._picture = warp_affine(self._picture, motion)
            self._seen = warp_affine(self._seen, motion, cv2.INTER_NEAREST)

    def learn(self, picture: Picture, foreground: npt.NDArray[np.float32]) -> None:
        """Remember the picture where the foreground (0..1) is not."""
        hidden = cv2.dilate((foreground > 0.25).astype(np.uint8), np.ones((2 * APART + 1,) * 2))
        visible = hidden == 0
        now = picture.astype(np.float32)
        if self._picture is None or self._seen is None or self._picture.shape != now.shape:
            self._picture, self._seen = now, visible.astype(np.float32)
            return
        weight = np.where(self._seen > 0, FRESH, 1.0).astype(np.float32) * visible
        self._picture += weight[..., None] * (now - self._picture)
        self._seen = np.maximum(self._seen, visible)

    def find_same(self, picture: Picture) -> Part:
        """Return the pixels that show the background as it was seen before."""
        if self._picture is None or self._seen is None or self._picture.shape != picture.shape:
            return np.zeros(picture.shape[:2], bool)
        plate = self._picture.clip(0, 255).astype(np.uint8)
        best = np.full(picture.shape[:2], 255, np.uint8)
        # A pixel of play: the camera's motion is known to about that.
        for down, right in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)):
            moved: Any = np.roll(plate, (down, right), (0, 1))
            best = cv2.min(best, _largest(cv2.absdiff(picture, moved)))
        difference = cv2.blur(best.astype(np.float32), (5, 5))
        return np.asarray((self._seen > 0) & (difference < LIKE))


def _largest(difference: Any) -> Any:
    """Return the largest of the three channels; NumPy's takes ten times as long."""
    red, green, blue = cv2.split(difference)
    return cv2.max(cv2.max(red, green), blue)
