"""Measures the embedded painter's weights in other runtimes, beside TensorFlow, in the same run.

    python bench/runtimes.py [--sizes 256x256,512x512] [--json FILE] [--quick]

Uses what is installed of `onnx` with `onnxruntime` and `openvino`, and of `ai-edge-litert`, and
reports what is missing. Every runtime paints the same frames in the same style, two frames at once
on one core each where it can (as the program paints), in turn with TensorFlow. Pictures are
compared with those of TensorFlow in float32.

Reports CPU time beside wall-clock time: on a machine that is not idle, it is the steadier one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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

Paint = Callable[[np.ndarray], np.ndarray]
"""A frame, uint8 (height, width, 3), to its painting."""
ENOUGH = 1.3
ALIKE = 40.0


class OnnxPainter:
    """The painter as an ONNX graph for one size: uint8 pictures in and out, and the style
    embedding.
    """

    def __init__(self, painter: Any, width: int, height: int) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy = helper, numpy_helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.painter = painter
        self.width, self.height = width, height

    def constant(self, value: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self.numpy.from_array(np.asarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, **options: Any) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [name], name=name, **options))
        return name

    def weight(self, name: str) -> np.ndarray:
        return np.asarray(self.painter.table[name], np.float32)

    def convolve(self, x: str, name: str, bias: bool = False) -> str:
        kernel = self.weight(name).transpose(3, 2, 0, 1)
        border = kernel.shape[2] // 2
        pads = self.constant(np.array([0, 0, border, border] * 2, np.int64))
        padded = self.add("Pad", x, pads, mode="reflect")
        values = [self.constant(kernel)]
        if bias:
            values.append(self.constant(self.weight(f"{name}_bias")))
        return self.add("Conv", padded, *values)

    def plain(self, x: str, name: str) -> str:
        return self.add("Relu", self.convolve(x, name, bias=True))

    def convolve_styled(self, x: str, styles: str, name: str, phases: int = 1) -> str:
        numbers = []
        for kind in ("scale", "shift"):
            value = self.add("MatMul", styles, self.constant(self.weight(f"{name}_{kind}")))
            value = self.add("Add", value, self.constant(self.weight(f"{name}_{kind}_bias")))
            flat = self.add("Reshape", value, self.constant(np.array([-1], np.int64)))
            numbers.append(self.add("Tile", flat, self.constant(np.array([phases], np.int64))))
        return self.add("InstanceNormalization", self.convolve(x, name), *numbers, epsilon=1e-5)

    def model(self) -> Any:
        """The whole graph as a ModelProto."""
        from onnx import TensorProto, checker

        shape = [1, self.height, self.width, 3]
        centred = self.add("Sub", "numbers", self.constant(self.weight("centre")))
        styles = self.add("MatMul", centred, self.constant(self.weight("basis")))
        x = self.add("Cast", "frame", to=TensorProto.FLOAT)
        x = self.add("Div", x, self.constant(np.float32(255)))
        x = self.add("SpaceToDepth", self.add("Transpose", x, perm=[0, 3, 1, 2]), blocksize=2)
        x = self.add("SpaceToDepth", self.plain(x, "stem"), blocksize=2)
        x = self.plain(x, "gather")
        for index in range(self.painter.plan.blocks):
            inner = self.add("Relu", self.convolve_styled(x, styles, f"block{index}a"))
            x = self.add("Add", x, self.convolve_styled(inner, styles, f"block{index}b"))
        x = self.add("Relu", self.convolve_styled(x, styles, "spread", 4))
        x = self.add("DepthToSpace", x, blocksize=2)
        x = self.add("Relu", self.convolve_styled(x, styles, "fine"))
        x = self.add("Sigmoid", self.convolve_styled(x, styles, "colour", 4))
        x = self.add("DepthToSpace", x, blocksize=2)
        x = self.add("Transpose", x, perm=[0, 2, 3, 1])
        x = self.add("Mul", x, self.constant(np.float32(255)))
        x = self.add("Add", x, self.constant(np.float32(0.5)))
        self.nodes.append(self.helper.make_node("Cast", [x], ["painted"], to=TensorProto.UINT8))
        value = self.helper.make_tensor_value_info
        graph = self.helper.make_graph(
            self.nodes,
            "painter",
            [
                value("frame", TensorProto.UINT8, shape),
                value("numbers", TensorProto.FLOAT, [1, 100]),
            ],
            [value("painted", TensorProto.UINT8, shape)],
            self.constants,
        )
        opset = [self.helper.make_opsetid("", 18)]
        model = self.helper.make_model(graph, opset_imports=opset, ir_version=9)
        checker.check_model(model)
        return model


def open_onnx_runtime(path: Path, numbers: np.ndarray) -> Paint:
    """Open ONNX Runtime's CPU backend, one thread per frame."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda frame: session.run(None, {"frame": frame[None], "numbers": numbers})[0][0]


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
        return request.infer({"frame": frame[None], "numbers": numbers})["painted"][0].copy()

    return paint


def quantize(path: Path, numbers: np.ndarray, frames: list[np.ndarray]) -> Path:
    """Quantize the convolutions to int8, with ranges from some frames."""
    from onnxruntime import quantization

    class Frames(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter(frames[::4])

        def get_next(self) -> Any:
            frame = next(self.rest, None)
            return None if frame is None else {"frame": frame[None], "numbers": numbers}

    target = path.with_name(f"int8-{path.name}")
    quantization.quantize_static(
        str(path), str(target), Frames(), op_types_to_quantize=["Conv"], per_channel=True
    )
    return target


def open_litert(
    engine: EmbeddedEngine, numbers: np.ndarray, width: int, height: int, kind: str
) -> Paint:
    """Open LiteRT with XNNPACK, one thread per frame: float32, or weights in ``int8``."""
    import threading

    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from vst.nets.embedded import PainterOperations, normalize_instances

    painter = engine._painter
    kit = PainterOperations(normalize_instances, tf.nn.space_to_depth, tf.nn.depth_to_space)

    @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3]), tf.TensorSpec([1, 100])])
    def whole(picture: Any, numbers: Any) -> Any:
        styles = painter.styles(numbers)
        x = painter.trunk(painter.encode(picture, kit), styles, kit)
        return painter.finish(painter.decode(x, styles, kit), kit)

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [whole.get_concrete_function()], painter
    )
    if kind == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    content = converter.convert()
    own = threading.local()

    def paint(frame: np.ndarray) -> np.ndarray:
        if not hasattr(own, "run"):
            own.run = Interpreter(model_content=content, num_threads=1)
            own.run.allocate_tensors()
            entries = own.run.get_input_details()
            own.slots = {len(entry["shape"]): entry["index"] for entry in entries}
        own.run.set_tensor(own.slots[4], frame[None].astype(np.float32) / 255)
        own.run.set_tensor(own.slots[2], numbers)
        own.run.invoke()
        painted = own.run.get_tensor(own.run.get_output_details()[0]["index"])[0]
        return np.clip(painted * 255 + 0.5, 0, 255).astype(np.uint8)

    return paint


def open_runtimes(
    engine: EmbeddedEngine,
    numbers: np.ndarray,
    frames: list[np.ndarray],
    folder: Path,
    wanted: str = "",
) -> tuple[dict[str, Paint], dict[str, str]]:
    """Open the runtimes with ``wanted`` in their name; also return why the others cannot run."""
    height, width = frames[0].shape[:2]
    path = folder / f"painter-{width}x{height}.onnx"

    def graph() -> Path:
        if not path.exists():
            path.write_bytes(
                OnnxPainter(engine._painter, width, height).model().SerializeToString()
            )
        return path

    makers: dict[str, Callable[[], Paint]] = {
        "ONNX Runtime, float32": lambda: open_onnx_runtime(graph(), numbers),
        "OpenVINO, float32": lambda: open_openvino(graph(), numbers, "f32"),
        "OpenVINO, bfloat16": lambda: open_openvino(graph(), numbers, "bf16"),
        "ONNX Runtime, int8": lambda: open_onnx_runtime(
            quantize(graph(), numbers, frames), numbers
        ),
        "OpenVINO, int8": lambda: open_openvino(quantize(graph(), numbers, frames), numbers, "f32"),
        "LiteRT (XNNPACK), float32": lambda: open_litert(engine, numbers, width, height, "float32"),
        "LiteRT (XNNPACK), int8 weights": lambda: open_litert(
            engine, numbers, width, height, "int8"
        ),
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

    painter = engine._painter

    def paint(frame: np.ndarray) -> np.ndarray:
        picture = tf.constant(frame[None] / np.float32(255))
        painted = np.asarray(painter(picture, tf.constant(numbers)))[0]
        return np.clip(painted * 255 + 0.5, 0, 255).astype(np.uint8)

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
    engine = EmbeddedEngine()
    numbers = embed_style(engine)
    frames = read_frames(draw_clip(folder, *size, options.frames), options.frames)
    engine.prepare_size(*size)
    own: Paint = lambda frame: engine.stylize(frame[None], numbers)[0]  # noqa: E731
    wanted = open_reference(engine, numbers)(frames[0])
    others, missing = open_runtimes(engine, numbers, frames, folder, options.only)
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
