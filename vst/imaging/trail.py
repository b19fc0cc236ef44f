"""The ghost: a trail of earlier outputs, fed back into the present one."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import UsageError

MAX_TRAIL_SHARE = 0.94
"""Share of the last output in the next one at ghost 1: it fades to a tenth in 37 frames. With a
share of 1 the output would never change.
"""


class GhostTrail:
    """Mixes the last output into each picture: ``amount`` 0 (not at all) to 1 (a long trail).

    >>> trail = GhostTrail(0.5)
    >>> white, black = np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> [int(trail.step(picture)[0, 0, 0]) for picture in (white, black, black)]
    [255, 120, 56]
    """

    def __init__(self, amount: float) -> None:
        if not 0 <= amount <= 1:
            raise UsageError(
                f"ghost {amount:g} is out of range. Give 0 (no trail) to 1 (the longest)"
            )
        self.fresh_share = 1 - MAX_TRAIL_SHARE * amount
        self._last: Any = None

    def step(self, picture: Picture) -> Picture:
        """Return the picture with the trail of the outputs before it."""
        if self.fresh_share == 1:
            return picture
        if self._last is None or self._last.shape != picture.shape:
            self._last = picture.astype(np.float32)
        else:
            # In float: rounding to bytes would keep the last steps of the trail forever.
            cv2.accumulateWeighted(picture, self._last, self.fresh_share)
        return np.asarray(np.rint(self._last), np.uint8)

    def reset(self) -> None:
        """Forget the outputs: the next frame begins another scene."""
        self._last = None

    def state(self) -> dict[str, Any]:
        """Return everything that it remembers; the next chunk restores it."""
        return {} if self._last is None else {"last": self._last.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._last = state["last"].copy() if state else None


def count_fading_frames(amount: float) -> int:
    """Count the frames after which a trail is weaker than half a step of a pixel's value."""
    kept = MAX_TRAIL_SHARE * amount
    return math.ceil(math.log(0.5 / 255) / math.log(kept)) if kept > 0 else 0
