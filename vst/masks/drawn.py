"""``drawn``: masks that somebody drew for some frames, followed through the frames between.

Each drawn mask is carried along the optical flow to both sides, up to a cut. What the flow loses,
and the outline, is found by the colors that the drawn masks separate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time, parse_time
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MissingFileError, UsageError
from vst.imaging.optical_flow import FlowSettings, get_pixel_grid, sample
from vst.imaging.resize import resize
from vst.masks.base import Alpha, Mask
from vst.masks.doubt import Doubts
from vst.masks.file import resize_alpha
from vst.masks.grabcut import (
    ColorModels,
    SoftMask,
    make_disc,
    mark_rectangle,
    run_grabcut,
    soften,
    upsample_guided,
)
from vst.masks.rectangle import Rectangle, check_rectangle, parse_rectangle
from vst.video.key_tracing import Carried, KeyTracer
from vst.video.sources import PICTURE_SUFFIXES, open_source
from vst.video.sources.base import Source
from vst.video.sources.picture import read_picture

FLOW = FlowSettings(limit=180, finest=1, stride=4, descents=8, refinements=2)
REACH = 250
"""Frames that a drawn mask is carried to each side, at most: it bounds the memory (150 MB)."""
ASPECT_TOLERANCE = 0.02
"""Difference of the aspects of a mask and the content that is still taken as a rounded size."""
TRUSTED = 0.5
"""Trust from which what the flow brings is not looked at again, off the outline."""
BAND = 0.02
"""Half the width of the band along the outline that each frame cuts again, as a share of the short
side.
"""
BOX = ".txt"
"""Suffix of a file with a box."""
CLOSEST = 1e-3
"""Seconds between two corrections, at least."""
CONTRAST = 1.6
"""Steepness of the mask's edge at the picture's size: warping has blurred it."""


@dataclass(frozen=True)
class Correction:
    """A mask for the frame shown at ``time`` (seconds), in the file ``path``: a picture, or a text
    with a box around the foreground.
    """

    time: float
    path: Path

    @property
    def is_box(self) -> bool:
        return self.path.suffix.lower() == BOX


@dataclass
class DrawnKey:
    """A correction at the working size: its mask, its frame, and the colors on both sides."""

    share: SoftMask
    colors: ColorModels = field(default_factory=ColorModels)


class DrawnMask(Mask):
    """Follows the corrections in ``folder`` through ``content``, which is read a second time.

    A mask depends on its frame's time alone. The frame of a correction has that mask as it was
    drawn; frames that none is carried to have an empty one.
    """

    def __init__(self, folder: str, content: str, limits: Limits = LIMITS) -> None:
        super().__init__()
        self._content, self._limits = content, limits
        corrections = list_corrections(folder)
        with open_source(content, limits) as source:
            self._info = source.info
            for one in corrections:
                check_time(one, self._info, content)
            self._alphas = {one: self._read_alpha(one, source) for one in corrections}
        self._keys: dict[Correction, DrawnKey] = {}
        self._tracer = KeyTracer(
            content, self._info, corrections, flow=FLOW, reach=REACH, limits=limits
        )

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        doubts = Doubts("drawn mask", doubts_large=False)
        for frame in frames:
            alpha = self.find(frame.picture, frame.time)
            doubts.record(frame.time, None if alpha is None else np.ones((1, 1), np.float32))
            yield frame, np.zeros(frame.picture.shape[:2], np.uint8) if alpha is None else alpha
        self.warnings += doubts.format_warnings("one more there")

    def find(self, picture: Picture, time: float) -> Alpha | None:
        """Return the mask of the frame shown at ``time``; None where no correction reaches it."""
        found = self._tracer.find(time)
        if isinstance(found, Correction):
            return resize_alpha(self._alphas[found], picture)
        return self._carry(found, picture) if found else None

    def _carry(self, found: list[Carried[Correction]], picture: Picture) -> Alpha:
        """Return the mask that corrections carried to a frame make of it."""
        keys = [self._get_key(one.key) for one in found]
        share, trust = mix_carried(found, [key.share for key in keys])
        small = shrink_to(picture, share)
        marks = mark_unsure(share, trust)
        nearest = max(range(len(found)), key=lambda place: found[place].weight)
        colors = copy_colors(keys[nearest].colors)
        cut = soften(run_grabcut(small, marks, rounds=1, models=colors))
        unsure = (marks == cv2.GC_PR_FGD) | (marks == cv2.GC_PR_BGD)
        return upsample_guided(np.where(unsure, cut, share), picture, CONTRAST)

    def _get_key(self, correction: Correction) -> DrawnKey:
        """Return a correction at the working size, with the colors that it separates."""
        if correction not in self._keys:
            with open_source(self._content, self._limits) as source:
                picture = source.at(correction.time)
            alpha = resize_alpha(self._alphas[correction], picture)
            height, width = FLOW.working_size(*alpha.shape)
            share = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
            key = DrawnKey(np.asarray(share / np.float32(255), np.float32))
            marks = np.where(key.share > 0.5, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
            run_grabcut(shrink_to(picture, key.share), marks, rounds=1, models=key.colors)
            self._keys[correction] = key
        return self._keys[correction]

    def _read_alpha(self, correction: Correction, source: Source) -> Alpha:
        """Read a drawn mask, or find the foreground in a box, at the content's size."""
        if correction.is_box:
            return cut_box(read_box(correction.path), source.at(correction.time))
        picture = read_picture(correction.path, self._limits.pixels)
        height, width = picture.shape[:2]
        wanted = (self._info.width, self._info.height)
        if abs((width / height) / (wanted[0] / wanted[1]) - 1) > ASPECT_TOLERANCE:
            raise UsageError(
                f"mask {str(correction.path)!r} has {width}x{height} pixels, the content "
                f"{wanted[0]}x{wanted[1]}: their shapes differ. Draw it over the frame that "
                "`vst frames` writes, and keep its size"
            )
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def list_corrections(folder: str) -> list[Correction]:
    """List the corrections in a folder, in the order of time. Their names end in it, in seconds:
    ``2.5.png``, ``shot_0002.500.png``. Raises `MissingFileError` and `UsageError`.
    """
    place = Path(folder)
    if not place.is_dir():
        raise MissingFileError(
            f"mask 'drawn:{folder}': there is no such folder. Give one with masks that are named "
            "by the time of their frame, such as 2.5.png"
        )
    paths = [one for one in sorted(place.iterdir()) if one.name[0] != "." and one.is_file()]
    suffixes = (*PICTURE_SUFFIXES, BOX)
    found = [_name_correction(one) for one in paths if one.suffix.lower() in suffixes]
    if not found:
        raise UsageError(
            f"mask 'drawn:{folder}': the folder has no masks. Draw some, white on black, over "
            "frames that `vst frames` writes, and name them by their time, such as 2.5.png"
        )
    found.sort(key=lambda one: one.time)
    for one, other in pairwise(found):
        if other.time - one.time < CLOSEST:
            raise UsageError(
                f"mask: {one.path.name!r} and {other.path.name!r} have the same time, "
                f"{format_time(one.time)}. Remove one of them"
            )
    return found


def _name_correction(path: Path) -> Correction:
    try:
        return Correction(parse_time(path.stem.rpartition("_")[2]), path)
    except UsageError:
        raise UsageError(
            f"mask {str(path)!r} is not named by the time of its frame, in seconds. Name it such "
            "as 2.5.png, or shot_2.5.png"
        ) from None


def check_time(correction: Correction, info: VideoInfo, content: str) -> None:
    """Raise `UsageError` for a correction after the end of the content."""
    if correction.time >= info.duration:
        raise UsageError(
            f"mask {str(correction.path)!r} at {format_time(correction.time)} is after the end of "
            f"{content} ({format_time(info.duration)}). Name it by an earlier time"
        )


def read_box(path: Path) -> Rectangle:
    """Read the box in a text file: left, top, width and height as shares of the picture."""
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"mask {str(path)!r} is not a readable text ({error}). Write a box: 0.3,0.1,0.4,0.8"
        ) from error
    try:
        return check_rectangle(parse_rectangle(text, "0.3,0.1,0.4,0.8"))
    except UsageError as error:
        raise UsageError(f"{path.name}: {error}") from error


def cut_box(box: Rectangle, picture: Picture) -> Alpha:
    """Find the foreground in a box by its colors; the mask has the size of ``picture``."""
    height, width = FLOW.working_size(*picture.shape[:2])
    small = resize(picture, width, height)
    left, top, wide, high = box
    corners = (left * width, top * height, (left + wide) * width, (top + high) * height)
    cut = run_grabcut(small, mark_rectangle(small, corners), rounds=5)
    return upsample_guided(soften(cut), picture, CONTRAST)


def mix_carried(
    found: Sequence[Carried[Correction]], shares: Sequence[SoftMask]
) -> tuple[SoftMask, SoftMask]:
    """Mix the masks carried to a frame, and return how surely it is that, 0..1, too."""
    total = trust = np.zeros_like(shares[0])
    weights = np.full_like(total, 1e-6)
    for one, share in zip(found, shares):
        where = one.trace.away.astype(np.float32) + get_pixel_grid(*share.shape)
        own = one.trace.trust.astype(np.float32) / 255
        # Where one of two is lost the other counts, however far it is; where both are, the nearer.
        weight = max(one.weight, 1e-3) * (own + 1e-3)
        total = total + weight * sample(share, where)
        weights += weight
        trust = np.maximum(trust, own)
    return np.asarray(total / weights, np.float32), trust


def mark_unsure(share: SoftMask, trust: SoftMask) -> Any:
    """Return GrabCut's labels: undecided is the band along the outline, and what is not trusted."""
    inside = (share > 0.5).astype(np.uint8)
    disc = make_disc(max(2, round(BAND * min(share.shape))))
    unsure = (cv2.dilate(inside, disc) != cv2.erode(inside, disc)) | (trust < TRUSTED)
    sure = np.where(inside > 0, cv2.GC_FGD, cv2.GC_BGD)
    probable = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    return np.where(unsure, probable, sure).astype(np.uint8)


def shrink_to(picture: Picture, share: SoftMask) -> Picture:
    """Bring a frame to the size of a mask."""
    return resize(picture, share.shape[1], share.shape[0])


def copy_colors(colors: ColorModels) -> ColorModels:
    """Copy the models of colors: GrabCut changes those that it is given."""
    return ColorModels(colors.background.copy(), colors.foreground.copy(), colors.is_known)
