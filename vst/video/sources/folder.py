"""Read a folder of numbered pictures as a content."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError, UnsupportedFileError, UsageError
from vst.imaging.exr_file import SUFFIX as EXR
from vst.imaging.exr_file import read_light
from vst.imaging.extend_colors import extend_colors
from vst.video.frame_names import locate_frames, parse_frame_pattern
from vst.video.sources import PICTURE_SUFFIXES
from vst.video.sources.base import Source
from vst.video.sources.hdr import EXR_COLOR, LightCoder
from vst.video.sources.picture import read_picture, read_pixels
from vst.video.sources.pixels import make_frame
from vst.video.sources.rate import check_rate

HIGHLIGHTS = "light up to"
"""What a warning of light above white says of it."""
DEFAULT_RATE = Fraction(25)
"""Frames a second of a folder without notes on its rate."""


def make_natural_sort_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Make a sort key that compares numbers in names by value: frame9 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts
    ], path.name


def list_pictures(folder: Path) -> list[Path]:
    """List the picture files of ``folder`` in natural order, without the hidden ones. A pattern of
    names has only those that match it.
    """
    names = None if folder.is_dir() else parse_frame_pattern(folder)
    folder = folder if names is None else names.folder
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
            and (names is None or names.matches(path.name))
        ]
    except OSError as error:
        raise MediaError(
            f"the folder {str(folder)!r} cannot be read: {error.strerror or error}"
        ) from error
    return sorted(found, key=make_natural_sort_key)


class FolderSource(Source):
    """Reads every picture of a folder as a frame, in the order of their numbers; all must have the
    size of the first.

    ``rate`` None: the rate in the folder's ``job.json``, as `vst` writes it, else
    ``default_rate``.
    """

    def __init__(
        self,
        path: Path,
        rate: Fraction | None = None,
        limits: Limits = LIMITS,
        default_rate: Fraction = DEFAULT_RATE,
    ) -> None:
        super().__init__()
        self._max_pixels = limits.pixels
        self._paths = list_pictures(path)
        if not self._paths and not path.is_dir():
            raise UnsupportedFileError(
                f"no picture is called {str(path)!r}. Give the number as many # as it has digits, "
                "or the folder alone"
            )
        path = locate_frames(path)
        if not self._paths:
            raise UnsupportedFileError(
                f"the folder {str(path)!r} holds no pictures. Give one with numbered PNG or JPEG "
                "files"
            )
        self._warn_of_gaps()
        self._warn_of_highlights()
        noted, times = _read_job_file(path, len(self._paths))
        rate = check_rate(Fraction(rate)) if rate is not None else None
        if rate is not None and rate != noted:
            times = None
        chosen = rate or noted or default_rate
        self._times = times or [float(index / chosen) for index in range(len(self._paths))]
        height, width = read_picture(self._paths[0], limits.pixels).shape[:2]
        self.info = VideoInfo(
            path=path,
            width=width,
            height=height,
            rate=chosen,
            frames=len(self._paths),
            duration=self._times[-1] + float(1 / chosen),
            variable=times is not None,
            exact_count=True,
            codec=self._paths[0].suffix.lower().lstrip("."),
            pixel_format="rgb24",
            timecode=_read_note(path, "timecode"),
            reel=_read_note(path, "reel"),
        )

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        chosen = [
            (time, path)
            for time, path in zip(self._times, self._paths, strict=True)
            if time >= start - 1e-9 and (end is None or time < end - 1e-9)
        ]
        for index, (time, path) in enumerate(chosen):
            yield self._read(path, index, time)

    def at(self, time: float) -> Picture:
        return self._read(self._paths[max(0, bisect_right(self._times, time + 1e-6) - 1)]).picture

    def keep_alpha(self) -> bool:
        found = read_pixels(self._paths[0], True, self._max_pixels).shape[2] == 4
        self.info = replace(self.info, alpha=found)
        return found

    def keep_depth(self) -> bool:
        found = read_pixels(self._paths[0], False, self._max_pixels).dtype == np.uint16
        self.info = replace(self.info, deep=found)
        return found

    def keep_hdr(self) -> bool:
        if self._paths[0].suffix.lower() != EXR:
            return False
        self.info = replace(self.info, deep=True, hdr=True, color=EXR_COLOR)
        self._coder = LightCoder()
        self.warnings = [line for line in self.warnings if HIGHLIGHTS not in line]
        return True

    def _read_light(self, path: Path, index: int, time: float) -> Frame:
        """Read a frame whose light is kept, however bright."""
        light = read_light(path, self._max_pixels)
        deep = self._coder.code(light[..., :3])
        picture = self._coder.show(deep)
        if not self.info.alpha or light.shape[2] == 3:
            return Frame(index, time, picture, None, deep)
        alpha = np.asarray(np.rint(light[..., 3].clip(0, 1) * 255), np.uint8)
        return Frame(index, time, extend_colors(picture, alpha > 0), alpha, deep)

    def _read(self, path: Path, index: int = 0, time: float = 0.0) -> Frame:
        """Read a frame, with its opacity and in 16 bits where that is kept."""
        if self.info.hdr:
            frame = self._read_light(path, index, time)
        elif not self.info.alpha and not self.info.deep:
            frame = Frame(index, time, read_picture(path, self._max_pixels))
        else:
            pixels = read_pixels(path, self.info.alpha, self._max_pixels)
            frame = make_frame(index, time, pixels)
        picture = frame.picture
        height, width = picture.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            raise MediaError(
                f"{str(path)!r} is {width} x {height}, but the folder's first picture is "
                f"{self.info.width} x {self.info.height}. Bring all frames to one size"
            )
        return frame

    def _warn_of_highlights(self) -> None:
        first = self._paths[0]
        if first.suffix.lower() != EXR:
            return
        highest = float(read_light(first, self._max_pixels)[..., :3].max())
        if highest > 1:
            self.warnings.append(
                f"{str(first)!r} has {HIGHLIGHTS} {highest:.3g} times white; what is above white "
                "becomes white. With hdr 'keep', an output of EXR frames keeps it"
            )

    def _warn_of_gaps(self) -> None:
        numbers = [
            int(found[-1]) for path in self._paths if (found := re.findall(r"\d+", path.stem))
        ]
        if len(numbers) == len(self._paths) and len(set(numbers)) == len(numbers):
            missing = max(numbers) - min(numbers) + 1 - len(numbers)
            if missing > 0:
                self.warnings.append(
                    f"the numbers of the frames in {str(self._paths[0].parent)!r} skip {missing}"
                )


def _read_note(folder: Path, name: str) -> str:
    """Read a text of the folder's ``job.json``; empty where there is none."""
    try:
        notes = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        return str(notes.get(name, ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _read_job_file(folder: Path, count: int) -> tuple[Fraction | None, list[float] | None]:
    """Read the rate, and the times where they are uneven, from the folder's ``job.json``; None for
    what it does not give.
    """
    try:
        text = (folder / "job.json").read_text(encoding="utf-8")
        notes = json.loads(text)
        rate = check_rate(Fraction(str(notes["rate"])))
        times = [float(time) for time in notes.get("times", [])]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ZeroDivisionError,
        UsageError,
    ):
        return None, None
    even = len(times) != count or any(late <= early for early, late in pairwise(times))
    return rate, None if even else times
