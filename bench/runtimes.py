"""Measures the embedded painter's weights in other runtimes, beside TensorFlow, in the same run.

    python bench/runtimes.py [--sizes 256x256,512x512] [--json FILE] [--quick]

The files are those of `vst export` for any size. Uses what is installed of `onnx` with
`onnxruntime` and `openvino`, and of `ai-edge-litert`, and reports what is missing. Every runtime
paints the same frames in the same style, two frames at once on one core each where it can (as the
program paints), in turn with TensorFlow. Pictures are compared with those of TensorFlow in float32.

Reports CPU time beside wall-clock time: on a machine that is not idle, it is the steadier one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from harness import (
    describe_machine,
    draw_clip,
    embed_style,
    format_machine,
    format_size,
    parse_sizes,
    read_frames,
    write_json,
)

from vst.core.threads import limit_tensorflow_threads
from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_options import EmbeddedOptions
from vst.engines.tensorflow_runtime import has_fast_bfloat16
from vst.export.plan import PRECISIONS, ExportPlan
from vst.export.write import FORMATS, export_networks

Paint = Callable[[np.ndarray], np.ndarray]
"""A frame, uint8 (height, width, 3), to its painting."""
ENOUGH = 1.3
ALIKE = 40.0


def open_exported(path: Path, numbers: np.ndarray) -> Paint:
    """Open a file of `vst export`, one thread per frame; each thread has its own runtime, because
    LiteRT's is not shared.
    """
    own = threading.local()

    def paint(frame: np.ndarray) -> np.ndarray:
        if not hasattr(own, "run"):
            own.run = FORMATS[path.suffix[1:]].open_file(path, 1)
        found = own.run({"frames": frame[None] / np.float32(255), "styles": numbers})[0]
        return as_bytes(found)

    return paint


def open_openvino(path: Path, numbers: np.ndarray, precision: str) -> Paint:
    """Open OpenVINO, one thread per frame; ``precision``: f32 or bf16."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": 2, "NUM_STREAMS": 2, "INFERENCE_PRECISION_HINT": precision
    }  # fmt: skip
    compiled = core.compile_model(core.read_model(str(path)), "CPU", settings)

    def paint(frame: np.ndarray) -> np.ndarray:
        request = compiled.create_infer_request()
        inputs = {"frames": frame[None] / np.float32(255), "styles": numbers}
        return as_bytes(request.infer(inputs)["paintings"][0])

    return paint


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """Convert a picture in 0..1 to bytes."""
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def quantize(path: Path, numbers: np.ndarray, frames: list[np.ndarray]) -> Path:
    """Quantize the convolutions and what they read to int8, with ranges from some frames."""
    from onnxruntime import quantization

    class Frames(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter(frames[::4])

        def get_next(self) -> Any:
            frame = next(self.rest, None)
            if frame is None:
                return None
            return {"frames": frame[None] / np.float32(255), "styles": numbers}

    target = path.with_name(f"static-{path.name}")
    quantization.quantize_static(
        str(path), str(target), Frames(), op_types_to_quantize=["Conv"], per_channel=True
    )
    return target


def open_runtimes(
    numbers: np.ndarray, frames: list[np.ndarray], folder: Path, wanted: str = ""
) -> tuple[dict[str, Paint], dict[str, str]]:
    """Open the runtimes with ``wanted`` in their name; also return why the others cannot run."""

    def export(kind: str, precision: str) -> Path:
        path = folder / precision / f"painter.{kind}"
        if not path.exists():
            export_networks(kind, ExportPlan(precision=precision, only="painter"), path.parent)
        return path

    def open_static() -> Paint:
        return open_exported(quantize(export("onnx", "float32"), numbers, frames), numbers)

    makers: dict[str, Callable[[], Paint]] = {
        f"{name}, {precision}": partial(lambda *form: open_exported(export(*form), numbers), *form)
        for name, kind in (("ONNX Runtime", "onnx"), ("LiteRT (XNNPACK)", "tflite"))
        for precision in PRECISIONS
        for form in [(kind, precision)]
    }
    makers |= {
        "ONNX Runtime, int8 activations": open_static,
        "OpenVINO, float32": lambda: open_openvino(export("onnx", "float32"), numbers, "f32"),
        "OpenVINO, bfloat16": lambda: open_openvino(export("onnx", "float32"), numbers, "bf16"),
    }
    found: dict[str, Paint] = {}
    missing: dict[str, str] = {}
    for name, make in makers.items():
        if wanted not in name:
            continue
        try:
            found[name] = make()
        except ImportError as error:
            missing[name] = f"not installed ({error.name})"
        except Exception as error:  # a runtime that refuses the graph is a result
            missing[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
    return found, missing


def open_reference(engine: EmbeddedEngine, numbers: np.ndarray) -> Paint:
    """Open TensorFlow in float32, by the plain operations: the reference picture."""
    import tensorflow as tf

    painter = engine.runtime.painter

    def paint(frame: np.ndarray) -> np.ndarray:
        picture = tf.constant(frame[None] / np.float32(255))
        painted = np.asarray(painter(picture, tf.constant(numbers)))[0]
        return as_bytes(painted)

    return paint


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio, in dB."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def measure(
    paints: dict[str, Paint], frames: list[np.ndarray], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Wall-clock and CPU seconds per frame of each, round by round in turn."""
    found: dict[str, dict[str, list[float]]] = {name: {"clock": [], "cpu": []} for name in paints}
    with ThreadPoolExecutor(2) as pool:
        for paint in paints.values():
            list(pool.map(paint, frames[:4]))
        for _ in range(rounds):
            for name, paint in paints.items():
                began, used = time.perf_counter(), time.process_time()
                list(pool.map(paint, frames))
                found[name]["clock"].append((time.perf_counter() - began) / len(frames))
                found[name]["cpu"].append((time.process_time() - used) / len(frames))
    return found


def compare(size: tuple[int, int], options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Compare all runtimes at one size."""
    precision = "bfloat16" if has_fast_bfloat16() else "float32"
    engine = EmbeddedEngine(options=EmbeddedOptions(precision))
    numbers = embed_style(engine)
    frames = read_frames(draw_clip(folder, *size, options.frames), options.frames)
    engine.prepare_size(*size)
    own: Paint = lambda frame: engine.stylize(frame[None], numbers)[0]  # noqa: E731
    wanted = open_reference(engine, numbers)(frames[0])
    others, missing = open_runtimes(numbers, frames, folder, options.only)
    times = measure({"TensorFlow": own, **others}, frames, options.rounds)
    rows = []
    for name, paint in {"TensorFlow": own, **others}.items():
        quotients = {
            key: median(a / b for a, b in zip(times["TensorFlow"][key], times[name][key]))
            for key in ("clock", "cpu")
        }
        rows.append(
            {
                "runtime": name,
                "clock, ms": 1000 * median(times[name]["clock"]),
                "processor, ms": 1000 * median(times[name]["cpu"]),
                "faster": quotients["clock"],
                "faster by the processor": quotients["cpu"],
                "likeness, dB": psnr(paint(frames[0]), wanted),
            }
        )
    engine.close()
    return {"size": size, "rows": rows, "missing": missing}


def format_table(found: dict[str, Any]) -> str:
    """Markdown."""
    lines = [f"Machine: {format_machine(found['machine'])}. Rounds: {found['rounds']}.", ""]
    lines += [
        (
            "| size | runtime | ms a frame | processor's ms | times as fast | by the processor "
            "| picture to float32, dB | |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for part in found["sizes"]:
        for row in part["rows"]:
            good = row["faster"] >= ENOUGH and row["likeness, dB"] >= ALIKE
            lines.append(
                f"| {format_size(part['size'])} | {row['runtime']} | {row['clock, ms']:.1f} "
                f"| {row['processor, ms']:.1f} | {row['faster']:.2f} "
                f"| {row['faster by the processor']:.2f} | {row['likeness, dB']:.1f} "
                f"| {'worth keeping' if good else ''} |"
            )
        for name, why in part["missing"].items():
            lines.append(f"| {format_size(part['size'])} | {name} | | | | | | {why} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=parse_sizes, default="256x256,512x512,1280x720")
    parser.add_argument("--only", default="", help="a part of a runtime's name, such as OpenVINO")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one small size, one round: a trial")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.rounds, options.frames = [(128, 96)], 1, 4
    found: dict[str, Any] = {"machine": describe_machine(), "rounds": options.rounds, "sizes": []}
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name, limit_tensorflow_threads():
        for size in options.sizes:
            found["sizes"].append(compare(size, options, Path(name)))
            print(f"{format_size(size)}: done", file=sys.stderr, flush=True)
    write_json(options.json, found)
    print(format_table(found))


if __name__ == "__main__":
    main()
