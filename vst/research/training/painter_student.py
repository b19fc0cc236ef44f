"""The painter as a student: its losses against the teacher's pictures, hints and judge.

TensorFlow, JAX and PyTorch share one training step: `keras.Model.train_on_batch` with
`compute_loss`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from vst.nets.embedded import Painter
from vst.research.training import painter_losses
from vst.research.training.teacher import LiteGraph

MAX_SHIFT = 8


@dataclass(frozen=True)
class LossWeights:
    """Weights of the losses; a loss of weight 0 is not computed."""

    pixel: float = 2.0
    edge: float = 1.0
    palette: float = 1.0
    decibel: float = 0.0
    structure: float = 0.0
    hint: float = 0.3
    texture: float = 0.0
    style: float = 0.0
    excess: float = 0.0
    energy: float = 0.0
    steady: float = 0.0
    weave: float = 0.0
    motion: float = 0.0
    aim: float = 0.97
    """Share of the teacher's own style distance below which `excess` is 0."""


BASE_WEIGHTS = LossWeights()
FINE_WEIGHTS = LossWeights(
    decibel=0.25,
    structure=0.5,
    hint=0.0,
    texture=0.5,
    style=0.04,
    excess=0.3,
    energy=20.0,
    steady=7.5,
    weave=20.0,
    motion=38.0,
    aim=0.7,
)


def find_hint_layers(graph: LiteGraph) -> list[int]:
    """Find the teacher's tensors at the end of its encoder and after each residual block, by
    structure: additions to the output of a convolution, and additions to those.
    """
    makers: dict[int, str] = {}
    found: list[int] = []
    for name, taken, given, _ in graph.operators:
        if name == "RESIZE_NEAREST_NEIGHBOR":
            break
        first = taken[0]
        if name == "ADD" and (makers.get(first) == "CONV_2D" if not found else first == found[-1]):
            found += [given] if found else [first, given]
        makers[given] = name
    return found


class PainterStudent(keras.Model):
    """The painter with its losses, weighted by `LossWeights`.

    ``judge``: the teacher's predictor in float; ``hints``: the teacher's painter in float, whose
    inner layers are the hints.
    """

    def __init__(
        self,
        painter: Painter,
        judge: LiteGraph | None,
        hints: LiteGraph | None,
        terms: LossWeights = BASE_WEIGHTS,
        hint_width: int = 32,
    ):
        super().__init__(name="distiller")
        self.painter, self.judge, self.hints, self.terms = painter, judge, hints, terms
        self.seeds = keras.random.SeedGenerator(0)
        self.hint_indices = find_hint_layers(hints) if hints is not None else []
        # The student's layers have another basis; these linear maps to the teacher's serve training
        # alone.
        self.maps = [
            (
                self.add_weight(
                    shape=(painter.plan.channels, hint_width), initializer="glorot_uniform"
                ),
                self.add_weight(shape=(hint_width,), initializer="zeros"),
            )
            for _ in self.hint_indices
        ]
        self.built = True

    def call(self, batch: dict[str, Any], training: bool = False) -> dict[str, Any]:
        content = ops.cast(batch["content"], "float32") / 255
        numbers = batch["numbers"]
        encoded = self.painter.encode(content)
        styles = self.painter.styles(numbers)
        stages = self.painter.stages(encoded, styles)
        half = self.painter.decode(stages[-1], styles)
        picture = self.painter.finish(half)
        result = {"painted": picture, "stages": stages}
        if training and self.terms.steady:
            result |= self.paint_shifted(content, picture, numbers, batch["shift"])
        if training and self.terms.motion and "motion" in batch:
            result |= self.paint_motion(batch["motion"], numbers)
        return result

    def paint_motion(self, motion: dict[str, Any], numbers: Any) -> dict[str, Any]:
        """Paint two neighboring frames of a clip in the batch's first styles."""
        count = motion["now"].shape[0]
        return {
            f"painted_{name}": self.painter(
                ops.cast(motion[name], "float32") / 255, numbers[:count]
            )
            for name in ("now", "next")
        }

    def paint_shifted(self, content: Any, picture: Any, numbers: Any, shift: Any) -> dict[str, Any]:
        """Paint half of the batch once more, shifted by a few pixels and with a little noise."""
        half = max(1, content.shape[0] // 2) if content.shape[0] else 1
        side = content.shape[1] - MAX_SHIFT
        down, right = shift[0, 0], shift[0, 1]
        size = (half, side, side, 3)
        moved = ops.slice(content, (0, down, right, 0), size)
        noise = keras.random.normal(size, stddev=0.015, seed=self.seeds)
        return {
            "moved": self.painter(moved + noise, numbers[:half]),
            "there": ops.slice(picture, (0, down, right, 0), size),
        }

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        # PyTorch's trainer passes arrays, not tensors.
        x, y = (keras.tree.map_structure(ops.convert_to_tensor, value) for value in (x, y))
        terms, ours = self.terms, y_pred["painted"]
        theirs = ops.cast(y["painted"], "float32") / 255
        total = terms.pixel * painter_losses.pixel_error(ours, theirs)
        for weight, error in (
            (terms.edge, painter_losses.edge_error),
            (terms.palette, painter_losses.palette_error),
            (terms.decibel, painter_losses.decibel_error),
            (terms.structure, painter_losses.structure_error),
            (terms.energy, painter_losses.energy_error),
            (terms.weave, painter_losses.weave_error),
        ):
            if weight:
                total = total + weight * error(ours, theirs)
        if terms.hint and self.hints is not None:
            total = total + terms.hint * self.hint_loss(self.hints, x, y_pred)
        if terms.texture and self.judge is not None:
            total = total + self.judge_loss(self.judge, x, y, y_pred)
        if terms.steady and "moved" in y_pred:
            shaken = painter_losses.shake_error(y_pred["moved"], y_pred["there"])
            total = total + terms.steady * shaken
        if "painted_next" in y_pred:
            pair = y_pred["painted_now"], y_pred["painted_next"]
            total = total + terms.motion * painter_losses.motion_error(*pair, x["motion"])
        return total

    def hint_loss(self, hints: LiteGraph, x: Any, y_pred: Any) -> Any:
        """Compare the teacher's inner layers with linear maps of ours; the encoder's and the last
        block's count most.
        """
        content = ops.cast(x["content"], "float32") / 255
        layers, error = self.hint_indices, 0.0
        numbers = x["numbers"][:, None, None]
        _, kept = hints(content, numbers, keep=layers, until=layers[-1])
        stages = y_pred["stages"]
        if len(stages) != len(layers):
            # Another depth: compare the two ends only.
            stages, layers = [stages[0], stages[-1]], [layers[0], layers[-1]]
        for place, (stage, layer) in enumerate(zip(stages, layers)):
            kernel, bias = self.maps[place]
            mapped = ops.matmul(stage, kernel) + bias
            hint = ops.stop_gradient(kept[layer])
            weight = 1.0 if place == 0 else 2.0 if layer == layers[-1] else 0.8
            unit = ops.std(hint, (0, 1, 2)) + 0.01
            error = error + weight * painter_losses.hint_error(mapped, hint, unit)
        return error

    def judge_loss(self, judge: LiteGraph, x: Any, y: Any, y_pred: Any) -> Any:
        """Compare texture and style, as the teacher's predictor sees them."""
        ours, theirs = y_pred["painted"], ops.cast(y["painted"], "float32") / 255
        terms, wanted, layers = self.terms, x["numbers"], painter_losses.JUDGE_LAYERS
        numbers, features = judge(ours, keep=layers)
        _, goal = judge(theirs, keep=layers)
        goal = ops.stop_gradient(painter_losses.gather_statistics(goal))
        found = painter_losses.gather_statistics(features)
        unit = 1 / (ops.mean(goal, 0, keepdims=True) + 0.1) / goal.shape[-1]
        numbers = ops.reshape(numbers, (-1, wanted.shape[-1]))
        mine = painter_losses.style_distance(numbers, wanted)
        magenta = painter_losses.style_distance(y["painted_numbers"], wanted)
        return (
            terms.texture * painter_losses.texture_error(found, goal, unit)
            + terms.style * ops.mean(painter_losses.style_distance(numbers, y["painted_numbers"]))
            + terms.excess * ops.mean(ops.relu(mine - terms.aim * magenta))
        )
