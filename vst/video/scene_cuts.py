"""Detect cuts frame by frame, without looking ahead."""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture

WIDTH, HEIGHT = 48, 27
"""Size at which frames are compared: small enough that motion hardly matters."""
FLOOR = 0.07
"""Mean change (0..1) below which nothing is a cut, however still the shot was before."""
RATIO = 3.0
"""A cut changes the picture by at least this multiple of the median change before it ..."""
JUMP = 1.8
"""... and this multiple of the change just before: what accelerates over several frames is motion,
not a cut.
"""
COLOR_CHANGE = 0.15
"""A cut moves at least this share (0..1) of the pixels to other colors; a fast pan does not."""
BLACK = 20
"""Brightness (0..255) up to which pixels that stay dark are ignored: the bars of a letterbox."""
MEMORY = 8
"""Number of changes from which the shot's motion is estimated."""


Change = tuple[float, float]
"""From one frame to the next: the mean change (0..1), and the share (0..1) of the pixels that have
other colors. It depends on these two frames alone.
"""


class CutDetector:
    """Detects whether a new shot starts with a frame.

    At a cut, the small picture changes much more than just before, and so do its colors. The first
    alone is a fast pan, the second alone a slow change of light.

    >>> detector = CutDetector()
    >>> black, white = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 255, np.uint8)
    >>> [detector.is_cut(frame) for frame in (black, black, white, white)]
    [False, False, True, False]
    """

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._next: Change | None = None
        self._changes: deque[float] = deque(maxlen=MEMORY)

    def state(self, following: Change | None = None) -> dict[str, Any]:
        """Return the detector's state for the next chunk; ``following``: the change at that chunk's
        first frame, where it is known, in place of the picture before it.
        """
        changes = list(self._changes)
        following = following or self._next
        if following is None:
            return {"before": self._before, "changes": changes}
        return {"before": None, "changes": changes, "next": list(following)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._before = state["before"]
        self._next = read_change(state)
        self._changes = deque(state["changes"], maxlen=MEMORY)

    def is_cut(self, picture: Picture) -> bool:
        """Process the next frame (RGB uint8, any size); return True if it starts a new shot."""
        small = shrink(picture)
        change, self._next = self._next, None
        if change is None and self._before is not None:
            change = measure_change(self._before, small)
        self._before = small
        return change is not None and self.decide(change)

    def decide(self, change: Change) -> bool:
        """Process the change at the next frame; return True if a new shot starts there."""
        usual = float(np.median(self._changes)) if self._changes else 0.0
        last = self._changes[-1] if self._changes else 0.0
        size, moved = change
        cut = bool(size > max(FLOOR, RATIO * usual, JUMP * last) and moved > COLOR_CHANGE)
        if cut:
            self._changes.clear()
        else:
            self._changes.append(size)
        return cut


def shrink(picture: Picture) -> Picture:
    """The small picture by which frames are compared."""
    small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb), np.uint8)


def measure_change(before: Picture, small: Picture) -> Change:
    """How much a frame differs from the one before it; both as `shrink` makes them."""
    seen = (np.maximum(small, before)[..., 0] > BLACK).astype(np.uint8)
    change = float(np.abs(small.astype(np.float32) - before).sum(2)[seen > 0].sum()) / (
        255 * max(1, seen.sum())
    )
    # Eight bins of brightness by four of each color difference.
    colors = [cv2.calcHist([x], [0, 1, 2], seen, [8, 4, 4], [0, 256] * 3) for x in (before, small)]
    moved = float(np.abs(colors[1] - colors[0]).sum()) / (2 * max(1, seen.sum()))
    return float(change), float(moved)


def read_change(state: dict[str, Any]) -> Change | None:
    """The change at a chunk's first frame, where a state of the detector has it."""
    found = state.get("next")
    return None if found is None else (float(found[0]), float(found[1]))
