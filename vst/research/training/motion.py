"""Moments of films to learn steadiness from: a frame, the next, one five frames on, and the motion
between them.

The motion is given (`vst.research.training.sintel`) or found (`vst.imaging.optical_flow`).
Whichever it is, it says where the pixels of the earlier frame lie in the later one, so that the
later frame is moved onto the earlier one and compared there.
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
from vst.imaging.optical_flow import Flow, FlowEstimator, Mask, inside, non_occluded
from vst.research.training.data import PICTURE_SUFFIXES
from vst.research.training.sintel import KINDS, is_sintel, sintel_scenes
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source

LAG = 5
"""Frames between a frame and the one that the long-term loss compares it with."""
ROOM = 1.25
"""Films are kept at this many times the crops' side, so that crops can lie here and there."""
MOST_FRAMES = 600
"""Frames that are kept of each film."""
HELD = 10
"""One in so many moments is held out."""
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".m4v", ".ogv"})


class Scene(Protocol):
    """Frames without a cut between them, and their motion."""

    @property
    def name(self) -> str:
        """Whose scene it is."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """How many frames there are."""
        raise NotImplementedError

    def picture(self, index: int) -> Picture:
        """One frame, RGB."""
        raise NotImplementedError

    def motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        """Where the pixels of frame ``index`` are in frame ``later``, and which are seen there."""
        raise NotImplementedError


class FilmScene:
    """A scene of any video, held in memory; its motion is found by DIS flow, both ways."""

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
        return flow, non_occluded(flow, back)


@dataclass(frozen=True)
class Moment:
    """Three square crops at the same place, (side, side, 3) uint8, and the motion from ``now`` to
    the other two: flows (side, side, 2) in pixels of the crop, masks (side, side), 1 where they
    hold. Near a scene's end there is no frame five on: then ``far`` is ``now``, its mask all 0.
    """

    now: Picture
    next: Picture
    far: Picture
    flow_next: Flow
    mask_next: Mask
    flow_far: Flow
    mask_far: Mask


def moment(scene: Scene, index: int, side: int, rng: np.random.Generator | None = None) -> Moment:
    """The moment at frame ``index``; the crop lies by chance, or in the middle."""
    now = scene.picture(index)
    height, width = now.shape[:2]
    scale = side * ROOM / min(height, width)
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
        flow, mask = resized(*scene.motion(index, later), *size)
        flow, mask = flow[window], mask[window]
        if mirrored:
            flow, mask = flow[:, ::-1] * np.array([-1, 1], np.float32), mask[:, ::-1]
        return np.ascontiguousarray(flow), mask & inside(flow)

    flow_next, mask_next = moved(index + 1)
    if index + LAG < scene.count:
        far, (flow_far, mask_far) = scene.picture(index + LAG), moved(index + LAG)
    else:
        far, flow_far, mask_far = now, np.zeros_like(flow_next), np.zeros_like(mask_next)
    after = cut(scene.picture(index + 1))
    return Moment(cut(now), after, cut(far), flow_next, mask_next, flow_far, mask_far)


def resized(flow: Flow, mask: Mask, width: int, height: int) -> tuple[Flow, Mask]:
    """A flow and its mask at another size; the vectors grow as the picture does, each way by its
    own factor. A pixel of the mask is 1 where all that it covers is.
    """
    rows, columns = flow.shape[:2]
    if (rows, columns) == (height, width):
        return flow, mask
    grown = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    grown *= np.array([width / columns, height / rows], np.float32)
    method = cv2.INTER_AREA if width < columns else cv2.INTER_LINEAR
    covered = cv2.resize(mask.astype(np.float32), (width, height), interpolation=method)
    return grown, np.asarray(covered > 0.999)


class Films:
    """Every scene that may be learnt from; of each scene the last tenth of moments is held out.

    ``data``: where they are from; ``kind``: which of Sintel's pictures. ``drawn``: whether all of
    them are animation in Sintel's layout.
    """

    def __init__(self, scenes: Sequence[Scene], data: Sequence[Path] = (), kind: str = KINDS[0]):
        self.data, self.kind = tuple(data), kind
        self.drawn = bool(data) and all(path.is_dir() and is_sintel(path) for path in data)
        self.training: list[tuple[Scene, int]] = []
        self.held: list[tuple[Scene, int]] = []
        for scene in scenes:
            moments = [(scene, index) for index in range(scene.count - 1)]
            kept = max(1, len(moments) // HELD)
            # Where the scene is long enough, those held out have a fifth frame on, and no frame
            # that is learnt from is one of theirs.
            first = max(0, scene.count - LAG - kept)
            self.training += moments[: max(1, first - LAG)]
            self.held += moments[first : first + kept]

    @classmethod
    def read(cls, data: Sequence[Path], side: int, kind: str = KINDS[0]) -> Films:
        """What lies at each path: a folder in Sintel's layout, a video, a folder of frames, or a
        folder of videos. ``side``: of the crops, in pixels; ``kind``: which of Sintel's pictures.
        """
        scenes: list[Scene] = []
        for path in data:
            if path.is_dir() and is_sintel(path):
                scenes.extend(sintel_scenes(path, kind))
            else:
                scenes += [s for film in videos_at(path) for s in scenes_of(film, side)]
        if not scenes:
            named = ", ".join(repr(str(path)) for path in data)
            raise MissingFileError(f"{named} shows no two frames of one scene; give a longer film")
        return cls(scenes, data, kind)

    def draw(self, rng: np.random.Generator, side: int) -> Moment:
        """A moment of those to learn from, by chance."""
        scene, index = self.training[rng.integers(len(self.training))]
        return moment(scene, index, side, rng)


def videos_at(path: Path) -> list[Path]:
    """A video itself, a folder of frames itself, or the videos in a folder."""
    if not path.exists():
        raise MissingFileError(
            f"{str(path)!r} is not there; give a video, a folder of them, a folder of frames, or "
            "one in Sintel's layout"
        )
    if path.is_file():
        return [path]
    inside_it = sorted(path.iterdir())
    videos = [one for one in inside_it if one.suffix.lower() in VIDEO_SUFFIXES]
    if not videos and not any(one.suffix.lower() in PICTURE_SUFFIXES for one in inside_it):
        raise MissingFileError(
            f"{str(path)!r} has neither videos nor frames, nor a folder `flow` as in Sintel's "
            "layout"
        )
    return videos or [path]


def scenes_of(path: Path, side: int) -> list[Scene]:
    """A film's scenes of two frames and more, at about the size of the crops."""
    cuts = CutDetector()
    scenes: list[list[Picture]] = [[]]
    with open_source(path) as source:
        for frame in itertools.islice(source.frames(), MOST_FRAMES):
            height, width = frame.picture.shape[:2]
            scale = side * ROOM / min(height, width)
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
