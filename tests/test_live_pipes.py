"""``vst live`` in real pipes: slow readers, stalled and faulty writers, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.clips import draw_numbered_frames
from vst.video.sources import open_source

pytestmark = pytest.mark.slow
HEADER = b"YUV4MPEG2 W64 H48 F25:1 Ip C444\n"
FRAMES = [b"FRAME\n" + frame.tobytes() for frame in draw_numbered_frames(50)]


def start(tmp_path: Path, *outputs: str) -> subprocess.Popen[bytes]:
    style = tmp_path / "style.png"
    Image.new("RGB", (32, 32), (200, 80, 40)).save(style)
    options = [part for output in outputs for part in ("-o", output)]
    return subprocess.Popen(
        [sys.executable, "-m", "vst", "live", "-", "-s", str(style), "--engine", "tint", "--size",
         "48", "--steadiness", "0", "--json", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def feed(run: subprocess.Popen[bytes], seconds: float, stall: float = 0.0) -> None:
    """Write frames at their rate for so long; ``stall``: stop for so long in the middle."""
    assert run.stdin is not None
    run.stdin.write(HEADER)
    for number in range(int(seconds * 25)):
        run.stdin.write(FRAMES[number % len(FRAMES)])
        run.stdin.flush()
        time.sleep(0.04 + (stall if number == int(seconds * 25) - 5 else 0))


def read_report(text: bytes) -> dict[str, object]:
    return dict(json.loads(text.strip().splitlines()[-1]))


def test_a_slow_reader_gets_the_newest_frames_and_a_stalled_writer_is_awaited(
    tmp_path: Path,
) -> None:
    run = start(tmp_path, "-")
    got = bytearray()

    def read_slowly() -> None:
        while piece := run.stdout.read1(65536):  # type: ignore[union-attr]
            got.extend(piece)
            time.sleep(0.5)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    feed(run, 14, stall=2)
    run.stdin.close()  # type: ignore[union-attr]
    errors = run.stderr.read()  # type: ignore[union-attr]
    reader.join(60)
    assert run.wait(60) == 0, errors
    shown = read_report(errors)["outputs"]["-"]["shown"]  # type: ignore[index]
    assert got.startswith(b"YUV4MPEG2 W64 H48 F25:1")
    assert 0 < got.count(b"FRAME\n") and shown <= got.count(b"FRAME\n") <= 14 * 25


def test_a_wrong_header_and_a_change_of_size_are_described(tmp_path: Path) -> None:
    run = start(tmp_path, "-")
    _, errors = run.communicate(b"RIFF\n")
    assert run.returncode == 1 and b"is not y4m" in errors
    run = start(tmp_path, "-")
    other = HEADER.replace(b"W64", b"W32")
    _, errors = run.communicate(HEADER + FRAMES[0] + other + b"FRAME\n")
    assert run.returncode == 1 and b"changes after 1 frames from 64 x 48" in errors


def test_ctrl_c_completes_the_file(tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    run = start(tmp_path, str(output), "-")
    threading.Thread(target=run.stdout.read, daemon=True).start()  # type: ignore[union-attr]
    feed(run, 10)
    run.send_signal(signal.SIGINT)
    run.stdin.write(FRAMES[0])  # type: ignore[union-attr]
    errors = run.stderr.read()  # type: ignore[union-attr]
    assert run.wait(30) == 0, errors
    assert open_source(output).info.frames >= 1 and read_report(errors)["painted"] != 0


def test_a_reader_who_leaves_ends_the_run(tmp_path: Path) -> None:
    run = start(tmp_path, "-")
    threading.Timer(8, run.stdout.close).start()  # type: ignore[union-attr]
    with pytest.raises(BrokenPipeError):
        feed(run, 60)
    assert run.wait(30) == 0
