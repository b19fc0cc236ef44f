"""The last frames of a scene and their paintings, warped to the current frame."""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.engines.gatys_objective import Floats, WarpedPainting, to_floats
from vst.engines.gatys_options import GatysOptions
from vst.imaging.optical_flow import FlowEstimator, find_non_occluded, warp
from vst.imaging.resize import resize

LONG_TERM = 5
"""Frames between a painting and the one that the long-term loss compares it with."""


class PaintingHistory:
    """Keeps as many of the last frames and paintings as the options need."""

    def __init__(self, options: GatysOptions) -> None:
        self.options = options
        length = LONG_TERM if options.long_term_weight > 0 else 1 if options.is_temporal else 0
        self._past: deque[tuple[Picture, Picture]] = deque(maxlen=length)
        self._estimate_flow = FlowEstimator()

    @property
    def last(self) -> Picture | None:
        """The last painting."""
        return self._past[-1][1] if self._past else None

    def add(self, content: Picture, painting: Picture) -> None:
        """Add a frame (H,W,3) and its painting."""
        self._past.append((content.copy(), painting.copy()))

    def reset(self) -> None:
        """Forget everything."""
        self._past.clear()

    def state(self) -> dict[str, Any]:
        """Return the history as plain arrays."""
        return {
            "contents": [content for content, _ in self._past],
            "paintings": [painting for _, painting in self._past],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._past.clear()
        self._past.extend(zip(state.get("contents", ()), state.get("paintings", ())))

    def warp_to(self, content: Picture) -> tuple[list[WarpedPainting], Floats]:
        """Return the earlier paintings for the loss, and the picture to start from: the last
        painting along the flow, the content where that is occluded.
        """
        options, now = self.options, to_floats(content)
        places = [(-1, options.temporal_weight)]
        if len(self._past) == LONG_TERM:
            places.append((-LONG_TERM, options.long_term_weight))
        earlier, start = [], now
        for place, weight in places if self._past else ():
            warped, seen, before = self._warp(content, *self._past[place])
            if place == -1:
                start = np.where(seen, warped, now)
            if weight > 0:
                allowed = self._measure_luminance(now - before)
                earlier.append(WarpedPainting(warped, np.float32(weight) * seen, allowed))
        return earlier, start

    def _warp(
        self, content: Picture, before: Picture, painting: Picture
    ) -> tuple[Floats, Floats, Floats]:
        """Return an earlier painting (H,W,3) along the flow, the mask (H,W,1) of where the flow is
        reliable, and the earlier frame along it.
        """
        height, width = content.shape[:2]
        # The last frame may have been painted with another brush.
        before, painting = (
            resize(one, width, height, cv2.INTER_AREA) for one in (before, painting)
        )
        now, then = self._estimate_flow.gray(content), self._estimate_flow.gray(before)
        # OpenCV's search depends on the buffers of its last call. A second call makes the result
        # depend on this pair alone, so that a resumed chunk equals an uninterrupted run.
        for _ in range(2):
            backward, forward = self._estimate_flow(now, then), self._estimate_flow(then, now)
        seen = find_non_occluded(backward, forward)[..., None].astype(np.float32)
        # Bicubic: a linear warp would blur the painting a little with each frame.
        moved = [to_floats(warp(one, backward, cv2.INTER_CUBIC)) for one in (painting, before)]
        return moved[0], seen, moved[1]

    def _measure_luminance(self, change: Floats) -> Floats:
        """Return the change of luminance (H,W,1) that a painting may follow."""
        from vst.nets.losses import LUMINANCE

        if self.options.luminance not in LUMINANCE:
            return np.zeros((*change.shape[:2], 1), np.float32)
        weights = np.array(LUMINANCE[self.options.luminance], np.float32)
        return np.asarray((change * weights).sum(-1, keepdims=True), np.float32)
