"""The predictor as a student: the teacher's predictor, in float, embeds each augmented batch and
gives its inner layers as hints.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from vst.research.training.teacher import LiteGraph

HINT_LAYERS = (88, 117, 136, 161)
"""Tensors of the teacher's predictor, one for each of the student's four stages: at 1/4 to 1/16 of
the resolution, the last one averaged to 1/32.
"""
HINT_WEIGHT = 0.1
"""Weight of a hint; the error of the embeddings has weight 1."""


def find_stage_outputs(network: keras.Model) -> list[Any]:
    """Return the output of each stage of the predictor, the largest first."""
    found: dict[int, Any] = {}
    for layer in network.layers:
        if isinstance(layer, layers.ReLU):
            found[layer.output.shape[1]] = layer.output
    return [found[side] for side in sorted(found, reverse=True)]


def measure_widths(judge: LiteGraph, side: int) -> list[int]:
    """Return the number of channels of each hint layer."""
    _, kept = judge(np.zeros((1, side, side, 3), np.float32), keep=HINT_LAYERS)
    return [int(kept[layer].shape[-1]) for layer in HINT_LAYERS]


class PredictorStudent(keras.Model):
    """The predictor with its loss: the error of its embeddings against ``judge``, in units of
    ``unit``, and the error of linear maps from its inner layers to the judge's.

    Batches are pictures (B,256,256,3) with whole numbers in 0..255; targets are not used.
    """

    def __init__(self, network: keras.Model, judge: LiteGraph, unit: float):
        super().__init__(name="understudy")
        self.network, self.judge, self.unit = network, judge, unit
        stages = find_stage_outputs(network)
        self.inner = keras.Model(network.input, [network.output, *stages])
        # For training alone: the student's layers have another basis.
        self.maps = [
            layers.Dense(width, name=f"hint{place}")
            for place, width in enumerate(measure_widths(judge, network.input.shape[1]))
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
        wanted, kept = self.judge(
            ops.cast(ops.convert_to_tensor(x), "float32") / 255, keep=HINT_LAYERS
        )
        wanted = ops.stop_gradient(ops.reshape(wanted, ops.shape(numbers)))
        total = ops.mean(ops.square((numbers - wanted) / self.unit))
        for layer, stage, name in zip(self.maps, stages, HINT_LAYERS):
            total = total + HINT_WEIGHT * hint_error(layer(stage), ops.stop_gradient(kept[name]))
        return total


def hint_error(mapped: Any, hint: Any) -> Any:
    """Return the mean square difference, in units of the hint's standard deviation by channel and
    overall; the hint is averaged down to the size of the map.
    """
    times = hint.shape[1] // mapped.shape[1]
    if times > 1:
        hint = ops.average_pool(hint, times, times, "valid")
    spread = ops.std(hint, (0, 1, 2))
    unit = ops.sqrt((ops.square(spread) + ops.square(ops.mean(spread))) / 2) + 0.01
    return ops.mean(ops.square((mapped - hint) / unit))
