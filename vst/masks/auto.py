"""``auto``: the foreground is what a rectangle encloses, or what moves against the background.

GrabCut (Rother et al., "GrabCut", 2004) finds its outline; the optical flow follows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.timecode import format_time
from vst.core.types import Frame, Picture
from vst.errors import UsageError
from vst.imaging.optical_flow import (
    MEDIUM,
    FlowEstimator,
    Gray,
    compute_squared_length,
    find_consistent,
    warp,
)
from vst.imaging.resize import shrink_short_side
from vst.masks.base import Alpha, Mask
from vst.masks.motion import classify_motion, compute_affine_flow, estimate_background_motion
from vst.video.scene_cuts import CutDetector

WORKING = 288
"""Short side, in pixels, at which the foreground is segmented."""
LOOKAHEAD = 6
"""Frames after the first within which a foreground must move to be detected."""
MOVED = 1.5
"""Pixels that it must move against the background in that time."""
LEAST, MOST = 0.004, 0.7
"""Smallest and largest share of the picture that a foreground may cover."""
UNSURE = 0.022
"""Half the width of the band along the outline that each frame segments again, as a share of the
short side.
"""
MARGIN = 0.12
"""Width of the background around the foreground that GrabCut sees, as a share of the short side."""
REMEMBERED = 0.55
"""Weight of the previous outline, warped along the flow, where the flow is consistent."""

SoftMask = npt.NDArray[np.float32]
"""(height, width), 0..1, at the working size."""
Rectangle = tuple[float, float, float, float]
"""Left, top, width and height, each 0..1 of the picture."""


FOREGROUND_MARKS = (cv2.GC_FGD, cv2.GC_PR_FGD)
"""GrabCut's labels of foreground pixels."""


@dataclass(frozen=True)
class WorkingFrame:
    """A frame at the working size."""

    picture: Picture
    gray: Gray


class AutoMask(Mask):
    """Segments the foreground; buffers `LOOKAHEAD` frames until it has found it, then one.

    ``rectangle``: encloses the foreground at the start of each shot; None: the foreground is what
    moves. A frame without a known foreground gets an empty mask.
    """

    def __init__(self, rectangle: Sequence[float] | None = None) -> None:
        super().__init__()
        self.rectangle = None if rectangle is None else check_rectangle(rectangle)
        self._estimate_flow = FlowEstimator(MEDIUM)
        self._share: SoftMask | None = None
        self._before: WorkingFrame | None = None
        self._working: dict[int, WorkingFrame] = {}
        self._missing_since: float | None = None

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        self._drop_state()
        self._working.clear()
        cuts = CutDetector()
        waiting: deque[Frame] = deque()
        for frame in frames:
            if cuts.is_cut(frame.picture):
                yield from self._drain(waiting, 0)
                self._drop_state()
            waiting.append(frame)
            yield from self._drain(waiting, 1 if self._share is not None else LOOKAHEAD)
        yield from self._drain(waiting, 0)
        self._drop_state()
        self._warn_of_missing()

    def _drop_state(self) -> None:
        self._share = self._before = None

    def _drain(self, waiting: deque[Frame], keep: int) -> Iterator[tuple[Frame, Alpha]]:
        """Yield all waiting frames but ``keep``; once a foreground is known, all but one."""
        while len(waiting) > keep or (len(waiting) > 1 and self._share is not None):
            first = waiting[0]
            here = self._to_working(first)
            later = [self._to_working(frame) for frame in islice(waiting, 1, LOOKAHEAD + 1)]
            if self._share is not None and self._before is not None:
                ahead = later[0] if later else None
                self._share = self._track(self._share, here, self._before, ahead)
            if self._share is None:
                self._detect(here, later)
                self._record_missing(first.time)
            self._before = here
            self._working.pop(first.index, None)
            waiting.popleft()
            yield first, self._alpha(first.picture)

    def _to_working(self, frame: Frame) -> WorkingFrame:
        """Return the frame at the working size; computed once while the frame waits."""
        if frame.index not in self._working:
            small = shrink_short_side(frame.picture, WORKING)
            self._working[frame.index] = WorkingFrame(small, self._estimate_flow.gray(small))
        return self._working[frame.index]

    def _detect(self, here: WorkingFrame, later: list[WorkingFrame]) -> None:
        """Detect the foreground in the frame ``here``, with the frames that follow it."""
        later = [one for one in later if one.gray.shape == here.gray.shape]
        marks = self._mark_rectangle(here.picture)
        if marks is None:
            marks = mark_by_motion(self._estimate_flow, here.gray, [one.gray for one in later])
        if marks is None:
            return
        others = [(one.picture, self._estimate_flow(here.gray, one.gray)) for one in later[:4]]
        possible = marks != cv2.GC_BGD
        background, moving = classify_motion(here.picture, others, np.isin(marks, FOREGROUND_MARKS))
        marks[background & possible] = cv2.GC_BGD
        marks[(marks == cv2.GC_FGD) & ~moving] = cv2.GC_PR_FGD
        marks[cv2.erode(moving.astype(np.uint8), make_disc(2)) > 0] = cv2.GC_FGD
        cut = run_grabcut(here.picture, marks, rounds=5)
        if LEAST <= cut.mean() <= MOST:
            self._share = self._refine_first(soften(cut), [here, *later])

    def _refine_first(self, share: SoftMask, seen: list[WorkingFrame]) -> SoftMask | None:
        """Refine the first outline by tracking it through ``seen`` and back.

        What the foreground uncovers on its way turns out to be background.
        """
        way = [*range(len(seen)), *range(len(seen) - 2, -1, -1)]
        found: SoftMask | None = share
        for before, here in pairwise(way):
            after = 2 * here - before
            if found is not None:
                ahead = seen[after] if 0 <= after < len(seen) else None
                found = self._track(found, seen[here], seen[before], ahead)
        return found

    def _mark_rectangle(self, picture: Picture) -> Any:
        if self.rectangle is None:
            return None
        height, width = picture.shape[:2]
        x, y, wide, high = self.rectangle
        left, top = round(x * width), round(y * height)
        marks = np.full((height, width), cv2.GC_BGD, np.uint8)
        marks[top : round((y + high) * height), left : round((x + wide) * width)] = cv2.GC_PR_FGD
        return marks

    def _track(
        self, share: SoftMask, here: WorkingFrame, before: WorkingFrame, after: WorkingFrame | None
    ) -> SoftMask | None:
        """Warp the outline of ``before`` along the flow and segment a band around it again.

        Returns None where the foreground is lost.
        """
        if here.gray.shape != before.gray.shape:
            return None
        backward, forward = (
            self._estimate_flow(here.gray, before.gray),
            self._estimate_flow(before.gray, here.gray),
        )
        came: SoftMask = warp(share, backward)
        others = [(before.picture, backward)]
        if after is not None and after.gray.shape == here.gray.shape:
            others.append((after.picture, self._estimate_flow(here.gray, after.gray)))
        background, moving = classify_motion(here.picture, others, came > 0.5)
        cut = run_grabcut(here.picture, mark_outline(came, background, moving), rounds=2)
        size, now = float(came.mean()), float(cut.mean())
        if now < LEAST / 2 or now > MOST or not size / 2.5 < now < size * 2.5:
            return None  # it left the picture, or GrabCut failed: detect it again
        # Where forward and backward flow agree, the old outline is as good as the new one and does
        # not flicker.
        trusted = (
            cv2.blur(find_consistent(backward, forward).astype(np.float32), (3, 3)) * REMEMBERED
        )
        trusted[background | moving] *= 0.5
        return np.asarray(trusted * came + (1 - trusted) * soften(cut), np.float32)

    def _alpha(self, picture: Picture) -> Alpha:
        """Return the mask at the size of ``picture``."""
        height, width = picture.shape[:2]
        if self._share is None:
            return np.zeros((height, width), np.uint8)
        share = self._share
        if share.shape != (height, width):
            share = upsample_guided(share, picture)
        # Repeated warping has blurred the outline to more than a pixel.
        return np.asarray(((share - 0.5) * 1.6 + 0.5).clip(0, 1) * 255 + 0.5, np.uint8)

    def _record_missing(self, time: float) -> None:
        """Record since when the foreground is missing; warn once it is found."""
        if self._share is None and self._missing_since is None:
            self._missing_since = time
        elif self._share is not None:
            self._warn_of_missing(time)

    def _warn_of_missing(self, until: float | None = None) -> None:
        if self._missing_since is None:
            return
        span = f"from {format_time(self._missing_since)} " + (
            f"to {format_time(until)}" if until is not None else "to the end"
        )
        self.warnings.append(
            f"mask: no foreground was found {span}, so nothing is masked there. Give a rectangle "
            "around it, or a mask file"
        )
        self._missing_since = None


def check_rectangle(rectangle: Sequence[float]) -> Rectangle:
    """Return left, top, width and height; raise `UsageError` outside the picture (0..1)."""
    values = [float(value) for value in rectangle]
    fits = len(values) == 4 and all(0 <= value <= 1 for value in values)
    if fits:
        x, y, wide, high = values
        if wide > 0 and high > 0 and x + wide <= 1 + 1e-6 and y + high <= 1 + 1e-6:
            return x, y, wide, high
    raise UsageError(
        f"mask rectangle {', '.join(f'{value:g}' for value in values)}: it must lie within the "
        "picture. Give left, top, width and height as shares of its size: 0.3,0.1,0.4,0.8"
    )


def mark_by_motion(estimate_flow: FlowEstimator, gray: Any, later: list[Any]) -> Any:
    """Return GrabCut's labels for what moves unlike the background between ``gray`` and a later
    picture; None where nothing does.
    """
    height, width = gray.shape
    for other in reversed([one for one in later if one.shape == gray.shape]):
        flow = estimate_flow(gray, other)
        away = np.sqrt(
            compute_squared_length(
                flow - compute_affine_flow(estimate_background_motion(flow), height, width)
            )
        )
        away = cv2.medianBlur(away.clip(0, 255).astype(np.float32), 5)
        level = max(MOVED, 0.45 * float(np.percentile(away, 98)))
        moving = (away > level).astype(np.uint8)
        reach = max(1, round(0.012 * min(height, width)))
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, make_disc(reach))
        moving = keep_largest_pieces(moving)
        if LEAST <= moving.mean() <= MOST:
            marks = np.full((height, width), cv2.GC_BGD, np.uint8)
            # The flow leaks over the outline by about a patch of eight pixels.
            marks[cv2.dilate(moving, make_disc(8)) > 0] = cv2.GC_PR_BGD
            marks[moving > 0] = cv2.GC_PR_FGD
            marks[cv2.erode(moving, make_disc(6)) > 0] = cv2.GC_FGD
            return marks
    return None


def mark_outline(share: SoftMask, background: Any, moving: Any) -> Any:
    """Return GrabCut's labels for a nearly known foreground: the band along its outline is
    undecided, and so is what moves unlike its side.
    """
    reach = max(2, round(UNSURE * min(share.shape)))
    inside = (share > 0.5).astype(np.uint8)
    near = cv2.dilate(inside, make_disc(reach)) > 0
    marks = np.full(share.shape, cv2.GC_BGD, np.uint8)
    marks[near] = cv2.GC_PR_BGD
    marks[inside > 0] = cv2.GC_PR_FGD
    core = cv2.erode(inside, make_disc(reach)) > 0
    marks[core] = cv2.GC_FGD
    marks[background & near] = cv2.GC_BGD
    # Pixels that seem to move with the outline reach half a window beyond it.
    marks[(cv2.erode(moving.astype(np.uint8), make_disc(2)) > 0) & near] = cv2.GC_FGD
    return marks


def run_grabcut(picture: Picture, marks: Any, rounds: int) -> npt.NDArray[np.uint8]:
    """Run GrabCut on the labeled part and its surroundings; return 1 for the foreground, uint8
    (height, width).
    """
    height, width = marks.shape
    found = np.zeros((height, width), np.uint8)
    points = cv2.findNonZero((marks != cv2.GC_BGD).astype(np.uint8))
    if points is None:
        return found
    margin = round(MARGIN * min(height, width))
    x, y, wide, high = cv2.boundingRect(points)
    rows = slice(max(0, y - margin), min(height, y + high + margin))
    columns = slice(max(0, x - margin), min(width, x + wide + margin))
    part = np.ascontiguousarray(marks[rows, columns])
    foreground = np.isin(part, FOREGROUND_MARKS)
    if foreground.sum() < 16 or (~foreground).sum() < 16:
        # One side is too small to learn its colors: keep the labels.
        found[rows, columns] = foreground
        return found
    behind, before = (np.zeros((1, 65), np.float64) for _ in range(2))
    cv2.setRNGSeed(0)  # GrabCut starts its color clusters at random
    view = np.ascontiguousarray(picture[rows, columns])
    cv2.grabCut(view, part, None, behind, before, rounds, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(part, FOREGROUND_MARKS).astype(np.uint8)
    found[rows, columns] = keep_largest_pieces(cut)
    return found


def keep_largest_pieces(mask: Any) -> Any:
    """Keep the largest connected component of a 0/1 mask and those of at least a fifth of its
    area.
    """
    count, names, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.isin(names, np.flatnonzero(areas * 5 >= areas.max())).astype(np.uint8)


def soften(cut: npt.NDArray[np.uint8]) -> SoftMask:
    """Blur the edge of a 0/1 mask to about two pixels."""
    return np.asarray(cv2.GaussianBlur(cut.astype(np.float32), (0, 0), 0.8), np.float32)


def make_disc(radius: int) -> Any:
    """Make a round structuring element for morphology."""
    side = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def upsample_guided(share: SoftMask, picture: Picture) -> SoftMask:
    """Enlarge the mask to the picture's size and align its edge with the picture's (He & Sun, "Fast
    guided filter", 2015).
    """
    height, width = picture.shape[:2]
    guide: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    rows, columns = share.shape
    small = cv2.resize(guide, (columns, rows), interpolation=cv2.INTER_AREA)
    window = (7, 7)
    mean, mean_share = cv2.blur(small, window), cv2.blur(share, window)
    together = cv2.blur(small * share, window) - mean * mean_share
    slope = together / (cv2.blur(small * small, window) - mean * mean + 1e-3)
    offset = mean_share - slope * mean
    factors = [
        cv2.resize(cv2.blur(one, window), (width, height), interpolation=cv2.INTER_LINEAR)
        for one in (slope, offset)
    ]
    plain = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
    near = np.asarray((plain > 0.02) & (plain < 0.98))
    return np.asarray(np.where(near, factors[0] * guide + factors[1], plain), np.float32)
