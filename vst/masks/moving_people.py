"""Find the people who move, or have moved, as a whole: motion alone finds the head of somebody who
talks, and the segmenter alone takes things for people.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from vst.assets import find_model_folder, get_known_model
from vst.core.types import Picture
from vst.masks.base import Alpha
from vst.masks.grabcut import SoftMask
from vst.masks.person import PersonMask, refine_outline
from vst.masks.person_finder import MODEL

MOVED = 0.05
"""Share of a person that must have moved for the whole of it to be foreground."""
AGREED = 0.85
"""Agreement of the segmenter's looks (0..1) from which it is believed: what it makes of a drawn
rabbit and the rocks around it is 0.7 on average, and 0.9 in single frames.
"""
COVERED = 0.75
"""Share of the people from which their motion alone gives the better outline."""
CHECKED = 5
"""Frames from one check of the agreement to the next: it takes two thirds of a frame's time."""
NEWEST = 0.3
"""Weight of the newest value in a mean over the shot."""


def is_segmenter_installed() -> bool:
    """Return whether the segmenter can be used without a download."""
    return find_model_folder(get_known_model(MODEL)).is_complete


class RunningMean:
    """A mean in which the newest value weighs `NEWEST`; the first one is the mean of itself."""

    def __init__(self) -> None:
        self.value = math.nan

    def add(self, value: float) -> None:
        """Add the newest value."""
        self.value = value if math.isnan(self.value) else self.value + NEWEST * (value - self.value)


class MovingPeople:
    """The people of each frame of a shot who have moved in it."""

    def __init__(self) -> None:
        self._people = PersonMask()
        self.start_shot()

    def start_shot(self) -> None:
        """Forget the frames before."""
        self._people.start_shot()
        self._agreement = RunningMean()
        self._covered = RunningMean()
        self._frames = 0

    def find(self, picture: Picture, moved: SoftMask, known: SoftMask) -> Alpha | None:
        """Return the people's mask in the next frame; None where nobody has moved, and where
        motion finds them well enough.

        ``moved``: where something has moved in this shot; ``known``: the foreground by motion
        alone; both 0..1, at any size.
        """
        share = self._people.track(picture)
        if not (share > 0.5).any():
            return None
        if self._frames % CHECKED == 0:
            self._agreement.add(self._people.finder.measure_agreement(picture, share.shape[:2]))
        self._frames += 1
        self._covered.add(measure_covered(share, known))
        if self._agreement.value < AGREED or self._covered.value > COVERED:
            return None
        kept = keep_moved(share, moved)
        return refine_outline(kept, picture) if kept.any() else None


def measure_covered(share: SoftMask, known: SoftMask) -> float:
    """Return the share of a mask of people that another one covers."""
    other = cv2.resize(known, share.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return float(((share > 0.5) & (other > 0.5)).sum() / max(1, (share > 0.5).sum()))


def keep_moved(share: SoftMask, moved: SoftMask) -> SoftMask:
    """Return a mask of people without those of whom less than `MOVED` has moved."""
    size = share.shape[::-1]
    evidence = cv2.resize(moved, size, interpolation=cv2.INTER_LINEAR)
    count, names = cv2.connectedComponents((share > 0.5).astype(np.uint8), connectivity=4)
    areas = np.bincount(names.ravel(), minlength=count)
    sums = np.bincount(names.ravel(), evidence.ravel().astype(np.float64), minlength=count)
    kept: Any = sums >= MOVED * areas
    kept[0] = False
    # The soft edge of what is kept lies outside of it.
    near = cv2.dilate(kept[names].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(share * near, np.float32)
