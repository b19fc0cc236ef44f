"""Follow every pixel of a shot back to one of its frames, the key, through all frames between.

Flows between neighbors are chained. Each link adds its error, so each position is corrected by the
flow between the frame itself and what the chain makes of the key: the error does not grow with
the distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vst.imaging.optical_flow import (
    Flow,
    FlowEstimator,
    Gray,
    find_consistent,
    find_inside,
    get_pixel_grid,
    sample,
    warp,
)

ALIKE, DIFFERENCE = 3.0, 11.0
"""Mean difference (0..255) over 5 x 5 pixels between a frame and the key moved onto it up to which
the key counts fully, for grain differs; and how much more it is where the key counts 1/e.
"""
SIDE = 5
"""Side, in pixels, of the neighborhood in which frame and key are compared."""
FORGOTTEN = 0.5
"""Share of visible neighbors below which a pixel has been hidden on the way: what comes back is
not sure to be the same.
"""

Share = npt.NDArray[np.float32]
"""(height, width), 0..1."""


@dataclass(frozen=True)
class Link:
    """Two neighboring frames: ``back`` maps the later step's pixels to the one before, ``onward``
    the other way around. Half floats, for many links are kept at once.
    """

    back: npt.NDArray[np.float16]
    onward: npt.NDArray[np.float16]

    def reverse(self) -> Link:
        """Return the link as it is passed in the other direction."""
        return Link(self.onward, self.back)


@dataclass(frozen=True)
class Trace:
    """How far from each of a frame's pixels it lies in the key, in pixels, half floats (height,
    width, 2), and how surely, uint8 (height, width).
    """

    away: npt.NDArray[np.float16]
    trust: npt.NDArray[np.uint8]


def link_frames(before: Gray, after: Gray, estimate: FlowEstimator) -> Link:
    """Estimate the flows between two neighboring frames."""
    back, onward = estimate(after, before), estimate(before, after)
    return Link(back.astype(np.float16), onward.astype(np.float16))


def start_trace(key: Gray) -> Trace:
    """Return the trace of the key itself: every pixel is where it is."""
    return Trace(np.zeros((*key.shape, 2), np.float16), np.full(key.shape, 255, np.uint8))


def trace_frames(
    key: Gray, steps: Iterable[tuple[Gray, Link]], estimate: FlowEstimator
) -> Iterator[Trace]:
    """Yield the trace of each frame, in order away from the key. ``steps``: each frame with the
    link from the one before it, which is the key at first.
    """
    where = get_pixel_grid(*key.shape)
    visible = np.ones(key.shape, np.float32)
    for gray, link in steps:
        back, onward = link.back.astype(np.float32), link.onward.astype(np.float32)
        where = warp(where, back)
        visible = warp(visible, back) * find_consistent(back, onward) * find_inside(back)
        visible = np.asarray(visible > FORGOTTEN, np.float32)
        where = _correct(where, gray, key, estimate)
        trust = visible * _compare(gray, sample(key, where))
        away = where - get_pixel_grid(*key.shape)
        yield Trace(away.astype(np.float16), _soften(trust))


def _correct(where: Flow, gray: Gray, key: Gray, estimate: FlowEstimator) -> Flow:
    """Move the positions by what still differs between the frame and the key moved onto it."""
    left = estimate(gray, sample(key, where))
    return np.asarray(warp(where, left), np.float32)


def _compare(gray: Gray, moved: Gray) -> Share:
    """Return how much the key moved onto a frame looks like it."""
    away = cv2.blur(cv2.absdiff(gray, moved).astype(np.float32), (SIDE, SIDE))
    over = np.maximum(away - ALIKE, 0) / DIFFERENCE
    return np.asarray(np.exp(-np.square(over)), np.float32)


def _soften(trust: Share) -> npt.NDArray[np.uint8]:
    """Take a pixel from the edge of what is trusted, and blur it: no seam, and no fringe."""
    inner = cv2.erode(trust, np.ones((3, 3), np.uint8))
    return np.asarray(np.rint(cv2.GaussianBlur(inner, (0, 0), 1.0) * 255), np.uint8)
