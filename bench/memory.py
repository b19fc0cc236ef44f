"""Measures how much memory jobs take, against the estimate made before they start.

    python bench/memory.py            # every row; some minutes
    python bench/memory.py --quick    # the small ones

Each row is one job in a separate process: the peak of the program and its ffmpeg together.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import measure_process_memory

from vst.api import make_job
from vst.pipeline.memory_estimate import estimate_memory
from vst.video.sinks.ffmpeg import find_ffmpeg
from vst.video.sources import open_source

FRAMES = 60
ROWS = (
    ("tint", 640, 360, "native", "off"),
    ("tint", 1920, 1080, "native", "off"),
    ("tint", 3840, 2160, "native", "off"),
    ("tint", 3840, 2160, 512, "steady"),
    ("tint", 1920, 1080, "native", "steady"),
    ("embedded", 640, 360, "native", "steady"),
    ("embedded", 1280, 720, "native", "steady"),
    ("embedded", 1920, 1080, "native", "off"),
    ("embedded", 1920, 1080, "native", "steady"),
    ("embedded", 3840, 2160, 512, "steady"),
    ("embedded", 3840, 2160, "native", "off"),
)
"""Engine, the content's width and height, size, stabilizer."""


def measure_peak(words: list[str]) -> float:
    """Megabytes at most of ``vst`` with these words."""
    peak = 0.0
    with subprocess.Popen(
        [sys.executable, "-m", "vst", *words], stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            peak = max(peak, measure_process_memory(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(words)}")
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 1280 x 720 alone")
    quick = parser.parse_args().quick
    print("| engine | content | `--size` | stabilizer | measured, MB | expected, MB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for engine, width, height, size, stabilize in ROWS:
            if quick and width > 1280:
                continue
            content = Path(name) / f"{width}.mp4"
            if not content.exists():
                film = f"testsrc2=size={width}x{height}:rate=25:duration={FRAMES / 25}"
                command = [find_ffmpeg(), "-loglevel", "error", "-f", "lavfi", "-i", film]
                subprocess.run([*command, "-preset", "ultrafast", str(content)], check=True)
            options = {"engine": engine, "size": size, "stabilize": stabilize}
            output = Path(name) / "out.mp4"
            with open_source(content) as source:
                job = make_job(content, "@ink-wash", output, **options)
                expected = estimate_memory(job, source.info)
            style = str(content) if engine == "tint" else "@ink-wash"
            words = ["stylize", str(content), "-s", style, "-o", str(output), "--keyframes", "1"]
            flags = [f for key, value in options.items() for f in (f"--{key}", str(value))]
            found = measure_peak([*words, *flags, "--overwrite", "--progress", "none"])
            print(f"| {engine} | {width} x {height} | {size} | {stabilize} | {found:,.0f} "
                  f"| {expected:,.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
