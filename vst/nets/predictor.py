"""The embedded predictor: a picture -> 100 numbers in the style space of Magenta's TFLite pair."""

from __future__ import annotations

import keras
from keras import layers, ops

SIDE = 256
DIM = 100
WIDTHS = (48, 96, 144, 192)


@keras.saving.register_keras_serializable("vst")
class Spread(layers.Layer):
    """Numbers of mean 0 and spread 1 -> the style space's own; both constants travel with the weights."""

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="spread"
        )

    def call(self, numbers):
        return numbers * self.spread + self.mean


def convolution(x, width: int, stride: int, name: str):
    x = layers.Conv2D(width, 3, stride, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)


def build_predictor(widths: tuple[int, ...] = WIDTHS) -> keras.Model:
    """(B,256,256,3) in 0..255 -> (B,100).

    Style lives in the statistics of every scale, so the means and the standard deviations of all four stages are
    read, not one deep average.
    """
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, -1, name="rescale")(picture)
    x = layers.Conv2D(widths[0], 4, 4, name="patches")(x)
    statistics = []
    for stage, width in enumerate(widths):
        if stage:
            x = layers.ReLU()(convolution(x, width, 2, f"down{stage}"))
        y = layers.ReLU()(convolution(x, width, 1, f"stage{stage}a"))
        x = layers.ReLU()(layers.Add()([y, convolution(y, width, 1, f"stage{stage}b")]))
        mean = ops.mean(x, (1, 2), keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(x - mean), (1, 2)) + 1e-4)
        statistics += [ops.squeeze(mean, (1, 2)), spread]
    x = layers.Dense(256, "gelu", name="gather")(layers.Concatenate()(statistics))
    numbers = layers.Dense(DIM, name="numbers")(x)
    return keras.Model(picture, Spread(name="space")(numbers), name="predictor")
