"""A small SavedModel of the build of Magenta's, with other names, for tests without the real one.

(content, style) -> [picture]; the style's bottleneck mean is read by several convolutions that make
the scale and shift of the painter's normalisations, each behind a check of its numbers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

DIM = 24
WIDTH = 12


def shared() -> Path:
    """Where the files lie that a clone does not carry."""
    return Path(os.environ.get("VST_SHARED") or Path(__file__).parent.parent.parent / "shared")


def build(seed: int = 0, **options: Any) -> Any:
    """The model as a TensorFlow module; ``damaged``: one of its weights is not a number;
    ``halves``: the scales read one half of the numbers, the shifts the other.
    """
    import tensorflow as tf

    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> Any:
        spread = np.sqrt(2 / np.prod(shape[:-1]))
        return tf.Variable(rng.normal(0, spread, shape), dtype=tf.float32)

    class Build(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.look = [weights(5, 5, 3, 16), weights(3, 3, 16, DIM)]
            self.layers = [weights(5, 5, 3, WIDTH), *(weights(3, 3, WIDTH, WIDTH) for _ in "ab")]
            self.last = weights(3, 3, WIDTH, 3)
            read = DIM // 2 if options.get("halves") else DIM
            self.taste = [[weights(1, 1, read, WIDTH) for _ in "sb"] for _ in self.layers]
            if options.get("damaged"):
                self.taste[1][0].assign(self.taste[1][0] * np.nan)

        def bottleneck(self, style: Any) -> Any:
            for kernel in self.look:
                style = tf.nn.relu(tf.nn.conv2d(style, kernel, 4, "SAME"))
            return tf.reduce_mean(style, [1, 2], keepdims=True)

        def normalised(self, layer: Any, taste: Any, kernels: Any) -> Any:
            scale, shift = (
                tf.debugging.check_numerics(tf.nn.conv2d(part, kernel, 1, "SAME"), "a taste")
                for part, kernel in zip(taste, kernels)
            )
            mean, variance = tf.nn.moments(layer, [1, 2], keepdims=True)
            return (layer - mean) * tf.math.rsqrt(variance + 1e-5) * (1 + scale) + shift

        def paint(self, content: Any, taste: Any) -> Any:
            layer, strides = content, (1, 2, 2)
            taste = tf.split(taste, 2, -1) if options.get("halves") else (taste, taste)
            for kernel, kernels, stride in zip(self.layers, self.taste, strides):
                edge = kernel.shape[0] // 2
                layer = tf.pad(layer, [[0, 0], [edge, edge], [edge, edge], [0, 0]], "REFLECT")
                layer = tf.nn.conv2d(layer, kernel, stride, "VALID")
                layer = tf.nn.relu(self.normalised(layer, taste, kernels))
            size = 4 * tf.shape(layer)[1:3]
            layer = tf.image.resize(layer, size, "nearest")
            return tf.sigmoid(tf.nn.conv2d(layer, self.last, 1, "SAME"))

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def __call__(self, content: Any, style: Any) -> Any:
            return [self.paint(content, self.bottleneck(style))]

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def backwards(self, a_style: Any, b_content: Any) -> Any:
            return {"picture": self.paint(b_content, self.bottleneck(a_style))}

    return Build()


def save(folder: Path, seed: int = 0, *, signature_only: bool = False, **options: Any) -> Any:
    """Save the model to ``folder`` and return its own function (content, style) -> [picture].

    ``signature_only``: no callable, one signature, whose first input is the style.
    """
    import tensorflow as tf

    model = build(seed, **options)
    pictures = tf.TensorSpec([None, None, None, 3], tf.float32)
    if signature_only:
        function = model.backwards.get_concrete_function(pictures, pictures)
        holder = tf.Module()
        holder.model = model
        tf.saved_model.save(holder, str(folder), signatures={"serving_default": function})
    else:
        model.__call__.get_concrete_function(pictures, pictures)
        tf.saved_model.save(model, str(folder))
    return model
