"""Encode painted frames into the picture track, a file of its own, with MoviePy's writer,
corrected.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

from vst.core.types import ColorInfo, Picture
from vst.errors import OutputError
from vst.video.sinks.ffmpeg import SAFE_INPUT, FFmpegProcess, format_file_url
from vst.video.sinks.formats import ENCODERS

RAW_FORMATS = {
    (False, False): "rgb24",
    (True, False): "rgba",
    (False, True): "rgb48le",
    (True, True): "rgba64le",
}
"""Opacity and 16 bits -> FFmpeg's name of the frames that are written."""
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class TrackEncoding:
    """How a track is encoded. ``crf`` None: the encoder's default; ``in_order``: without frame
    reordering; ``preset``: x264's; ``alpha``: frames are RGBA, and keep their opacity; ``deep``:
    they have 16 bits a color; ``color``: their primaries and curve, None: those of BT.709.
    """

    codec: str = "h264"
    crf: int | None = None
    sample_aspect: Fraction = Fraction(1)
    in_order: bool = False
    preset: str | None = None
    alpha: bool = False
    deep: bool = False
    color: ColorInfo | None = None


class TrackWriter(FFMPEG_VideoWriter):
    """MoviePy's writer with the same interface (`write_frame`, `close`, ``with``) and another
    ffmpeg command.

    Does not call the parent's constructor, because its effects cannot be undone: it rounds the rate
    to two digits (23.976 becomes 23.98), requests ``yuva420p`` after all other parameters, and
    starts ffmpeg at once. Here the rate is an exact fraction, RGB is converted with the matrix that
    the file declares (BT.709, limited range), frames are not copied, and `close` raises
    `OutputError` if ffmpeg fails.

    4:2:0 needs even sizes. H.264 repeats the last row or column, and `vst.video.sinks.remux` writes
    the true size into the container, which decoders obey; HEVC and ProRes use 4:4:4; VP9 and FFV1
    support odd sizes.
    """

    def __init__(
        self,
        filename: str | Path,
        size: tuple[int, int],
        fps: Fraction,
        encoding: TrackEncoding | None = None,
        target: Path | None = None,
    ) -> None:
        self.encoding = encoding or TrackEncoding()
        self.path = Path(filename)
        self.filename = str(filename)
        self.codec = self.encoding.codec
        self.ext = self.path.suffix.lstrip(".")
        self.logfile = None
        self.target = target or self.path
        self.size = size
        self.frames = 0
        self.padded = pad_size(self.codec, size)
        self._buffer = (
            np.empty((self.padded[1], self.padded[0], 3), np.uint8) if self.padded != size else None
        )
        self._process = FFmpegProcess(self._build_arguments(fps), feed=True)
        self.proc: Any = self._process.popen
        _enlarge_pipe(self.proc.stdin)

    def _build_arguments(self, fps: Fraction) -> list[str]:
        encoder, crf = ENCODERS[self.codec], self.encoding.crf
        width, height = self.padded
        odd = bool(width % 2 or height % 2)
        alpha, deep = self.encoding.alpha, self.encoding.deep
        pixels = encoder.choose_pixels(odd, alpha, deep)
        quality = ["-crf", str(crf)] if crf is not None and encoder.crf is not None else []
        given = self.encoding.preset if self.codec == "h264" else None
        preset = ["-preset", given] if given else []  # the last one counts
        if self.codec == "h264" and crf == 0 and pixels == "yuv420p":
            quality = ["-crf", "1"]  # 0 is lossless, in a profile that browsers cannot play
        return [
            *("-f", "rawvideo", "-pixel_format", RAW_FORMATS[alpha, deep]),
            *("-video_size", f"{width}x{height}"),
            *("-framerate", f"{fps.numerator}/{fps.denominator}"),
            *(*SAFE_INPUT, "-i", "pipe:0", "-an"),
            *("-vf", _build_filters(pixels, encoder.is_rgb, self.encoding)),
            *("-c:v", encoder.encoder, *encoder.options, *preset, *quality),
            *(encoder.alpha_options if alpha else ()),
            *(encoder.in_order if self.encoding.in_order else ()),
            *("-fps_mode", "passthrough", "-f", encoder.choose_track(alpha)),
            *("-y", format_file_url(self.path)),
        ]

    def write_frame(self, img_array: Picture) -> None:
        """Encode the next frame: RGB uint8, (height, width, 3). Raises `OutputError` if ffmpeg has
        ended.
        """
        if self._buffer is not None:
            width, height = self.size
            self._buffer[:height, :width] = img_array
            self._buffer[:height, width:] = img_array[:, -1:]
            self._buffer[height:] = self._buffer[height - 1]
            img_array = self._buffer
        try:
            self.proc.stdin.write(np.ascontiguousarray(img_array).data.cast("B"))
        except (BrokenPipeError, OSError, ValueError) as error:
            if self.proc is None or isinstance(error, ValueError):
                raise OutputError(
                    f"{str(self.target)!r}: write_frame was called on a closed track"
                ) from error
            self._process.wait()
            raise self._process.error(self.target) from error
        self.frames += 1

    def close(self, patience: float | None = None) -> None:
        """Finish the track. Raises `OutputError` with ffmpeg's message if it failed, and
        `StalledError` if ffmpeg makes no progress for ``patience`` seconds.
        """
        if self.proc is None:
            return
        self.proc = None
        try:
            status = self._process.wait(patience)
        except BaseException:
            self._process.kill()
            raise
        if status:
            raise self._process.error(self.target)

    def abort(self) -> None:
        """Kill ffmpeg, if it still runs, and wait for it. The caller deletes the file."""
        self.proc = None
        self._process.kill()


def pad_size(codec: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return the encoded size: even for H.264, else ``size`` itself."""
    width, height = size
    return (width + width % 2, height + height % 2) if codec == "h264" else size


def _build_filters(pixels: str, is_rgb: bool, encoding: TrackEncoding) -> str:
    """Build ffmpeg's filters from RGB to the encoder's pixel format, with matching color tags."""
    aspect = encoding.sample_aspect.limit_denominator(65535)
    shape = (
        f"setsar={aspect.numerator}/{aspect.denominator}:"
        f"max={max(aspect.numerator, aspect.denominator, 100)}"
    )
    primaries, curve, matrix, space = "bt709", "bt709", "bt709", "bt709"
    if encoding.color is not None:
        known = encoding.color.primaries != "unspecified"
        primaries = encoding.color.primaries if known else "bt2020"
        curve, matrix, space = encoding.color.transfer, "bt2020", "bt2020nc"
    tags = f"setparams=color_primaries={primaries}:color_trc={curve}"
    if is_rgb:
        return f"format={pixels},{shape},{tags}"
    # Without out_color_matrix, libswscale converts with BT.601 but players assume BT.709.
    convert = (
        f"scale=in_range=pc:out_range=tv:out_color_matrix={matrix}:"
        "flags=bicubic+accurate_rnd+full_chroma_inp"
    )
    return f"{convert},format={pixels},{shape},{tags}:colorspace={space}:range=tv"


def _enlarge_pipe(pipe: Any) -> None:
    """Enlarge the pipe where the system supports it, for fewer context switches per frame."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def round_rate(rate: Fraction) -> Fraction:
    """Round a rate so that every container can store it: numerator and denominator below 2^31;
    common rates stay exact.
    """
    if rate.numerator < 2**31 and rate.denominator < 2**31:
        return rate
    return rate.limit_denominator(2**31 // max(1, math.ceil(rate)))
