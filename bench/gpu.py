"""The same painter, from the same weights, under the Keras backend at hand: frames a second by size
and batch, in float32 and half precision.

    KERAS_BACKEND=jax python bench/gpu.py [--sizes 256x256,512x512] [--batches 1,4,16] [--json FILE]

Runs on a GPU under JAX, PyTorch or TensorFlow, or on a processor where there is none (small sizes
then, or patience). Frames lie in the device's memory: what is measured is the painting. What limits
it is told by two quotients: of the arithmetic to that of a large matrix product in the same format
(near 1: the arithmetic), and of a batch to a single frame (far above 1: a single frame leaves the
device waiting for its next kernel).
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
from keras import ops
from measuring import described, machine, multiply_adds, named, parsed_sizes, write_json

from vst.core.data_folder import WEIGHTS
from vst.nets import store
from vst.nets.embedded import Kit, Painter, blocks_to_channels, normalise_each
from vst.nets.embedded import channels_to_blocks as spread

SIZES = "256x256,512x512,1280x720,1920x1080"
KINDS = ("float32", "float16", "bfloat16")
ALIKE = 40.0


def kit_of(kind: str) -> Kit:
    """The painter's operations with convolutions of ``kind`` and statistics of float32."""

    def normalise(x: Any, scale: Any, shift: Any) -> Any:
        return ops.cast(normalise_each(ops.cast(x, "float32"), scale, shift), kind)

    return Kit(normalise, blocks_to_channels, spread)


def painting(painter: Painter, kind: str) -> Callable[[Any, Any], Any]:
    """Pictures in 0..1 and numbers to pictures, compiled by the backend."""
    kit = kit_of(kind)

    def paint(pictures: Any, numbers: Any) -> Any:
        styles = painter.styles(numbers)
        x = painter.encode(ops.cast(pictures, kind), kit)
        half = painter.decode(painter.trunk(x, styles, kit), styles, kit)
        return painter.finish(ops.cast(half, "float32"), kit)

    return compiled(paint)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the backend runs it fastest."""
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
    """Until the device has done it."""
    backend = keras.backend.backend()
    if backend == "jax":
        result.block_until_ready()
    elif backend == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    else:
        result[(0,) * len(result.shape)].numpy()


def device() -> str:
    """What it runs on."""
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


def per_second(work: Callable[[], Any], rounds: int) -> float:
    """How often a second, the median; the first call makes the kernels and does not count."""
    wait(work())
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        wait(work())
        times.append(time.perf_counter() - began)
    return 1 / median(times)


def peak(kind: str, side: int, rounds: int) -> float:
    """Multiply-adds a second of a product of two square matrices."""
    one = ops.cast(ops.ones((side, side)), kind)
    return per_second(lambda: multiply(one, one), rounds) * side**3


multiply = compiled(lambda a, b: ops.matmul(a, b))


def likeness(one: Any, other: Any) -> float:
    """Peak signal to noise of pictures in 0..1, dB."""
    error = np.mean((ops.convert_to_numpy(one) - ops.convert_to_numpy(other)) ** 2)
    return float(10 * np.log10(1 / max(error, 1e-12)))


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each size, batch and format."""
    painter = Painter()
    store.assign(painter, store.read_arrays(WEIGHTS, "painter"))
    rng = np.random.default_rng(1)
    style = ops.convert_to_tensor(rng.normal(0, 0.3, (1, 100)).astype(np.float32))
    peaks = {kind: peak(kind, options.matrix, options.rounds) for kind in options.kinds}
    rows = []
    for width, height in options.sizes:
        smooth = rng.random((1, height // 8, width // 8, 3)).astype(np.float32)
        picture = ops.image.resize(ops.convert_to_tensor(smooth), (height, width))
        wanted = painting(painter, "float32")(picture, style)
        single: dict[str, float] = {}
        for batch in options.batches:
            pictures, styles = (ops.repeat(x, batch, axis=0) for x in (picture, style))
            for kind in options.kinds:
                paint = painting(painter, kind)
                try:
                    alike = likeness(paint(picture, style), wanted)
                    rate = batch * per_second(partial(paint, pictures, styles), options.rounds)
                except Exception as error:  # out of memory is a finding, in each backend another
                    why = type(error).__name__
                    rows.append({"size": (width, height), "batch": batch, "kind": kind, "why": why})
                    continue
                single.setdefault(kind, rate / batch)
                work = rate * multiply_adds(painter.table, width, height)
                rows.append(
                    {
                        "size": (width, height), "batch": batch, "kind": kind,
                        "frames a second": rate,
                        "of the peak": work / peaks[kind],
                        "to one frame": rate / single[kind], "likeness, dB": alike,
                    }
                )  # fmt: skip
    return rows


def table(found: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{found['device']}, Keras backend {found['backend']}. {described(found['machine'])}.",
        "",
        (
            "| size | batch | format | frames a second | of the matrix product | to a batch of the "
            "first size | picture to float32, dB |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        head = f"| {named(row['size'])} | {row['batch']} | {row['kind']} |"
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
    parser.add_argument("--sizes", type=parsed_sizes, default=SIZES)
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
        "machine": machine(), "device": device(), "backend": keras.backend.backend(),
        "rows": measure(options),
    }  # fmt: skip
    write_json(options.json, found)
    print(table(found))


if __name__ == "__main__":
    main()
