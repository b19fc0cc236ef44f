"""What a source promises: the frames of a content one by one, with their exact times.

To add one: a file in this folder with a class that derives from `Source`, and one line in the table
of `vst.video.sources`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType

from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError


class Source(ABC):
    """Frames of one content. ``info`` is known before the first frame; ``warnings`` grows while it
    is read.
    """

    info: VideoInfo

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        """Yield the frames with start <= time < end, from the first one again at each call.

        ``index`` counts from 0 at the first frame yielded. Nothing is held but the frame at hand. A
        content that breaks off is yielded as far as it reads, and a line is added to ``warnings``.
        """

    def at(self, time: float) -> Picture:
        """The picture that is shown at ``time`` seconds: the last frame that is not later (the
        first, if none is).
        """
        shown = None
        for frame in self.frames():
            if shown is not None and frame.time > time + 1e-6:
                break
            shown = frame
        if shown is None:
            raise MediaError(f"{self.info.path} has no frame that can be read")
        return shown.picture

    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
