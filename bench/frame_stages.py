"""Measures where a frame's time goes: CPU milliseconds of each stage, and of the whole program,
before a change (another checkout) and now.

    python bench/frame_stages.py [--before ../other-checkout] [--sizes 512x512] [--json FILE]
    [--quick]

Each stage is fed from memory, with OpenCV on one thread as in the program. The sum divided by the
number of cores is what a frame would take if no core ever waited.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from harness import (
    children_cpu_seconds,
    count_multiply_adds,
    describe_machine,
    draw_clip,
    embed_style,
    format_machine,
    format_size,
    parse_sizes,
    read_frames,
    run_in_turn,
    run_program,
    write_json,
)

from vst.core.threads import count_cores, limit_opencv_threads, limit_tensorflow_threads
from vst.engines.embedded import EmbeddedEngine
from vst.nets.embedded import Painter
from vst.stabilizers import STABILIZERS
from vst.video.scene_cuts import CutDetector
from vst.video.sinks.track import TrackEncoding, TrackWriter
from vst.video.sources import open_source


def measure_cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of all threads of this process."""
    used = time.process_time()
    work()
    return time.process_time() - used


def measure_coding(frames: list[np.ndarray], folder: Path) -> dict[str, float]:
    """Measure writing to ffmpeg and encoding there; decoding, and decoding to RGB."""
    height, width = frames[0].shape[:2]
    path, many = folder / "track.mp4", len(frames)

    def write() -> None:
        with TrackWriter(path, (width, height), Fraction(25), TrackEncoding("h264", 20)) as track:
            for frame in frames:
                track.write_frame(frame)

    before = children_cpu_seconds()
    writing = measure_cpu(write)
    encoding = children_cpu_seconds() - before
    with open_source(path) as source:
        reading = measure_cpu(lambda: [None for _ in source.frames()])
    return {
        "decode, and to RGB": reading / many,
        "pass to ffmpeg": writing / many,
        "ffmpeg: to YUV, x264 veryfast": encoding / many,
    }


def measure_stages(
    engine: EmbeddedEngine, frames: list[np.ndarray], folder: Path
) -> dict[str, float]:
    """CPU seconds per frame of each stage alone."""
    numbers, many = embed_style(engine), len(frames)
    painted = [engine.stylize(frame[None], numbers)[0] for frame in frames]
    stabilizer, cuts = STABILIZERS["steady"](), CutDetector()
    groups = [np.stack(frames[i : i + engine.batch]) for i in range(0, many, engine.batch)]
    styles = np.repeat(numbers, engine.batch, 0)
    with limit_opencv_threads(1):
        found = measure_coding(frames, folder)
        found["find cuts"] = measure_cpu(lambda: [cuts.is_cut(x) for x in frames]) / many
        found["paint"] = (
            measure_cpu(lambda: [engine.stylize(x, styles[: len(x)]) for x in groups]) / many
        )
        found["stabilize"] = (
            measure_cpu(lambda: [stabilizer.step(x, y) for x, y in zip(frames, painted)]) / many
        )
    return found


def measure_program(content: tuple[Path, Path], output: Path, tree: Path) -> float:
    """CPU seconds per frame of the whole program: the difference between a longer and a shorter
    clip, so that the start-up does not count.
    """
    short, long = (run_program(path, output, tree) for path in content)
    return (long["processor"] - short["processor"]) / (long["frames"] - short["frames"])


def measure(size: tuple[int, int], options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything at one size: milliseconds."""
    contents = (
        draw_clip(folder, *size, options.frames),
        draw_clip(folder, *size, 3 * options.frames),
    )
    frames = read_frames(contents[0], options.frames)
    engine = EmbeddedEngine()
    engine.prepare_size(*size)
    stages = [measure_stages(engine, frames, folder) for _ in range(options.rounds)]
    work = count_multiply_adds(Painter().table, *size)
    engine.close()
    trees = [tree for tree in (options.before, Path(__file__).parent.parent) if tree]
    works = [
        lambda t=tree: measure_program(contents, folder / "out.mp4", t.resolve()) for tree in trees
    ]
    rounds = run_in_turn(options.rounds, *works)
    return {
        "size": size,
        "stages, ms": {key: 1000 * median(x[key] for x in stages) for key in stages[0]},
        "multiply-adds": work,
        "whole now, ms": 1000 * median(rounds[-1]),
        "whole before, ms": 1000 * median(rounds[0]) if options.before else None,
        "before / now": median(a / b for a, b in zip(rounds[0], rounds[-1])),
    }


def format_table(found: dict[str, Any]) -> str:
    """Format the figures as Markdown, one column per size."""
    sizes = found["sizes"]
    lines = [f"Machine: {format_machine(found['machine'])}. Rounds: {found['rounds']}.", ""]
    lines.append("| CPU ms per frame | " + " | ".join(format_size(x["size"]) for x in sizes) + " |")
    lines.append("|---|" + "---|" * len(sizes))

    def row(name: str, cells: list[float | None]) -> None:
        lines.append(
            f"| {name} | " + " | ".join("" if x is None else f"{x:.1f}" for x in cells) + " |"
        )

    for key in sizes[0]["stages, ms"]:
        row(key, [x["stages, ms"][key] for x in sizes])
    sums = [sum(x["stages, ms"].values()) for x in sizes]
    row("**sum**", sums)
    row(f"**sum / {count_cores()} cores**", [x / count_cores() for x in sums])
    row("the program, measured whole", [x["whole now, ms"] for x in sizes])
    row("the program before", [x["whole before, ms"] for x in sizes])
    works = [x["multiply-adds"] / 1e9 for x in sizes]
    paints = [x["stages, ms"]["paint"] / 1000 for x in sizes]
    row("multiply-adds of the painter's convolutions, 10⁹", works)
    row("the same per second and core, 10⁹", [work / paint for work, paint in zip(works, paints)])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=parse_sizes, default="256x256,512x512,1280x720")
    parser.add_argument("--before", type=Path, help="a checkout to hold it against")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one small size, one round: a trial")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.rounds, options.frames = [(256, 256)], 1, 16
    found: dict[str, Any] = {"machine": describe_machine(), "rounds": options.rounds, "sizes": []}
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        with limit_tensorflow_threads():
            for size in options.sizes:
                found["sizes"].append(measure(size, options, Path(name)))
                print(f"{format_size(size)}: done", file=sys.stderr, flush=True)
    write_json(options.json, found)
    print(format_table(found))


if __name__ == "__main__":
    main()
