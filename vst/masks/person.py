"""``person``: the foreground is the people in the picture, whether they move or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from vst.core.types import Frame, Picture
from vst.imaging.optical_flow import (
    Flow,
    FlowEstimator,
    FlowSettings,
    find_consistent,
    find_unbroken,
    warp,
)
from vst.imaging.resize import resize
from vst.masks.base import Alpha, Mask
from vst.masks.doubt import Doubts
from vst.masks.grabcut import SoftMask, make_disc, upsample_guided
from vst.masks.person_finder import PersonFinder
from vst.masks.seen_background import SeenBackground
from vst.video.scene_cuts import CutDetector

WORKING = 192
"""Short side, in pixels, of the mask before it gets its outline from the picture."""
FLOW = FlowSettings(limit=WORKING, stride=4, descents=12, refinements=2)
REMEMBERED = 0.6
"""Share of the frame before's mask, moved along the flow, where the flow is consistent."""
TOLERANCE = 0.35
"""Difference (0..1) of the new mask to the moved one from which the moved one counts nothing: what
appears or disappears does so at once.
"""
LEAST = 0.001
"""Share of the picture that a person covers at least."""
CONTRAST = 2.5
"""Steepness of the mask's edge at the picture's size: enlarging blurs it."""
EDGE = 0.55
"""Probability at the outline: the segmenter covers a little more than the people."""


class PersonMask(Mask):
    """Segments the people of each frame anew, and holds their outline steady along the flow.

    ``inverted``: the foreground is everything but the people. A frame without people gets an empty
    mask (inverted, a full one). Buffers no frame.
    """

    def __init__(self, inverted: bool = False) -> None:
        super().__init__()
        self.inverted = inverted
        self.finder = PersonFinder()
        self._estimate_flow = FlowEstimator(FLOW)
        self.start_shot()

    def start_shot(self) -> None:
        """Forget the frames before."""
        self._before: tuple[Any, SoftMask] | None = None
        self._background = SeenBackground()

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        self.start_shot()
        cuts, doubts = CutDetector(), Doubts("person", doubts_large=False)
        for frame in frames:
            if cuts.is_cut(frame.picture):
                self.start_shot()
            share = self.track(frame.picture)
            is_found = float((share > 0.5).mean()) >= LEAST
            doubts.record(frame.time, share if is_found else None)
            alpha = refine_outline(share, frame.picture) if is_found else None
            yield frame, self._finish(alpha, frame.picture)
        self.start_shot()
        self.warnings += doubts.format_warnings("--mask auto")

    def track(self, picture: Picture) -> SoftMask:
        """Return the probability of a person in the next frame at the working size, steadied."""
        gray = self._estimate_flow.gray(picture)
        if self._before is not None and self._before[0].shape != gray.shape:
            self.start_shot()
        known = np.zeros(gray.shape, np.float32) if self._before is None else self._before[1]
        share = self.finder.find(picture, gray.shape, known)
        small = resize(picture, gray.shape[1], gray.shape[0])
        if self._before is not None:
            old_gray, old_share = self._before
            backward = self._estimate_flow(gray, old_gray)
            came: SoftMask = warp(old_share, backward)
            share = self._background.exclude(share, small, backward, came)
            forward = self._estimate_flow(old_gray, gray)
            share = self._steady(share, came, backward, forward)
        self._background.remember(share, small)
        self._before = gray, share
        return share

    def _steady(self, share: SoftMask, came: SoftMask, backward: Flow, forward: Flow) -> SoftMask:
        """Mix a mask with that of the frame before, moved along the flow: ``came``."""
        # Along an outline that moves, the flow is a mix of both sides, and lags.
        sure = find_consistent(backward, forward) & find_unbroken(backward)
        trust = REMEMBERED * cv2.erode(sure.astype(np.uint8), make_disc(2)).astype(np.float32)
        # Compared over a few pixels: a rough edge is smoothed, an arm that appears is not.
        away = cv2.blur(np.abs(came - share), (9, 9)) / TOLERANCE
        trust *= np.clip(1 - away, 0, 1)
        return np.asarray(share + trust * (came - share), np.float32)

    def _finish(self, alpha: Alpha | None, picture: Picture) -> Alpha:
        if alpha is None:
            alpha = np.zeros(picture.shape[:2], np.uint8)
        return np.asarray(255 - alpha if self.inverted else alpha, np.uint8)


def refine_outline(share: SoftMask, picture: Picture) -> Alpha:
    """Return the mask at the picture's size, its outline on the picture's own edges."""
    return upsample_guided(share, picture, CONTRAST, EDGE)
