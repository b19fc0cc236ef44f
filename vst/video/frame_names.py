"""Names of the numbered pictures of a folder: ``shot/frame.####.exr``, ``shot/frame.%04d.png``, or
by their first one, ``shot/frame.1001.exr``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from vst.errors import UsageError

CODECS = {".png": "png", ".tif": "tiff", ".tiff": "tiff", ".exr": "exr"}
"""Suffix of the frames that can be written -> name of their codec."""
DIGITS = 6
"""Digits of a number where no pattern is given."""

_PATTERN = re.compile(r"([^#%]*)(#+|%0?\d?d)([^#%]*)")
_EXAMPLE = re.compile(r"(.*[._-])(\d{2,})()")


@dataclass(frozen=True)
class FrameNames:
    """How the pictures in ``folder`` are called: ``before``, a number of ``digits`` digits or more,
    ``after``. ``first``: the number that the pattern itself has; None: it has none.
    """

    folder: Path
    before: str = "frame_"
    digits: int = DIGITS
    after: str = ".png"
    first: int | None = None

    @property
    def codec(self) -> str:
        """The codec of the pictures, by their suffix; empty for one that is not written."""
        return CODECS.get(Path(self.after).suffix.lower() or self.after.lower(), "")

    def format(self, number: int) -> str:
        """Return the name of the picture with this number."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def matches(self, name: str) -> bool:
        """Return whether a picture's name is one of these."""
        inner = name[len(self.before) : len(name) - len(self.after)]
        long = len(inner) == self.digits or (len(inner) > self.digits and inner[0] != "0")
        return self.format(0)[: len(self.before)] == name[: len(self.before)] and (
            name.endswith(self.after) and inner.isdecimal() and long
        )


def parse_frame_pattern(path: str | os.PathLike[str]) -> FrameNames | None:
    """Parse a pattern with a place for the number, ``####`` or ``%04d``; None if it has none."""
    return _parse(path, _PATTERN)


def parse_output_names(path: str | os.PathLike[str]) -> FrameNames | None:
    """Parse the names of frames to write: a pattern, or the name of the first one,
    ``frame.1001.exr``. None for any other path; raises `UsageError` for a pattern without a folder
    of its own, or of pictures that are not written.
    """
    pattern = parse_frame_pattern(path)
    names = pattern or _parse(path, _EXAMPLE)
    if names is None or (pattern is None and not names.codec):
        return None
    if not names.codec:
        raise UsageError(
            f"output {os.fspath(path)!r}: frames are written as {', '.join(CODECS)}. Give the "
            "pattern one of these endings"
        )
    if names.folder == Path():
        raise UsageError(
            f"output {os.fspath(path)!r} has no folder. Give the frames one of their own: "
            f"painted/{Path(path).name}"
        )
    return names


def locate_frames(path: str | os.PathLike[str]) -> Path:
    """Return the folder of a pattern of frames, any other path as it is."""
    names = None if Path(path).exists() else parse_frame_pattern(path)
    return Path(path) if names is None else names.folder


def locate_output(path: str | os.PathLike[str]) -> Path:
    """Return the folder of the frames that ``path`` names as an output, any other path as it is."""
    names = None if Path(path).is_dir() else parse_output_names(path)
    return Path(path) if names is None else names.folder


def _parse(path: str | os.PathLike[str], shape: re.Pattern[str]) -> FrameNames | None:
    whole = Path(path)
    found = shape.fullmatch(whole.stem)
    if found is None or not whole.suffix:
        return None
    before, place, after = found.groups()
    if place.isdecimal():
        digits, first = len(place), int(place)
    else:
        digits, first = len(place) if place[0] == "#" else int(place[1:-1] or 1), None
    return FrameNames(whole.parent, before, digits, after + whole.suffix, first)
