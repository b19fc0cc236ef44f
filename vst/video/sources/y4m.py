"""Read y4m from standard input, as ``ffmpeg … -f yuv4mpegpipe -`` writes it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from vst.core.limits import LIMITS, Limits, check_frames
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError, UsageError
from vst.video.sources.base import Source
from vst.video.sources.color import RgbConverter
from vst.video.y4m import Y4mReader

NAME = "standard input"


class Y4mSource(Source):
    """Yields each frame of a stream once, as RGB, at the header's exact rate.

    Its length is unknown until it has ended: ``info.is_stream``. `at` knows the first frame only.
    ``read``: returns up to so many bytes; None: those of standard input. Raises `MediaError` where
    the stream is not y4m, is cut off in a frame, or changes its size.
    """

    def __init__(
        self, path: Path, limits: Limits = LIMITS, read: Callable[[int], bytes] | None = None
    ) -> None:
        super().__init__()
        self._limits = limits
        self._reader = Y4mReader(read or read_standard_input(), NAME, limits.pixels)
        header = self._reader.header
        self._convert = RgbConverter(header.color, header.width, header.height, alpha=False)
        if header.interlacing not in ("p", "?"):
            self.warnings.append(f"{NAME} is interlaced; its frames are not deinterlaced")
        first = self._next_picture()
        if first is None:
            raise MediaError(f"{NAME} has a y4m header and no frame. Check what writes it")
        self._first, self._started = first, False
        self.info = VideoInfo(
            path=path,
            width=header.width,
            height=header.height,
            rate=header.rate,
            frames=limits.frames,
            duration=float(limits.frames / header.rate),
            is_stream=True,
            sample_aspect=header.sample_aspect,
            codec="rawvideo",
            pixel_format=header.pixel_format,
            color=header.color,
        )

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        if self._started:
            raise UsageError(
                f"{NAME} can be read only once, and this option needs it twice. Write it to a "
                "file first, or leave out align and pace"
            )
        self._started = True
        picture: Picture | None = self._first
        number = index = 0
        while picture is not None:
            time = float(number / self.info.rate)
            if end is not None and time >= end - 1e-9:
                return
            if time >= start - 1e-9:
                check_frames(NAME, index + 1, self._limits.frames)
                yield Frame(index, time, picture)
                index += 1
            picture = self._next_picture()
            number += 1

    def at(self, time: float) -> Picture:
        return self._first

    def _next_picture(self) -> Picture | None:
        frame = self._reader.read_frame()
        return self._convert(frame) if frame is not None else None


def read_standard_input() -> Callable[[int], bytes]:
    """Return a function that reads up to so many bytes of standard input, as they come."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError, io.UnsupportedOperation) as error:
        raise UsageError(f"{NAME} is closed. Give a file, or a pipe with frames in y4m") from error
    if os.isatty(descriptor):
        raise UsageError(
            f"{NAME} is a terminal, not a pipe with frames. Start with `ffmpeg -i FILE -f "
            "yuv4mpegpipe - |`, or give a file"
        )

    def read(count: int) -> bytes:
        return os.read(descriptor, min(count, 1 << 20))

    return read
