"""The interface of sinks: they take frames one by one; the output appears under its name when it is
complete, or not at all.

To add one: a file in this folder with a class that derives from `Sink`, and one line in the table
of `vst.video.sinks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import ColorInfo, Frame, VideoInfo
from vst.video.frame_names import FrameNames


@dataclass(frozen=True)
class SinkSpec:
    """Describes the output.

    ``content``: source of sound, subtitles, chapters and metadata, from ``start`` to ``end``
    seconds of its clock (None: its end); None: none of them. ``rate`` is exact; ``variable`` keeps
    the frames' own times. ``tempo``: FFmpeg filters for the sound where the speed changes.
    ``codec`` and ``crf`` None: the default of the file format. ``job``: text for the output's
    metadata. ``patience``: seconds without progress after which ffmpeg counts as hung.
    ``preset``: x264's, for H.264. ``alpha``: frames come with their opacity, ``deep``: in 16 bits;
    both are kept. ``first_number``: of the first picture of a folder, ``names``: what its pictures
    are called, where that is given. ``color``: what the 16 bits are tagged as; None: BT.709.
    """

    path: Path
    width: int
    height: int
    rate: Fraction
    variable: bool = False
    sample_aspect: Fraction = Fraction(1)
    content: VideoInfo | None = None
    start: float = 0.0
    end: float | None = None
    audio: bool = True
    tempo: str = ""
    codec: str | None = None
    crf: int | None = None
    overwrite: bool = False
    job: str = ""
    patience: float | None = None
    preset: str | None = None
    alpha: bool = False
    deep: bool = False
    first_number: int = 1
    names: FrameNames | None = None
    color: ColorInfo | None = None


@dataclass
class SinkReport:
    """What the finished file holds, probed from the file itself."""

    path: Path
    frames: int
    rate: Fraction
    duration: float
    warnings: list[str] = field(default_factory=list)


def join_pixels(frame: Frame, spec: SinkSpec) -> npt.NDArray[Any]:
    """Return a frame's pixels as ``spec`` has them: RGB or RGBA (opaque where the frame has no
    opacity), in 8 or 16 bits.
    """
    parts: list[npt.NDArray[Any]] = [frame.picture]
    if spec.alpha:
        opaque = np.full(frame.picture.shape[:2], 255, np.uint8)
        parts.append(opaque if frame.alpha is None else frame.alpha)
    if spec.deep:
        parts = [part.astype(np.uint16) * 257 for part in parts]
        parts[0] = parts[0] if frame.deep is None else frame.deep
    return parts[0] if len(parts) == 1 else np.dstack(parts)


class Sink(ABC):
    """Takes frames in order. Leaving its ``with`` block without `finish` deletes the output."""

    before_publishing: Callable[[Path], None] = staticmethod(lambda finished: None)
    """Called with the finished file or folder just before it gets the output's name."""

    def __init__(self, spec: SinkSpec) -> None:
        self.spec = spec

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Write the next frame: RGB uint8 of the specified size, with its time in the content."""

    def end_chunk(self, state: dict[str, Any]) -> None:
        """End a chunk after the last written frame; ``state`` is for the next chunk. Most sinks
        ignore it.
        """

    @abstractmethod
    def finish(self) -> SinkReport:
        """Complete the output, verify it by reading it back, and publish it under its name."""

    @abstractmethod
    def abort(self) -> None:
        """Delete what was written; an existing output stays untouched. May be called twice."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()
