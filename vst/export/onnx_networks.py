"""The networks of `vst.nets` as ONNX graphs, operation by operation.

Each class follows the network that it names; values are NCHW inside. Measured against tf2onnx 1.17:
158 nodes instead of 1107 for the painter, in half the CPU time; the predictor it cannot convert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vst.engines.embedded_runtime import CONTRAST_NONE, CONTRAST_STEP
from vst.export.onnx_graph import OnnxGraph

TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
SPATIAL = (2, 3)
EPSILON = 1e-5


def add_convolution(
    graph: OnnxGraph, x: str, kernel: Any, bias: Any = None, stride: int = 1
) -> str:
    """Mirror the borders of x and convolve it; ``kernel``: (side, side, inputs, outputs)."""
    kernel = np.asarray(kernel, np.float32).transpose(3, 2, 0, 1)
    border = kernel.shape[2] // 2
    borders = np.array([0, 0, border, border] * 2, np.int64)
    padded = graph.add("Pad", x, graph.constant(borders), mode="reflect")
    values = [graph.weight(kernel)]
    if bias is not None:
        values.append(graph.constant(np.asarray(bias, np.float32)))
    return graph.add("Conv", padded, *values, strides=[stride, stride])


class OnnxPainter:
    """Adds `vst.nets.embedded.Painter` to a graph, with the fade of flat frames of engine
    ``embedded``.
    """

    def __init__(self, graph: OnnxGraph, painter: Any) -> None:
        self.graph, self.painter = graph, painter

    def add(self, frames: str, styles: str) -> str:
        """Paint ``frames`` (1,H,W,3) in 0..1 in ``styles`` (1,100)."""
        add = self.graph.add
        x = add("Transpose", frames, perm=TO_CHANNELS_FIRST)
        share = self._add_share_of_contrast(x)
        styles = add("Sub", styles, self.graph.constant(self._array("centre")))
        styles = add("MatMul", styles, self.graph.weight(self._array("basis"), exact=True))
        x = self._add_plain(add("SpaceToDepth", x, blocksize=2), "stem")
        x = self._add_plain(add("SpaceToDepth", x, blocksize=2), "gather")
        for index in range(self.painter.plan.blocks):
            inner = add("Relu", self._add_styled(x, styles, f"block{index}a"))
            x = add("Add", x, self._add_styled(inner, styles, f"block{index}b"))
        x = add("Relu", self._add_styled(x, styles, "spread", 4))
        x = add("DepthToSpace", x, blocksize=2)
        x = add("Relu", self._add_styled(x, styles, "fine"))
        scale, shift = self._add_scale_and_shift(styles, "colour", 4)
        x = add("Sigmoid", self._add_normalized(x, scale, shift, "colour"))
        x = self._add_fade(x, shift, share)
        return add("Transpose", add("DepthToSpace", x, blocksize=2), perm=TO_CHANNELS_LAST)

    def _array(self, name: str) -> np.ndarray:
        return np.asarray(self.painter.table[name], np.float32)

    def _add_plain(self, x: str, name: str) -> str:
        found = add_convolution(self.graph, x, self._array(name), self._array(f"{name}_bias"))
        return self.graph.add("Relu", found)

    def _add_styled(self, x: str, styles: str, name: str, phases: int = 1) -> str:
        scale, shift = self._add_scale_and_shift(styles, name, phases)
        return self._add_normalized(x, scale, shift, name)

    def _add_normalized(self, x: str, scale: str, shift: str, name: str) -> str:
        found = add_convolution(self.graph, x, self._array(name))
        return self.graph.add("InstanceNormalization", found, scale, shift, epsilon=EPSILON)

    def _add_scale_and_shift(self, styles: str, name: str, phases: int) -> Sequence[str]:
        """Compute the scale and the shift of each channel, repeated for each phase of a block."""
        graph, found = self.graph, []
        for kind in (f"{name}_scale", f"{name}_shift"):
            # Repeated constants instead of a node that repeats its input.
            matrix = np.tile(self._array(kind), (1, phases))
            offset = np.tile(self._array(f"{kind}_bias"), phases)
            value = graph.add("MatMul", styles, graph.weight(matrix, exact=True))
            value = graph.add("Add", value, graph.constant(offset))
            found.append(graph.add("Reshape", value, graph.constant(np.array([-1], np.int64))))
        return found

    def _add_share_of_contrast(self, x: str) -> str:
        """Compute the share of the painting, 0 to 1, in a frame with little contrast: see
        `vst.engines.tensorflow_runtime.fade_flat_frames`.
        """
        graph = self.graph
        bright, dark = (graph.add(kind, x, axes=SPATIAL) for kind in ("ReduceMax", "ReduceMin"))
        spread = graph.add("ReduceMax", graph.add("Sub", bright, dark), axes=(1,))
        zero, one, slope, offset = (
            graph.constant(np.float32(value))
            for value in (0, 1, 255 / CONTRAST_STEP, CONTRAST_NONE / CONTRAST_STEP)
        )
        share = graph.add("Sub", graph.add("Mul", spread, slope), offset)
        return graph.add("Clip", share, zero, one)

    def _add_fade(self, x: str, shift: str, share: str) -> str:
        """Mix x, in blocks, with the color of a frame in which nothing varies."""
        graph = self.graph
        shape = graph.constant(np.array([1, -1, 1, 1], np.int64))
        flat = graph.add("Reshape", graph.add("Sigmoid", shift), shape)
        rest = graph.add("Sub", graph.constant(np.float32(1)), share)
        return graph.add("Add", graph.add("Mul", x, share), graph.add("Mul", flat, rest))


class OnnxPredictor:
    """Adds `vst.nets.embedded.build_predictor` to a graph, its batch normalizations folded into the
    convolutions before them.
    """

    def __init__(self, graph: OnnxGraph, predictor: Any) -> None:
        self.graph, self.predictor = graph, predictor

    def add(self, pictures: str) -> str:
        """Embed ``pictures`` (1,256,256,3) in 0..1."""
        add = self.graph.add
        patches, gather, numbers, space = (
            [
                np.asarray(array, np.float32)
                for array in self.predictor.get_layer(name).get_weights()
            ]
            for name in ("patches", "gather", "numbers", "space")
        )
        # The network takes 2 x - 1: its first convolution has no border, so both numbers fold in.
        kernel, bias = 2 * patches[0], patches[1] - patches[0].sum((0, 1, 2))
        x = add("Transpose", pictures, perm=TO_CHANNELS_FIRST)
        x = add("Conv", x, *self._add_values(kernel, bias), strides=[4, 4])
        statistics, stage = [], 0
        while f"stage{stage}a" in {layer.name for layer in self.predictor.layers}:
            if stage:
                x = add("Relu", self._add_convolution(x, f"down{stage}", 2))
            x = add("Relu", self._add_convolution(x, f"stage{stage}a"))
            x = add("Relu", add("Add", x, self._add_convolution(x, f"stage{stage}b")))
            statistics += self._add_statistics(x)
            stage += 1
        x = add("Concat", *statistics, axis=1)
        x = self._add_gelu(self._add_dense(x, gather[0], gather[1]))
        # The last layer only scales and shifts.
        mean, spread = self._get_space(space)
        return self._add_dense(x, numbers[0] * spread, numbers[1] * spread + mean)

    def _get_space(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        layer = self.predictor.get_layer("space")
        names = [variable.name for variable in layer.weights]
        return arrays[names.index("mean")], arrays[names.index("spread")]

    def _add_values(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[str, str]:
        return self.graph.weight(kernel.transpose(3, 2, 0, 1)), self.graph.constant(bias)

    def _add_convolution(self, x: str, name: str, stride: int = 1) -> str:
        """Convolve and normalize with fixed statistics, in one convolution."""
        norm = self.predictor.get_layer(f"{name}_norm")
        gamma, beta, mean, variance = (np.asarray(array) for array in norm.get_weights())
        scale = gamma / np.sqrt(variance + norm.epsilon)
        (kernel,) = self.predictor.get_layer(name).get_weights()
        # "same" padding of TensorFlow: with stride 2, an even side has its border at the end only.
        before = 0 if stride == 2 else 1
        return self.graph.add(
            "Conv",
            x,
            *self._add_values(kernel * scale, beta - mean * scale),
            strides=[stride, stride],
            pads=[before, before, 1, 1],
        )

    def _add_statistics(self, x: str) -> list[str]:
        """Compute the mean and the standard deviation of each channel, (1,C) each."""
        add, constant = self.graph.add, self.graph.constant
        mean = add("ReduceMean", x, axes=SPATIAL)
        centered = add("Sub", x, mean)
        variance = add("ReduceMean", add("Mul", centered, centered), axes=SPATIAL)
        spread = add("Sqrt", add("Add", variance, constant(np.float32(1e-4))))
        shape = constant(np.array([1, -1], np.int64))
        return [add("Reshape", mean, shape), add("Reshape", spread, shape)]

    def _add_dense(self, x: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        product = self.graph.add("MatMul", x, self.graph.weight(matrix, axis=1))
        return self.graph.add("Add", product, self.graph.constant(bias))

    def _add_gelu(self, x: str) -> str:
        add, constant = self.graph.add, self.graph.constant
        part = add("Erf", add("Mul", x, constant(np.float32(0.5**0.5))))
        part = add("Mul", add("Add", part, constant(np.float32(1))), constant(np.float32(0.5)))
        return add("Mul", x, part)


class OnnxFeedForward:
    """Adds `vst.nets.feedforward.FeedForward`, a network trained for one style, to a graph."""

    def __init__(self, graph: OnnxGraph, network: Any) -> None:
        self.graph, self.network = graph, network

    def add(self, frames: str) -> str:
        """Paint ``frames`` (1,H,W,3) in 0..1."""
        add, constant = self.graph.add, self.graph.constant
        x = add("Transpose", frames, perm=TO_CHANNELS_FIRST)
        for name, stride in (("first", 1), ("half", 2), ("quarter", 2)):
            x = add("Relu", self._add_normalized(self._add_convolution(x, name, stride), name))
        for index in range(self.network.plan.blocks):
            first, second = f"block{index}a", f"block{index}b"
            inner = add("Relu", self._add_normalized(self._add_convolution(x, first), first))
            x = add("Add", x, self._add_normalized(self._add_convolution(inner, second), second))
        for name in ("up_half", "up_full"):
            x = add("Relu", self._add_normalized(self._add_upsampling(x, name), name))
        x = add_convolution(self.graph, x, self._array("last"), self._array("last_shift"))
        half = constant(np.float32(0.5))
        x = add("Add", add("Mul", add("Tanh", x), half), half)
        return add("Transpose", x, perm=TO_CHANNELS_LAST)

    def _array(self, name: str) -> np.ndarray:
        return np.asarray(self.network.table[name], np.float32)

    def _add_convolution(self, x: str, name: str, stride: int = 1) -> str:
        return add_convolution(self.graph, x, self._array(name), None, stride)

    def _add_normalized(self, x: str, name: str) -> str:
        values = (self.graph.constant(self._array(f"{name}_{kind}")) for kind in ("scale", "shift"))
        return self.graph.add("InstanceNormalization", x, *values, epsilon=EPSILON)

    def _add_upsampling(self, x: str, name: str) -> str:
        """Double the height and the width, and convolve."""
        if self.network.plan.upsampling == "transposed":
            # The stored kernel is (side, side, outputs, inputs); ONNX wants inputs first.
            kernel = self._array(name).transpose(3, 2, 0, 1)
            return self.graph.add(
                "ConvTranspose", x, self.graph.weight(kernel, axis=1), strides=[2, 2],
                pads=[0, 0, 1, 1],
            )  # fmt: skip
        factors = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        larger = self.graph.add(
            "Resize", x, "", factors, mode="linear", coordinate_transformation_mode="half_pixel"
        )
        return self._add_convolution(larger, name)
