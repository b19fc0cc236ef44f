"""The predictor as it is trained: the teacher's predictor beside it, run as float, gives the
numbers of each batch as it is varied, and its inner layers as hints.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from vst.research.training.teacher import LiteGraph

HINTED = (88, 117, 136, 161)
"""Tensors of the teacher's predictor, one for each of our four stages: at 1/4 to 1/16 of the
picture, the last one averaged to 1/32.
"""
HINT = 0.1
"""Weight of a hint beside the numbers' own error."""


def last_of_each_size(network: keras.Model) -> list[Any]:
    """What each stage of the predictor gives, the largest first."""
    found: dict[int, Any] = {}
    for layer in network.layers:
        if isinstance(layer, layers.ReLU):
            found[layer.output.shape[1]] = layer.output
    return [found[side] for side in sorted(found, reverse=True)]


def widths_of(judge: LiteGraph, side: int) -> list[int]:
    """How many channels the hinted layers have."""
    _, kept = judge(np.zeros((1, side, side, 3), np.float32), keep=HINTED)
    return [int(kept[layer].shape[-1]) for layer in HINTED]


class Understudy(keras.Model):
    """A predictor whose loss is its error against ``judge``, the numbers in units of ``unit``, and
    how far the judge's inner layers are from linear maps of its own.

    Batches are pictures (B,256,256,3) in 0..255, whole numbers; targets are not needed.
    """

    def __init__(self, network: keras.Model, judge: LiteGraph, unit: float):
        super().__init__(name="understudy")
        self.network, self.judge, self.unit = network, judge, unit
        stages = last_of_each_size(network)
        self.inner = keras.Model(network.input, [network.output, *stages])
        # Thrown away afterwards: the student's own layers have a basis of their own.
        self.maps = [
            layers.Dense(width, name=f"hint{place}")
            for place, width in enumerate(widths_of(judge, network.input.shape[1]))
        ]
        for layer, stage in zip(self.maps, stages):
            layer.build(stage.shape)
        self.built = True

    def call(self, pictures: Any, training: bool = False) -> Any:
        return self.inner(ops.cast(pictures, "float32"), training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        numbers, *stages = y_pred
        wanted, kept = self.judge(ops.cast(ops.convert_to_tensor(x), "float32") / 255, keep=HINTED)
        wanted = ops.stop_gradient(ops.reshape(wanted, ops.shape(numbers)))
        total = ops.mean(ops.square((numbers - wanted) / self.unit))
        for layer, stage, name in zip(self.maps, stages, HINTED):
            total = total + HINT * hint_error(layer(stage), ops.stop_gradient(kept[name]))
        return total


def hint_error(mapped: Any, hint: Any) -> Any:
    """Mean square difference, in units of the hint's spread by channel and in all; the hint is
    averaged down to the map's size.
    """
    times = hint.shape[1] // mapped.shape[1]
    if times > 1:
        hint = ops.average_pool(hint, times, times, "valid")
    spread = ops.std(hint, (0, 1, 2))
    unit = ops.sqrt((ops.square(spread) + ops.square(ops.mean(spread))) / 2) + 0.01
    return ops.mean(ops.square((mapped - hint) / unit))
