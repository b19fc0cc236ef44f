"""Small clips for the tests of sources and sinks: frames that tell their own number, colors that
are known, sound that can be found again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Frame, Picture
from vst.video.sinks.ffmpeg import find_ffmpeg

CODE_BITS = 10
CORNERS = ((230, 30, 30), (30, 200, 30), (40, 40, 230), (230, 220, 40))
"""The colors of the corners: top left, top right, bottom left, bottom right."""

PATCHES = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (0, 0, 0),
    (128, 128, 128),
    (200, 100, 50),
    (30, 60, 180),
    (240, 220, 20),
    (90, 200, 180),
)
MATRICES = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""The weights of red and blue in luma, by FFmpeg's name of the matrix."""


def draw_numbered_frame(index: int, width: int = 64, height: int = 48) -> Picture:
    """A frame with four colored corners and, in its middle rows, ``index`` in black and white
    bars.
    """
    picture = np.empty((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    picture[:top, :left], picture[:top, left:] = CORNERS[0], CORNERS[1]
    picture[top:, :left], picture[top:, left:] = CORNERS[2], CORNERS[3]
    for bit in range(CODE_BITS):
        columns = slice(bit * width // CODE_BITS, (bit + 1) * width // CODE_BITS)
        picture[height // 3 : 2 * height // 3, columns] = 255 if index >> bit & 1 else 0
    return picture


def read_number(picture: Picture) -> int:
    """The index that `draw_numbered_frame` wrote into an upright picture."""
    height, width = picture.shape[:2]
    row = picture[height * 4 // 10 : height * 6 // 10].astype(float).mean(axis=(0, 2))
    middles = [int((bit + 0.5) * width / CODE_BITS) for bit in range(CODE_BITS)]
    return sum(int(row[middle] > 127) << bit for bit, middle in enumerate(middles))


def read_corners(picture: Picture) -> list[int]:
    """Which of `CORNERS` is nearest at the top left, top right, bottom left and bottom right."""
    height, width = picture.shape[:2]
    places = [(y, x) for y in (height // 8, height - height // 8) for x in (3, width - 4)]
    known = np.array(CORNERS, float)
    return [int(np.argmin(np.abs(known - picture[place].astype(float)).sum(1))) for place in places]


def draw_numbered_frames(count: int, width: int = 64, height: int = 48) -> list[Picture]:
    return [draw_numbered_frame(index, width, height) for index in range(count)]


def as_frames(
    pictures: Iterable[Picture], rate: Fraction, times: Sequence[float] | None = None
) -> list[Frame]:
    """Frames at a constant rate, or at ``times``."""
    return [
        Frame(index, times[index] if times else float(index / rate), picture)
        for index, picture in enumerate(pictures)
    ]


def run_ffmpeg(*arguments: object, data: bytes = b"") -> None:
    """Run ffmpeg with these arguments; what it says of errors fails the test."""
    done = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)],
        input=data,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()


ENCODINGS = {
    "h264.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-pix_fmt", "yuv420p"),
    "h264_b.mov": (
        "-c:v",
        "libx264",
        "-preset",
        "medium",
        "-crf",
        "10",
        "-bf",
        "3",
        "-pix_fmt",
        "yuv420p",
    ),
    "h264_444.mkv": (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "10",
        "-pix_fmt",
        "yuv444p",
    ),
    "h264_422.mp4": (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "10",
        "-pix_fmt",
        "yuv422p",
    ),
    "hevc.mp4": (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=error",
        "-pix_fmt",
        "yuv420p",
    ),
    "hevc10.mkv": (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=error",
        "-pix_fmt",
        "yuv420p10le",
    ),
    "vp8.webm": ("-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "3"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-q:v", "3", "-bf", "2"),
    "prores.mov": ("-c:v", "prores_ks"),
    "film.gif": ("-c:v", "gif"),
}
"""Options of encoders, by a file name that shows the kind."""

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2")


def encode(
    path: Path,
    pictures: Sequence[Picture],
    *options: object,
    rate: object = 25,
    inputs: Sequence[object] = (),
) -> Path:
    """Write ``pictures`` with ffmpeg; ``inputs`` are options before further inputs, which count
    from 1.

    The matrix is BT.709, tagged, unless ``options`` have a ``-vf`` of their own.
    """
    height, width = pictures[0].shape[:2]
    shape = ("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}")
    matrix = "scale=out_color_matrix=bt709:out_range=tv"
    colors = () if "-vf" in options else ("-vf", matrix, "-colorspace", "bt709")
    chosen = options if "-c:v" in options else (*X264, *options)
    data = b"".join(picture.tobytes() for picture in pictures)
    run_ffmpeg(
        *shape, "-framerate", rate, "-i", "pipe:0", *inputs, *colors, *chosen, path, data=data
    )
    return path


def write_clip(
    path: Path, count: int = 20, rate: object = 25, sound: bool = False, *options: object
) -> Path:
    """A small clip of numbered frames, 64 x 48, with two seconds of sound at most."""
    inputs = SOUND if sound else ()
    return encode(path, draw_numbered_frames(count), *options, rate=rate, inputs=inputs)


def write_with_ticks(path: Path, source: Path, ticks: Sequence[int], tick: Fraction) -> Path:
    """The packets of ``source`` (no B-frames) at ``ticks``: a clip of variable rate."""
    import av

    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream: Any = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.time_base = tick
        packets = [packet for packet in old.demux(video=0) if packet.size]
        for index, packet in enumerate(packets):
            packet.stream, packet.time_base = stream, tick
            packet.pts = packet.dts = ticks[index]
            follower = ticks[index + 1] if index + 1 < len(ticks) else ticks[index] + 40
            packet.duration = follower - ticks[index]
            new.mux(packet)
    return path


def write_rotated(path: Path, source: Path, matrix: Sequence[int]) -> Path:
    """``source`` with a display matrix: a, b, c, d of (p, q) -> (a p + c q, b p + d q)."""
    import av

    a, b, c, d = (value << 16 for value in matrix)
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream: Any = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    return path


def write_patches(path: Path, matrix: str, full: bool, pixels: str, *options: object) -> Path:
    """A clip of one frame with `PATCHES` side by side, each 32 wide, coded by the formula of the
    matrix.
    """
    bits = int("".join(filter(str.isdigit, pixels[6:].replace("le", ""))) or 8)
    values = np.array([encode_color(color, matrix, full, bits) for color in PATCHES])
    kind = np.uint8 if bits == 8 else np.uint16
    planes = []
    for plane in range(3):
        across = 1 if plane == 0 or "444" in pixels else 2
        down = 2 if plane and "420" in pixels else 1
        row = np.repeat(values[:, plane], 32 // across)
        planes.append(np.tile(row, (64 // down, 1)).astype(kind).tobytes())
    spread = "pc" if full else "tv"
    shape = ("-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{32 * len(PATCHES)}x64")
    tags = () if options else ("-vf", f"setparams=colorspace={matrix}:range={spread}")
    ending = options or ("-color_range", spread, "-c:v", "ffv1")
    run_ffmpeg(
        *shape, "-framerate", 25, "-i", "pipe:0", *tags, *ending, path, data=b"".join(planes)
    )
    return path


def encode_color(
    color: tuple[int, int, int], matrix: str, full: bool, bits: int
) -> tuple[int, ...]:
    """Y, Cb and Cr of an RGB color (ITU-R BT.709, BT.601, BT.2020)."""
    of_red, of_blue = MATRICES[matrix]
    red, green, blue = (channel / 255 for channel in color)
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    chroma = ((blue - luma) / 2 / (1 - of_blue), (red - luma) / 2 / (1 - of_red))
    top, middle, unit = (1 << bits) - 1, 1 << (bits - 1), 1 << (bits - 8)
    if full:
        return tuple(
            min(top, round(value))
            for value in (luma * top, *(part * top + middle for part in chroma))
        )
    return tuple(
        round(value * unit) for value in (16 + 219 * luma, *(128 + 224 * part for part in chroma))
    )


def read_patches(picture: Picture) -> npt.NDArray[np.int64]:
    """The colors in the middles of the patches, (10, 3)."""
    return picture[picture.shape[0] // 2, 16::32].astype(np.int64)


def read_sound_packets(path: Path, track: int = 0) -> list[bytes]:
    """The packets of one sound track, as they lie in the file."""
    import av

    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.audio[track]) if packet.size]


def read_sound(path: Path, track: int = 0) -> tuple[npt.NDArray[np.float32], int]:
    """The samples of the first channel, laid out from the file's time 0, and their rate."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.audio[track]
        rate = stream.codec_context.sample_rate
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        parts: list[tuple[int, npt.NDArray[np.float32]]] = []
        for frame in file.decode(stream):
            start = round(float(frame.pts * frame.time_base) * rate)
            for part in resampler.resample(frame):
                parts.append((start, part.to_ndarray()[0].astype(np.float32)))
        length = max(start + len(part) for start, part in parts)
        samples = np.zeros(length, np.float32)
        for start, part in parts:
            keep = part[max(0, -start) :]
            samples[max(0, start) : max(0, start) + len(keep)] = keep
        return samples, rate


def find_onset(path: Path, after: float, level: float = 0.1) -> float:
    """Seconds on the file's clock of the first sound above ``level`` at or after ``after``."""
    samples, rate = read_sound(path)
    begin = round(after * rate)
    loud = np.flatnonzero(np.abs(samples[begin:]) > level)
    return (begin + int(loud[0])) / rate
