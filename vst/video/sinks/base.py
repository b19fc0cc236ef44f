"""What a sink promises: frames go in one by one; the output appears under its name when it is
whole, or not at all.

To add one: a file in this folder with a class that derives from `Sink`, and one line in the table
of `vst.video.sinks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from vst.core.types import Frame, VideoInfo


@dataclass(frozen=True)
class SinkSpec:
    """What is to be written.

    ``content`` is what sound, subtitles, chapters and metadata come from, between ``start`` and
    ``end`` seconds of its clock (None: to its end); None where there is nothing to take along.
    ``rate`` is exact; with ``variable`` the frames' own times are kept. ``tempo``: a chain of
    FFmpeg's filters that the sound goes through, where the pictures run at another speed.
    ``codec`` and ``crf`` None: the best choice for the kind of file. ``job`` is text that is
    written into the output's metadata. ``patience``: seconds after which an ffmpeg that does
    nothing counts as hung.
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


@dataclass
class SinkReport:
    """What was written, probed from the finished file and not from what was asked for."""

    path: Path
    frames: int
    rate: Fraction
    duration: float
    warnings: list[str] = field(default_factory=list)


class Sink(ABC):
    """Takes frames in order. Leaving its ``with`` block without `finish` drops everything that was
    written.
    """

    def __init__(self, spec: SinkSpec) -> None:
        self.spec = spec

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Take the next frame: RGB uint8 of the size of the specification, on the content's
        clock.
        """

    def end_chunk(self, state: dict[str, Any]) -> None:
        """A chunk ends after the frame written last; ``state`` is what the next one has to know.
        Of no meaning to most sinks.
        """

    @abstractmethod
    def finish(self) -> SinkReport:
        """Complete the output, check it by reading it back, and let it appear under its name."""

    @abstractmethod
    def abort(self) -> None:
        """Drop what was written and leave what lay under the output's name untouched. May be called
        twice.
        """

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()
