"""One pass over a style video at a small size: what each frame looks like, to which shot it
belongs, and whether it is a usable keyframe.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.timecode import format_time
from vst.core.types import Picture
from vst.errors import MediaError
from vst.imaging.resize import shrink_short_side
from vst.video.scene_cuts import CutDetector
from vst.video.sources.base import FrameReader

SMALL = 144
"""Short side, in pixels, at which frames are analyzed: a blur that is visible in a keyframe is
visible here.
"""
THUMBNAIL = (32, 18)
"""Width and height of the picture kept of each frame."""
MOST_FRAMES = 12_000
"""Largest number of frames kept (20 MB); of a longer video every second, every fourth and so on."""
MOST_SAMPLES = 96
"""Largest number of pictures kept for comparing styles (about 10 MB)."""
FIRST_GAP = 4
"""Frames between two such pictures at first."""

BLACK = 22.0
"""Brightness (0..255): a frame is black if its mean is below this, and 99 % of its pixels are below
twice this.
"""
BLURRED = 0.25
"""A frame with less than this share of the sharpness of its shot around it is blurred."""
NEIGHBORS = 24
"""Frames before and after from which the sharpness of a shot is estimated: where a camera pans from
a leaf to the sky, the shot gets softer but no frame is blurred.
"""
FLAT = 0.002
"""Sharpness of a shot below which nothing in it could be blurred."""
SAME = 1.0
"""Mean difference (0..255) of two thumbnails up to which they show the same picture: encoding a
still causes less.
"""


@dataclass
class FrameSurvey:
    """Per-frame measurements; every list but ``samples`` has one entry for each frame kept.

    ``shots``: numbers that rise with each cut. ``thumbnails``: RGB uint8, (18, 32, 3). ``samples``:
    times and larger pictures for comparing styles.
    """

    times: list[float] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)
    black: list[bool] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    thumbnails: list[Picture] = field(default_factory=list)
    samples: list[tuple[float, Picture]] = field(default_factory=list)
    end: float = 0.0

    @cached_property
    def thumbnail_stack(self) -> npt.NDArray[np.float32]:
        """All thumbnails as float32, (frames, 18, 32, 3), in 0..255."""
        return np.stack(self.thumbnails).astype(np.float32)

    @cached_property
    def blurred(self) -> list[bool]:
        """Whether each frame is much softer than the shot around it: a soft style is not a blur."""
        shots, sharp = np.array(self.shots), np.array(self.sharpness)
        found = np.zeros(len(shots), bool)
        for shot in set(self.shots):
            own = np.flatnonzero(shots == shot)
            padded = np.pad(sharp[own], NEIGHBORS, mode="edge")
            around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBORS + 1)
            usual = np.percentile(around, 75, axis=1)
            found[own] = (usual > FLAT) & (sharp[own] < BLURRED * usual)
        return [bool(one) for one in found]

    @cached_property
    def usable(self) -> list[int]:
        """Indices of the frames that are neither black nor blurred."""
        return [n for n in range(len(self.times)) if not self.black[n] and not self.blurred[n]]

    def describe_fault(self, number: int) -> str | None:
        """Return what is wrong with a frame, "black" or "blurred", or None."""
        return "black" if self.black[number] else "blurred" if self.blurred[number] else None

    def measure_difference(self, one: int, other: int) -> float:
        """Return the mean difference of two thumbnails, 0..255."""
        return float(np.abs(self.thumbnail_stack[one] - self.thumbnail_stack[other]).mean())

    def find_duplicate(self, number: int, others: list[int]) -> int | None:
        """Return the first of ``others`` that shows the same picture as frame ``number``."""
        found = (n for n in others if n != number and self.measure_difference(number, n) <= SAME)
        return next(found, None)

    def find_frame_at(self, time: float) -> int:
        """Return the index of the frame on screen at ``time`` seconds."""
        return max(0, int(np.searchsorted(self.times, time + 1e-6, "right")) - 1)

    def group_by_shot(self) -> list[list[int]]:
        """Return the usable frames of each shot that has some, in order."""
        found: dict[int, list[int]] = {}
        for number in self.usable:
            found.setdefault(self.shots[number], []).append(number)
        return list(found.values())

    def format_notes(self, duplicates: int = 0) -> list[str]:
        """Return one line on the skipped frames, or none."""
        counts = Counter(fault for n in range(len(self.times)) if (fault := self.describe_fault(n)))
        parts = []
        for kind in ("black", "blurred"):
            if counts[kind]:
                first = next(n for n in range(len(self.times)) if self.describe_fault(n) == kind)
                where = f"from {format_time(self.times[first])} on"
                parts.append(f"{counts[kind]} {kind} frames ({where})")
        if duplicates:
            parts.append(f"{duplicates} that look the same as another")
        return ["skipped: " + ", ".join(parts)] if parts else []


def survey_frames(
    source: FrameReader, start: float = 0.0, end: float | None = None, with_samples: bool = False
) -> FrameSurvey:
    """Measure every frame from ``start`` to ``end`` seconds in one pass.

    ``with_samples``: also keep pictures for comparing styles. Raises `MediaError` where no frame
    can be read.
    """
    found = FrameSurvey(end=end if end is not None else source.info.duration)
    cuts, gap, step, shot, since = CutDetector(), FIRST_GAP, 1, 0, 0
    was_black = False
    for frame in source.frames(start, end):
        picture = shrink_short_side(frame.picture, SMALL)
        dark = is_black(picture)
        # A fade through black separates shots, too, but the detector does not report it.
        if cuts.is_cut(picture) or (was_black and not dark):
            shot, since = shot + 1, 0
        was_black = dark
        if with_samples and not dark and (since % gap == 2 or since == 0):
            found.samples.append((frame.time, picture))
            if len(found.samples) > MOST_SAMPLES:
                found.samples, gap = found.samples[::2], gap * 2
        since += 1
        if frame.index % step == 0:
            _record_frame(found, frame.time, shot, dark, picture)
            if len(found.times) > MOST_FRAMES:
                step *= 2
                _drop_every_second(found)
    if not found.times:
        raise MediaError(f"{source.info.path} has no readable frame. Give another video")
    return found


def _drop_every_second(found: FrameSurvey) -> None:
    for values in (found.times, found.shots, found.black, found.sharpness, found.thumbnails):
        del values[1::2]  # type: ignore[attr-defined]


def _record_frame(found: FrameSurvey, time: float, shot: int, dark: bool, picture: Picture) -> None:
    found.times.append(time)
    found.shots.append(shot)
    found.black.append(dark)
    found.sharpness.append(measure_sharpness(picture))
    found.thumbnails.append(
        np.asarray(cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8)
    )


def is_black(picture: Picture) -> bool:
    """Return whether the frame is black: a dark mean and no bright spot."""
    bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return bool(bright.mean() < BLACK and np.percentile(bright, 99) < 2 * BLACK)


def measure_sharpness(picture: Picture) -> float:
    """Return the energy of the finest detail relative to the contrast, which does not depend on the
    brightness.
    """
    bright: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(bright, cv2.CV_32F).var() / (bright.var() + 100))


def split_evenly(numbers: list[int], parts: int) -> list[list[int]]:
    """Split the numbers into ``parts`` runs of even length; none is empty."""
    return [
        list(map(int, run)) for run in np.array_split(numbers, max(1, min(parts, len(numbers))))
    ]
