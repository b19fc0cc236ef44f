"""Frames that somebody painted over by hand, and how they are carried through their shots.

Between two of them each frame is a mix of both, moved along the optical flow; where neither can be
followed, the engine's painting shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time, parse_time
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError
from vst.imaging.flow_chain import Trace
from vst.imaging.optical_flow import FlowSettings, get_pixel_grid, sample
from vst.imaging.resize import resize
from vst.video.key_tracing import KeyTracer
from vst.video.sources.picture import read_picture

FLOW = FlowSettings(limit=160, finest=1, stride=4, descents=6, refinements=2)
REACH = 150
"""Frames that a painting is carried to each side, at most: it bounds the memory (about 250 MB)."""
ASPECT_TOLERANCE = 0.02
"""Difference of the aspects of a painting and its frame that is still taken as a rounded size."""


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


class PaintedKeys:
    """The painted frames of a content; `cover` lays them over the engine's paintings.

    It reads the content a second time, one span at a time, and its result depends on the frame's
    time alone: chunks may be painted in any order.
    """

    def __init__(
        self, content: str, info: VideoInfo, painted: Sequence[str], limits: Limits = LIMITS
    ) -> None:
        self._info, self._limits = info, limits
        keys = parse_painted(painted)
        for key in keys:
            if key.time >= info.duration:
                raise UsageError(
                    f"painted {key.path!r} at {format_time(key.time)} is after the end of "
                    f"{content} ({format_time(info.duration)}). Give an earlier time"
                )
        self._pictures = {key: self._read_painting(key) for key in keys}
        self._tracer = KeyTracer(content, info, keys, flow=FLOW, reach=REACH, limits=limits)

    def cover(self, frame: Frame, painting: Picture) -> Picture:
        """Lay the paintings that are carried to a frame over the engine's painting of it; returns
        the picture at the frame's size.
        """
        height, width = frame.picture.shape[:2]
        found = self._tracer.find(frame.time)
        if isinstance(found, PaintedKey):
            return self._pictures[found]
        carried = [(self._pictures[one.key], one.trace, one.weight) for one in found]
        return mix_carried(resize(painting, width, height), carried)

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
