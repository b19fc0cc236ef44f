"""Decoded frames to RGB: the right matrix, range and transfer, transparency laid on black."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from vst.core.types import ColourInfo, Picture
from vst.video.sources import tone_mapping as tone

# The numbers of ISO/IEC 23091-2 that FFmpeg uses, in FFmpeg's names.
MATRICES = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020nc",
    10: "bt2020c",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_MATRIX_NUMBERS = {name: number for number, name in MATRICES.items()}
_UNSPECIFIED = 2

# Chroma interpolated and sums rounded: within one level of the exact value, 5 ms for a frame of
# 720p. libswscale's direct path takes 0.4 to 2.5 ms, but is 1.5 levels too dark in the mean and up
# to 3 off. Given as libswscale's own numbers (bilinear, accurate rounding, full chroma): PyAV 17,
# the last one for Python 3.10, has no names for the last two.
_ACCURATE = 0x2 | 0x40000 | 0x2000


def read_color_info(frame: VideoFrame, stream: VideoStream) -> ColourInfo:
    """How this frame's numbers mean colours: what the decoder found in the stream, else what the
    container says.
    """
    context = stream.codec_context
    pixels = frame.format
    numbers = [
        of_frame if of_frame not in (0, _UNSPECIFIED) else of_container
        for of_frame, of_container in (
            (frame.color_primaries, context.color_primaries),
            (frame.color_trc, context.color_trc),
        )
    ]
    matrix = int(frame.colorspace) if frame.colorspace != _UNSPECIFIED else int(context.colorspace)
    spread = int(frame.color_range or context.color_range or 0)
    return ColourInfo(
        matrix="rgb"
        if pixels.is_rgb or pixels.has_palette
        else MATRICES.get(matrix, "unspecified"),
        primaries=PRIMARIES.get(int(numbers[0]), "unspecified"),
        transfer=TRANSFERS.get(int(numbers[1]), "unspecified"),
        full_range=spread == 2
        or pixels.is_rgb
        or pixels.has_palette
        or pixels.name.startswith("yuvj"),
        bits=max(component.bits for component in pixels.components),
    )


def choose_matrix(colour: ColourInfo, width: int, height: int) -> str:
    """The matrix, and where the video does not say, what players take: BT.2020 for HDR, BT.601 for
    SD, else BT.709.
    """
    if colour.matrix == "bt2020c":
        return "bt2020nc"  # libswscale has no constant luminance; its numbers are next to these
    if colour.matrix != "unspecified":
        return colour.matrix
    if colour.hdr or colour.primaries == "bt2020":
        return "bt2020nc"
    return "smpte170m" if height < 720 and width < 1280 else "bt709"


def has_alpha(frame: VideoFrame) -> bool:
    """Whether the frame's pixels have transparency."""
    return frame.format.has_palette or any(
        component.is_alpha for component in frame.format.components
    )


class RgbConverter:
    """Makes RGB uint8 (height, width, 3) out of decoded frames that all have the colours of
    ``colour``.
    """

    def __init__(self, colour: ColourInfo, width: int, height: int, alpha: bool) -> None:
        self._size = (width, height)
        self._matrix = _MATRIX_NUMBERS[choose_matrix(colour, width, height)]
        self._range = int(ColorRange.JPEG if colour.full_range else ColorRange.MPEG)
        self._alpha = alpha
        self._reformatter = VideoReformatter()
        self._through_table = (
            _build_table_filter(colour, width, height) if tone.needs_table(colour) else None
        )

    def __call__(self, frame: VideoFrame) -> Picture:
        # The frame says how it is to be read; a matrix of RGB must not be put on YUV, nor the other
        # way round.
        if not frame.format.is_rgb:
            frame.colorspace = self._matrix if self._matrix else 1
            frame.color_range = self._range
        if self._through_table is not None:
            return _convert_to_array(self._through_table(self._to(frame, "gbrp10le")))
        if self._alpha:
            return _composite_on_black(_convert_to_array(self._to(frame, "rgba")))
        converted = self._to(frame, "rgb24")
        picture = _convert_to_array(converted)
        # Pictures that were RGB already are the decoder's own memory.
        return picture.copy() if converted is frame else picture

    def _to(self, frame: VideoFrame, name: str) -> VideoFrame:
        width, height = self._size
        return self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format=name,
            interpolation=_ACCURATE,
            threads=1,
        )


def _convert_to_array(frame: VideoFrame) -> Picture:
    """A view of the frame's memory where its rows lie close, else a copy."""
    return np.ascontiguousarray(frame.to_ndarray(), dtype=np.uint8)


def _composite_on_black(pixels: Picture) -> Picture:
    """RGBA laid on black, as players show transparency."""
    alpha = pixels[:, :, 3:].astype(np.uint16)
    return ((pixels[:, :, :3] * alpha + 127) // 255).astype(np.uint8)


def _build_table_filter(
    colour: ColourInfo, width: int, height: int
) -> Callable[[VideoFrame], VideoFrame]:
    """A function that converts gbrp10le frames to rgb24 with the table of `tone`."""
    handle, path = tempfile.mkstemp(suffix=".cube", prefix="vst-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(tone.format_cube(colour))
        graph = Graph()
        start = graph.add(
            "buffer",
            f"video_size={width}x{height}:pix_fmt=gbrp10le:time_base=1/1000000:colorspace=gbr:"
            "range=pc",
        )
        escaped = path.replace("\\", "/").replace(":", "\\:").replace("'", "\\'")
        filters = [
            graph.add("lut3d", f"file={escaped}:interp=tetrahedral"),
            graph.add("format", "pix_fmts=rgb24"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(start, *filters).configure()
    finally:
        Path(path).unlink()  # the filter has read it

    def through(frame: VideoFrame) -> VideoFrame:
        graph.push(frame)
        pulled = graph.pull()
        assert isinstance(pulled, VideoFrame)
        return pulled

    return through
