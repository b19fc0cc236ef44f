"""The teacher, Magenta's TFLite pair, in two forms.

`Teacher` runs it in the TFLite interpreter, for embeddings and pictures. `LiteGraph` runs the same
files as float Keras operations, differentiable and for any batch size, so that losses can use its
inner layers; the trained networks contain nothing of it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from vst.errors import AssetError, MissingFileError
from vst.research.training.picture_data import Embeddings, Picture

PREDICTOR_FILE = "style_predict_quantized_256.tflite"
PAINTER_FILE = "style_transfer_quantized_dynamic.tflite"


class Teacher:
    """Magenta's TFLite pair in the interpreter, one picture at a time."""

    def __init__(self, folder: Path, threads: int | None = None):
        self.predictor = open_teacher_file(folder / PREDICTOR_FILE, threads)
        self.predictor.allocate_tensors()
        self.painter = open_teacher_file(folder / PAINTER_FILE, threads)
        self.slots = {d["shape"][-1]: d["index"] for d in self.painter.get_input_details()}
        self.size: tuple[int, ...] | None = None

    def embed(self, square: Picture) -> Embeddings:
        """Return the embedding (100,) of a picture of 256 x 256."""
        slot = self.predictor.get_input_details()[0]["index"]
        self.predictor.set_tensor(slot, square[None].astype(np.float32) / 255)
        self.predictor.invoke()
        found = self.predictor.get_tensor(self.predictor.get_output_details()[0]["index"])
        return np.asarray(found, np.float32).ravel().copy()

    def paint(self, picture: Picture, numbers: Embeddings) -> Picture:
        """Return Magenta's picture, uint8; its sides are rounded up to multiples of four."""
        if self.size != picture.shape:
            self.painter.resize_tensor_input(self.slots[3], [1, *picture.shape])
            self.painter.allocate_tensors()
            self.size = picture.shape
        self.painter.set_tensor(self.slots[3], picture[None].astype(np.float32) / 255)
        style = numbers.astype(np.float32).reshape(1, 1, 1, -1)
        self.painter.set_tensor(self.slots[style.shape[-1]], style)
        self.painter.invoke()
        painted = self.painter.get_tensor(self.painter.get_output_details()[0]["index"])[0]
        return np.clip(painted * 255 + 0.5, 0, 255).astype(np.uint8)


def open_teacher_file(path: Path, threads: int | None = None) -> Any:
    """Open a file in the interpreter of ai-edge-litert if it is installed, else of TensorFlow."""
    if not path.is_file():
        raise MissingFileError(
            f"teacher {path} does not exist. Give the folder with {PREDICTOR_FILE}."
        )
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow

        Interpreter = tensorflow.lite.Interpreter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Interpreter(str(path), num_threads=threads)


class LiteGraph:
    """A TFLite file as float operations of Keras: ``graph(inputs, keep=(3, 7))`` returns the output
    and the kept tensors.

    Tensors are named by their index in the file; quantized constants become float32. `export`
    writes an ``.npz`` for a machine without TensorFlow, which reads the file.
    """

    def __init__(self, path: Path):
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                graph = json.loads(str(stored["graph"]))
                self.constants = {int(k[1:]): stored[k] for k in stored.files if k != "graph"}
        else:
            graph, self.constants = read_lite_file(path)
        self.inputs, self.outputs, self.operators = (
            graph["inputs"],
            graph["outputs"],
            graph["operators"],
        )

    def export(self, path: Path) -> None:
        """Write constants and operators to an ``.npz`` that the constructor reads."""
        graph = {"inputs": self.inputs, "outputs": self.outputs, "operators": self.operators}
        arrays: dict[str, Any] = {f"c{k}": v for k, v in self.constants.items()}
        np.savez(path, graph=np.array(json.dumps(graph)), **arrays)

    def __call__(self, *inputs: Any, keep: Sequence[int] = (), until: int | None = None) -> Any:
        values = {**self.constants, **dict(zip(self.inputs, inputs))}
        for name, taken, given, options in self.operators:
            arguments = [values.get(index) for index in taken]
            if any(argument is None for argument in arguments[:2]):
                continue  # arithmetic of shapes, which `doubles` replaces
            values[given] = apply_operator(name, options, arguments)
            if given == until:
                break
        return values.get(self.outputs[0]), {index: values[index] for index in keep}

    def layers(self, kind: str) -> list[int]:
        """Return the output tensors of all operators of a kind (``ADD``, ``CONV_2D``), in order."""
        return [given for name, _, given, _ in self.operators if name == kind]


# They compute the size of a resize. Not needed: every resize here doubles the size or keeps it.
SHAPE_OPERATORS = ("SHAPE", "STRIDED_SLICE", "PACK")
KEPT_OPTIONS = ("padding", "strideH", "fusedActivationFunction", "keepDims", "mode")


def read_lite_file(path: Path) -> tuple[dict[str, Any], dict[int, Any]]:
    """Read the operators and constants of a TFLite file."""
    from tensorflow.lite.python import schema_py_generated as schema

    if not path.is_file():
        raise MissingFileError(f"teacher {path} does not exist. Name its folder.")
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    constants = {}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            constants[index] = decode_constant(tensor, bytes(data))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    operators, scaled = [], set[int]()
    for operator in graph.operators:
        name, options = names[codes[operator.opcodeIndex]], vars(operator.builtinOptions or object)
        taken = [int(index) for index in operator.inputs]
        if name in SHAPE_OPERATORS:
            scaled |= {int(operator.outputs[0])} if scaled.intersection(taken) else set()
            continue
        kept = {key: int(options[key]) for key in KEPT_OPTIONS if key in options}
        if name == "RESIZE_NEAREST_NEIGHBOR":
            kept["doubles"] = int(taken[1] in scaled)
            taken = taken[:1]
        elif name == "MUL" and constants.get(taken[0], np.ones(2)).dtype == np.int32:
            scaled.add(int(operator.outputs[0]))
        operators.append((name, taken, int(operator.outputs[0]), kept))
    inputs, outputs = ([int(i) for i in group] for group in (graph.inputs, graph.outputs))
    return {"inputs": inputs, "outputs": outputs, "operators": operators}, constants


def decode_constant(tensor: Any, data: bytes) -> Any:
    """Decode a stored tensor to float32, or to its integers if it is not quantized."""
    kinds = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}
    if tensor.type not in kinds:
        raise AssetError(f"TFLite tensor of type {tensor.type}: this type is not supported.")
    kind = kinds[tensor.type]
    array = np.frombuffer(data, kind).reshape(tensor.shape if tensor.shape is not None else [])
    quantized = tensor.quantization
    if quantized is None or quantized.scale is None or not len(quantized.scale):
        return array.astype(np.float32) if kind is np.float16 else array
    scale = np.array(quantized.scale, np.float32)
    zero = np.array(quantized.zeroPoint, np.float32)
    if len(scale) > 1:
        shape = [1] * array.ndim
        shape[quantized.quantizedDimension] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (array.astype(np.float32) - zero) * scale


def activate(value: Any, kind: int) -> Any:
    """Apply a fused activation function."""
    return ops.relu(value) if kind == 1 else ops.relu6(value) if kind == 3 else value


def apply_convolution(name: str, options: dict[str, int], arguments: list[Any]) -> Any:
    """Apply a convolution, plain or depthwise, with its bias."""
    padding = "same" if options["padding"] == 0 else "valid"
    kernel = np.transpose(arguments[1], (1, 2, 3, 0))
    apply = ops.conv if name == "CONV_2D" else ops.depthwise_conv
    result = apply(arguments[0], ops.cast(kernel, arguments[0].dtype), options["strideH"], padding)
    if len(arguments) > 2 and arguments[2] is not None:
        result = result + ops.cast(arguments[2], result.dtype)
    return result


def apply_operator(name: str, options: dict[str, int], arguments: list[Any]) -> Any:
    """Apply one TFLite operator."""
    first = arguments[0]
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        result = apply_convolution(name, options, arguments)
    elif name in ("ADD", "SUB", "MUL"):
        result = {"ADD": ops.add, "SUB": ops.subtract, "MUL": ops.multiply}[name](
            first, arguments[1]
        )
    elif name in ("QUANTIZE", "DEQUANTIZE"):
        result = first
    elif name == "MEAN":
        axes = tuple(int(axis) for axis in np.ravel(arguments[1]))
        result = ops.mean(first, axes, keepdims=bool(options["keepDims"]))
    elif name == "SQUARED_DIFFERENCE":
        result = ops.square(first - arguments[1])
    elif name == "MIRROR_PAD":
        widths = [[int(side) for side in pair] for pair in arguments[1]]
        result = ops.pad(first, widths, "reflect" if options["mode"] == 0 else "symmetric")
    elif name == "RESIZE_NEAREST_NEIGHBOR":
        result = double_size(first) if options["doubles"] else first
    elif name == "RSQRT":
        result = ops.rsqrt(first)
    elif name == "LOGISTIC":
        result = ops.sigmoid(first)
    else:
        raise AssetError(f"TFLite operator {name} is not supported.")
    return activate(result, options.get("fusedActivationFunction", 0))


def double_size(value: Any) -> Any:
    """Double the size by nearest-neighbor interpolation."""
    return ops.repeat(ops.repeat(value, 2, axis=1), 2, axis=2)
