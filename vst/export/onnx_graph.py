"""A small builder of ONNX graphs: nodes, constants and weights in the chosen precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vst.errors import DependencyError
from vst.export.plan import Tensor

OPSET = 17
"""The set of operators: the newest that every current runtime reads, the older mobile ones too."""
IR_VERSION = 8
FEW = 1024
"""Arrays with fewer numbers stay float32: they weigh nothing, and biases matter."""


def import_onnx() -> Any:
    """Import the package that writes ONNX files; raises `DependencyError`."""
    try:
        import onnx
    except ImportError as error:
        raise DependencyError.of_extra("ONNX files need the package onnx", "export") from error
    return onnx


class OnnxGraph:
    """A graph that grows node by node; each method returns the name of the value it adds."""

    def __init__(self, precision: str = "float32") -> None:
        self._onnx = import_onnx()
        self.precision = precision
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **options: Any) -> str:
        """Add a node with one output."""
        name = f"{kind}{len(self._nodes)}"
        make = self._onnx.helper.make_node
        self._nodes.append(make(kind, list(inputs), [name], name=name, **options))
        return name

    def constant(self, value: Any) -> str:
        """Add an array as it is."""
        name = f"constant{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, value: Any, axis: int = 0, exact: bool = False) -> str:
        """Add a float array in the graph's precision.

        A runtime converts it to float32 once, when it loads the file: a cast and a product of
        constants are folded by all of them, `DequantizeLinear` by some only. ``axis``: int8 has one
        scale for each index of this axis. ``exact``: as float16 instead of int8.
        """
        array = np.asarray(value, np.float32)
        to_float = self._onnx.TensorProto.FLOAT
        if array.size < FEW or self.precision == "float32":
            return self.constant(array)
        if exact or self.precision == "float16":
            return self.add("Cast", self.constant(array.astype(np.float16)), to=to_float)
        rounded, scale = quantize_weights(array, axis)
        return self.add(
            "Mul", self.add("Cast", self.constant(rounded), to=to_float), self.constant(scale)
        )

    def build(
        self,
        name: str,
        tensors: tuple[Sequence[Tensor], Sequence[Tensor]],
        result: str,
        texts: Mapping[str, str],
    ) -> Any:
        """Return the model, checked by the rules of ONNX; ``result``: the value to output."""
        onnx = self._onnx
        inputs, outputs = ([self._describe_tensor(tensor) for tensor in side] for side in tensors)
        nodes = [*self._nodes, onnx.helper.make_node("Identity", [result], [outputs[0].name])]
        graph = onnx.helper.make_graph(nodes, name, inputs, outputs, self._constants)
        model = onnx.helper.make_model(
            graph,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="vst",
        )
        onnx.helper.set_model_props(model, dict(texts))
        onnx.checker.check_model(model, full_check=True)
        return model

    def _describe_tensor(self, tensor: Tensor) -> Any:
        return self._onnx.helper.make_tensor_value_info(
            tensor.name, self._onnx.TensorProto.FLOAT, tensor.shape, doc_string=tensor.about
        )


def quantize_weights(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Round an array to int8 (-127..127) with one scale for each index of ``axis``; the product of
    both is the array again, with an error of at most half a step.
    """
    others = tuple(one for one in range(array.ndim) if one != axis)
    scale = np.abs(array).max(axis=others, keepdims=True) / 127
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.rint(array / scale).astype(np.int8), scale
