"""Half an hour of video, end to end: every frame, its time and its sound, in little memory.

Without a stabilizer, which would blur the numbers that the frames show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests import clips, memory_watch
from tests.clips import CODE_BITS
from vst.checkpoint.store import get_chunk_folder
from vst.plotting import save_picture
from vst.video.sources import open_source

RATE, MINUTES = 25, 30
FRAMES = RATE * 60 * MINUTES
CYCLE = 2**CODE_BITS
"""Frames after which the numbers repeat."""
MOST_MEMORY = 1_000_000_000
"""Bytes that the program and its ffmpeg may use together."""
BEEPS = "aevalsrc='if(lt(mod(t,10),0.05),0.5*sin(5000*t),0)':s=48000"


def write_half_an_hour(folder: Path) -> Path:
    """Numbered frames of 320 x 180 over grain that moves, with a beep every ten seconds."""
    grain = np.random.default_rng(0).integers(0, 255, (45, 320, 3), np.uint8)
    command = (*clips.X264, "-g", "250", "-crf", "23")
    one = folder / "cycle.mp4"
    shape = ("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "320x180")
    data = bytearray()
    for index in range(CYCLE):
        picture = clips.draw_numbered_frame(index, 320, 180)
        picture[135:] = np.roll(grain, 3 * index, 1)
        data += picture.tobytes()
    clips.run_ffmpeg(*shape, "-framerate", RATE, "-i", "pipe:0", *command, one, data=bytes(data))
    whole = folder / "content.mp4"
    clips.run_ffmpeg(
        "-stream_loop", -1, "-i", one, "-f", "lavfi", "-i", BEEPS,
        "-t", MINUTES * 60, "-c:v", "copy", "-c:a", "aac", whole,
    )  # fmt: skip
    one.unlink()
    return whole


def read_times(path: Path, kind: str) -> list[float]:
    """The times of all packets, in seconds on the file's clock."""
    with av.open(str(path)) as file:
        stream: Any = file.streams.video[0] if kind == "video" else file.streams.audio[0]
        return sorted(float(p.pts * p.time_base) for p in file.demux(stream) if p.size)


@pytest.mark.huge
@pytest.mark.slow
def test_half_an_hour_of_video(tmp_path: Path) -> None:
    content = write_half_an_hour(tmp_path)
    assert len(read_times(content, "video")) == FRAMES
    save_picture(tmp_path / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    output = tmp_path / "out.mp4"
    done = memory_watch.run_vst(
        "stylize", content, "-s", tmp_path / "red.png", "-o", output,
        "--engine", "tint", "--stabilise", "off", "--progress", "none", timeout=1500,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    print(f"{FRAMES} frames in {done.seconds:.0f} s, {done.peak / 1e6:.0f} MB at most")
    assert done.peak < MOST_MEMORY
    assert not get_chunk_folder(output).exists()
    pictures, sound = read_times(output, "video"), read_times(output, "audio")
    assert np.allclose(pictures, np.arange(FRAMES) / RATE, atol=1e-6)
    assert np.allclose(sound, read_times(content, "audio"), atol=1e-6)
    assert clips.read_sound_packets(output) == clips.read_sound_packets(content)
    with open_source(output) as source:
        for second in range(0, MINUTES * 60, 60):
            shown = [
                clips.read_number(frame.picture) for frame in source.frames(second, second + 1)
            ]
            assert shown == [(second * RATE + index) % CYCLE for index in range(RATE)]
