"""What `bench/peers.py` does with a peer: runs it, interrupts it, gives it awkward files, and looks
at what it wrote.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
from harness import children_cpu_seconds, measure_process_memory
from peer_list import Peer

from vst.samples import Landscape, write_content

RATE = Fraction(30000, 1001)
SMALL = (128, 96)
TICKS = (33, 33, 67)
"""Milliseconds that the frames of the clip of variable rate last, in turn: as phones write."""
TURNED = 90
"""Degrees by which players have to turn the rotated clip."""
PATIENCE = 900


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds of the wall clock and of all cores, the highest memory of its
    processes in MB, exit code, and the lines that it printed.
    """

    seconds: float
    cpu: float
    memory: float
    code: int
    lines: Sequence[str]


def run(command: Sequence[str], kill_at: float = math.inf) -> Run:
    """Run a command to its end, or kill all its processes after so many CPU seconds: unlike those
    of the wall clock, they mean the same part of the work on a busy machine.
    """
    began, used, memory = time.perf_counter(), children_cpu_seconds(), 0.0
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        )
        while process.poll() is None:
            memory = max(memory, measure_process_memory(process.pid))
            late = time.perf_counter() - began > PATIENCE
            if late or (kill_at < math.inf and measure_cpu(process.pid) > kill_at):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                break
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return Run(seconds, children_cpu_seconds() - used, memory, process.returncode, lines)


def measure_cpu(pid: int) -> float:
    """CPU seconds of a process and its descendants so far; 0 once it has ended."""
    try:
        top = psutil.Process(pid)
        times = [one.cpu_times() for one in (top, *top.children(recursive=True))]
    except psutil.Error:
        return 0.0
    return float(sum(one.user + one.system for one in times))


def write_variable(path: Path, count: int) -> Path:
    """A clip whose frames last `TICKS` in turn."""
    scene = Landscape(*SMALL)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "17"})
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.max_b_frames = 0
        now = 0
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(scene.frame(now / 1000), format="rgb24")
            frame.pts, frame.time_base = now, Fraction(1, 1000)
            now += TICKS[index % len(TICKS)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_rotated(path: Path, count: int) -> Path:
    """A clip that players show turned by `TURNED` degrees, upright 96 x 128."""
    upright = write_content(
        path.with_stem("upright"), width=SMALL[0], height=SMALL[1], duration=count / 25, sound=False
    )
    with av.open(str(upright)) as old, av.open(str(path), "w") as new:
        stream: Any = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.set_display_matrix([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    return path


def probe(path: Path) -> dict[str, Any]:
    """Frames that can be decoded, their times in seconds, rate, size as shown, and sound."""
    if not path.is_file():
        return {"frames": 0}
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            times, turn = [], 0
            for frame in container.decode(stream):
                times.append(float(frame.time or 0))
                turn = int(getattr(frame, "rotation", 0))
            size = [stream.width, stream.height]
            return {
                "frames": len(times),
                "times": times,
                "rate": str(stream.average_rate),
                "size": size[::-1] if turn % 180 else size,
                "sound": bool(container.streams.audio),
            }
    except (av.FFmpegError, IndexError, OSError):
        return {"frames": 0, "unreadable": True}


def compare(content: Path, output: Path) -> dict[str, Any]:
    """What an output keeps of its content: frames, rate, size, sound, and the largest difference of
    a frame's time, in milliseconds.
    """
    wanted, found = probe(content), probe(output)
    pairs = list(zip(wanted["times"], found.get("times", [])))
    drift = max((abs(a - wanted["times"][0] - b + found["times"][0]) for a, b in pairs), default=0)
    return {
        "frames": f"{found['frames']} of {wanted['frames']}",
        "exact frames": found["frames"] == wanted["frames"],
        "rate": found.get("rate", "–"),
        "exact rate": found.get("rate") == wanted["rate"],
        "upright": found.get("size") == wanted["size"],
        "sound": found.get("sound", False),
        "drift": round(1000 * float(drift), 1),
    }


def try_broken(peer: Peer, content: Path, style: Path, output: Path) -> dict[str, Any]:
    """What a peer makes of a file whose second half is missing: its exit code, the frames it wrote,
    and whether it says that frames are missing.
    """
    broken = output.with_name("half.mp4")
    data = content.read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    output.unlink(missing_ok=True)
    done = run(peer.command(broken, style, output))
    words = ("truncat", "damaged", "missing", "corrupt", "incomplete", "ends early")
    told = [line for line in done.lines if any(word in line.lower() for word in words)]
    return {
        "exit": done.code,
        "frames": probe(output)["frames"],
        "whole": probe(content)["frames"],
        "traceback": any("Traceback" in line for line in done.lines),
        "says so": bool(told),
        "line": told[0].replace(f"{output.parent}/", "")[:200] if told else "",
    }


def try_kill(peer: Peer, content: Path, style: Path, output: Path) -> dict[str, Any]:
    """Kill a peer after 70 % of the work (by CPU time); what it leaves under the output's name, and
    how much of the work its next run repeats, by CPU seconds without those of the start-up.
    """
    short = write_content(
        output.with_name("short.mp4"), width=SMALL[0], height=SMALL[1], rate=10, duration=0.2
    )
    start = run(peer.command(short, style, output.with_name("short-out.mp4")))
    whole = run(peer.command(content, style, output))
    output.unlink(missing_ok=True)
    moment = start.cpu + 0.7 * (whole.cpu - start.cpu)
    killed = run(peer.command(content, style, output), kill_at=moment)
    was_left, left = output.exists(), probe(output)
    again = run((peer.resume or peer.command)(content, style, output))
    work = max(whole.cpu - start.cpu, 1e-6)
    return {
        "killed": killed.code < 0,
        "left": f"a file, {left['frames']} frames readable" if was_left else "nothing",
        "repeated": round((again.cpu - start.cpu) / work, 2),
        "frames": compare(content, output)["frames"],
        "exit": again.code,
    }  # fmt: skip


def read_video(path: Path) -> list[np.ndarray]:
    """All frames of a video, RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
