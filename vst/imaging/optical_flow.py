"""Optical flow between frames, warping along it, and tests of where it is reliable.

Stabilizers, masks, measures and training share this implementation. A flow is float32, (height,
width, 2), in pixels: x then y. The *backward* flow of a frame maps each of its pixels to its
position in an earlier frame, so that ``warp(earlier, backward)`` looks like the frame itself.

The method is DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016): fast and
without weights. It does not check its result, so occlusions and motion boundaries are detected as
in Sundaram et al., "Dense point trajectories by GPU-accelerated large displacement optical flow"
(2010), which Ruder et al. (2016) brought to painted videos.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError

Flow = npt.NDArray[np.float32]
"""(height, width, 2): pixels to the right and down."""
Gray = npt.NDArray[np.uint8]
"""(height, width), uint8."""
Mask = npt.NDArray[np.bool_]
"""(height, width)."""

PATCH_SIDE = 8
"""Side of the patches that DIS compares, in pixels."""
MIN_SIDE = 32
"""DIS needs a few pixels for its pyramid of 8 x 8 patches; smaller pictures are padded to this side
by repeating their edge.
"""


@dataclass(frozen=True)
class FlowSettings:
    """Precision of the estimate.

    ``scale``: the working size relative to the picture's, above 0 to 1; ``limit``: the largest
    short side of the working size, in pixels. ``finest``: the pyramid's last level (0: the working
    size itself, 1: half of it). ``stride``: pixels between 8 x 8 patches there. ``descents``: steps
    of gradient descent for each patch. ``refinements``: steps of variational refinement.
    """

    scale: float = 1.0
    limit: int = 4096
    finest: int = 1
    stride: int = 3
    descents: int = 25
    refinements: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise UsageError(
                f"flow scale {self.scale:g} is out of range. Give more than 0, at most 1 (the "
                "picture's own size)"
            )

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which the flow of a picture of this size is estimated."""
        scale = min(self.scale, self.limit / min(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


MEDIUM = FlowSettings()
"""OpenCV's preset "medium", which the measures use."""


class FlowEstimator:
    """Estimates the flow between two gray pictures of the working size.

    It keeps OpenCV's buffers, but nothing of the pictures: the result depends on the two arguments
    alone.
    """

    def __init__(self, settings: FlowSettings = MEDIUM) -> None:
        self.settings = settings
        self._search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setGradientDescentIterations(settings.descents)
        self._search.setVariationalRefinementIterations(settings.refinements)

    def _set_scales(self) -> None:
        """Set the values that OpenCV's object overwrites: for a picture too small for the pyramid
        it picks others and keeps them, and the next estimate would differ.
        """
        self._search.setPatchSize(PATCH_SIDE)
        self._search.setPatchStride(self.settings.stride)
        self._search.setFinestScale(self.settings.finest)

    def gray(self, picture: Picture) -> Gray:
        """Return the picture's brightness at the working size."""
        bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = shrink_fast(bright, *self.settings.working_size(*bright.shape))
        return np.asarray(small, np.uint8)

    def __call__(self, of: Gray, to: Gray) -> Flow:
        """Estimate where each pixel ``of`` one picture lies in the other: ``warp(to, flow)`` looks
        like ``of``.
        """
        if of.shape != to.shape:
            raise UsageError(
                f"flow between pictures of {of.shape} and {to.shape}. Give both the same size"
            )
        height, width = of.shape
        below, right = max(0, MIN_SIDE - height), max(0, MIN_SIDE - width)
        if below or right:
            of, to = (
                cv2.copyMakeBorder(x, 0, below, 0, right, cv2.BORDER_REPLICATE) for x in (of, to)
            )
        self._set_scales()
        flow = self._search.calc(of, to, None)
        return np.ascontiguousarray(flow[:height, :width], np.float32)


class RecentFlows:
    """Estimates flows and keeps the latest ones: a frame's flow to the next is needed again, one
    frame later, as that from the frame before.
    """

    def __init__(self, estimate: FlowEstimator, kept: int = 16) -> None:
        self._estimate = estimate
        self._kept: deque[tuple[Gray, Gray, Flow]] = deque(maxlen=kept)

    def __call__(self, of: Gray, to: Gray) -> Flow:
        """Return the flow as `FlowEstimator` does; the same arrays give the same flow."""
        for one, other, flow in self._kept:
            if one is of and other is to:
                return flow
        flow = self._estimate(of, to)
        self._kept.append((of, to, flow))
        return flow


def shrink_fast(picture: Any, height: int, width: int) -> Any:
    """Shrink a gray or color picture; first by an integer factor, which takes a fifth of the
    time.
    """
    rows, columns = picture.shape[:2]
    whole = min(rows // height, columns // width)
    if whole > 1 and rows % whole == columns % whole == 0:
        rows, columns = rows // whole, columns // whole
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    if (rows, columns) != (height, width):
        # Above half the size, bilinear interpolation uses every pixel.
        near = 2 * height > rows and 2 * width > columns
        how = cv2.INTER_LINEAR if near else cv2.INTER_AREA
        picture = cv2.resize(picture, (width, height), interpolation=how)
    return picture


@lru_cache(maxsize=8)
def get_pixel_grid(height: int, width: int) -> Flow:
    """Return the position of each pixel, x then y; the array is shared and read-only."""
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    grid.setflags(write=False)
    return grid


def compute_positions(flow: Flow) -> Flow:
    """Return where each pixel came from: its position plus its flow."""
    return flow + get_pixel_grid(*flow.shape[:2])


def sample(array: Any, where: Flow, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """Sample an array (1 to 4 channels, uint8 or float32) at the positions ``where``; outside of it
    the edge is repeated.
    """
    return cv2.remap(array, where, None, interpolation, borderMode=cv2.BORDER_REPLICATE)


def warp(array: Any, flow: Flow, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """Move ``array``, which belongs to the earlier frame, along the backward ``flow`` to the later
    frame; the size stays.
    """
    return sample(array, compute_positions(flow), interpolation)


def enlarge_positions(
    where: Flow, height: int, width: int, onto: float = 1.0, below: float = 0.0
) -> Flow:
    """Convert positions in a small picture to positions in a large one, (height, width, 2).

    ``onto``: how much larger again the sampled picture is; ``below``: its offset, in pixels, down.
    The conversion maps pixel centers: those of the two first pixels differ.
    """
    rows, columns = where.shape[:2]
    x, y = width / columns * onto, height / rows * onto
    # Position * factor + (factor - 1) / 2, before the resize, where there are fewer.
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2 + below]], np.float32)
    where = cv2.transform(where, matrix)
    if (rows, columns) != (height, width):
        where = cv2.resize(where, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(where, np.float32)


def compute_squared_length(flow: Flow) -> npt.NDArray[np.float32]:
    """Return the squared length of each vector, (height, width)."""
    x, y = flow[..., 0], flow[..., 1]
    return np.asarray(x * x + y * y, np.float32)


def compute_slope(flow: Flow) -> npt.NDArray[np.float32]:
    """Return the squared difference of each vector to its right and lower neighbors, summed."""
    steep = np.zeros(flow.shape[:2], np.float32)
    steep[:, :-1] += compute_squared_length(flow[:, 1:] - flow[:, :-1])
    steep[:-1] += compute_squared_length(flow[1:] - flow[:-1])
    return steep


def find_inside(backward: Flow) -> Mask:
    """Find the pixels whose earlier position is inside the frame."""
    height, width = backward.shape[:2]
    x, y = np.moveaxis(compute_positions(backward), -1, 0)
    return np.asarray((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))


def find_consistent(backward: Flow, forward: Flow) -> Mask:
    """Find the pixels that forward and backward flow bring back to their position: |F_w + B|² <=
    0.01 (|F_w|² + |B|²) + 0.5 (Sundaram et al., equation 5).
    """
    there = warp(forward, backward)
    limit = 0.01 * (compute_squared_length(there) + compute_squared_length(backward)) + 0.5
    return np.asarray(compute_squared_length(there + backward) <= limit)


def find_unbroken(backward: Flow) -> Mask:
    """Find the pixels off motion boundaries: |∇B|² <= 0.01 |B|² + 0.002 (Sundaram et al., equation
    6).
    """
    return np.asarray(compute_slope(backward) <= 0.01 * compute_squared_length(backward) + 0.002)


def find_non_occluded(backward: Flow, forward: Flow) -> Mask:
    """Find the pixels of the later frame that are visible in the earlier one: consistent, off
    motion boundaries, and inside the frame.
    """
    return find_consistent(backward, forward) & find_unbroken(backward) & find_inside(backward)
