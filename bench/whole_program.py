"""Measures the whole program's speed, as quotients of things measured in turn in the same run.

    python bench/whole_program.py --shared ../shared [--only speed,hub] [--quick]

The program is `vst stylize` in a separate process: embedded engine, stabilizer `steady`, H.264
(`veryfast`, CRF 20), sound kept, painted at the content's own size. Its time runs from the first
frame read to the finished file; the start-up (loading TensorFlow, once per video) is reported
separately.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from harness import (
    SIZES,
    describe_machine,
    draw_clip,
    embed_style,
    format_machine,
    format_size,
    format_target,
    median_ratio,
    read_frames,
    run_in_turn,
    run_program,
    time_call,
    time_lite_loop,
    write_json,
)

if TYPE_CHECKING:
    from vst.engines.embedded import EmbeddedEngine

PARTS = ("speed", "smaller", "hub", "line", "memory")
FASTER = {(256, 256): 5.0, (512, 512): 7.0, (1280, 720): 10.5}
OVER_PAINTER = {(512, 512): 1.7, (1280, 720): 1.6}
HEIGHTS = (256, 360, 432, 512, 720)
HUB_FASTER = 20.0
MEMORY = 1200.0


def measure_speed(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Per size: the program's frames a second relative to the bare TFLite loop (two threads), and
    its time relative to the embedded painter in a loop over frames in memory, one by one and in the
    engine's batches. The program paints in int8 (its default where LiteRT is installed) and, beside
    it, in bfloat16.
    """
    from vst.engines.embedded import EmbeddedEngine

    engine = EmbeddedEngine()
    try:
        return [measure_size(options, folder, engine, *size) for size in SIZES]
    finally:
        engine.close()


def measure_size(
    options: argparse.Namespace, folder: Path, engine: EmbeddedEngine, width: int, height: int
) -> dict[str, Any]:
    """The row of one size. Everything takes turns, ``options.rounds`` times."""
    content = draw_clip(folder, width, height, options.frames)
    frames = read_frames(content, options.sample)
    runs: list[dict[str, float]] = []

    def program() -> float:
        runs.append(run_program(content, folder / "out.mp4"))
        return runs[-1]["frame"]

    def in_bfloat16() -> float:
        words = ("--precision", "bfloat16")
        return run_program(content, folder / "out.mp4", options=words)["frame"]

    lite = time_lite_loop(options.shared / "magenta", frames)
    one_by_one, batched = time_painter(engine, frames, 1), time_painter(engine, frames)
    one_by_one(), batched()
    whole, other, bare, single, together = run_in_turn(
        options.rounds, program, in_bfloat16, lite, one_by_one, batched
    )
    started = [x["startup"] / x["frames"] + x["frame"] for x in runs][: len(bare)]
    rounds = {"program": whole, "bfloat16": other, "TFLite": bare, "one": single, "batch": together}
    return {
        "size": (width, height),
        "program, ms": 1000 * median(whole),
        "program in bfloat16, ms": 1000 * median(other),
        "TFLite loop, ms": 1000 * median(bare),
        "painter, ms": 1000 * median(single),
        "painter in batches, ms": 1000 * median(together),
        "faster than TFLite": median_ratio(bare, whole),
        "faster in bfloat16": median_ratio(bare, other),
        "CPU, ms": 1000 * median(x["processor"] / x["frames"] for x in runs),
        "the same with start-up": median_ratio(bare, started),
        "over the painter": median_ratio(whole, single),
        "over the painter in batches": median_ratio(whole, together),
        "start-up, s": median(x["startup"] for x in runs),
        "rounds": rounds,
    }


def time_painter(
    engine: EmbeddedEngine, frames: list[Any], at_once: int | None = None
) -> Callable[[], float]:
    """A function that paints ``frames``, some at once (None: the engine's own number), and returns
    the seconds of each.
    """
    import numpy as np

    many = at_once or engine.batch
    groups = [np.stack(frames[i : i + many]) for i in range(0, len(frames), many)]
    styles = np.repeat(embed_style(engine), many, 0)

    def paint() -> None:
        for group in groups:
            engine.stylize(group, styles[: len(group)])

    return lambda: time_call(paint) / len(frames)


def measure_hub_loop(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The reports' loop at 512 x 512 relative to the program: OpenCV in, the completed hub graph
    called for each frame with content and style, MoviePy out.
    """
    sys.path.insert(0, str(options.shared / "tools"))
    import cv2
    import numpy as np
    import tensorflow as tf
    from complete_hub_graph import complete
    from moviepy import ImageSequenceClip

    from vst.samples import draw_pattern

    saved = folder / "hub"
    complete(options.shared / "magenta" / "hub-graph", saved)
    whole = tf.saved_model.load(str(saved))
    style = tf.constant(draw_pattern("blue-swirls", 512, 512)[None] / np.float32(255))
    content = draw_clip(folder, 512, 512, options.frames)

    def loop(count: int) -> float:
        capture, painted = cv2.VideoCapture(str(content)), []
        while len(painted) < count:
            good, frame = capture.read()
            if not good:
                break
            frame = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (512, 512))
            picture = whole(tf.constant(frame[None] / np.float32(255)), style)[0].numpy()[0]
            painted.append((picture.clip(0, 1) * 255).astype(np.uint8))
        capture.release()
        film = ImageSequenceClip(painted, fps=25)
        film.write_videofile(str(folder / "hub.mp4"), audio=False, logger=None)
        return len(painted)

    loop(1)
    ours, theirs = run_in_turn(
        options.rounds,
        lambda: run_program(content, folder / "out.mp4")["frame"],
        lambda: time_call(lambda: loop(options.hub_frames)) / options.hub_frames,
    )
    return {
        "program, ms": 1000 * median(ours),
        "reports' loop, ms": 1000 * median(theirs),
        "faster": median_ratio(theirs, ours),
    }


def measure_scaling(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Whether the cost is linear: time per frame of a long video relative to a short one (256 x
    256), and time per pixel of 1080p relative to 512 x 512.
    """
    short = draw_clip(folder, 256, 256, options.short)
    long = draw_clip(folder, 256, 256, options.long)
    square = draw_clip(folder, 512, 512, options.frames)
    large = draw_clip(folder, 1920, 1080, max(10, options.frames // 2))

    def each(content: Path) -> Any:
        return lambda: run_program(content, folder / "out.mp4")["frame"]

    rounds = options.rounds
    brief, lasting = run_in_turn(rounds, each(short), each(long))
    small, big = run_in_turn(rounds, each(square), each(large))
    area = 1920 * 1080 / 512**2
    return {
        f"time a frame, {options.long} to {options.short} frames": median_ratio(lasting, brief),
        "time a pixel, 1080p to 512²": median_ratio(big, small) / area,
    }


def measure_smaller(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Frames a second of a film of 1280 x 720 that is painted smaller and enlarged, by the height
    of the painting.
    """
    content = draw_clip(folder, 1280, 720, options.frames)

    def paint(height: int) -> float:
        words = ("--size", str(height))
        return run_program(content, folder / "out.mp4", options=words)["frame"]

    works = [lambda height=height: paint(height) for height in HEIGHTS]
    rounds = run_in_turn(options.rounds, *works)
    return {str(height): 1 / median(found) for height, found in zip(HEIGHTS, rounds)}


def measure_memory(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Peak memory at 720p, MB, for a short video and one four times as long."""
    found = {}
    for frames in (options.frames, 4 * options.frames):
        content = draw_clip(folder, 1280, 720, frames)
        found[f"{frames} frames, MB"] = run_program(content, folder / "out.mp4")["memory"]
    return found


def format_table(found: dict[str, Any]) -> str:
    """Format the measurements as Markdown."""
    lines = [f"Machine: {format_machine(found['machine'])}. Rounds: {found['rounds']}.", ""]
    if "speed" in found:
        lines += [
            (
                "| size | program, ms a frame | TFLite loop | faster by | asked | painter alone "
                "| whole / painter | asked | painter in batches | whole / that | with start-up "
                "| in bfloat16, ms | faster by |"
            ),
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for row in found["speed"]:
            size = tuple(row["size"])
            lines.append(
                f"| {format_size(size)} | {row['program, ms']:.1f} | {row['TFLite loop, ms']:.1f} "
                f"| {format_target(row['faster than TFLite'], ('≥', FASTER[size]))} "
                f"{row['painter, ms']:.1f} | "
                f"{format_target(row['over the painter'], painter_target(size))} "
                f"{row['painter in batches, ms']:.1f} | {row['over the painter in batches']:.2f} "
                f"| {row['the same with start-up']:.2f} "
                f"| {row['program in bfloat16, ms']:.1f} | {row['faster in bfloat16']:.2f} |"
            )
        lines.append("")
    if "smaller" in found:
        heights, speeds = zip(*found["smaller"].items())
        lines += ["| 1280 × 720, painted at a height of | " + " | ".join(heights) + " |"]
        lines += ["|---" * (len(heights) + 1) + "|"]
        lines += ["| frames a second | " + " | ".join(f"{x:.1f}" for x in speeds) + " |", ""]
    rows = []
    if "hub" in found:
        rows.append(("times the reports' loop at 512²", found["hub"]["faster"], ("≥", HUB_FASTER)))
    limits = (("≤", 1.08), ("≤", 1.15))
    rows += [
        (name, value, limit) for (name, value), limit in zip(found.get("line", {}).items(), limits)
    ]
    rows += [(f"memory at 720p, {k}", v, ("≤", MEMORY)) for k, v in found.get("memory", {}).items()]
    if rows:
        lines += ["| measure | measured | asked |", "|---|---|---|"]
        lines += [f"| {name} | {format_target(value, limit)}" for name, value, limit in rows]
    return "\n".join(lines)


def painter_target(size: tuple[int, int]) -> tuple[str, float] | None:
    """The target for the whole program relative to the painter."""
    return ("≤", OVER_PAINTER[size]) if size in OVER_PAINTER else None


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--sample", type=int, default=40, help="frames of a loop in a round")
    parser.add_argument("--hub-frames", type=int, default=6)
    parser.add_argument("--short", type=int, default=200)
    parser.add_argument("--long", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one round of few frames: a trial")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.frames, options.sample, options.hub_frames = 1, 30, 8, 2
        options.short, options.long = 25, 75
    return options


def main() -> None:
    options = parse_arguments()
    parts = {
        "speed": measure_speed,
        "smaller": measure_smaller,
        "hub": measure_hub_loop,
        "line": measure_scaling,
        "memory": measure_memory,
    }
    found: dict[str, Any] = {"machine": describe_machine(), "rounds": options.rounds}
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        for part in options.only.split(","):
            found[part] = parts[part](options, Path(name))
            print(f"{part}: done", file=sys.stderr, flush=True)
    write_json(options.json, found)
    print(format_table(found))


if __name__ == "__main__":
    main()
