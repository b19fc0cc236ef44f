"""Write y4m to standard output, for ffmpeg, mpv, VapourSynth and others that read from a pipe."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from av import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from vst.core.types import Frame
from vst.errors import UsageError
from vst.video.sinks.base import Sink, SinkReport, SinkSpec
from vst.video.sinks.track import round_rate
from vst.video.sinks.video import check_frame, check_numbers
from vst.video.y4m import NAMES, Y4mHeader, format_header, unpack_frame

# The numbers of FFmpeg for BT.601 and BT.709, and of libswscale for exact rounding (see
# `vst.video.sources.color`).
_BT601, _BT709 = 5, 1
_ACCURATE = 0x4 | 0x40000 | 0x2000


class Y4mSink(Sink):
    """Writes each frame as it comes; there is no sound, and nothing to complete at the end.

    The chroma is subsampled as in a content of y4m, else 4:2:0; 10 bits become 8. y4m does not name
    the matrix: the frames have the one that its readers assume by the size, BT.601 below 720p, else
    BT.709. ``write``: takes bytes and returns how many were written; None: standard output. Raises
    `BrokenPipeError` where the reader has closed the pipe.
    """

    def __init__(self, spec: SinkSpec, write: Callable[[memoryview], int] | None = None) -> None:
        super().__init__(spec)
        if spec.codec is not None or spec.crf is not None:
            raise UsageError(
                "standard output carries uncompressed y4m, which has no codec and no crf. Leave "
                "them out, or give a file name"
            )
        check_numbers(spec)
        self._write = write or write_standard_output()
        pixels = spec.content.pixel_format.removesuffix("10le") if spec.content is not None else ""
        self._pixels = (
            pixels if spec.content and spec.content.is_stream and pixels in NAMES else ("yuv420p")
        )
        self.header = Y4mHeader(
            spec.width, spec.height, round_rate(spec.rate), NAMES[self._pixels], spec.sample_aspect
        )
        self._matrix = _BT601 if spec.height < 720 and spec.width < 1280 else _BT709
        self._reformatter = VideoReformatter()
        self._frames = 0

    def write(self, frame: Frame) -> None:
        check_frame(frame, self.spec, None)
        if not self._frames:
            self._write_all(format_header(self.header))
        rgb = VideoFrame.from_ndarray(frame.picture, format="rgb24")
        converted = self._reformatter.reformat(
            rgb,
            format=self._pixels,
            dst_colorspace=self._matrix,
            dst_color_range=int(ColorRange.MPEG),
            interpolation=_ACCURATE,
            threads=1,
        )
        self._write_all(b"FRAME\n")
        for plane in unpack_frame(self.header, converted):
            self._write_all(plane.data.cast("B"))
        self._frames += 1

    def finish(self) -> SinkReport:
        seconds = float(self._frames / self.spec.rate)
        return SinkReport(self.spec.path, self._frames, self.spec.rate, seconds)

    def abort(self) -> None:
        """Nothing is deleted: the frames that were written have been read."""

    def _write_all(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._write(rest) :]


def write_standard_output() -> Callable[[memoryview], int]:
    """Return a function that writes bytes to standard output and returns how many it took."""
    try:
        sys.stdout.flush()
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError, io.UnsupportedOperation) as error:
        raise UsageError("standard output is closed. Give a file name") from error
    if os.isatty(descriptor):
        raise UsageError(
            "standard output is a terminal: frames would fill the screen. Add `| ffmpeg -f "
            "yuv4mpegpipe -i - FILE`, or give a file name"
        )

    def write(data: memoryview) -> int:
        return os.write(descriptor, data)

    return write
