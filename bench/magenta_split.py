#!/usr/bin/env python3
"""Measures Magenta's SavedModel per frame: split (as the engine runs it) against called whole.

    bench/magenta_split.py SAVED_MODEL_FOLDER [--sizes 256 512] [--rounds 9]

The two run in turn, so that other load affects both; a ratio is the median of the rounds' ratios.
On a machine that is not idle, the ratio of CPU times is the steadier one. The style has the
content's size in the first comparison (as users of the whole model usually call it) and 256 x 256
in the second.
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


def time_call(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock seconds and CPU seconds."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def compare(engine: MagentaEngine, whole: Any, size: int, style_size: int, rounds: int) -> str:
    """One line of the table: milliseconds per frame and the ratio, split to whole."""
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
    times = [(time_call(split), time_call(called_whole)) for _ in range(rounds)]
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
