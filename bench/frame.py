"""Where a frame's time goes: the processor's milliseconds of each stage, the floor below them, and
the whole program's, before a change (another checkout) and now.

    python bench/frame.py [--before ../other-checkout] [--sizes 512x512] [--json FILE] [--quick]

A stage alone is fed from memory, OpenCV on one thread as in the program. The sum by the number of
cores is what a frame would take if no core ever waited.
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
from measuring import (
    clip,
    described,
    frames_of,
    in_turn,
    machine,
    multiply_adds,
    named,
    parsed_sizes,
    processor_of_children,
    style_numbers,
    whole_program,
    write_json,
)

from vst.core.threads import available, one_core_a_frame, opencv_on
from vst.engines.embedded import EmbeddedEngine, has_fast_bfloat16
from vst.stabilizers import STABILISERS
from vst.video.scene_cuts import CutDetector
from vst.video.sinks.track import TrackWriter
from vst.video.sources import open_source


def processor(work: Callable[[], Any]) -> float:
    """Seconds of the processor, all threads of this process."""
    used = time.process_time()
    work()
    return time.process_time() - used


def fastest(kind: str, side: int = 1024, tries: int = 8) -> float:
    """Multiply-adds that one core does in a second of its time, in a product of matrices."""
    import tensorflow as tf

    one = tf.ones((side, side), getattr(tf, kind))
    product = tf.function(lambda a: tf.matmul(a, a))
    product(one)
    return side**3 / min(processor(lambda: product(one)) for _ in range(tries))


def coding(frames: list[np.ndarray], folder: Path) -> dict[str, float]:
    """Writing to ffmpeg and encoding there; decoding, and decoding to RGB."""
    height, width = frames[0].shape[:2]
    path, many = folder / "track.mp4", len(frames)

    def write() -> None:
        with TrackWriter(path, (width, height), Fraction(25), "h264", 20) as track:
            for frame in frames:
                track.write_frame(frame)

    before = processor_of_children()
    writing = processor(write)
    encoding = processor_of_children() - before
    with open_source(path) as source:
        reading = processor(lambda: [None for _ in source.frames()])
    return {
        "decode, and to RGB": reading / many,
        "hand over to ffmpeg": writing / many,
        "ffmpeg: to YUV, x264 veryfast": encoding / many,
    }


def stages(engine: EmbeddedEngine, frames: list[np.ndarray], folder: Path) -> dict[str, float]:
    """Seconds of the processor a frame, for each stage alone."""
    numbers, many = style_numbers(engine), len(frames)
    painted = [engine.stylize(frame[None], numbers)[0] for frame in frames]
    stabiliser, cuts = STABILISERS["flow"](), CutDetector()
    groups = [np.stack(frames[i : i + engine.batch]) for i in range(0, many, engine.batch)]
    styles = np.repeat(numbers, engine.batch, 0)
    with opencv_on(1):
        found = coding(frames, folder)
        found["find cuts"] = processor(lambda: [cuts.is_cut(x) for x in frames]) / many
        found["paint"] = (
            processor(lambda: [engine.stylize(x, styles[: len(x)]) for x in groups]) / many
        )
        found["steady (flow)"] = (
            processor(lambda: [stabiliser.step(x, y) for x, y in zip(frames, painted)]) / many
        )
    return found


def whole(content: tuple[Path, Path], output: Path, tree: Path) -> float:
    """Seconds of the processor a frame of the whole program: what the longer of two clips takes
    more than the shorter, so that the start-up is not counted.
    """
    short, long = (whole_program(path, output, tree) for path in content)
    return (long["processor"] - short["processor"]) / (long["frames"] - short["frames"])


def measure(size: tuple[int, int], options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All at one size: milliseconds."""
    contents = clip(folder, *size, options.frames), clip(folder, *size, 3 * options.frames)
    frames = frames_of(contents[0], options.frames)
    engine = EmbeddedEngine()
    engine.expect(*size)
    rounds = [stages(engine, frames, folder) for _ in range(options.rounds)]
    work = multiply_adds(engine._painter.table, *size)
    floor = work / fastest("bfloat16" if has_fast_bfloat16() else "float32")
    engine.close()
    trees = [tree for tree in (options.before, Path(__file__).parent.parent) if tree]
    works = [lambda t=tree: whole(contents, folder / "out.mp4", t.resolve()) for tree in trees]
    told = in_turn(options.rounds, *works)
    return {
        "size": size,
        "stages, ms": {key: 1000 * median(x[key] for x in rounds) for key in rounds[0]},
        "floor, ms": 1000 * floor,
        "multiply-adds": work,
        "whole now, ms": 1000 * median(told[-1]),
        "whole before, ms": 1000 * median(told[0]) if options.before else None,
        "before / now": median(a / b for a, b in zip(told[0], told[-1])),
    }


def table(found: dict[str, Any]) -> str:
    """Markdown: a column for each size."""
    sizes = found["sizes"]
    lines = [f"Machine: {described(found['machine'])}. Rounds: {found['rounds']}.", ""]
    lines.append(
        "| the processor's ms a frame | " + " | ".join(named(x["size"]) for x in sizes) + " |"
    )
    lines.append("|---|" + "---|" * len(sizes))

    def row(name: str, cells: list[float | None]) -> None:
        lines.append(
            f"| {name} | " + " | ".join("" if x is None else f"{x:.1f}" for x in cells) + " |"
        )

    for key in sizes[0]["stages, ms"]:
        row(key, [x["stages, ms"][key] for x in sizes])
    sums = [sum(x["stages, ms"].values()) for x in sizes]
    row("**sum**", sums)
    row(f"**sum / {available()} cores**", [x / available() for x in sums])
    row("the program, measured whole", [x["whole now, ms"] for x in sizes])
    row("the program before", [x["whole before, ms"] for x in sizes])
    row(
        "floor: the painter's multiply-adds, at the speed of a matrix product",
        [x["floor, ms"] for x in sizes],
    )
    row("floor to painting, %", [100 * x["floor, ms"] / x["stages, ms"]["paint"] for x in sizes])
    row("multiply-adds a frame, 10⁹", [x["multiply-adds"] / 1e9 for x in sizes])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=parsed_sizes, default="256x256,512x512,1280x720")
    parser.add_argument("--before", type=Path, help="a checkout to hold it against")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one small size, one round: a trial")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.rounds, options.frames = [(256, 256)], 1, 16
    found: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "sizes": []}
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        with one_core_a_frame():
            for size in options.sizes:
                found["sizes"].append(measure(size, options, Path(name)))
                print(f"{named(size)}: done", file=sys.stderr, flush=True)
    write_json(options.json, found)
    print(table(found))


if __name__ == "__main__":
    main()
