"""Change the speed of a content (`retime_frames`) and plan its sound (`plan_sound`)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from vst.core.registry import make_unknown_error
from vst.core.types import Frame, Picture
from vst.errors import UsageError
from vst.imaging.optical_flow import (
    MEDIUM,
    FlowEstimator,
    compute_positions,
    enlarge_positions,
    sample,
)

SLOWEST, FASTEST = Fraction(1, 16), Fraction(64)
"""Lowest and highest supported speed."""
AUDIBLE = (0.25, 4.0)
"""Lowest and highest speed at which stretched sound is still intelligible."""
TEMPO = (0.5, 2.0)
"""The range of one ``atempo`` filter that every version of FFmpeg supports."""

BETWEEN = {
    "flow": "interpolate along the optical flow",
    "repeat": "repeat the last frame",
}
"""How slow motion fills the time between two frames."""


@dataclass(frozen=True)
class SoundPlan:
    """What happens to the sound: ``tempos`` of a chain of FFmpeg's ``atempo`` filters, or it is
    dropped. ``note``: one line for the user, empty if the sound stays as it is.
    """

    tempos: tuple[float, ...] = ()
    dropped: bool = False
    note: str = ""

    @property
    def filter(self) -> str | None:
        """The chain for FFmpeg's ``-af``; None where the sound stays or is dropped."""
        return ",".join(f"atempo={tempo:.10g}" for tempo in self.tempos) or None


def check_speed(speed: float | Fraction) -> Fraction:
    """Return the speed (1 as filmed, 0.5 slow motion, 8 time-lapse) as a fraction; raise
    `UsageError` outside `SLOWEST` to `FASTEST`.
    """
    finite = isinstance(speed, Fraction) or math.isfinite(speed)
    exact = Fraction(speed).limit_denominator(10_000) if finite else Fraction(0)
    if not SLOWEST <= exact <= FASTEST:
        raise UsageError(
            f"speed {float(speed):g} is out of range. Give {float(SLOWEST):g} (slow motion) "
            f"to {float(FASTEST):g} (time-lapse); 1 is as filmed"
        )
    return exact


def plan_sound(speed: float | Fraction, sound: str = "auto") -> SoundPlan:
    """Decide what happens to the sound at ``speed``: stretched at the same pitch, or dropped.

    ``sound``: "stretched", "dropped", or "auto", which drops sound outside `AUDIBLE`.
    """
    exact = check_speed(speed)
    ways = ("auto", "stretched", "dropped")
    if sound not in ways:
        raise make_unknown_error("sound", sound, ways)
    if exact == 1 and sound != "dropped":
        return SoundPlan()
    inaudible = not AUDIBLE[0] <= exact <= AUDIBLE[1]
    if sound == "dropped" or (sound == "auto" and inaudible):
        why = f" (it is unintelligible outside {AUDIBLE[0]:g} to {AUDIBLE[1]:g})"
        note = f"the sound is dropped at speed {float(exact):g}"
        return SoundPlan(dropped=True, note=note + (why if sound == "auto" else ""))
    low, high = TEMPO
    steps = max(
        1, math.ceil(abs(math.log(exact)) / math.log(high if exact > 1 else 1 / low) - 1e-9)
    )
    tempos = (float(exact) ** (1 / steps),) * steps
    return SoundPlan(tempos, note=f"the sound is stretched to speed {float(exact):g}")


def scale_duration(seconds: float, speed: float | Fraction) -> float:
    """Return how long a span of the content lasts at ``speed``, in seconds."""
    return seconds / float(check_speed(speed))


def retime_frames(
    frames: Iterable[Frame],
    speed: float | Fraction,
    rate: Fraction,
    *,
    between: str = "flow",
) -> Iterator[Frame]:
    """Yield frames at a constant ``rate`` that show ``frames`` at ``speed``; the first keeps its
    time.

    Faster speeds drop frames; slower ones interpolate by the method ``between`` (a name in
    `BETWEEN`), except across cuts, where the last frame repeats. Buffers at most two frames. The
    number of frames is seconds * rate / speed, rounded.
    """
    exact = check_speed(speed)
    if between not in BETWEEN:
        raise make_unknown_error("interpolation", between, BETWEEN)
    step = exact / rate  # seconds of the content from one output frame to the next
    mover = FrameInterpolator() if between == "flow" and exact < 1 else None
    before: Frame | None = None
    start, span, count = 0.0, float(1 / rate), 0
    for frame in frames:
        if before is None:
            start = frame.time
        else:
            span = frame.time - before.time
            while (at := start + float(count * step)) < frame.time - span * 1e-3:
                part = max(0.0, (at - before.time) / span)
                picture = mover(before.picture, frame.picture, part) if mover else before.picture
                at = start + float(Fraction(count) / rate)
                yield Frame(count, at, picture, before.alpha)
                count += 1
        before = frame
    if before is None:
        return
    while count == 0 or start + float((count + Fraction(1, 2)) * step) < before.time + span:
        yield Frame(count, start + float(Fraction(count) / rate), before.picture, before.alpha)
        count += 1


class FrameInterpolator:
    """Interpolates between two pictures: warps both along the flow and mixes them."""

    TORN = 40.0
    """Mean difference (0..255) of the two warped pictures above which they are of two shots."""

    def __init__(self) -> None:
        self._estimate_flow = FlowEstimator(MEDIUM)
        self._pair: tuple[Picture, Picture] | None = None
        self._flows: tuple[Any, Any] = (None, None)

    def __call__(self, first: Picture, second: Picture, part: float) -> Picture:
        """Interpolate; ``part`` 0 is the first picture, 1 the second."""
        if part < 0.02 or first.shape != second.shape:
            return first
        if self._pair is None or self._pair[0] is not first or self._pair[1] is not second:
            grays = [self._estimate_flow.gray(picture) for picture in (first, second)]
            self._flows = (
                self._estimate_flow(grays[0], grays[1]),
                self._estimate_flow(grays[1], grays[0]),
            )
            self._pair = (first, second)
        height, width = first.shape[:2]
        forward, backward = self._flows
        # A pixel between them has nearly the flow of the same position in either picture.
        there = enlarge_positions(compute_positions(-part * forward), height, width)
        back = enlarge_positions(compute_positions(-(1 - part) * backward), height, width)
        moved = sample(first, there), sample(second, back)
        if float(cv2.absdiff(*moved).mean()) > self.TORN:
            return first
        return np.asarray(cv2.addWeighted(moved[0], 1 - part, moved[1], part, 0), np.uint8)
