"""Frames that somebody painted over by hand, and how they are carried through their shots.

Between two of them each frame is a mix of both, moved along the optical flow; where neither can be
followed, the engine's painting shows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time, parse_time
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError
from vst.imaging.flow_chain import Trace, link_frames, start_trace, trace_frames
from vst.imaging.optical_flow import (
    FlowEstimator,
    FlowSettings,
    Gray,
    get_pixel_grid,
    sample,
)
from vst.imaging.resize import resize
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source
from vst.video.sources.picture import read_picture

FLOW = FlowSettings(limit=160, finest=1, stride=4, descents=6, refinements=2)
REACH = 150
"""Frames that a painting is carried to each side, at most: it bounds the memory (about 250 MB)."""
ASPECT_TOLERANCE = 0.02
"""Difference of the aspects of a painting and its frame that is still taken as a rounded size."""
SLACK = 1e-6
"""Seconds: closer times count as equal."""


@dataclass(frozen=True)
class PaintedKey:
    """A picture that was painted over the frame at ``time`` (seconds)."""

    time: float
    path: str


def parse_painted(given: Sequence[str]) -> list[PaintedKey]:
    """Parse "TIME=PICTURE" texts; returns the keys in the order of time. Raises `UsageError`."""
    keys = []
    for text in given:
        time, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(
                f"painted {text!r} is not TIME=PICTURE. Give the frame's time and the picture that "
                "was painted over it: 2.0=frame_a.png"
            )
        keys.append(PaintedKey(parse_time(time), path))
    keys.sort(key=lambda key: key.time)
    for one, other in pairwise(keys):
        if other.time - one.time < 1e-3:
            raise UsageError(
                f"painted: {one.path!r} and {other.path!r} have the same time, "
                f"{format_time(one.time)}. Give each frame one painting"
            )
    return keys


@dataclass(frozen=True)
class Span:
    """A part of the content, in seconds, with the keys at its ends that are carried into it."""

    first: float
    last: float
    left: PaintedKey | None = None
    right: PaintedKey | None = None


def plan_spans(keys: Sequence[PaintedKey], duration: float, reach: float) -> list[Span]:
    """Return the parts of the content that keys are carried into, ``reach`` seconds at most."""
    spans = [Span(max(0.0, keys[0].time - reach), keys[0].time, right=keys[0])]
    for left, right in pairwise(keys):
        if right.time - left.time <= 2 * reach:
            spans.append(Span(left.time, right.time, left, right))
        else:
            spans.append(Span(left.time, left.time + reach, left=left))
            spans.append(Span(right.time - reach, right.time, right=right))
    spans.append(Span(keys[-1].time, min(duration, keys[-1].time + reach), left=keys[-1]))
    return spans


@dataclass
class SpanTraces:
    """The frames of a span: their times, and where each lies in the left and in the right key."""

    span: Span
    times: list[float]
    left: list[Trace] = field(default_factory=list)
    right: list[Trace] = field(default_factory=list)
    """Of the last frames: the right key is followed back to a cut at most."""

    def find(self, time: float) -> tuple[int, Trace | None, Trace | None]:
        """Return the frame shown at ``time`` and its traces, where it has them."""
        index = max(0, bisect_right(self.times, time + SLACK) - 1)
        left = self.left[index] if index < len(self.left) else None
        place = index - (len(self.times) - len(self.right))
        return index, left, self.right[place] if place >= 0 else None


class PaintedKeys:
    """The painted frames of a content; `cover` lays them over the engine's paintings.

    It reads the content a second time, one span at a time, and its result depends on the frame's
    time alone: chunks may be painted in any order.
    """

    def __init__(
        self, content: str, info: VideoInfo, painted: Sequence[str], limits: Limits = LIMITS
    ) -> None:
        self._content, self._info, self._limits = content, info, limits
        keys = parse_painted(painted)
        for key in keys:
            if key.time >= info.duration:
                raise UsageError(
                    f"painted {key.path!r} at {format_time(key.time)} is after the end of "
                    f"{content} ({format_time(info.duration)}). Give an earlier time"
                )
        self._spans = plan_spans(keys, info.duration, REACH / float(info.rate))
        self._pictures = {key: self._read_painting(key) for key in keys}
        self._estimate = FlowEstimator(FLOW)
        self._current: SpanTraces | None = None

    def cover(self, frame: Frame, painting: Picture) -> Picture:
        """Lay the paintings that are carried to a frame over the engine's painting of it; returns
        the picture at the frame's size.
        """
        height, width = frame.picture.shape[:2]
        under = resize(painting, width, height)
        span = self._find_span(frame.time)
        if span is None:
            return under
        if self._current is None or self._current.span != span:
            self._current = self._trace(span)
        index, left, right = self._current.find(frame.time)
        if span.left is not None and index == 0:
            return self._pictures[span.left]
        if span.right is not None and index == len(self._current.times) - 1:
            return self._pictures[span.right]
        share = (frame.time - span.first) / max(SLACK, span.last - span.first)
        carried = []
        if span.left is not None and left is not None:
            weight = 1 - share if span.right is not None else 1.0
            carried.append((self._pictures[span.left], left, weight))
        if span.right is not None and right is not None:
            weight = share if span.left is not None else 1.0
            carried.append((self._pictures[span.right], right, weight))
        return mix_carried(under, carried)

    def _find_span(self, time: float) -> Span | None:
        for span in self._spans:
            if span.first - SLACK <= time <= span.last + SLACK:
                return span
        return None

    def _read_painting(self, key: PaintedKey) -> Picture:
        picture = read_picture(key.path, self._limits.pixels)
        height, width = picture.shape[:2]
        apart = (width / height) / (self._info.width / self._info.height) - 1
        if abs(apart) > ASPECT_TOLERANCE:
            raise UsageError(
                f"painted {key.path!r} has {width}x{height} pixels, the content "
                f"{self._info.width}x{self._info.height}: their shapes differ. Paint over the "
                "frame that `vst frames` writes, and keep its size"
            )
        return resize(picture, self._info.width, self._info.height)

    def _trace(self, span: Span) -> SpanTraces:
        """Follow the span's keys through its frames, up to a cut."""
        times, grays, cuts = self._read_span(span)
        found = SpanTraces(span, times)
        first_cut, last_cut = (cuts[0], cuts[-1]) if cuts else (len(grays), 0)
        links = [link_frames(one, other, self._estimate) for one, other in pairwise(grays)]
        if span.left is not None:
            onward = zip(grays[1:first_cut], links)
            found.left = [start_trace(grays[0]), *trace_frames(grays[0], onward, self._estimate)]
        if span.right is not None:
            places = range(len(grays) - 2, last_cut - 1, -1)
            back = ((grays[place], links[place].reverse()) for place in places)
            traces = [start_trace(grays[-1]), *trace_frames(grays[-1], back, self._estimate)]
            found.right = traces[::-1]
        return found

    def _read_span(self, span: Span) -> tuple[list[float], list[Gray], list[int]]:
        """Read the frames shown from the start to the end of a span: times, brightness, cuts."""
        times: list[float] = []
        grays: list[Gray] = []
        cuts: list[int] = []
        detector = CutDetector()
        for frame in self._read_shown(span):
            if detector.is_cut(frame.picture):
                cuts.append(len(times))
            times.append(frame.time)
            grays.append(self._estimate.gray(frame.picture))
        return times, grays, cuts

    def _read_shown(self, span: Span) -> Iterator[Frame]:
        """Yield the frame shown at the span's start, and those that start before its end."""
        shown: Frame | None = None
        with open_source(self._content, self._limits) as source:
            # A frame of variable rate may have been shown for a while.
            for frame in source.frames(max(0.0, span.first - 1.0)):
                if frame.time > span.last + SLACK:
                    break
                if shown is not None and frame.time > span.first + SLACK:
                    yield shown
                shown = frame
        if shown is not None:
            yield shown


def mix_carried(under: Picture, carried: Sequence[tuple[Picture, Trace, float]]) -> Picture:
    """Lay at most two paintings over ``under``, each moved by its trace and weighted, 0..1, as far
    as they are trusted.
    """
    height, width = under.shape[:2]
    mixed, weights = under, np.zeros((height, width), np.float32)
    hidden = np.ones((height, width), np.float32)
    for painting, trace, weight in carried:
        trust = cv2.resize(trace.trust, (width, height), interpolation=cv2.INTER_LINEAR)
        share = np.multiply(trust, 1 / 255, dtype=np.float32)
        hidden *= 1 - share
        # Where one of two is lost, the other counts fully, however far it is.
        share *= max(weight, 1e-3)
        # `blendLinear` divides by the sum of the weights.
        mixed = np.asarray(
            cv2.blendLinear(mixed, move_painting(painting, trace), weights, share), np.uint8
        )
        weights += share
    return np.asarray(cv2.blendLinear(under, mixed, hidden, 1 - hidden), np.uint8)


def move_painting(painting: Picture, trace: Trace) -> Picture:
    """Move a painting of the key onto the frame of a trace."""
    height, width = painting.shape[:2]
    rows, columns = trace.trust.shape
    away = trace.away.astype(np.float32) * np.array([width / columns, height / rows], np.float32)
    away = cv2.resize(away, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(sample(painting, away + get_pixel_grid(height, width), cv2.INTER_CUBIC))
