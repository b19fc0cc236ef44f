"""What a chunk starts from: frames that warm it up, with or without state of the chunk before.

`encode_start` and `decode_start` are the only code that knows how either is kept in a file. The
keys of the files stay as they are, so that a folder of chunks from an earlier version resumes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vst.core.state_io import State
from vst.core.types import Frame, Picture
from vst.errors import OutputError

CHECKED_ROWS = 16
"""One row of so many goes into the checksum of a picture."""


@dataclass(frozen=True)
class ReadPoint:
    """The frame from which a chunk reads: its index, its time in seconds, and a checksum that
    detects whether the content has another frame there (None: not checked).
    """

    index: int
    time: float
    checksum: int | None = None

    @staticmethod
    def of(frame: Frame) -> ReadPoint:
        """The read point of a frame."""
        return ReadPoint(frame.index, frame.time, checksum_picture(frame.picture))

    def matches(self, frame: Frame) -> bool:
        """Whether ``frame`` is the one that this point was made of."""
        if frame.time != self.time:
            return False
        return self.checksum is None or self.checksum == checksum_picture(frame.picture)


@dataclass(frozen=True)
class WarmStart:
    """Where a chunk starts without the state of the one before.

    The chunk begins with frame ``index``; it writes from frame ``first_written`` on, because the
    stabilizer of the chunk before would still hold the frames up to ``index``. It reads from
    ``read_from`` on, and drops what it paints before ``first_written``. ``cuts`` is the state of
    the cut detector before ``read_from``, ``earlier`` the times of the scene's frames before it.
    ``is_approximate``: some part remembers the whole scene, so these frames do not warm it up
    exactly, and a `Handover` is better.
    """

    index: int
    first_written: int
    read_from: ReadPoint
    cuts: State
    earlier: list[float] = field(default_factory=list)
    is_approximate: bool = False

    @property
    def first_painted(self) -> int:
        """Index of the first frame that counts as the chunk's, by which its end is found."""
        return self.index


@dataclass(frozen=True)
class Handover:
    """A start with what painter and trail remember, so that the chunk is painted as in an
    uninterrupted run, however far back they remember.

    ``painter``: its state before frame ``start.read_from`` (empty: a scene starts there).
    ``trail``: its state before the first frame that is written. The stabilizer leaves no state:
    the frames from ``start.read_from`` on warm it up exactly.
    """

    start: WarmStart
    painter: State
    trail: State = field(default_factory=dict)

    @property
    def read_from(self) -> ReadPoint:
        """The first frame that is read."""
        return self.start.read_from

    @property
    def cuts(self) -> State:
        """The state of the cut detector before `read_from`."""
        return self.start.cuts

    @property
    def first_painted(self) -> int:
        """Index of the first frame that counts as the chunk's."""
        return self.start.index

    @property
    def first_written(self) -> int:
        """Index of the first frame that the chunk writes."""
        return self.start.first_written


ChunkStart = Handover | WarmStart


def encode_start(start: ChunkStart | None) -> State:
    """A chunk's start as plain values and arrays; None (the video has ended) is empty."""
    if start is None:
        return {}
    place: State = {
        "first": start.read_from.time,
        "index": start.read_from.index,
        "checksum": start.read_from.checksum,
        "cuts": start.cuts,
    }
    warm = start.start if isinstance(start, Handover) else start
    place |= {
        "start": warm.index,
        "written": warm.first_written,
        "earlier": np.array(warm.earlier, np.float64),
    }
    if isinstance(start, Handover):
        place |= {"painter": start.painter, "trail": start.trail}
    return place


def decode_start(state: Mapping[str, Any]) -> ChunkStart | None:
    """The chunk's start that `encode_start` has made plain; raises `OutputError` where values are
    missing.
    """
    if not state:
        return None
    try:
        checksum = state.get("checksum")
        read_from = ReadPoint(
            int(state["index"]),
            float(state["first"]),
            None if checksum is None else int(checksum),
        )
        if state.get("stabiliser") or state.get("scenes"):
            raise OutputError(
                "the chunks were painted with a stabilizer of an earlier version. Remove their "
                "folder to start over"
            )
        # An earlier version without a stabilizer left only the place.
        index = int(state.get("start", read_from.index))
        written = int(state.get("written", index))
        earlier = [float(time) for time in state.get("earlier", ())]
        warm = WarmStart(index, written, read_from, state["cuts"], earlier)
        painter = _find_painter_state(state)
        if painter is None:
            return warm
        return Handover(warm, painter, state.get("trail", state.get("ghost", {})))
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(
            f"the state between two chunks is damaged ({error}); remove the folder of chunks to "
            "start over"
        ) from error


def _find_painter_state(state: Mapping[str, Any]) -> State | None:
    """The painter's state; None in a warm start. Earlier versions kept it under another name, so
    it is known by what is in it.
    """
    if "painter" in state:
        return dict(state["painter"])
    parts = (value for value in state.values() if isinstance(value, dict))
    return next((part for part in parts if {"engine", "edge"} <= set(part)), None)


def checksum_picture(picture: Picture) -> int:
    """A checksum of some rows of a picture."""
    return zlib.crc32(np.ascontiguousarray(picture[::CHECKED_ROWS]).data)
