"""Convert decoded frames to RGB by their matrix, range and transfer, transparency over black."""

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

from vst.core.types import ColorInfo, Picture
from vst.errors import MediaError
from vst.video.sources import tone_mapping as tone
from vst.video.sources.pixels import Pixels

# Code points of ISO/IEC 23091-2, as FFmpeg uses them, and FFmpeg's names.
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

# Interpolated chroma and accurate rounding stay within one level of the exact value and take 5 ms
# for a frame of 720p. libswscale's default path takes 0.4 to 2.5 ms, but is 1.5 levels too dark on
# average and up to 3 off. These are libswscale's numbers (bilinear, accurate rounding, full
# chroma): PyAV 17, the last for Python 3.10, has no names for the last two.
_ACCURATE = 0x2 | 0x40000 | 0x2000
# With full chroma, libswscale fills packed pixels of 16 bits with wrong values below the first row
# of 4:2:0; without, they are 1.2 of 1023 levels off on average, as planar ones are.
_ACCURATE_DEEP = 0x2 | 0x40000


def read_color_info(frame: VideoFrame, stream: VideoStream) -> ColorInfo:
    """Read how the frame encodes colors: from the decoded stream, else from the container."""
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
    return ColorInfo(
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


def choose_matrix(color: ColorInfo, width: int, height: int) -> str:
    """Choose the matrix; where the video does not specify it, what players assume: BT.2020 for HDR,
    BT.601 for SD, else BT.709.
    """
    if color.matrix == "bt2020c":
        return "bt2020nc"  # libswscale lacks constant luminance; these coefficients are close
    if color.matrix != "unspecified":
        return color.matrix
    if color.hdr or color.primaries == "bt2020":
        return "bt2020nc"
    return "smpte170m" if height < 720 and width < 1280 else "bt709"


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether the frame's pixels have transparency."""
    return frame.format.has_palette or any(
        component.is_alpha for component in frame.format.components
    )


class RgbConverter:
    """Converts decoded frames, which all share one color encoding, to RGB uint8 (height, width,
    3)."""

    def __init__(self, color: ColorInfo, width: int, height: int, alpha: bool) -> None:
        self._size = (width, height)
        self._matrix = _MATRIX_NUMBERS[choose_matrix(color, width, height)]
        self._range = int(ColorRange.JPEG if color.full_range else ColorRange.MPEG)
        self._alpha = alpha
        self._reformatter = VideoReformatter()
        self._through_table = (
            _build_table_filter(color, width, height) if tone.needs_table(color) else None
        )

    def __call__(self, frame: VideoFrame) -> Picture:
        # Tag the frame for libswscale; an RGB matrix must not tag YUV, nor the reverse.
        if not frame.format.is_rgb:
            frame.colorspace = self._matrix if self._matrix else 1
            frame.color_range = self._range
        if self._through_table is not None:
            return _convert_to_array(self._through_table(self._to(frame, "gbrp10le")))
        if self._alpha:
            return _composite_on_black(_convert_to_array(self._to(frame, "rgba")))
        converted = self._to(frame, "rgb24")
        picture = _convert_to_array(converted)
        # A frame that was RGB already is the decoder's own memory.
        return picture.copy() if converted is frame else picture

    def read(self, frame: VideoFrame, alpha: bool, deep: bool) -> Pixels:
        """Return a frame's pixels, RGB or RGBA, in 8 or 16 bits; transparent ones are not black."""
        if not frame.format.is_rgb and not frame.format.has_palette:
            frame.colorspace = self._matrix if self._matrix else 1
            frame.color_range = self._range
        names = {(0, 0): "rgb24", (1, 0): "rgba", (0, 1): "rgb48le", (1, 1): "rgba64le"}
        flags = _ACCURATE_DEEP if deep else _ACCURATE
        return np.array(self._to(frame, names[int(alpha), int(deep)], flags).to_ndarray())

    def _to(self, frame: VideoFrame, name: str, flags: int = _ACCURATE) -> VideoFrame:
        width, height = self._size
        return self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format=name,
            interpolation=flags,
            threads=1,
        )


def _convert_to_array(frame: VideoFrame) -> Picture:
    """Return a view of the frame's memory where its rows are contiguous, else a copy."""
    return np.ascontiguousarray(frame.to_ndarray(), dtype=np.uint8)


def _composite_on_black(pixels: Picture) -> Picture:
    """Composite RGBA over black, as players show transparency."""
    alpha = pixels[:, :, 3:].astype(np.uint16)
    return ((pixels[:, :, :3] * alpha + 127) // 255).astype(np.uint8)


def _build_table_filter(
    color: ColorInfo, width: int, height: int
) -> Callable[[VideoFrame], VideoFrame]:
    """Build a function that converts gbrp10le frames to rgb24 by the table of `tone_mapping`."""
    handle, path = tempfile.mkstemp(suffix=".cube", prefix="vst-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(tone.format_cube(color))
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
        Path(path).unlink()  # the filter has loaded it

    def through(frame: VideoFrame) -> VideoFrame:
        graph.push(frame)
        pulled = graph.pull()
        if not isinstance(pulled, VideoFrame):
            raise MediaError("FFmpeg's color table returned no picture. Run again")
        return pulled

    return through
