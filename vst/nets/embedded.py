"""The embedded model: a predictor (picture -> 100 style numbers) and a painter (frames + numbers ->
frames).

The painter works at a quarter of the resolution and touches the half with few channels at both
ends: thin layers at full resolution are bound by memory. Style enters by conditional instance
normalisation (Dumoulin et al. 2017): each channel is brought to mean 0 and spread 1, then scaled
and shifted by amounts that are linear in the style numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

SPACE = "magenta-tflite-100"
DIM = 100
PREDICTOR_SIDE = 256
PREDICTOR_WIDTHS = (48, 96, 144, 192)
BLOCK = 4
SMALLEST = 8
EPSILON = 1e-5


@dataclass(frozen=True)
class PainterPlan:
    """Sizes of the painter. ``stem`` and ``fine``: channels at half resolution before and after the
    trunk; ``phases``: channels of each of the four half-resolution phases that leave the trunk;
    ``reach``: side of the last kernel.
    """

    channels: int = 32
    blocks: int = 5
    stem: int = 32
    phases: int = 16
    fine: int = 32
    reach: int = 5


def normalise_each(x: Any, scale: Any, shift: Any) -> Any:
    """Conditional instance normalisation: x (B,H,W,C), scale and shift (B,C)."""
    mean = ops.mean(x, (1, 2), keepdims=True)
    variance = ops.mean(ops.square(x), (1, 2), keepdims=True) - ops.square(mean)
    scale = scale[:, None, None] * ops.rsqrt(ops.maximum(variance, 0) + EPSILON)
    return x * scale + (shift[:, None, None] - mean * scale)


def blocks_to_channels(x: Any, side: int) -> Any:
    """(B,H,W,C) -> (B,H/side,W/side,side*side*C), each block's pixels one after the other."""
    _, height, width, channels = x.shape
    rows, columns = height // side, width // side
    x = ops.reshape(x, (-1, rows, side, columns, side, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, rows, columns, side * side * channels))


def channels_to_blocks(x: Any, side: int) -> Any:
    """The way back from `blocks_to_channels`."""
    _, rows, columns, channels = x.shape
    inner = channels // side**2
    x = ops.reshape(x, (-1, rows, columns, side, side, inner))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, rows * side, columns * side, inner))


def reflected(x: Any, border: int) -> Any:
    """(B,H,W,C) with its rows and columns mirrored beyond the edge.

    With zeros there instead, the normalisation of a plain picture would blow up their edge, the
    only thing in it that varies. Slices put together are, measured, faster than the backend's own
    reflection.
    """
    top, bottom = x[:, 1 : border + 1], x[:, -border - 1 : -1]
    x = ops.concatenate([ops.flip(top, 1), x, ops.flip(bottom, 1)], 1)
    left, right = x[:, :, 1 : border + 1], x[:, :, -border - 1 : -1]
    return ops.concatenate([ops.flip(left, 2), x, ops.flip(right, 2)], 2)


@dataclass(frozen=True)
class Kit:
    """The three operations that an engine may replace by its backend's faster ones, of the same
    meaning.
    """

    normalise: Callable[[Any, Any, Any], Any] = normalise_each
    gather: Callable[[Any, int], Any] = blocks_to_channels
    spread: Callable[[Any, int], Any] = channels_to_blocks


PLAIN_KIT = Kit()


@keras.saving.register_keras_serializable("vst")
class Painter(keras.Model):
    """Paints pictures in styles given as numbers.

    Called with pictures (B,H,W,3) in [0,1], H and W known multiples of `BLOCK` and not
    below `SMALLEST`, and numbers (B,100); returns pictures of the same shape in [0,1].
    """

    def __init__(self, plan: PainterPlan | None = None, **options: Any):
        options.setdefault("name", "painter")
        super().__init__(**options)
        self.plan = plan or PainterPlan()
        self.table: dict[str, Any] = {}
        plan = self.plan
        self.constant("centre", np.zeros(DIM, np.float32))
        self.constant("basis", np.eye(DIM, dtype=np.float32))
        self.kernel("stem", 12, plan.stem, 3)
        self.bias("stem", plan.stem)
        self.kernel("gather", 4 * plan.stem, plan.channels, 3)
        self.bias("gather", plan.channels)
        for index in range(plan.blocks):
            for half in "ab":
                self.kernel(f"block{index}{half}", plan.channels, plan.channels, 3)
                self.style(f"block{index}{half}", plan.channels)
        self.kernel("spread", plan.channels, 4 * plan.phases, 3)
        self.style("spread", plan.phases)
        self.kernel("fine", plan.phases, plan.fine, 3)
        self.style("fine", plan.fine)
        self.kernel("colour", plan.fine, 12, plan.reach)
        self.style("colour", 3)
        self.built = True

    def kernel(self, name: str, inputs: int, outputs: int, side: int) -> None:
        spread = keras.initializers.RandomNormal(stddev=(2 / (side * side * inputs)) ** 0.5)
        shape = (side, side, inputs, outputs)
        self.table[name] = self.add_weight(shape=shape, initializer=spread, name=name)

    def constant(self, name: str, value: Any) -> None:
        start = keras.initializers.Constant(value)
        self.table[name] = self.add_weight(
            shape=value.shape, initializer=start, trainable=False, name=name
        )

    def set_space(self, numbers: Any) -> None:
        """Measures the space of style numbers on examples (N,100).

        The numbers of real styles lie in a narrow cone: a long mean, and spreads that differ a
        thousandfold by direction. Brought to mean 0 and about the same spread in all directions,
        the finer ones are learnt too, and sooner.
        """
        centre = numbers.mean(0)
        values, vectors = np.linalg.eigh(np.cov(numbers.T))
        self.table["centre"].assign(centre)
        self.table["basis"].assign(vectors / np.sqrt(np.maximum(values, 0) + 0.01))

    def styles(self, numbers: Any) -> Any:
        """Style numbers (B,100) in the painter's own basis, (B,100)."""
        return ops.matmul(numbers - self.weight("centre"), self.weight("basis"))

    def bias(self, name: str, channels: int) -> None:
        name = f"{name}_bias"
        self.table[name] = self.add_weight(shape=(channels,), initializer="zeros", name=name)

    def style(self, name: str, channels: int) -> None:
        """What turns style numbers into the scale and the shift of each channel."""
        small = keras.initializers.RandomNormal(stddev=0.02)
        for kind, constant in (("scale", "ones"), ("shift", "zeros")):
            key = f"{name}_{kind}"
            self.table[key] = self.add_weight(shape=(DIM, channels), initializer=small, name=key)
            key += "_bias"
            self.table[key] = self.add_weight(shape=(channels,), initializer=constant, name=key)

    def weight(self, name: str, like: Any = None) -> Any:
        """A weight, in the number format of ``like``."""
        value = self.table[name]
        return value if like is None else ops.cast(value, like.dtype)

    def convolve(self, x: Any, name: str) -> Any:
        kernel = self.weight(name, x)
        return ops.conv(reflected(x, kernel.shape[0] // 2), kernel, 1, "valid")

    def plain(self, x: Any, name: str) -> Any:
        """Convolution, bias, ReLU."""
        return ops.relu(self.convolve(x, name) + self.weight(f"{name}_bias", x))

    def styled(self, x: Any, styles: Any, name: str, kit: Kit, phases: int = 1) -> Any:
        """Convolution and conditional normalisation; the phases of a block share scale and shift,
        so that none of them can stand out as a grid.
        """
        scale, shift = (
            ops.tile(
                ops.matmul(styles, self.weight(f"{name}_{kind}"))
                + self.weight(f"{name}_{kind}_bias"),
                (1, phases),
            )
            for kind in ("scale", "shift")
        )
        return kit.normalise(self.convolve(x, name), scale, shift)

    def encode(self, pictures: Any, kit: Kit = PLAIN_KIT) -> Any:
        """(B,H,W,3) -> (B,H/4,W/4,channels)."""
        half = self.plain(kit.gather(pictures, 2), "stem")
        return self.plain(kit.gather(half, 2), "gather")

    def stages(self, x: Any, styles: Any, kit: Kit = PLAIN_KIT) -> list[Any]:
        """What enters the residual blocks and what each of them gives, at a quarter of the
        resolution.
        """
        found = [x]
        for index in range(self.plan.blocks):
            inner = ops.relu(self.styled(found[-1], styles, f"block{index}a", kit))
            found.append(found[-1] + self.styled(inner, styles, f"block{index}b", kit))
        return found

    def trunk(self, x: Any, styles: Any, kit: Kit = PLAIN_KIT) -> Any:
        """The residual blocks' last word."""
        return self.stages(x, styles, kit)[-1]

    def decode(self, x: Any, styles: Any, kit: Kit = PLAIN_KIT) -> Any:
        """(B,H/4,W/4,channels) -> the picture before the last squashing, by half-resolution blocks:
        (B,H/2,W/2,12).
        """
        x = kit.spread(ops.relu(self.styled(x, styles, "spread", kit, 4)), 2)
        x = ops.relu(self.styled(x, styles, "fine", kit))
        return self.styled(x, styles, "colour", kit, 4)

    def plain_colour(self, styles: Any) -> Any:
        """The colour (B,3), in [0,1], of a picture in which nothing varies: what is left of the
        last normalisation is its shift.
        """
        shift = ops.matmul(styles, self.weight("colour_shift")) + self.weight("colour_shift_bias")
        return ops.sigmoid(shift)

    def finish(self, half: Any, kit: Kit = PLAIN_KIT) -> Any:
        """Half-resolution blocks of any range -> pictures in [0,1]."""
        return kit.spread(ops.sigmoid(half), 2)

    def call(self, pictures: Any, numbers: Any, kit: Kit = PLAIN_KIT) -> Any:
        styles = self.styles(numbers)
        x = self.trunk(self.encode(pictures, kit), styles, kit)
        return self.finish(self.decode(x, styles, kit), kit)


@keras.saving.register_keras_serializable("vst")
class Spread(layers.Layer):
    """Numbers of mean 0 and spread 1 -> the style space's own; both constants travel with the
    weights.
    """

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="spread"
        )

    def call(self, numbers: Any) -> Any:
        return numbers * self.spread + self.mean


def normed_convolution(x: Any, width: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(width, 3, stride, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)


def build_predictor(
    widths: tuple[int, ...] = PREDICTOR_WIDTHS, side: int | None = PREDICTOR_SIDE
) -> keras.Model:
    """(B,256,256,3) in 0..255 -> (B,100). ``side`` None: pictures of any size from 32 pixels
    on, for those who want its stages (layers ``stage0`` to ``stage3``).

    Style lives in the statistics of every scale, so the means and the standard deviations of all
    four stages are read, not one deep average.
    """
    picture = keras.Input((side, side, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, -1, name="rescale")(picture)
    x = layers.Conv2D(widths[0], 4, 4, name="patches")(x)
    statistics = []
    for stage, width in enumerate(widths):
        if stage:
            x = layers.ReLU()(normed_convolution(x, width, 2, f"down{stage}"))
        x = layers.ReLU()(normed_convolution(x, width, 1, f"stage{stage}a"))
        x = layers.Add()([x, normed_convolution(x, width, 1, f"stage{stage}b")])
        x = layers.ReLU(name=f"stage{stage}")(x)
        mean = ops.mean(x, (1, 2), keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(x - mean), (1, 2)) + 1e-4)
        statistics += [ops.squeeze(mean, (1, 2)), spread]
    x = layers.Dense(256, "gelu", name="gather")(layers.Concatenate()(statistics))
    numbers = layers.Dense(DIM, name="numbers")(x)
    return keras.Model(picture, Spread(name="space")(numbers), name="predictor")
