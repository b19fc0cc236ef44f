"""Optical flow between frames, warping along it, and where it can be trusted.

One implementation for stabilisers, masks, measures and training. A flow is float32, (height, width,
2), in pixels: x then y. The *backward* flow of a frame says where each of its pixels was in an
earlier frame, so that ``warp(earlier, backward)`` looks like the frame itself.

The flow is DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016): fast and
without weights. It has no check of its own, so occlusions and motion boundaries are found as by
Sundaram et al., "Dense point trajectories by GPU-accelerated large displacement optical flow"
(2010), which Ruder et al. (2016) brought to painted videos.
"""

from __future__ import annotations

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

PATCH = 8
"""Side of the patches that are compared, in pixels."""
SMALLEST = 32
"""DIS needs some pixels for its pyramid of 8 x 8 patches: thinner pictures are widened to this by
their edge.
"""


@dataclass(frozen=True)
class FlowSettings:
    """How carefully to look. ``scale``: the working size as a part of the picture's; ``limit``: its
    longest short side.

    ``finest``: the pyramid's last level (0: the working size itself, 1: half of it). ``stride``:
    pixels between 8 x 8 patches there. ``descents``: steps of gradient descent for each patch.
    ``refinements``: of the variational kind.
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
                f"flow scale {self.scale:g}; it goes from above 0 to 1 (the picture's own size)"
            )

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which a picture of this size is looked at."""
        scale = min(self.scale, self.limit / min(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


MEDIUM = FlowSettings()
"""OpenCV's preset "medium": what the measures use."""


class FlowEstimator:
    """Looks from one gray picture to another, both at the working size. Holds OpenCV's buffers, and
    no memory.
    """

    def __init__(self, settings: FlowSettings = MEDIUM) -> None:
        self.settings = settings
        self._search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setGradientDescentIterations(settings.descents)
        self._search.setVariationalRefinementIterations(settings.refinements)

    def _set_scales(self) -> None:
        """For pictures too small for their pyramid, OpenCV's object chooses other sizes and keeps
        them: without this, the second look would not be like the first.
        """
        self._search.setPatchSize(PATCH)
        self._search.setPatchStride(self.settings.stride)
        self._search.setFinestScale(self.settings.finest)

    def gray(self, picture: Picture) -> Gray:
        """The picture's brightness at the working size."""
        bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return reduced(bright, *self.settings.working_size(*bright.shape))

    def __call__(self, of: Gray, to: Gray) -> Flow:
        """Where each pixel ``of`` one picture lies in the other: ``warp(to, flow)`` looks like
        ``of``.
        """
        if of.shape != to.shape:
            raise UsageError(
                f"flow between pictures of {of.shape} and {to.shape}; give both the same size"
            )
        height, width = of.shape
        below, right = max(0, SMALLEST - height), max(0, SMALLEST - width)
        if below or right:
            of, to = (
                cv2.copyMakeBorder(x, 0, below, 0, right, cv2.BORDER_REPLICATE) for x in (of, to)
            )
        self._set_scales()
        flow = self._search.calc(of, to, None)
        return np.ascontiguousarray(flow[:height, :width], np.float32)


def reduced(bright: Gray, height: int, width: int) -> Gray:
    """The picture at a smaller size; by a whole number first, which takes a tenth of the time of
    any other reduction.
    """
    rows, columns = bright.shape
    whole = min(rows // height, columns // width)
    if whole > 1 and rows % whole == columns % whole == 0:
        size = (columns // whole, rows // whole)
        bright = np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_AREA), np.uint8)
        rows, columns = bright.shape
    if (rows, columns) != (height, width):
        # Nearer than half as large, neighbours are mixed well enough.
        near = 2 * height > rows and 2 * width > columns
        how = cv2.INTER_LINEAR if near else cv2.INTER_AREA
        bright = np.asarray(cv2.resize(bright, (width, height), interpolation=how), np.uint8)
    return bright


@lru_cache(maxsize=8)
def grid(height: int, width: int) -> Flow:
    """Each pixel's own place, x then y; not to be written to."""
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    places.setflags(write=False)
    return places


def places(flow: Flow) -> Flow:
    """Where each pixel came from: the flow added to the pixel's own place."""
    return flow + grid(*flow.shape[:2])


def sample(array: Any, where: Flow, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """The array (1 to 4 channels, uint8 or float32) at the places ``where``; beyond its edge the
    edge goes on.
    """
    return cv2.remap(array, where, None, interpolation, borderMode=cv2.BORDER_REPLICATE)


def warp(array: Any, flow: Flow, interpolation: int = cv2.INTER_LINEAR) -> Any:
    """The earlier picture as the later frame sees it: ``array`` moved along the backward ``flow``,
    same size.
    """
    return sample(array, places(flow), interpolation)


def enlarged_places(
    where: Flow, height: int, width: int, onto: float = 1.0, below: float = 0.0
) -> Flow:
    """Places of a small picture as places of a large one, (height, width, 2).

    ``onto``: how much larger still the picture is that will be sampled there; ``below``: how many
    pixels further down it lies. Pixel centres are kept: the middle of the small picture's first
    pixel is not that of the large one's.
    """
    rows, columns = where.shape[:2]
    x, y = width / columns * onto, height / rows * onto
    # Place * factor + (factor - 1) / 2, while there are few of them.
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2 + below]], np.float32)
    where = cv2.transform(where, matrix)
    if (rows, columns) != (height, width):
        where = cv2.resize(where, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(where, np.float32)


def squared(flow: Flow) -> npt.NDArray[np.float32]:
    """The squared length of each vector, (height, width)."""
    x, y = flow[..., 0], flow[..., 1]
    return np.asarray(x * x + y * y, np.float32)


def slope(flow: Flow) -> npt.NDArray[np.float32]:
    """How much the flow changes from each pixel to its right and lower neighbour: squared, summed
    over both.
    """
    steep = np.zeros(flow.shape[:2], np.float32)
    steep[:, :-1] += squared(flow[:, 1:] - flow[:, :-1])
    steep[:-1] += squared(flow[1:] - flow[:-1])
    return steep


def inside(backward: Flow) -> Mask:
    """Pixels that were within the frame before."""
    height, width = backward.shape[:2]
    x, y = np.moveaxis(places(backward), -1, 0)
    return np.asarray((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))


def agreeing(backward: Flow, forward: Flow) -> Mask:
    """Pixels that come back to themselves: |F_w + B|² <= 0.01 (|F_w|² + |B|²) + 0.5 (Sundaram et
    al., equation 5).
    """
    there = warp(forward, backward)
    limit = 0.01 * (squared(there) + squared(backward)) + 0.5
    return np.asarray(squared(there + backward) <= limit)


def unbroken(backward: Flow) -> Mask:
    """Pixels that do not lie on a motion boundary: |∇B|² <= 0.01 |B|² + 0.002 (Sundaram et al.,
    equation 6).
    """
    return np.asarray(slope(backward) <= 0.01 * squared(backward) + 0.002)


def non_occluded(backward: Flow, forward: Flow) -> Mask:
    """Pixels of the later frame that were seen in the earlier one, off motion boundaries and within
    the frame.
    """
    return agreeing(backward, forward) & unbroken(backward) & inside(backward)
