#!/usr/bin/env python3
"""Time per frame of Magenta's SavedModel: taken apart (as the engine runs it) against called whole.

    bench/magenta.py SAVED_MODEL_FOLDER [--sizes 256 512] [--rounds 9]

The two are run in turns, so that whatever else the machine does falls on both; a ratio is the
median of the rounds' ratios. Where others use the machine too, the ratio of the processor's seconds
is the steadier one. The style has the content's size in the first comparison (what a user
of the whole model usually does) and 256 x 256 in the second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from vst.engines.magenta import MagentaEngine


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the clock, and seconds of the processor."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def compare(engine: MagentaEngine, whole: Any, size: int, style_size: int, rounds: int) -> str:
    """One line of the table: milliseconds a frame and the ratio, split to whole."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    style = rng.integers(0, 256, (style_size, style_size, 3), dtype=np.uint8)
    embedding = engine.embed(style)[None]
    style_tensor = tf.constant(style[None] / np.float32(255))

    def split() -> None:
        engine.stylize(frame, embedding)

    def called_whole() -> None:
        content = tf.constant(frame / np.float32(255))
        picture = whole(content, style_tensor)[0].numpy()
        np.rint(picture.clip(0, 1) * 255).astype(np.uint8)

    for work in (split, called_whole):
        work()
        work()
    times = [(seconds(split), seconds(called_whole)) for _ in range(rounds)]
    one, two = (1000 * median(clock for clock, _ in column) for column in zip(*times))
    clock, processor = (median(a[i] / b[i] for a, b in times) for i in (0, 1))
    return f"| {size}² | {style_size}² | {one:.0f} | {two:.0f} | {clock:.3f} | {processor:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    import tensorflow as tf

    engine = MagentaEngine(model=str(options.folder))
    whole = tf.saved_model.load(str(options.folder))
    print("| content | style | split, ms | whole, ms | split / whole | by processor time |")
    print("|---|---|---|---|---|---|")
    for size in options.sizes:
        for style_size in dict.fromkeys((size, 256)):
            print(compare(engine, whole, size, style_size, options.rounds), flush=True)


if __name__ == "__main__":
    main()
