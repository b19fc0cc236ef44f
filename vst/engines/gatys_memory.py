"""What painting by optimisation remembers of a scene: the last frames and their paintings, seen
from the frame at hand.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.engines.gatys_objective import Earlier, Floats, as_floats
from vst.engines.gatys_options import GatysOptions
from vst.imaging.optical_flow import FlowEstimator, non_occluded, warp
from vst.nets.losses import LUMINANCE

LONG = 5
"""Frames back that the long-term loss looks, as in the reports."""


class Memory:
    """The last frames of a scene with their paintings, as many as the options need."""

    def __init__(self, options: GatysOptions) -> None:
        self.options = options
        reach = LONG if options.long_term_weight > 0 else 1 if options.looks_back else 0
        self._past: deque[tuple[Picture, Picture]] = deque(maxlen=reach)
        self._look = FlowEstimator()

    @property
    def last(self) -> Picture | None:
        """The painting before this one."""
        return self._past[-1][1] if self._past else None

    def add(self, content: Picture, painting: Picture) -> None:
        """Remember a frame (H,W,3) and what was painted of it."""
        self._past.append((content.copy(), painting.copy()))

    def reset(self) -> None:
        """Forget all of it."""
        self._past.clear()

    def state(self) -> dict[str, Any]:
        """As plain arrays."""
        return {
            "contents": [content for content, _ in self._past],
            "paintings": [painting for _, painting in self._past],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._past.clear()
        self._past.extend(zip(state.get("contents", ()), state.get("paintings", ())))

    def seen_from(self, content: Picture) -> tuple[list[Earlier], Floats]:
        """The earlier paintings that the options hold this one to, and what to begin with: the last
        painting moved along, the content where that was not seen yet.
        """
        options, now = self.options, as_floats(content)
        places = [(-1, options.temporal_weight)]
        if len(self._past) == LONG:
            places.append((-LONG, options.long_term_weight))
        held, start = [], now
        for place, weight in places if self._past else ():
            warped, seen, before = self._moved(content, *self._past[place])
            if place == -1:
                start = np.where(seen, warped, now)
            if weight > 0:
                allowed = self._brightness(now - before)
                held.append(Earlier(warped, np.float32(weight) * seen, allowed))
        return held, start

    def _moved(
        self, content: Picture, before: Picture, painting: Picture
    ) -> tuple[Floats, Floats, Floats]:
        """An earlier painting (H,W,3) along the flow, where it holds (H,W,1), and the earlier frame
        along it.
        """
        height, width = content.shape[:2]
        before, painting = (fitted(one, width, height) for one in (before, painting))
        now, then = self._look.gray(content), self._look.gray(before)
        # OpenCV's search leans on the buffers of its last call. Looked at twice, what is found
        # depends on this pair alone: a chunk that is taken up again is painted as it would have
        # been.
        for _ in range(2):
            backward, forward = self._look(now, then), self._look(then, now)
        seen = non_occluded(backward, forward)[..., None].astype(np.float32)
        # Bicubic: a linear warp would blur the painting a little at each frame.
        moved = [as_floats(warp(one, backward, cv2.INTER_CUBIC)) for one in (painting, before)]
        return moved[0], seen, moved[1]

    def _brightness(self, change: Floats) -> Floats:
        """The change of brightness (H,W,1) that a painting may follow."""
        if self.options.luminance not in LUMINANCE:
            return np.zeros((*change.shape[:2], 1), np.float32)
        weights = np.array(LUMINANCE[self.options.luminance], np.float32)
        return np.asarray((change * weights).sum(-1, keepdims=True), np.float32)


def fitted(picture: Picture, width: int, height: int) -> Picture:
    """A picture of another brush's size at this one's."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
