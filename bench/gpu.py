"""Measures the embedded painter under the installed Keras backend: frames a second by size and
batch, in float32 and half precision.

    KERAS_BACKEND=jax python bench/gpu.py [--sizes 256x256,512x512] [--batches 1,4,16] [--json FILE]

Runs on a GPU under JAX, PyTorch or TensorFlow, or on a CPU where there is none (use small sizes).
Frames are in the device's memory: only the painting is measured. Two quotients show the bottleneck:
that of the arithmetic to a large matrix product in the same format (near 1: the arithmetic), and
that of a batch to a single frame (far above 1: a single frame leaves the device waiting for its
next kernel).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from harness import (
    count_multiply_adds,
    describe_machine,
    format_machine,
    format_size,
    parse_sizes,
    write_json,
)
from keras import ops

from vst.core.data_folder import WEIGHTS
from vst.nets import weight_files
from vst.nets.embedded import Painter, PainterOperations, blocks_to_channels, normalize_instances
from vst.nets.embedded import channels_to_blocks as spread

SIZES = "256x256,512x512,1280x720,1920x1080"
KINDS = ("float32", "float16", "bfloat16")
ALIKE = 40.0


def make_operations(kind: str) -> PainterOperations:
    """Build the painter's operations with convolutions in ``kind`` and statistics in float32."""

    def normalise(x: Any, scale: Any, shift: Any) -> Any:
        return ops.cast(normalize_instances(ops.cast(x, "float32"), scale, shift), kind)

    return PainterOperations(normalise, blocks_to_channels, spread)


def compile_painter(painter: Painter, kind: str) -> Callable[[Any, Any], Any]:
    """Compile the painter: pictures in 0..1 and embeddings to pictures."""
    kit = make_operations(kind)

    def paint(pictures: Any, numbers: Any) -> Any:
        styles = painter.styles(numbers)
        x = painter.encode(ops.cast(pictures, kind), kit)
        half = painter.decode(painter.trunk(x, styles, kit), styles, kit)
        return painter.finish(ops.cast(half, "float32"), kit)

    return compile_function(paint)


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for the backend."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "torch":
        import torch

        def without_gradients(*inputs: Any) -> Any:
            with torch.inference_mode():
                return function(*inputs)

        return without_gradients
    import tensorflow as tf

    return tf.function(function)


def wait(result: Any) -> None:
    """Wait until the device has finished."""
    backend = keras.backend.backend()
    if backend == "jax":
        result.block_until_ready()
    elif backend == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    else:
        result[(0,) * len(result.shape)].numpy()


def describe_device() -> str:
    """The device and backend in words."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "processor"
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(found[0]) if found else {}
    return str(details.get("device_name", "GPU")) if found else "processor"


def count_per_second(work: Callable[[], Any], rounds: int) -> float:
    """Median calls per second; the first call compiles kernels and does not count."""
    wait(work())
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        wait(work())
        times.append(time.perf_counter() - began)
    return 1 / median(times)


def measure_matmul(kind: str, side: int, rounds: int) -> float:
    """Multiply-adds per second of a product of two square matrices."""
    one = ops.cast(ops.ones((side, side)), kind)
    return count_per_second(lambda: multiply(one, one), rounds) * side**3


multiply = compile_function(lambda a, b: ops.matmul(a, b))


def psnr(one: Any, other: Any) -> float:
    """Peak signal-to-noise ratio of pictures in 0..1, in dB."""
    error = np.mean((ops.convert_to_numpy(one) - ops.convert_to_numpy(other)) ** 2)
    return float(10 * np.log10(1 / max(error, 1e-12)))


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure one row per size, batch and format."""
    painter = Painter()
    weight_files.assign_arrays(painter, weight_files.read_weights(WEIGHTS, "painter"))
    rng = np.random.default_rng(1)
    style = ops.convert_to_tensor(rng.normal(0, 0.3, (1, 100)).astype(np.float32))
    peaks = {kind: measure_matmul(kind, options.matrix, options.rounds) for kind in options.kinds}
    rows = []
    for width, height in options.sizes:
        smooth = rng.random((1, height // 8, width // 8, 3)).astype(np.float32)
        picture = ops.image.resize(ops.convert_to_tensor(smooth), (height, width))
        wanted = compile_painter(painter, "float32")(picture, style)
        single: dict[str, float] = {}
        for batch in options.batches:
            pictures, styles = (ops.repeat(x, batch, axis=0) for x in (picture, style))
            for kind in options.kinds:
                paint = compile_painter(painter, kind)
                try:
                    alike = psnr(paint(picture, style), wanted)
                    rate = batch * count_per_second(
                        partial(paint, pictures, styles), options.rounds
                    )
                except (
                    Exception
                ) as error:  # each backend reports out-of-memory differently; it is a result
                    why = type(error).__name__
                    rows.append({"size": (width, height), "batch": batch, "kind": kind, "why": why})
                    continue
                single.setdefault(kind, rate / batch)
                work = rate * count_multiply_adds(painter.table, width, height)
                rows.append(
                    {
                        "size": (width, height), "batch": batch, "kind": kind,
                        "frames a second": rate,
                        "of the peak": work / peaks[kind],
                        "to one frame": rate / single[kind], "likeness, dB": alike,
                    }
                )  # fmt: skip
    return rows


def format_table(found: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{found['device']}, Keras backend {found['backend']}. {format_machine(found['machine'])}.",
        "",
        (
            "| size | batch | format | frames a second | of the matrix product | to a batch of the "
            "first size | picture to float32, dB |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        head = f"| {format_size(row['size'])} | {row['batch']} | {row['kind']} |"
        if "why" in row:
            lines.append(f"{head} {row['why']} | | | |")
            continue
        lines.append(
            f"{head} {row['frames a second']:.1f} | {row['of the peak']:.2f} "
            f"| {row['to one frame']:.2f} | {row['likeness, dB']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=parse_sizes, default=SIZES)
    parser.add_argument("--batches", default="1,2,4,8,16", help="with commas between")
    parser.add_argument("--kinds", default=",".join(KINDS), help="number formats")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--matrix", type=int, default=4096, help="side of the matrix product")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one tiny size: a trial")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.batches, options.rounds, options.matrix = [(64, 32)], "1,2", 1, 64
    options.batches = [int(part) for part in options.batches.split(",")]
    options.kinds = options.kinds.split(",")
    found = {
        "machine": describe_machine(), "device": describe_device(),
        "backend": keras.backend.backend(),
        "rows": measure(options),
    }  # fmt: skip
    write_json(options.json, found)
    print(format_table(found))


if __name__ == "__main__":
    main()
