"""``auto``: the foreground is what a rectangle encloses, or what moves against the background.

GrabCut finds its outline; the optical flow follows it, and what moves or stands where the
background was seen before corrects it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import cv2
import numpy as np

from vst.core.types import Frame, Picture
from vst.imaging.optical_flow import (
    FlowEstimator,
    FlowSettings,
    RecentFlows,
    warp,
)
from vst.masks.background import BackgroundPlate, Part
from vst.masks.base import Alpha, Mask
from vst.masks.doubt import Doubts
from vst.masks.grabcut import (
    ColorModels,
    SoftMask,
    close_pieces,
    is_foreground,
    make_disc,
    mark_moving,
    mark_rectangle,
    run_grabcut,
    soften,
    upsample_guided,
)
from vst.masks.letterbox import Window, find_window
from vst.masks.motion import classify_motion, estimate_background_motion
from vst.masks.moving import (
    SLIGHTLY,
    Deviation,
    find_moving,
    find_still,
    measure_deviation,
)
from vst.masks.moving_people import MovingPeople
from vst.masks.outline import LEAST, MOST, Evidence, Step, WorkingFrame, cut_again
from vst.masks.rectangle import Rectangle, check_rectangle
from vst.video.scene_cuts import CutDetector

WORKING = 144
"""Short side, in pixels, at which the foreground is segmented."""
FLOW = FlowSettings(stride=4, descents=12, refinements=2)
"""A third of the time of `MEDIUM`, at the same overlap with outlines drawn by hand."""
LOOKAHEAD = 6
"""Frames after the first within which a foreground must move to be detected."""
PATIENCE = 16
"""Frames without a foreground that wait for one, to which it is tracked back."""
AHEAD = 3
"""Frames before and after, by which a known foreground is compared with the background's motion."""
KEPT = 0.985
"""Share of a pixel's evidence of motion that is left one frame later."""
LEFT = 0.8
"""The same, while most of the foreground moves without it."""
MOSTLY = 0.3
"""Share of the foreground that must move for the rest to be doubted."""


@dataclass
class FoundFrame:
    """A frame with its foreground at the working size (None: not found yet), and with the people's
    mask.
    """

    frame: Frame
    working: WorkingFrame
    share: SoftMask | None
    people: Alpha | None


class AutoMask(Mask):
    """Segments the foreground; buffers `LOOKAHEAD` + `PATIENCE` frames until it has found it, then
    `AHEAD`.

    ``rectangle``: encloses the foreground at the start of each shot; None: the foreground is what
    moves. ``people``: finds the people who move, as a whole; None: by motion alone. A frame without
    a known foreground gets an empty mask.
    """

    def __init__(
        self, rectangle: Sequence[float] | None = None, people: MovingPeople | None = None
    ) -> None:
        super().__init__()
        self.people = people
        self.rectangle = None if rectangle is None else check_rectangle(rectangle)
        self._estimator = FlowEstimator(FLOW)
        self._estimate_flow = RecentFlows(self._estimator)
        self._small: dict[int, Picture] = {}
        self._working: dict[int, WorkingFrame] = {}
        self._doubts = Doubts()
        self._drop_state()

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        self._drop_state()
        self._doubts = Doubts()
        cuts = CutDetector()
        waiting: deque[Frame] = deque()
        for frame in frames:
            small = resize_to_working(frame.picture)
            if cuts.is_cut(small):
                yield from self._drain(waiting, 0)
                yield from self._release(0)
                self._drop_state()
            waiting.append(frame)
            self._small[frame.index] = small
            yield from self._drain(waiting, LOOKAHEAD if self._share is None else AHEAD)
        yield from self._drain(waiting, 0)
        yield from self._release(0)
        self._drop_state()
        place = "a rectangle around it" if self.rectangle is None else "another rectangle"
        other = f"'person' for people, {place}"
        self.warnings += self._doubts.format_warnings(other)

    def _drop_state(self) -> None:
        """Forget the shot."""
        self._share: SoftMask | None = None
        self._colors = ColorModels()
        self._support: SoftMask | None = None
        self._past: deque[WorkingFrame] = deque(maxlen=AHEAD)
        self._found: deque[FoundFrame] = deque()
        self._window: Window | None = None
        self._size = (0, 0)
        self._plate = BackgroundPlate()
        self._moved: SoftMask | None = None
        if self.people is not None:
            self.people.start_shot()
        self._small.clear()
        self._working.clear()

    def _drain(self, waiting: deque[Frame], keep: int) -> Iterator[tuple[Frame, Alpha]]:
        """Yield all waiting frames but ``keep``; once a foreground is known, all but `AHEAD`."""
        while len(waiting) > keep or (len(waiting) > AHEAD and self._share is not None):
            first = waiting[0]
            if self._window is None:
                small = [self._small[one.index] for one in waiting]
                small = [one for one in small if one.shape == small[0].shape]
                self._window, self._size = find_window(small), small[0].shape[:2]
            here = self._to_working(first)
            later = [self._to_working(frame) for frame in islice(waiting, 1, LOOKAHEAD + 1)]
            later = [one for one in later if one.gray.shape == here.gray.shape]
            if self._past and self._past[-1].gray.shape != here.gray.shape:
                self._past.clear()
                self._share = None
            self._follow(here, later)
            people = self._find_people(first.picture, here, later)
            self._past.append(here)
            self._working.pop(first.index, None)
            self._small.pop(first.index, None)
            waiting.popleft()
            if self._share is not None:
                self._track_back(here, self._share)
            self._found.append(FoundFrame(first, here, self._share, people))
            yield from self._release(PATIENCE if self._share is None else 0)

    def _track_back(self, here: WorkingFrame, share: SoftMask | None) -> None:
        """Track a foreground that was found in ``here`` back through the frames that wait: it was
        there before it moved.
        """
        colors = deepcopy(self._colors)
        for one in reversed(self._found):
            if share is None or one.working.gray.shape != here.gray.shape:
                return
            step = Step(self._estimate_flow, one.working, here, [])
            one.share = share = cut_again(share, step, colors)
            here = one.working

    def _release(self, keep: int) -> Iterator[tuple[Frame, Alpha]]:
        """Yield all frames that have been looked at but ``keep``."""
        while len(self._found) > keep:
            one = self._found.popleft()
            alpha, share = self._enlarge(one.share, one.frame.picture), one.share
            if one.people is not None:
                alpha = np.asarray(np.maximum(alpha, one.people), np.uint8)
                share = np.asarray(resize_to_working(alpha) / np.float32(255), np.float32)
            self._doubts.record(one.frame.time, share)
            yield one.frame, alpha

    def _follow(self, here: WorkingFrame, later: list[WorkingFrame]) -> None:
        """Find the foreground in the frame ``here``: track the known one, or detect one."""
        if self._share is not None and self._past:
            self._share = self._track(self._share, here, later)
        elif self._past:
            backward = self._estimate_flow(here.gray, self._past[-1].gray)
            self._plate.move(estimate_background_motion(backward))
        if self._share is None:
            self._support = None
            self._detect(here, later)
        share = self._share if self._share is not None else np.zeros(here.gray.shape, np.float32)
        self._plate.learn(here.picture, share)

    def _to_working(self, frame: Frame) -> WorkingFrame:
        """Return the frame at the working size; computed once while the frame waits."""
        if frame.index not in self._working:
            small = self._small[frame.index]
            if self._window is not None:
                small = np.ascontiguousarray(small[self._window])
            self._working[frame.index] = WorkingFrame(small, self._estimator.gray(small))
        return self._working[frame.index]

    def _detect(self, here: WorkingFrame, later: list[WorkingFrame]) -> None:
        """Detect the foreground in the frame ``here``, with the frames that follow it."""
        marks, moving = self._mark_first(here, later)
        if marks is None:
            return
        others = [(one.picture, self._estimate_flow(here.gray, one.gray)) for one in later[:4]]
        possible = marks != cv2.GC_BGD
        background, own = classify_motion(here.picture, others, is_foreground(marks))
        marks[background & possible] = cv2.GC_BGD
        marks[(marks == cv2.GC_FGD) & ~own] = cv2.GC_PR_FGD
        marks[cv2.erode(own.astype(np.uint8), make_disc(2)) > 0] = cv2.GC_FGD
        self._colors = ColorModels()
        cut = run_grabcut(here.picture, marks, rounds=5)
        if LEAST <= cut.mean() <= MOST:
            self._support = moving
            self._share = self._refine_first(soften(cut), [here, *later])

    def _mark_first(self, here: WorkingFrame, later: list[WorkingFrame]) -> tuple[Any, Any]:
        """Return GrabCut's labels for the rectangle, or for what moves, with what moves."""
        if self.rectangle is not None:
            return mark_rectangle(
                here.picture, self._to_pixels(self.rectangle, here.picture.shape)
            ), None
        # The farthest frame shows the slowest motion; nearer ones, what soon leaves the picture.
        for other in later[::-4]:
            flow = self._estimate_flow(here.gray, other.gray)
            deviations = [measure_deviation(flow, here.gray, other.gray)]
            if self._past:
                before = self._past[0].gray
                flow = self._estimate_flow(here.gray, before)
                deviations.append(measure_deviation(flow, here.gray, before))
            moving = close_pieces(find_moving(deviations, share=0.3))
            if LEAST <= moving.mean() <= MOST:
                return mark_moving(moving), moving.astype(np.float32)
        return None, None

    def _to_pixels(self, rectangle: Rectangle, shape: tuple[int, ...]) -> Rectangle:
        """Return left, top, right and bottom of a rectangle in a picture without its letterbox."""
        x, y, wide, high = rectangle
        height, width = shape[:2]
        rows, columns = self._window or (slice(0, height), slice(0, width))
        height, width = self._size
        return (
            x * width - columns.start,
            y * height - rows.start,
            (x + wide) * width - columns.start,
            (y + high) * height - rows.start,
        )

    def _refine_first(self, share: SoftMask, seen: list[WorkingFrame]) -> SoftMask | None:
        """Refine the first outline by tracking it through ``seen`` and back.

        What the foreground uncovers on its way turns out to be background.
        """
        way = [*range(len(seen)), *range(len(seen) - 2, -1, -1)]
        found: SoftMask | None = share
        for before, here in pairwise(way):
            after = 2 * here - before
            if found is not None:
                ahead = seen[after : after + 1] if after >= 0 else []
                step = Step(self._estimate_flow, seen[here], seen[before], ahead)
                found = cut_again(found, step, self._colors)
        return found

    def _track(
        self, share: SoftMask, here: WorkingFrame, later: list[WorkingFrame]
    ) -> SoftMask | None:
        """Track the outline to the frame ``here``, corrected by what moves and by the background
        that was seen before. Returns None where the foreground is lost.
        """
        step = Step(self._estimate_flow, here, self._past[-1], later[:1])
        came = warp(share, step.backward)
        wide = cv2.dilate((came > 0.5).astype(np.uint8), make_disc(4)) > 0
        self._plate.move(estimate_background_motion(step.backward, wide))
        same = self._plate.find_same(here.picture)
        moving = still = np.zeros(came.shape, bool)
        if self.rectangle is None and self._support is not None:
            deviations = self._measure_deviations(here, later, wide)
            moving = close_pieces(find_moving(deviations) & ~same)
            moves = is_mostly(moving, came > 0.5)
            if moves:
                still = find_still(deviations[-1], here.gray)
            support = warp(self._support, step.backward) * (LEFT if moves else KEPT)
            self._support = np.maximum(support, moving).astype(np.float32)
        evidence = Evidence(same, moving, still, self._support)
        return cut_again(share, step, self._colors, evidence)

    def _find_people(
        self, picture: Picture, here: WorkingFrame, later: list[WorkingFrame]
    ) -> Alpha | None:
        """Return the mask of the people who have moved, however little; None without any."""
        if self.people is None:
            return None
        moved = np.zeros(here.gray.shape, np.float32)
        if self._moved is not None and self._past:
            backward = self._estimate_flow(here.gray, self._past[-1].gray)
            moved = warp(self._moved, backward) * KEPT
        for one in self._measure_deviations(here, later):
            moved = np.maximum(moved, find_moving([one], least=SLIGHTLY)).astype(np.float32)
        self._moved = moved
        return self.people.find(picture, self._add_bars(moved), self._add_bars(self._share))

    def _measure_deviations(
        self, here: WorkingFrame, later: list[WorkingFrame], foreground: Part | None = None
    ) -> list[Deviation]:
        """Compare the frame with the background's motion since `AHEAD` frames and in the next."""
        others = [one.gray for one in (*list(self._past)[:1], *later[AHEAD - 1 : AHEAD])]
        return [
            measure_deviation(self._estimate_flow(here.gray, other), here.gray, other, foreground)
            for other in others
        ]

    def _enlarge(self, share: SoftMask | None, picture: Picture) -> Alpha:
        """Return a mask of the working frame at the size of ``picture``."""
        if share is None:
            return np.zeros(picture.shape[:2], np.uint8)
        # Repeated warping has blurred the outline to more than a pixel.
        return upsample_guided(self._add_bars(share), picture, contrast=1.6)

    def _add_bars(self, share: SoftMask | None) -> SoftMask:
        """Return a mask of the working frame with the bars of the letterbox around it."""
        whole = np.zeros(self._size, np.float32)
        if share is not None and self._window is not None:
            whole[self._window] = share
        return whole


def is_mostly(moving: Part, inside: Part) -> bool:
    """Return whether most of a foreground moves, so that what stays is left over from it."""
    return bool((moving & inside).sum() > MOSTLY * max(1, int(inside.sum())))


def resize_to_working(picture: Picture) -> Picture:
    """Shrink the picture to a short side of `WORKING` pixels; smaller ones stay as they are."""
    height, width = picture.shape[:2]
    scale = WORKING / min(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
