"""The types that packages exchange: frames, what is known of a video, and progress.

One convention everywhere: a picture is RGB, uint8, height x width x 3; a rate is a ``Fraction`` of
frames per second; times are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.errors import EngineError

Picture = npt.NDArray[np.uint8]
"""RGB, uint8, (height, width, 3)."""

Pictures = npt.NDArray[np.uint8]
"""RGB, uint8, (count, height, width, 3)."""

Embedding = npt.NDArray[np.float32]
"""The numbers of one style, float32, (dim,)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a video.

    ``index`` counts from 0 at the first frame that the source yields; ``time`` is in seconds from
    the start of the whole video (a source read from 2 s on yields its first frame with index 0 and
    a time of about 2.0). ``alpha``: opacity, uint8 (height, width), where the source keeps it; the
    picture then has colors below transparent pixels, too. ``deep``: the picture in 16 bits, where
    the source keeps it.
    """

    index: int
    time: float
    picture: Picture
    alpha: npt.NDArray[np.uint8] | None = None
    deep: npt.NDArray[np.uint16] | None = None


@dataclass(frozen=True)
class ColorInfo:
    """How a video encodes colors, in FFmpeg's names; ``unspecified`` where the file is silent."""

    matrix: str = "unspecified"
    primaries: str = "unspecified"
    transfer: str = "unspecified"
    full_range: bool = False
    bits: int = 8

    @property
    def hdr(self) -> bool:
        """Whether the transfer curve is one of the two high-dynamic-range ones (PQ, HLG)."""
        return self.transfer in ("smpte2084", "arib-std-b67")


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a source before its frames are read.

    ``width`` and ``height`` are those of the frames: the stored size, after rotation.
    ``sample_aspect`` is the shape of one pixel, width to height, after rotation. ``frames`` is
    exact if ``exact_count`` is set, else an estimate; of a stream (``is_stream``), which can be
    read once, it is the most that is allowed, and so is ``duration``. ``rate`` is the exact rate,
    or the mean rate of a video with ``variable`` rate. ``audio`` is the codec of each audio
    stream, in order;
    ``container`` is the file format in FFmpeg's names, empty for pictures, which have no other
    streams to copy. ``origin`` is the time stamp of the first frame, in seconds, which is time 0 of
    `Frame.time`; ``tick`` is the unit of the file's time stamps, in seconds. ``alpha``: frames come
    with their opacity; ``deep``: with their picture in 16 bits, which of HDR that is kept (``hdr``)
    is coded as ``color`` says. ``timecode``: of the first frame,
    as `vst.core.smpte` reads it, and ``reel``, the name of its tape or card; empty: none.
    """

    path: Path
    width: int
    height: int
    rate: Fraction
    frames: int
    duration: float
    variable: bool = False
    exact_count: bool = False
    is_stream: bool = False
    sample_aspect: Fraction = Fraction(1)
    rotation: int = 0
    codec: str = ""
    pixel_format: str = ""
    color: ColorInfo = ColorInfo()
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    chapters: int = 0
    container: str = ""
    origin: float = 0.0
    tick: Fraction = Fraction(1, 90000)
    metadata: dict[str, str] = field(default_factory=dict)
    alpha: bool = False
    deep: bool = False
    hdr: bool = False
    timecode: str = ""
    reel: str = ""

    @property
    def aspect(self) -> float:
        """Width to height of the picture as a player shows it."""
        return self.width * float(self.sample_aspect) / self.height


@dataclass(frozen=True, slots=True)
class Progress:
    """An event of a long task: ``done`` of ``total`` units of ``stage`` (None: unknown), after
    ``seconds``. ``detail``: further values; while frames are painted, ``painting`` is the engine's
    last output (RGB uint8).
    """

    stage: str
    done: int
    total: int | None = None
    seconds: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Units a second so far; 0 before the first."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds that remain, at the mean speed so far; None while that is unknown."""
        if self.total is None or self.per_second == 0:
            return None
        return max(0, self.total - self.done) / self.per_second


OnProgress = Callable[[Progress], None]
"""Called with each event; an exception that it raises stops the task."""


def ignore_progress(progress: Progress) -> None:
    """Ignore the event: the default where nobody listens."""


def check_pictures(pictures: Any, like: Pictures, by: str) -> Pictures:
    """Return ``pictures`` if they are uint8 RGB of the shape of ``like``; raise `EngineError`
    naming ``by`` if not.
    """
    array = np.asarray(pictures)
    if array.shape != like.shape:
        raise EngineError(
            f"{by} returned pictures of shape {array.shape} for frames of shape {like.shape}. "
            "Return the same shape"
        )
    if array.dtype != np.uint8:
        raise EngineError(f"{by} returned {array.dtype} pictures. Return uint8, 0 to 255")
    return array
