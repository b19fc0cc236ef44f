"""Remember what the background looks like where it has been seen without people.

A segmenter takes a sail or a rock for part of a person that walks past it, now and then. Where a
picture still shows what was seen there before, and no person wears that color, nobody is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import Flow
from vst.masks.grabcut import SoftMask, make_disc
from vst.masks.motion import estimate_background_motion, warp_affine

EMPTY = 0.2
"""Probability of a person below which a pixel counts as background."""
SAME = 10.0
"""Mean difference (0..255) over 3 x 3 pixels up to which the background is recognized."""
RARE = 0.015
"""Share of the people's pixels up to which a color is not theirs, among 8 x 8 x 8 colors."""
LEAST = 100
"""Pixels of people from which their colors are known."""
FORGOTTEN = 25
"""Frames in a row that contradict the memory at a place, from which it is forgotten there: a
person may have stood there unnoticed.
"""


class SeenBackground:
    """The background at the size of a mask, moved with the camera from frame to frame."""

    def __init__(self) -> None:
        self._colors: Any = None
        self._is_seen: Any = None
        self._excluded: Any = None

    def exclude(
        self, share: SoftMask, picture: Picture, backward: Flow, before: SoftMask
    ) -> SoftMask:
        """Return the probability of a person without what is known as background.

        ``picture``: RGB uint8 of the same size; ``backward``: the flow to the frame before, whose
        mask, moved along it, is ``before``.
        """
        people = ((share > 0.5) | (before > 0.5)).astype(np.uint8)
        motion = estimate_background_motion(backward, cv2.dilate(people, make_disc(4)) > 0)
        self._colors = warp_affine(self._colors, motion)
        self._is_seen = warp_affine(self._is_seen, motion, cv2.INTER_NEAREST)
        self._excluded = warp_affine(self._excluded, motion, cv2.INTER_NEAREST)
        away = cv2.absdiff(picture, self._colors).astype(np.float32).mean(axis=2)
        same = (self._is_seen > 0) & (cv2.blur(away, (3, 3)) < SAME)
        # Beside what is the same, the comparison mixes both sides.
        own = (share > 0.5) & (cv2.dilate(same.astype(np.uint8), make_disc(1)) == 0)
        if own.sum() <= LEAST:
            return share
        same &= find_rare(picture, own)
        doubted = cv2.morphologyEx(same.astype(np.uint8), cv2.MORPH_OPEN, make_disc(1))
        doubted = cv2.morphologyEx(doubted, cv2.MORPH_CLOSE, make_disc(2))
        contradicted = (doubted > 0) & (share > 0.5)
        self._excluded = np.where(contradicted, self._excluded + 1, np.float32(0))
        self._is_seen[self._excluded > FORGOTTEN] = 0
        soft = cv2.GaussianBlur(doubted.astype(np.float32), (0, 0), 0.8)
        return np.asarray(share * (1 - soft), np.float32)

    def remember(self, share: SoftMask, picture: Picture) -> None:
        """Remember the background of a frame where there are no people."""
        if self._colors is None:
            self._colors = picture.copy()
            self._is_seen = np.zeros(share.shape, np.uint8)
            self._excluded = np.zeros(share.shape, np.float32)
        free = cv2.dilate((share > EMPTY).astype(np.uint8), make_disc(1)) == 0
        self._colors = np.where(free[..., None], picture, self._colors)
        self._is_seen[free] = 1


def find_rare(picture: Picture, part: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose color is rare in a part of the picture."""
    coarse = (picture >> 5).astype(np.int32)
    colors = (coarse[..., 0] * 8 + coarse[..., 1]) * 8 + coarse[..., 2]
    counts = np.bincount(colors[part], minlength=512)
    return np.asarray((counts <= RARE * part.sum())[colors])
