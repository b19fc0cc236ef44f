"""One pass over a film at a small size: what each frame looks like, to which scene it belongs, and
whether it is worth a keyframe.
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
from vst.keyframes.base import Film
from vst.video.scene_cuts import CutDetector

SMALL = 144
"""Short side, in pixels, at which frames are looked at: a blur that shows in a keyframe shows here.
"""
PRINT = (32, 18)
"""Width and height of the picture that is kept of each frame."""
MOST_FRAMES = 12_000
"""Frames kept at most (20 MB); of a longer film every second one, then every fourth ..."""
MOST_STILLS = 96
"""Pictures kept at most to be compared as styles (about 10 MB)."""
FIRST_GAP = 4
"""Frames between two such pictures, to begin with."""

BLACK = 22.0
"""Brightness (0..255) below which a frame's mean, and 99 of 100 of its pixels twice over, is black.
"""
BLURRED = 0.25
"""A frame with less than this part of the sharpness that its scene has around it is blurred."""
NEIGHBOURS = 24
"""Frames before and after that tell how sharp a scene is: a camera that moves from a leaf to the
sky makes a scene softer, and no frame blurred.
"""
FLAT = 0.002
"""Sharpness of a scene below which it has nothing that could be blurred."""
SAME = 1.0
"""Mean difference (0..255) of two small frames up to which they are one picture: what an encoder
makes of a still differs by less.
"""

Still = tuple[int, Picture]
"""The number of a frame in the survey, and its small picture."""


@dataclass
class Survey:
    """What is known of a film's frames; every list has one entry for each frame that was kept.

    ``prints``: RGB float32, (18, 32, 3) in 0..255. ``scenes``: numbers that rise with each cut.
    """

    times: list[float] = field(default_factory=list)
    scenes: list[int] = field(default_factory=list)
    black: list[bool] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    small: list[Picture] = field(default_factory=list)
    stills: list[tuple[float, Picture]] = field(default_factory=list)
    end: float = 0.0

    @cached_property
    def prints(self) -> npt.NDArray[np.float32]:
        """All small frames, (frames, 18, 32, 3)."""
        return np.stack(self.small).astype(np.float32)

    @cached_property
    def blurred(self) -> list[bool]:
        """Which frames are much softer than their own scene is around them: a soft style is no
        blur.
        """
        scenes, sharp = np.array(self.scenes), np.array(self.sharpness)
        found = np.zeros(len(scenes), bool)
        for scene in set(self.scenes):
            own = np.flatnonzero(scenes == scene)
            padded = np.pad(sharp[own], NEIGHBOURS, mode="edge")
            around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
            usual = np.percentile(around, 75, axis=1)
            found[own] = (usual > FLAT) & (sharp[own] < BLURRED * usual)
        return [bool(one) for one in found]

    @cached_property
    def good(self) -> list[int]:
        """Numbers of the frames that are neither black nor blurred."""
        return [n for n in range(len(self.times)) if not self.black[n] and not self.blurred[n]]

    def fault(self, number: int) -> str | None:
        """What is wrong with a frame in itself, in a word."""
        return "black" if self.black[number] else "blurred" if self.blurred[number] else None

    def difference(self, one: int, other: int) -> float:
        """How far two frames differ: mean over their small pictures, 0..255."""
        return float(np.abs(self.prints[one] - self.prints[other]).mean())

    def same(self, number: int, others: list[int]) -> int | None:
        """The first of ``others`` that shows the same picture as frame ``number``, if one does."""
        found = (n for n in others if n != number and self.difference(number, n) <= SAME)
        return next(found, None)

    def shown_at(self, time: float) -> int:
        """The number of the frame that is on the screen at ``time`` seconds."""
        return max(0, int(np.searchsorted(self.times, time + 1e-6, "right")) - 1)

    def groups(self) -> list[list[int]]:
        """The good frames of each scene that has some, in order."""
        found: dict[int, list[int]] = {}
        for number in self.good:
            found.setdefault(self.scenes[number], []).append(number)
        return list(found.values())

    def notes(self, duplicates: int = 0) -> list[str]:
        """One line on what was passed over, or none."""
        counts = Counter(fault for n in range(len(self.times)) if (fault := self.fault(n)))
        parts = []
        for kind in ("black", "blurred"):
            if counts[kind]:
                first = next(n for n in range(len(self.times)) if self.fault(n) == kind)
                where = f"from {format_time(self.times[first])} on"
                parts.append(f"{counts[kind]} {kind} frames ({where})")
        if duplicates:
            parts.append(f"{duplicates} that look the same as another")
        return ["passed over: " + ", ".join(parts)] if parts else []


def survey(
    film: Film, start: float = 0.0, end: float | None = None, stills: bool = False
) -> Survey:
    """Look at every frame from ``start`` to ``end`` seconds once; ``stills``: keep pictures to be
    compared as styles, too.
    """
    found = Survey(end=end if end is not None else film.info.duration)
    cuts, gap, step, scene, since = CutDetector(), FIRST_GAP, 1, 0, 0
    was_black = False
    for frame in film.frames(start, end):
        picture = shrunk(frame.picture)
        dark = is_black(picture)
        # What lies behind a run of black is another scene, too: a fade is no cut to the detector.
        if cuts.is_cut(picture) or (was_black and not dark):
            scene, since = scene + 1, 0
        was_black = dark
        if stills and not dark and (since % gap == 2 or since == 0):
            found.stills.append((frame.time, picture))
            if len(found.stills) > MOST_STILLS:
                found.stills, gap = found.stills[::2], gap * 2
        since += 1
        if frame.index % step == 0:
            _keep(found, frame.time, scene, dark, picture)
            if len(found.times) > MOST_FRAMES:
                step *= 2
                for kept in (found.times, found.scenes, found.black, found.sharpness, found.small):
                    del kept[1::2]  # type: ignore[attr-defined]
    if not found.times:
        raise MediaError(f"{film.info.path} has no frame that can be read; give another video")
    return found


def _keep(found: Survey, time: float, scene: int, dark: bool, picture: Picture) -> None:
    found.times.append(time)
    found.scenes.append(scene)
    found.black.append(dark)
    found.sharpness.append(sharpness(picture))
    found.small.append(
        np.asarray(cv2.resize(picture, PRINT, interpolation=cv2.INTER_AREA), np.uint8)
    )


def shrunk(picture: Picture) -> Picture:
    """The picture with a short side of `SMALL` pixels, or as it is where that is no larger."""
    height, width = picture.shape[:2]
    scale = SMALL / min(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def is_black(picture: Picture) -> bool:
    """Whether there is nothing to see: a dark mean, and no light in it."""
    bright = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return bool(bright.mean() < BLACK and np.percentile(bright, 99) < 2 * BLACK)


def sharpness(picture: Picture) -> float:
    """Energy of the finest detail relative to the contrast, which a darker picture of the same
    thing keeps.
    """
    bright: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(bright, cv2.CV_32F).var() / (bright.var() + 100))


def spread_over(numbers: list[int], parts: int) -> list[list[int]]:
    """The numbers cut into ``parts`` runs of even length; none is empty."""
    return [
        list(map(int, run)) for run in np.array_split(numbers, max(1, min(parts, len(numbers))))
    ]
