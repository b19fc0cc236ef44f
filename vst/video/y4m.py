"""YUV4MPEG2 ("y4m"): uncompressed frames in a pipe, after one line that describes them.

    YUV4MPEG2 W640 H360 F30000:1001 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED
    FRAME
    <the planes Y, U and V, row by row>

FFmpeg, mpv, OBS plugins, VapourSynth and x264 read and write it. Samples above 8 bits are 16-bit
little-endian words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av import VideoFrame

from vst.core.limits import LIMITS, check_pixels
from vst.core.types import ColorInfo, Picture
from vst.errors import MediaError

SIGNATURE = b"YUV4MPEG2"
FRAME = b"FRAME"
LONGEST_LINE = 512
"""Bytes of a header or of a frame's line; a longer one is not y4m."""
PIXEL_FORMATS = {
    "420jpeg": "yuv420p", "420mpeg2": "yuv420p", "420paldv": "yuv420p", "420": "yuv420p",
    "422": "yuv422p", "444": "yuv444p", "mono": "gray",
    "420p10": "yuv420p10le", "422p10": "yuv422p10le", "444p10": "yuv444p10le",
}  # fmt: skip
"""Name after ``C`` in a header -> FFmpeg's name of the pixel format."""
NAMES = {"yuv420p": "420jpeg", "yuv422p": "422", "yuv444p": "444"}
"""Pixel format that is written -> its name in a header."""


@dataclass(frozen=True)
class Y4mHeader:
    """What the first line says of every frame."""

    width: int
    height: int
    rate: Fraction
    chroma: str = "420jpeg"
    sample_aspect: Fraction = Fraction(1)
    interlacing: str = "p"
    full_range: bool = False

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the pixel format."""
        return PIXEL_FORMATS[self.chroma]

    @property
    def color(self) -> ColorInfo:
        """The color encoding; y4m does not name the matrix."""
        return ColorInfo(full_range=self.full_range, bits=10 if self.chroma.endswith("10") else 8)

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """Bytes of a row, and rows, of each plane."""
        sample = 2 if self.chroma.endswith("10") else 1
        luma = (self.width * sample, self.height)
        if self.chroma == "mono":
            return (luma,)
        wide = self.chroma.startswith("444")
        width = self.width if wide else (self.width + 1) // 2
        height = (self.height + 1) // 2 if self.chroma.startswith("420") else self.height
        return (luma, (width * sample, height), (width * sample, height))

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame, without its line."""
        return sum(width * height for width, height in self.planes)


def parse_header(line: bytes, name: str, max_pixels: int = LIMITS.pixels) -> Y4mHeader:
    """Parse the first line; ``name`` is that of the stream in errors. Raises `MediaError`, and
    `LimitError` for frames of more than ``max_pixels``.
    """
    words = line.decode("ascii", "replace").split(" ")
    if words[0] != SIGNATURE.decode():
        raise MediaError(
            f"{name} is not y4m: it begins with {line[:16]!r} instead of {SIGNATURE!r}. Write "
            "it with `ffmpeg … -f yuv4mpegpipe -`"
        )
    given = {word[0]: word[1:] for word in words[1:] if word and word[0] != "X"}
    extra = {word for word in words[1:] if word.startswith("X")}
    width, height = _parse_side(given, "W", name), _parse_side(given, "H", name)
    check_pixels(name, width, height, max_pixels)
    chroma = given.get("C", "420jpeg")
    if chroma not in PIXEL_FORMATS:
        raise MediaError(
            f"the y4m header of {name} names the pixel format C{chroma}, which is not read. Give "
            f"one of {', '.join(f'C{one}' for one in PIXEL_FORMATS)} (ffmpeg: -pix_fmt yuv420p)"
        )
    return Y4mHeader(
        width,
        height,
        _parse_ratio(given, "F", name),
        chroma,
        _parse_ratio(given, "A", name) if given.get("A", "0:0") != "0:0" else Fraction(1),
        given.get("I", "p"),
        "XCOLORRANGE=FULL" in extra,
    )


def _parse_side(given: dict[str, str], letter: str, name: str) -> int:
    text = given.get(letter, "")
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        what = "width" if letter == "W" else "height"
        raise MediaError(
            f"the y4m header of {name} has no {what}: {letter}{text}. It needs a number such as "
            f"{letter}640"
        )
    return int(text)


def _parse_ratio(given: dict[str, str], letter: str, name: str) -> Fraction:
    text = given.get(letter, "")
    match = re.fullmatch(r"(\d{1,10}):(\d{1,10})", text)
    if match is None or not int(match[1]) or not int(match[2]):
        what = "frame rate" if letter == "F" else "pixel aspect ratio"
        raise MediaError(
            f"the y4m header of {name} has no {what}: {letter}{text}. It needs a ratio such as "
            f"{letter}{'25:1' if letter == 'F' else '1:1'}"
        )
    return Fraction(int(match[1]), int(match[2]))


def format_header(header: Y4mHeader) -> bytes:
    """Format the first line, with its line feed."""
    rate, aspect = header.rate, header.sample_aspect
    spread = "FULL" if header.full_range else "LIMITED"
    return (
        f"YUV4MPEG2 W{header.width} H{header.height} F{rate.numerator}:{rate.denominator} "
        f"I{header.interlacing} A{aspect.numerator}:{aspect.denominator} C{header.chroma} "
        f"XCOLORRANGE={spread}\n"
    ).encode("ascii")


class Y4mReader:
    """Reads one frame after another from ``read``, which returns up to so many bytes, and none at
    the end of the stream.

    The reader takes bytes as they come: a pipe delivers them in pieces. ``name``: that of the
    stream, in errors.
    """

    def __init__(
        self, read: Callable[[int], bytes], name: str, max_pixels: int = LIMITS.pixels
    ) -> None:
        self._read, self._name, self._max_pixels = read, name, max_pixels
        self._rest = b""
        line = self._read_line()
        if not line:
            raise MediaError(f"{name} is empty: it ended before a y4m header. Check what writes it")
        self.header = parse_header(line, name, max_pixels)
        self.frames = 0

    def read_frame(self) -> VideoFrame | None:
        """Read the next frame; None at the end. Raises `MediaError` for a stream that is cut off in
        a frame, or whose size or format changes.
        """
        line = self._read_line()
        while line.startswith(SIGNATURE):  # streams in a row, as `cat a.y4m b.y4m` gives them
            self._check_same(parse_header(line, self._name, self._max_pixels))
            line = self._read_line()
        if not line:
            return None
        if line.split(b" ")[0] != FRAME:
            raise MediaError(
                f"{self._name} is damaged: after {self.frames} frames stands {line[:16]!r} instead "
                f"of {FRAME!r}. Check what writes it"
            )
        data = self._read_exactly(self.header.frame_bytes)
        if len(data) < self.header.frame_bytes:
            raise MediaError(
                f"{self._name} is cut off in frame {self.frames}: {len(data)} of "
                f"{self.header.frame_bytes} bytes. Check what writes it"
            )
        self.frames += 1
        return pack_frame(self.header, data)

    def _check_same(self, header: Y4mHeader) -> None:
        if header != self.header:
            before, after = self.header, header
            raise MediaError(
                f"{self._name} changes after {self.frames} frames from {before.width} x "
                f"{before.height} C{before.chroma} to {after.width} x {after.height} "
                f"C{after.chroma}. Bring all frames to one size and format (ffmpeg: -vf scale)"
            )

    def _read_line(self) -> bytes:
        """Read up to a line feed, without it; empty at the end of the stream."""
        while b"\n" not in self._rest:
            if len(self._rest) > LONGEST_LINE:
                if self._rest.startswith((SIGNATURE, FRAME)):
                    raise MediaError(
                        f"{self._name} is damaged: a line of y4m has more than {LONGEST_LINE} bytes"
                    )
                return self._rest[:LONGEST_LINE]
            piece = self._read(LONGEST_LINE + 1)
            if not piece:
                line, self._rest = self._rest, b""
                return line
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _read_exactly(self, count: int) -> bytearray:
        data = bytearray(self._rest[:count])
        self._rest = self._rest[count:]
        while len(data) < count:
            piece = self._read(count - len(data))
            if not piece:
                break
            data += piece
        return data


def pack_frame(header: Y4mHeader, data: bytes | bytearray) -> VideoFrame:
    """Pack the bytes of a frame's planes into FFmpeg's frame."""
    frame = VideoFrame(header.width, header.height, header.pixel_format)
    start = 0
    for plane, (width, height) in zip(frame.planes, header.planes, strict=True):
        rows = np.frombuffer(data, np.uint8, width * height, start).reshape(height, width)
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width] = (
            rows
        )
        start += width * height
    return frame


def unpack_frame(header: Y4mHeader, frame: VideoFrame) -> list[Picture]:
    """Return the planes of FFmpeg's frame, row by row, without its padding."""
    return [
        np.ascontiguousarray(
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
        )
        for plane, (width, height) in zip(frame.planes, header.planes, strict=True)
    ]
