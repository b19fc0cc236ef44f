"""The interface of sources: the frames of a content one by one, with their exact times.

To add one: a file in this folder with a class that derives from `Source`, and one line in the table
of `vst.video.sources`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Protocol

from vst.core.closable import Closable
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError


class FrameReader(Protocol):
    """What masks and keyframe pickers need of a source: its frames and its ``info``."""

    info: VideoInfo

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]: ...


class Source(Closable, ABC):
    """The frames of one content. ``info`` is known before the first frame; ``warnings`` grows while
    frames are read.
    """

    info: VideoInfo

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        """Yield the frames with start <= time < end; each call starts again.

        ``index`` counts from 0 at the first frame yielded. Only the current frame is kept in
        memory. A truncated content yields the frames that can be read and adds a line to
        ``warnings``.
        """

    def at(self, time: float) -> Picture:
        """Return the picture shown at ``time`` seconds: the last frame that is not later, or the
        first frame. Raises `MediaError` where no frame can be read.
        """
        shown = None
        for frame in self.frames():
            if shown is not None and frame.time > time + 1e-6:
                break
            shown = frame
        if shown is None:
            raise MediaError(f"{self.info.path} has no readable frame. Give another file")
        return shown.picture

    def list_keyframes(self) -> list[float]:
        """Return the times, in seconds, from which `frames` can begin without decoding what comes
        before, without decoding; none where the content has no such index.
        """
        return []

    def keep_alpha(self) -> bool:
        """Yield frames with their opacity from now on, instead of on black; return whether the
        content has any.
        """
        return False

    def keep_depth(self) -> bool:
        """Yield frames with their picture in 16 bits from now on, too; return whether the content
        has more than 8.
        """
        return False

    def keep_hdr(self) -> bool:
        """Yield frames of HDR with their own code values, in 16 bits, beside the tone-mapped
        picture; return whether the content is HDR.
        """
        return False

    def close(self) -> None:
        """Close the file."""
