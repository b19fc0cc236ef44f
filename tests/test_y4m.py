"""y4m on standard input and output: exact frames and rates, and clear errors."""

from __future__ import annotations

import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clips import as_frames, draw_numbered_frames, read_number
from vst.errors import MediaError, UsageError
from vst.video.sinks.base import SinkSpec
from vst.video.sinks.ffmpeg import find_ffmpeg
from vst.video.sinks.y4m import Y4mSink
from vst.video.sources.y4m import Y4mSource

RATE = Fraction(30000, 1001)


def write_y4m(pixels: str, size: str = "65x47", count: int = 5) -> bytes:
    """A y4m stream that ffmpeg writes of numbered frames."""
    width, height = (int(side) for side in size.split("x"))
    raw = b"".join(frame.tobytes() for frame in draw_numbered_frames(count, width, height))
    command = [
        *(find_ffmpeg(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size),
        *("-r", "30000/1001", "-i", "-", "-pix_fmt", pixels, "-strict", "-1"),
        *("-f", "yuv4mpegpipe", "-"),
    ]
    return subprocess.run(command, input=raw, capture_output=True, check=True).stdout


def open_stream(data: bytes) -> Y4mSource:
    """A source that reads ``data`` in small pieces, as a pipe delivers it."""
    stream = io.BytesIO(data)
    return Y4mSource(Path("-"), read=lambda count: stream.read(min(count, 1000)))


@pytest.mark.parametrize(
    "pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"]
)
def test_each_pixel_format_of_ffmpeg_is_read_frame_by_frame(pixels: str) -> None:
    source = open_stream(write_y4m(pixels))
    frames = list(source.frames())
    assert [read_number(frame.picture) for frame in frames] == [0, 1, 2, 3, 4]
    assert (source.info.rate, source.info.pixel_format) == (RATE, pixels)


def test_frames_written_in_444_come_back_within_three_levels() -> None:
    smooth = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    picture = np.stack([smooth, 255 - smooth, smooth // 2 + 60], axis=2)
    content = open_stream(write_y4m("yuv444p", "64x48", 1)).info
    written = bytearray()

    def write(data: memoryview) -> int:
        written.extend(data[:700])  # a pipe takes part of what it is given
        return min(700, len(data))

    sink = Y4mSink(SinkSpec(Path("-"), 64, 48, RATE, content=content), write)
    for frame in as_frames([picture], RATE):
        sink.write(frame)
    assert sink.finish().frames == 1
    source = open_stream(bytes(written))
    got = source.at(0).astype(int)
    assert np.abs(got - picture).max() <= 3 and source.info.rate == RATE


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is empty"),
        (b"RIFF....AVI LIST\n", "is not y4m"),
        (b"YUV4MPEG2 H48 F25:1\n", "no width"),
        (b"YUV4MPEG2 W64 H48\n", "no frame rate"),
        (b"YUV4MPEG2 W64 H48 F25:0\n", "no frame rate"),
        (b"YUV4MPEG2 W64 H48 F25:1 C411\n", "pixel format C411"),
        (b"YUV4MPEG2 W64 H48 F25:1 C420\n", "no frame"),
        (b"YUV4MPEG2 W64 H48 F25:1 C420\nFRAME\n123", "cut off in frame 0: 3 of 4608 bytes"),
        (b"YUV4MPEG2 W99999 H99999 F25:1\n", "pixels"),
    ],
)
def test_a_wrong_header_or_frame_is_described(data: bytes, text: str) -> None:
    with pytest.raises(MediaError, match=text):
        open_stream(data)


def test_a_change_of_size_names_both_sizes() -> None:
    source = open_stream(write_y4m("yuv420p", "64x48") + write_y4m("yuv420p", "32x24"))
    with pytest.raises(MediaError, match=r"after 5 frames from 64 x 48 .* to 32 x 24"):
        list(source.frames())


def test_two_streams_of_one_size_are_read_in_a_row() -> None:
    source = open_stream(2 * write_y4m("yuv420p"))
    assert [read_number(frame.picture) for frame in source.frames()] == [0, 1, 2, 3, 4] * 2


def test_a_stream_is_read_once() -> None:
    source = open_stream(write_y4m("yuv420p"))
    list(source.frames())
    with pytest.raises(UsageError, match="only once"):
        list(source.frames())


def run_stylize(data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "vst", "stylize", "-", *arguments]
    return subprocess.run(command, input=data, capture_output=True)


@pytest.mark.slow
def test_stylize_pipes_every_frame_and_writes_messages_to_standard_error(tmp_path: Path) -> None:
    style = tmp_path / "style.png"
    Image.new("RGB", (32, 32), (200, 80, 40)).save(style)
    done = run_stylize(
        write_y4m("yuv422p", count=20), "-s", str(style), "-o", "-", "--engine", "tint"
    )
    assert done.returncode == 0, done.stderr
    frames = list(open_stream(done.stdout).frames())
    assert len(frames) == 20 and open_stream(done.stdout).info.rate == RATE
    assert open_stream(done.stdout).info.pixel_format == "yuv422p"
    assert b"-: 20 frames" in done.stderr


@pytest.mark.slow
def test_several_styles_over_a_stream_need_its_end(tmp_path: Path) -> None:
    done = run_stylize(write_y4m("yuv420p"), "-s", "@ink-wash", "-s", "@stained-glass", "-o", "-")
    assert done.returncode == 2 and done.stdout == b""
    assert b"stream of unknown length" in done.stderr
