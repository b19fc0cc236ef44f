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
SMEARED = 0.3
"""A frame with less than this share of the sharpness of its shot along some direction is blurred by
motion.
"""
EVEN = 4.0
"""Standard deviation (0..255) of each channel below which a frame is blank."""
FADED = 0.7
"""A frame next to a black or blank one is part of a fade while its contrast is below this share of
that of its scene around it ...
"""
RISING = 0.97
"""... or below this share of that of the frames just ahead: the fade is still going on."""
AHEAD = 4
"""Number of frames just ahead, over which the slowest fade rises visibly."""
SAME_SCENE = 0.8
"""Correlation of the gray thumbnails of successive frames from which they show the same scene,
whatever their brightness: to the cut detector, a fast fade is a cut.
"""
LETTERED = 0.7
"""Share of the picture in one color from which the rest may be the letters of credits."""
STROKE = 0.06
"""Width of the widest stroke of a letter, as a share of the short side."""
SAME = 1.0
"""Mean difference (0..255) of two thumbnails up to which they show the same picture: encoding a
still causes less.
"""
COMPARED = 0.75
"""Share of two thumbnails, where they differ least, that is compared: a title over a picture does
not make it another one.
"""
FAULTS = ("black", "blank", "faded", "credits", "blurred")
"""What makes a frame useless as a keyframe, in the order in which it is looked for."""


@dataclass
class FrameSurvey:
    """Per-frame measurements; every list but ``samples`` has one entry for each frame kept.

    ``shots``: numbers that rise with each cut. ``thumbnails``: RGB uint8, (18, 32, 3). ``samples``:
    times and larger pictures for comparing styles.
    """

    times: list[float] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)
    black: list[bool] = field(default_factory=list)
    blank: list[bool] = field(default_factory=list)
    credits: list[bool] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    smear: list[float] = field(default_factory=list)
    thumbnails: list[Picture] = field(default_factory=list)
    samples: list[tuple[float, Picture]] = field(default_factory=list)
    end: float = 0.0

    @cached_property
    def thumbnail_stack(self) -> npt.NDArray[np.float32]:
        """All thumbnails as float32, (frames, 18, 32, 3), in 0..255."""
        return np.stack(self.thumbnails).astype(np.float32)

    @cached_property
    def blurred(self) -> list[bool]:
        """Whether each frame is much softer than the shot around it, in all directions or
        along one: a soft style is not a blur.
        """
        soft = self._is_below_usual(self.sharpness, BLURRED, FLAT)
        return [a or b for a, b in zip(soft, self._is_below_usual(self.smear, SMEARED, FLAT))]

    def _is_below_usual(self, values: list[float], share: float, least: float) -> list[bool]:
        """Return whether each value is below that share of what is usual in its shot around it."""
        shots, measured = np.array(self.shots), np.array(values)
        found = np.zeros(len(shots), bool)
        for shot in set(self.shots):
            own = np.flatnonzero(shots == shot)
            padded = np.pad(measured[own], NEIGHBORS, mode="edge")
            around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBORS + 1)
            usual = np.percentile(around, 75, axis=1)
            found[own] = (usual > least) & (measured[own] < share * usual)
        return [bool(one) for one in found]

    @cached_property
    def faded(self) -> list[bool]:
        """Whether each frame is on its way to or from a black or blank one."""
        contrast = self.thumbnail_stack.mean(3).std((1, 2))
        empty = np.array(self.black) | np.array(self.blank)
        scenes = self._number_scenes()
        found = np.zeros(len(scenes), bool)
        for way in (1, -1):
            for edge in np.flatnonzero(empty):
                for number in range(edge + way, len(scenes) if way > 0 else -1, way):
                    if empty[number] or found[number]:
                        break
                    ahead = np.arange(number, number + way * 2 * NEIGHBORS, way)
                    ahead = ahead[(ahead >= 0) & (ahead < len(scenes))]
                    ahead = ahead[scenes[ahead] == scenes[number]]
                    full, soon = contrast[ahead].max(), contrast[ahead[: AHEAD + 1]].max()
                    # A scene may be cut off while it still fades.
                    ends = len(ahead) == 1 and found[number - way]
                    if contrast[number] >= max(FADED * full, RISING * soon) and not ends:
                        break
                    found[number] = True
        return [bool(one) for one in found]

    def _number_scenes(self) -> npt.NDArray[np.int64]:
        """Return a number for each frame that rises where a frame belongs to another shot and
        shows another picture than the one before.
        """
        gray = self.thumbnail_stack.mean(3).reshape(len(self.times), -1)
        gray = gray - gray.mean(1, keepdims=True)
        gray /= np.maximum(np.linalg.norm(gray, axis=1, keepdims=True), 1e-6)
        differs = (gray[1:] * gray[:-1]).sum(1) < SAME_SCENE
        cuts = differs & (np.diff(np.array(self.shots)) != 0)
        return np.concatenate([[0], np.cumsum(cuts)])

    @cached_property
    def faultless(self) -> list[int]:
        """Indices of the frames without a fault."""
        return [n for n in range(len(self.times)) if self.describe_fault(n) is None]

    @cached_property
    def usable(self) -> list[int]:
        """Indices of the frames without a fault; where all have one, of those that are not black
        or blank; in a video of plain colors, of those that are not black.
        """
        lit = [n for n in range(len(self.times)) if not self.black[n]]
        return self.faultless or [n for n in lit if not self.blank[n]] or lit

    def describe_fault(self, number: int) -> str | None:
        """Return what is wrong with a frame, one of `FAULTS`, or None."""
        return next((kind for kind in FAULTS if getattr(self, kind)[number]), None)

    @cached_property
    def median_step(self) -> float:
        """Median difference of successive frames, as `measure_difference` returns it."""
        stack = self.thumbnail_stack
        if len(stack) < 2:
            return 0.0
        return float(np.median(_compare(stack[1:], stack[:-1])))

    def measure_difference(self, one: int, other: int) -> float:
        """Return the mean difference of two thumbnails, 0..255, where they differ least."""
        stack = self.thumbnail_stack
        return float(_compare(stack[one][None], stack[other][None])[0])

    def find_duplicate(
        self, number: int, others: list[int], step: float | None = None
    ) -> int | None:
        """Return the first of ``others`` that differs from frame ``number`` by no more than the
        median step (``step``: that of another survey).
        """
        limit = max(SAME, self.median_step if step is None else step)
        found = (n for n in others if n != number and self.measure_difference(number, n) <= limit)
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
        for kind in FAULTS:
            if counts[kind]:
                first = next(n for n in range(len(self.times)) if self.describe_fault(n) == kind)
                where = f"from {format_time(self.times[first])} on"
                name = "frames of credits" if kind == "credits" else f"{kind} frames"
                parts.append(f"{counts[kind]} {name} ({where})")
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
    for name in (
        "times", "shots", "black", "blank", "credits", "sharpness", "smear", "thumbnails"
    ):  # fmt: skip
        del getattr(found, name)[1::2]


def _record_frame(found: FrameSurvey, time: float, shot: int, dark: bool, picture: Picture) -> None:
    found.times.append(time)
    found.shots.append(shot)
    found.black.append(dark)
    found.blank.append(is_blank(picture))
    found.credits.append(is_credits(picture))
    found.sharpness.append(measure_sharpness(picture))
    found.smear.append(measure_smear(picture))
    found.thumbnails.append(
        np.asarray(cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8)
    )


def is_black(picture: Picture) -> bool:
    """Return whether the frame is black: a dark mean and no bright spot."""
    bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return bool(bright.mean() < BLACK and np.percentile(bright, 99) < 2 * BLACK)


def is_blank(picture: Picture) -> bool:
    """Return whether the frame has a single color."""
    return bool(picture.std((0, 1)).max() < EVEN)


def is_credits(picture: Picture) -> bool:
    """Return whether the frame shows letters on a single color: thin strokes and nothing else."""
    bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    ground = int(np.argmax(np.bincount(bright.ravel(), minlength=256)))
    other = (cv2.absdiff(bright, np.full_like(bright, ground)) > 24).astype(np.uint8)
    share = float(other.mean())
    if not 0.002 < share < 1 - LETTERED:
        return False
    size = max(3, round(STROKE * min(bright.shape)))
    wide = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    even = float(bright[other == 0].std())
    return bool(wide.mean() < 0.1 * share and even < EVEN)


def measure_smear(picture: Picture) -> float:
    """Return the energy of the finest detail along the direction that has least of it, relative to
    the contrast: a camera's or a hand's motion blurs one direction.
    """
    bright: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = bright[1:-1], bright[:, 1:-1]
    lines = (
        2 * rows - bright[2:] - bright[:-2],
        2 * columns - bright[:, 2:] - bright[:, :-2],
        2 * bright[1:-1, 1:-1] - bright[2:, 2:] - bright[:-2, :-2],
        2 * bright[1:-1, 1:-1] - bright[2:, :-2] - bright[:-2, 2:],
    )
    least = min(float(np.square(line).mean()) for line in lines if line.size) if bright.size else 0
    return least / (float(bright.var()) + 100)


def _compare(some: Any, others: Any) -> npt.NDArray[np.float64]:
    """Return the mean difference of each pair of thumbnails, (pairs, 18, 32, 3), over the share
    `COMPARED` of the pixels.
    """
    away = np.abs(some - others).mean(3).reshape(len(some), -1)
    kept = max(1, round(COMPARED * away.shape[1]))
    return np.asarray(np.partition(away, kept - 1, axis=1)[:, :kept].mean(1), np.float64)


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
