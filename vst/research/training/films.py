"""Samples of films for training steadiness: a frame, the next, one five frames later, and the
motion between them.

The motion is known (`vst.research.training.sintel`) or estimated (`vst.imaging.optical_flow`). It
gives the position in the later frame of each pixel of the earlier one: the later frame is warped to
the earlier one and compared there.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import MissingFileError
from vst.imaging.optical_flow import Flow, FlowEstimator, Mask, find_inside, find_non_occluded
from vst.research.training.picture_data import PICTURE_SUFFIXES
from vst.research.training.sintel import KINDS, find_sintel_scenes, is_sintel
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source

LONG_TERM = 5
"""Frames between a frame and the one that the long-term loss compares it with."""
CROP_MARGIN = 1.25
"""Films are kept at this multiple of the crops' side, so that crops can vary in position."""
MAX_FRAMES = 600
"""Frames that are read of each film, at most."""
HELD_OUT_EVERY = 10
"""One of this many samples is held out for validation."""
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".m4v", ".ogv"})


class MotionScene(Protocol):
    """The frames of one shot, and their motion."""

    @property
    def name(self) -> str:
        """The name of its film and its number."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """The number of frames."""
        raise NotImplementedError

    def picture(self, index: int) -> Picture:
        """Return one frame, RGB."""
        raise NotImplementedError

    def motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        """Return the flow from frame ``index`` to ``later``, and the mask of visible pixels."""
        raise NotImplementedError


class FilmScene:
    """A shot of any video, in memory; DIS flow in both directions estimates its motion."""

    def __init__(self, name: str, frames: Sequence[Picture]):
        self.name, self.frames = name, list(frames)
        self._estimate = FlowEstimator()
        self._found = lru_cache(maxsize=64)(self._motion)

    @property
    def count(self) -> int:
        return len(self.frames)

    def picture(self, index: int) -> Picture:
        return self.frames[index]

    def motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        return self._found(index, later)

    def _motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        here, there = (self._estimate.gray(self.frames[place]) for place in (index, later))
        flow, back = self._estimate(here, there), self._estimate(there, here)
        return flow, find_non_occluded(flow, back)


@dataclass(frozen=True)
class MotionSample:
    """Three square crops at the same position, (side, side, 3) uint8, and the motion from ``now``
    to the other two: flows (side, side, 2) in pixels of the crop, masks (side, side), 1 where the
    flow is reliable. Near the end of a shot there is no frame five later: then ``far`` is ``now``
    and its mask 0.
    """

    now: Picture
    next: Picture
    far: Picture
    flow_next: Flow
    mask_next: Mask
    flow_far: Flow
    mask_far: Mask


def crop_sample(
    scene: MotionScene, index: int, side: int, rng: np.random.Generator | None = None
) -> MotionSample:
    """Crop the sample at frame ``index``, at random, or in the middle without ``rng``."""
    now = scene.picture(index)
    height, width = now.shape[:2]
    scale = side * CROP_MARGIN / min(height, width)
    scale = max(side / min(height, width), min(1.0, scale))
    size = max(side, round(width * scale)), max(side, round(height * scale))
    free = np.array([size[1] - side, size[0] - side])
    top, left = (rng.integers(0, free + 1) if rng is not None else free // 2).tolist()
    window = np.s_[top : top + side, left : left + side]
    mirrored = rng is not None and bool(rng.random() < 0.5)

    def cut(picture: Picture) -> Picture:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        part = cv2.resize(picture, size, interpolation=method)[window]
        return np.ascontiguousarray(part[:, ::-1] if mirrored else part)

    def moved(later: int) -> tuple[Flow, Mask]:
        flow, mask = resize_flow(*scene.motion(index, later), *size)
        flow, mask = flow[window], mask[window]
        if mirrored:
            flow, mask = flow[:, ::-1] * np.array([-1, 1], np.float32), mask[:, ::-1]
        return np.ascontiguousarray(flow), mask & find_inside(flow)

    flow_next, mask_next = moved(index + 1)
    if index + LONG_TERM < scene.count:
        far, (flow_far, mask_far) = scene.picture(index + LONG_TERM), moved(index + LONG_TERM)
    else:
        far, flow_far, mask_far = now, np.zeros_like(flow_next), np.zeros_like(mask_next)
    after = cut(scene.picture(index + 1))
    return MotionSample(cut(now), after, cut(far), flow_next, mask_next, flow_far, mask_far)


def resize_flow(flow: Flow, mask: Mask, width: int, height: int) -> tuple[Flow, Mask]:
    """Resize a flow and its mask; each component of the vectors scales with its side. A pixel of
    the mask is 1 where all pixels that it covers are.
    """
    rows, columns = flow.shape[:2]
    if (rows, columns) == (height, width):
        return flow, mask
    grown = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    grown *= np.array([width / columns, height / rows], np.float32)
    method = cv2.INTER_AREA if width < columns else cv2.INTER_LINEAR
    covered = cv2.resize(mask.astype(np.float32), (width, height), interpolation=method)
    return grown, np.asarray(covered > 0.999)


class FilmSet:
    """All shots for training; the last tenth of each shot's samples is held out.

    ``data``: their paths; ``kind``: which of Sintel's pictures; ``drawn``: whether all of them are
    animation in Sintel's layout.
    """

    def __init__(
        self, scenes: Sequence[MotionScene], data: Sequence[Path] = (), kind: str = KINDS[0]
    ):
        self.data, self.kind = tuple(data), kind
        self.drawn = bool(data) and all(path.is_dir() and is_sintel(path) for path in data)
        self.training: list[tuple[MotionScene, int]] = []
        self.held: list[tuple[MotionScene, int]] = []
        for scene in scenes:
            moments = [(scene, index) for index in range(scene.count - 1)]
            kept = max(1, len(moments) // HELD_OUT_EVERY)
            # In a shot that is long enough, the held-out samples have a frame five later, and share
            # no frame with the training samples.
            first = max(0, scene.count - LONG_TERM - kept)
            self.training += moments[: max(1, first - LONG_TERM)]
            self.held += moments[first : first + kept]

    @classmethod
    def read(cls, data: Sequence[Path], side: int, kind: str = KINDS[0]) -> FilmSet:
        """Read each path: a folder in Sintel's layout, a video, a folder of frames, or a folder of
        videos. ``side``: of the crops, in pixels; ``kind``: which of Sintel's pictures.
        """
        scenes: list[MotionScene] = []
        for path in data:
            if path.is_dir() and is_sintel(path):
                scenes.extend(find_sintel_scenes(path, kind))
            else:
                scenes += [s for film in find_videos(path) for s in split_scenes(film, side)]
        if not scenes:
            named = ", ".join(repr(str(path)) for path in data)
            raise MissingFileError(f"{named} has no two frames of one shot. Give a longer film.")
        return cls(scenes, data, kind)

    def draw(self, rng: np.random.Generator, side: int) -> MotionSample:
        """Draw a training sample at random."""
        scene, index = self.training[rng.integers(len(self.training))]
        return crop_sample(scene, index, side, rng)


def find_videos(path: Path) -> list[Path]:
    """List the videos of a path: itself (a video or a folder of frames), or those in a folder."""
    if not path.exists():
        raise MissingFileError(
            f"{str(path)!r} does not exist. Give a video, a folder of videos or of frames, or one "
            "in Sintel's layout."
        )
    if path.is_file():
        return [path]
    inside_it = sorted(path.iterdir())
    videos = [one for one in inside_it if one.suffix.lower() in VIDEO_SUFFIXES]
    if not videos and not any(one.suffix.lower() in PICTURE_SUFFIXES for one in inside_it):
        raise MissingFileError(
            f"{str(path)!r} has neither videos nor frames, nor the folder `flow` of Sintel's "
            "layout. Give another folder."
        )
    return videos or [path]


def split_scenes(path: Path, side: int) -> list[MotionScene]:
    """Split a film into shots of at least two frames, at about the size of the crops."""
    cuts = CutDetector()
    scenes: list[list[Picture]] = [[]]
    with open_source(path) as source:
        for frame in itertools.islice(source.frames(), MAX_FRAMES):
            height, width = frame.picture.shape[:2]
            scale = side * CROP_MARGIN / min(height, width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            if cuts.is_cut(frame.picture):
                scenes.append([])
            smaller = scale < 1
            small = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA)
            scenes[-1].append(small if smaller else frame.picture)
    return [
        FilmScene(f"{path.stem}-{number}", frames)
        for number, frames in enumerate(scenes, 1)
        if len(frames) > 1
    ]
