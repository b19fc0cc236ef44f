"""A feed-forward network with the losses of its training."""

from __future__ import annotations

from typing import Any

import cv2
import keras
import numpy as np
from keras import ops

from vst.core.types import Picture
from vst.nets import losses
from vst.nets.backbones import DEFAULT, Backbone
from vst.nets.feedforward import FeedForward

Batch = dict[str, Any]
"""Arrays by name, all with the batch as first axis."""

JITTER = 4
"""Range, in pixels, of the random shift of the backbone's input: its first layer takes blocks of up
to four pixels, whose grid the network would learn."""
EMBEDDED_UNITS = {"content": 1.0, "style": 1e-5}
"""The layers of the embedded backbone have very different scales. Its losses are therefore relative
to their targets, times these units, with which weights from papers for VGG give similar
pictures."""


class StyleTarget:
    """The target style: a Gram matrix for each of the backbone's style layers."""

    def __init__(self, backbone: Backbone, style: Picture, size: int):
        scale = size / min(style.shape[:2])
        height, width = (max(size, round(side * scale)) for side in style.shape[:2])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(style, (width, height), interpolation=method).astype(np.float32) / 255
        views = [
            seen[None, down : height - JITTER + down, right : width - JITTER + right]
            for down in range(0, JITTER, 2)
            for right in range(0, JITTER, 2)
        ]
        names = backbone.style_layers
        found = [backbone(ops.convert_to_tensor(view), names) for view in views]
        self.grams = [sum(losses.gram(one[name]) for one in found) / len(found) for name in names]


class StyleLearner(keras.Model):
    """A network with its losses, as Keras trains it.

    Called with a batch of uint8 pictures by name, it paints those of ``painted_keys``; content and
    style losses judge those of ``judged_keys``. ``found`` holds the mean of each unweighted loss.
    """

    painted_keys: tuple[str, ...] = ("content",)
    judged_keys: tuple[str, ...] = ("content",)

    def __init__(
        self,
        network: FeedForward,
        backbone: Backbone,
        target: StyleTarget,
        weights: dict[str, float],
    ):
        super().__init__(name="learner", dtype="float32")
        self.network = network
        self.backbone, self.target, self.loss_weights = backbone, target, weights
        self.found = {name: keras.metrics.Mean(name=f"{name}_loss") for name in weights}
        self.built = True

    def call(self, batch: Batch, training: bool = False) -> Any:
        """Return the paintings by name, in [0,1]."""
        contents = [to_floats(batch[key]) for key in self.painted_keys]
        paintings = self.network(ops.concatenate(contents, 0))
        parts = ops.split(ops.cast(paintings, "float32"), len(contents), 0)
        return dict(zip(self.painted_keys, parts))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        total: Any = 0.0
        for name, value in self.compute_losses(x, y_pred).items():
            self.found[name].update_state(value)
            total = total + self.loss_weights[name] * value
        return total

    def compute_losses(self, batch: Batch, paintings: Batch) -> dict[str, Any]:
        """Return every unweighted loss by name."""
        contents = {key: to_floats(batch[key]) for key in self.painted_keys}
        painted = ops.concatenate([paintings[key] for key in self.judged_keys], 0)
        content = ops.concatenate([contents[key] for key in self.judged_keys], 0)
        side, shift = painted.shape[1], ops.convert_to_tensor(batch["shift"])[0]
        size = (painted.shape[0], side - JITTER, side - JITTER, 3)
        start = (0, shift[0], shift[1], 0)
        painted_view, content_view = (
            ops.slice(painted, start, size),
            ops.slice(content, start, size),
        )
        found = self.judge_paintings(painted_view, content_view)
        found["variation"] = losses.total_variation(painted) * side * side
        return found | self.steadiness(batch, contents, paintings)

    def judge_paintings(self, painted: Any, content: Any) -> dict[str, Any]:
        """Return the content and the style loss, in the layers of the backbone."""
        judge, names = self.backbone, self.backbone.content_layers
        seen = judge(painted, tuple(dict.fromkeys((*names, *judge.style_layers))))
        wanted = judge(content, names)
        features = [seen[name] for name in names], [ops.stop_gradient(wanted[n]) for n in names]
        grams = [losses.gram(seen[name]) for name in judge.style_layers], self.target.grams
        own = judge.name == DEFAULT
        found = {
            "content": losses.content_loss(*features, relative=own),
            "style": losses.style_loss(*grams, relative=own),
        }
        return (
            {name: value * EMBEDDED_UNITS[name] for name, value in found.items()} if own else found
        )

    def steadiness(self, batch: Batch, contents: Batch, paintings: Batch) -> dict[str, Any]:
        """Return the losses that compare paintings with each other, by name."""
        return {}


def to_floats(pictures: Any) -> Any:
    """Convert uint8 pictures to [0,1]."""
    return ops.cast(pictures, "float32") / 255
