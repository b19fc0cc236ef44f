"""What `steady` knows of each frame, and how paintings are brought from one frame to another.

Pictures are RGB uint8. Ways between frames are kept at the flow's working size, coarse pictures at
the painting's size over `COARSE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import (
    Flow,
    FlowEstimator,
    Gray,
    compute_squared_length,
    find_inside,
    get_pixel_grid,
    sample,
)
from vst.stabilizers.mix_change import measure_mix_change
from vst.stabilizers.steady_settings import SteadySettings

Weights = npt.NDArray[np.float32]
"""(height, width), 0..1."""

COARSE = 2
"""Coarse structure is kept at the painting's size divided by this."""
ENLARGED = 2
"""Strokes are sampled from a copy so many times as large: a bilinear sample of it is nearly as
sharp as a bicubic one, in a third of the time.
"""
MIDDLE = 128
"""Strokes are stored as uint8 around this level."""
EMPHASIS = 0.6
"""Share of the finest detail added to an anchor's strokes; sampling takes it away again."""
LITTLE = 0.0005
"""Part of the pixels that may seem to move in a picture that stands still."""
DEVIATION = 0.7
"""Of the Gaussian that takes what is left of strokes from the coarse picture, in its pixels."""
NOISE = 2.0
"""Levels of 255 that motion must explain, in a mean of 5 x 5 pixels, to count as motion."""
LARGEST_ROUND_TRIP = 0.125
"""Squared distance, in pixels of the flow's working size, by which a point that does not move may
be missed by the flow there and back.
"""
HALO = 10
"""Pixels of a painting around a change of the content in which the painting may change, too."""
THIN = 5
"""Width, in pixels of the flow's working size, of changes that have no halo: along an edge they are
errors of the flow.
"""
FLAT = 30.0
"""Levels squared: windows with less contrast than this agree with each other."""


@dataclass
class FlowPath:
    """Where each pixel of a frame lies in another one, and how far it is seen all the way there.

    ``where``: (h, w, 2) at the flow's working size; ``still``: nothing moved in between.
    """

    where: Flow
    seen: Weights
    still: bool


@dataclass
class KnownFrame:
    """One frame with all that was found of it."""

    index: int
    gray: Gray
    painted: Picture
    mix: dict[str, float]
    low: Picture
    """The painting without its strokes, at the painting's size over `COARSE`."""
    back: FlowPath | None
    """The way to the frame before; None for the first of a shot."""
    fore: FlowPath | None = None
    """The way to the frame after, once that is known."""
    behind: FlowPath | None = None
    """The way to the last anchor before this frame."""
    after: FlowPath | None = None
    """The way to the next anchor."""
    means: dict[int, Picture] = field(default_factory=dict)
    """The coarse picture after each pass."""
    strokes: Picture | None = None
    """An anchor's strokes, `ENLARGED`."""


@dataclass
class Anchor:
    """A frame whose strokes are carried to another: its share of 1, and the way there."""

    frame: KnownFrame
    share: float
    path: FlowPath


def stands_still(frame: KnownFrame, anchor: Anchor) -> bool:
    """Whether nothing has changed between a frame and its anchor, neither content nor mix."""
    return anchor.path.still and frame.mix == anchor.frame.mix


def find_paths(before: Gray, gray: Gray, estimator: FlowEstimator) -> tuple[FlowPath, FlowPath]:
    """The ways from a frame to the one before it, and from that one to the frame."""
    grid = get_pixel_grid(*gray.shape)
    stayed = cv2.blur(cv2.absdiff(gray, before), (5, 5))
    if is_more_than_little(stayed):
        back = estimator(gray, before)
        moved = cv2.blur(cv2.absdiff(gray, sample(before, grid + back)), (5, 5))
        if is_more_than_little(cv2.subtract(stayed, moved)):
            fore = invert_flow(back)
            return check_path(back, fore), check_path(fore, back)
    whole = np.ones(gray.shape, np.float32)
    return FlowPath(grid, whole, True), FlowPath(grid, whole, True)


def invert_flow(flow: Flow) -> Flow:
    """The flow the other way, by one step of a fixed point: in a fifth of a second estimate's time.
    It is a little less exact, but there and back agree, so composed paths stay together.
    """
    return np.asarray(-sample(flow, get_pixel_grid(*flow.shape[:2]) - flow), np.float32)


def is_more_than_little(change: Gray) -> bool:
    """Whether the change is above `NOISE` at more than `LITTLE` of the pixels."""
    _, above = cv2.threshold(change, NOISE, 255, cv2.THRESH_BINARY)
    return cv2.countNonZero(above) >= LITTLE * change.size


def check_path(flow: Flow, back: Flow) -> FlowPath:
    """The way along a flow; seen where the flow back leads home, within the frame."""
    where = get_pixel_grid(*flow.shape[:2]) + flow
    home = sample(back, where)
    error = compute_squared_length(flow + home)
    limit = (
        0.01 * (compute_squared_length(flow) + compute_squared_length(home)) + LARGEST_ROUND_TRIP
    )
    return FlowPath(where, ((error <= limit) & find_inside(flow)).astype(np.float32), False)


def join_paths(first: FlowPath, second: FlowPath) -> FlowPath:
    """The way along one path and on along another."""
    if first.still:
        return FlowPath(second.where, cv2.min(first.seen, second.seen), second.still)
    if second.still:
        return FlowPath(first.where, cv2.min(first.seen, second.seen), False)
    seen = cv2.min(first.seen, sample(second.seen, first.where))
    return FlowPath(sample(second.where, first.where), seen, False)


def blur_coarse(painted: Picture) -> Picture:
    """The painting without its strokes, smaller by `COARSE`."""
    height, width = painted.shape[:2]
    size = max(1, width // COARSE), max(1, height // COARSE)
    small = cv2.resize(painted, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (5, 5), DEVIATION), np.uint8)


def enlarge(low: Picture, shape: tuple[int, ...]) -> Picture:
    """A coarse picture at the painting's size."""
    return np.asarray(cv2.resize(low, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def scale_places(where: Flow, height: int, width: int, onto: int = 1) -> Flow:
    """Places at the flow's size as places at a size ``onto`` times height x width."""
    rows, columns = where.shape[:2]
    x, y = width * onto / columns, height * onto / rows
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]], np.float32)
    where = cv2.transform(where, matrix)
    if (rows, columns) != (height, width):
        where = cv2.resize(where, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(where, np.float32)


def agree_in_light(gray: Gray, other: Gray, where: Flow, tolerance: float) -> Weights:
    """1 where the other frame's brightness at ``where`` is the same, falling as a Gaussian."""
    error = cv2.blur(cv2.absdiff(gray, sample(other, where)), (3, 3))
    falling = np.exp(-((np.arange(256) / (255 * tolerance)) ** 2)).astype(np.float32)
    return np.asarray(cv2.LUT(error, falling), np.float32)


def exclude_halo(light: Weights, halo: int) -> Weights:
    """Agreement in brightness, and none within ``halo`` pixels around a change that is wider than
    `THIN`: a painter surrounds an open eye with strokes that a closed one does not have.
    """
    changed = cv2.erode(1 - light, np.ones((THIN, THIN), np.uint8))
    side = THIN + 2 * halo
    return np.asarray(cv2.min(light, 1 - cv2.dilate(changed, np.ones((side, side)))), np.float32)


def fade_mix(frame: KnownFrame, other: KnownFrame, settings: SteadySettings) -> float:
    """1 where both frames have the same mix of styles, 0 where it has changed."""
    if frame.mix == other.mix:
        return 1.0
    return max(0.0, 1 - settings.mix_change * measure_mix_change(frame.mix, other.mix))


def average_sides(
    frame: KnownFrame,
    center: Picture,
    sides: Sequence[tuple[KnownFrame, Picture, FlowPath]],
    settings: SteadySettings,
) -> Picture:
    """The mean of a coarse picture and its neighbors, moved here, where they can be trusted."""
    height, width = center.shape[:2]
    pictures, weights = [], []
    for other, low, path in sides:
        trust = path.seen * agree_in_light(frame.gray, other.gray, path.where, settings.tolerance)
        trust = cv2.blur(trust, (3, 3)) * np.float32(fade_mix(frame, other, settings))
        weights.append(cv2.resize(trust, (width, height), interpolation=cv2.INTER_LINEAR))
        if path.still:
            pictures.append(low)
        else:
            pictures.append(sample(low, scale_places(path.where, height, width), cv2.INTER_CUBIC))
    if not sides:
        return center
    whole = np.ones((height, width), np.float32)
    if len(sides) == 1:
        return np.asarray(cv2.blendLinear(pictures[0], center, weights[0], whole), np.uint8)
    both = cv2.blendLinear(pictures[0], pictures[1], weights[0], weights[1])
    return np.asarray(cv2.blendLinear(both, center, cv2.add(*weights), whole), np.uint8)


def keep_structure(
    coarse: Picture, fresh: Picture, agrees_from: float, agrees_fully: float
) -> Picture:
    """The coarse picture, and the fresh one where both differ in structure."""
    share = measure_agreement(coarse, fresh, agrees_from, agrees_fully)
    return np.asarray(cv2.blendLinear(coarse, fresh, share, 1 - share), np.uint8)


def restore_structure(steady: Picture, fresh: Picture, settings: SteadySettings) -> Picture:
    """The steady painting, and the ``fresh`` coarse picture where it differs in structure.

    Strokes that came from elsewhere bring coarse structure with them, which shows only here.
    """
    coarse = cv2.resize(steady, fresh.shape[1::-1], interpolation=cv2.INTER_AREA)
    coarse = np.asarray(coarse, np.uint8)
    kept = keep_structure(coarse, fresh, settings.restores_below, settings.restores_not)
    change = enlarge(cv2.addWeighted(kept, 1, coarse, -1, MIDDLE), steady.shape)
    return np.asarray(cv2.addWeighted(steady, 1, change, 1, -MIDDLE), np.uint8)


def measure_agreement(
    first: Picture, second: Picture, agrees_from: float, agrees_fully: float
) -> Weights:
    """How far the structure of two coarse pictures agrees, smooth, the worst place around."""
    x, y = (
        cv2.GaussianBlur(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (5, 5), 1)
        for one in (first, second)
    )
    window, kind = (9, 9), cv2.CV_32F
    mean_x, mean_y = cv2.boxFilter(x, kind, window), cv2.boxFilter(y, kind, window)
    shared = cv2.boxFilter(cv2.multiply(x, y, dtype=cv2.CV_16U), kind, window)
    shared -= mean_x * mean_y
    spreads = cv2.sqrBoxFilter(x, kind, window) + cv2.sqrBoxFilter(y, kind, window)
    spreads -= mean_x * mean_x + mean_y * mean_y
    agreement = cv2.erode((2 * shared + FLAT) / (spreads + FLAT), np.ones((3, 3), np.uint8))
    share = np.clip((agreement - agrees_from) / (agrees_fully - agrees_from), 0, 1)
    return np.asarray(cv2.blur(share, (5, 5)), np.float32)


def anchor_strokes(frame: KnownFrame) -> Picture:
    """An anchor's strokes, `ENLARGED`, their finest detail emphasized; found once."""
    if frame.strokes is None:
        painted = frame.painted
        fine = cv2.addWeighted(painted, 1, enlarge(frame.low, painted.shape), -1, MIDDLE)
        fine = cv2.cvtColor(fine, cv2.COLOR_RGB2RGBA)
        smooth = cv2.GaussianBlur(fine, (3, 3), 0.8)
        fine = cv2.addWeighted(fine, 1 + EMPHASIS, smooth, -EMPHASIS, 0)
        size = painted.shape[1] * ENLARGED, painted.shape[0] * ENLARGED
        frame.strokes = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return frame.strokes


def carry_strokes(
    frame: KnownFrame, anchor: Anchor, settings: SteadySettings
) -> tuple[Picture, Weights]:
    """An anchor's strokes brought to a frame, and how far they can be trusted, flow's size."""
    path, other = anchor.path, anchor.frame
    height, width = frame.painted.shape[:2]
    light = agree_in_light(frame.gray, other.gray, path.where, settings.tolerance)
    trust = path.seen * exclude_halo(light, round(HALO * frame.gray.shape[0] / height))
    if not path.still:
        bend = cv2.blur(path.where - get_pixel_grid(*frame.gray.shape), (5, 5))
        across, down = (
            cv2.Sobel(bend, -1, 1, 0, scale=1 / 8),
            cv2.Sobel(bend, -1, 0, 1, scale=1 / 8),
        )
        bent = np.sqrt(compute_squared_length(across) + compute_squared_length(down))
        trust = trust * np.clip(2 - bent / np.float32(settings.stretch), 0, 1)
    trust = cv2.blur(trust, (3, 3)) * np.float32(fade_mix(frame, other, settings))
    places = scale_places(path.where, height, width, ENLARGED)
    return sample(anchor_strokes(other), places), trust


def blend_strokes(
    frame: KnownFrame,
    anchors: Sequence[Anchor],
    fresh: Picture,
    settings: SteadySettings,
    pool: ThreadPoolExecutor,
) -> Picture:
    """The anchors' strokes where they can be trusted, and the fresh painting's."""
    helped = [pool.submit(carry_strokes, frame, one, settings) for one in anchors[1:]]
    found = [carry_strokes(frame, anchors[0], settings), *(one.result() for one in helped)]
    parts = [np.float32(one.share) * trust for one, (_, trust) in zip(anchors, found)]
    trust, total = found[0][1], parts[0]
    if len(found) == 2:
        trust, total = cv2.max(trust, found[1][1]), parts[0] + parts[1]
    # Hardly seen from the anchor that counts most: the other one comes in, but not all at once.
    trust = np.minimum(np.minimum(trust, 1), 4 * total)
    shares = [trust * part / (total + np.float32(1e-4)) for part in parts]
    pictures = [cv2.cvtColor(strokes, cv2.COLOR_RGBA2RGB) for strokes, _ in found]
    return mix_pictures([*pictures, fresh], [*shares, 1 - sum(shares)])


def mix_pictures(pictures: Sequence[Picture], shares: Sequence[Weights]) -> Picture:
    """A weighted sum; shares of any size that sum to 1. In steps of 1/255, by whole numbers, which
    takes half the time of fractions.
    """
    size = pictures[0].shape[1::-1]
    total: Any = None
    for picture, share in zip(pictures, shares):
        part = cv2.resize(cv2.convertScaleAbs(share, alpha=255), size)
        weighted = cv2.multiply(picture, cv2.merge([part] * 3), scale=1 / 255)
        total = weighted if total is None else cv2.add(total, weighted)
    return np.asarray(total, np.uint8)


def spread(strokes: Picture) -> float:
    """The deviation of strokes, levels; of every third pixel."""
    _, deviation = cv2.meanStdDev(np.ascontiguousarray(strokes[::3, ::3]))
    return float(np.sqrt(np.mean(deviation**2))) + 0.1
