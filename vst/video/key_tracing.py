"""Follow frames that somebody worked on by hand, the keys, through the frames between them.

The content is read a second time, one span between two keys at a time, and the result depends on a
frame's time alone: chunks may ask in any order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from vst.core.limits import LIMITS, Limits
from vst.core.types import Frame, VideoInfo
from vst.imaging.flow_chain import Trace, link_frames, start_trace, trace_frames
from vst.imaging.optical_flow import FlowEstimator, FlowSettings, Gray
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source

SLACK = 1e-6
"""Seconds: closer times count as equal."""


class Timed(Protocol):
    """A key: something that belongs to the frame at ``time`` (seconds)."""

    @property
    def time(self) -> float: ...


Key = TypeVar("Key", bound=Timed)


@dataclass(frozen=True)
class Span(Generic[Key]):
    """A part of the content, in seconds, with the keys at its ends that are carried into it."""

    first: float
    last: float
    left: Key | None = None
    right: Key | None = None


def plan_spans(keys: Sequence[Key], duration: float, reach: float) -> list[Span[Key]]:
    """Return the parts of the content that keys, in the order of time, are carried into, ``reach``
    seconds at most.
    """
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
class SpanTraces(Generic[Key]):
    """The frames of a span: their times, and where each lies in the left and in the right key."""

    span: Span[Key]
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


@dataclass(frozen=True)
class Carried(Generic[Key]):
    """A key that is carried to a frame, by its trace; ``weight``, 0..1: how near it is, compared
    with the key on the other side.
    """

    key: Key
    trace: Trace
    weight: float


class KeyTracer(Generic[Key]):
    """Finds the keys that are carried to a frame of the content, up to ``reach`` frames and to a
    cut; that bounds the memory too.
    """

    def __init__(
        self,
        content: str,
        info: VideoInfo,
        keys: Sequence[Key],
        *,
        flow: FlowSettings,
        reach: int,
        limits: Limits = LIMITS,
    ) -> None:
        self._content, self._limits = content, limits
        self._spans = plan_spans(keys, info.duration, reach / float(info.rate))
        self._estimate = FlowEstimator(flow)
        self._current: SpanTraces[Key] | None = None

    def find(self, time: float) -> Key | list[Carried[Key]]:
        """Return the key that belongs to the frame shown at ``time``, or the keys, two at most,
        that are carried to it.
        """
        span = self._find_span(time)
        if span is None:
            return []
        if self._current is None or self._current.span != span:
            self._current = self._trace(span)
        index, left, right = self._current.find(time)
        if span.left is not None and index == 0:
            return span.left
        if span.right is not None and index == len(self._current.times) - 1:
            return span.right
        share = (time - span.first) / max(SLACK, span.last - span.first)
        found = []
        if span.left is not None and left is not None:
            found.append(Carried(span.left, left, 1 - share if span.right is not None else 1.0))
        if span.right is not None and right is not None:
            found.append(Carried(span.right, right, share if span.left is not None else 1.0))
        return found

    def _find_span(self, time: float) -> Span[Key] | None:
        for span in self._spans:
            if span.first - SLACK <= time <= span.last + SLACK:
                return span
        return None

    def _trace(self, span: Span[Key]) -> SpanTraces[Key]:
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

    def _read_span(self, span: Span[Key]) -> tuple[list[float], list[Gray], list[int]]:
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

    def _read_shown(self, span: Span[Key]) -> Iterator[Frame]:
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
