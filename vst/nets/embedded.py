"""The embedded model: a predictor (picture -> embedding) and a painter (frames, embeddings ->
frames).

The painter works at a quarter of the resolution, with a few channels at half resolution at both
ends: thin layers at full resolution are bound by memory bandwidth. Style enters by conditional
instance normalization (Dumoulin et al. 2017): each channel is normalized to mean 0 and standard
deviation 1, then scaled and shifted by amounts that are linear in the embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from vst.nets.embedded_plan import DIM, PREDICTOR_SIDE

PREDICTOR_WIDTHS = (48, 96, 144, 192)
EPSILON = 1e-5


@dataclass(frozen=True)
class PainterPlan:
    """Sizes of the painter. ``stem`` and ``fine``: channels at half resolution before and after the
    trunk; ``phases``: channels of each of the four half-resolution phases after the trunk;
    ``reach``: side of the last kernel.
    """

    channels: int = 32
    blocks: int = 5
    stem: int = 32
    phases: int = 16
    fine: int = 32
    reach: int = 5

    @classmethod
    def read(cls, arrays: Mapping[str, Any]) -> PainterPlan:
        """Read the sizes off the weights of a painter, name -> array."""
        return cls(
            channels=arrays["gather"].shape[-1],
            blocks=sum(name.startswith("block") and name.endswith("a") for name in arrays),
            stem=arrays["stem"].shape[-1],
            phases=arrays["spread"].shape[-1] // 4,
            fine=arrays["fine"].shape[-1],
            reach=arrays["colour"].shape[0],
        )


def normalize_instances(x: Any, scale: Any, shift: Any) -> Any:
    """Normalize each channel of x (B,H,W,C), then scale and shift it by (B,C)."""
    mean = ops.mean(x, (1, 2), keepdims=True)
    variance = ops.mean(ops.square(x), (1, 2), keepdims=True) - ops.square(mean)
    scale = scale[:, None, None] * ops.rsqrt(ops.maximum(variance, 0) + EPSILON)
    return x * scale + (shift[:, None, None] - mean * scale)


def blocks_to_channels(x: Any, side: int) -> Any:
    """Reshape (B,H,W,C) to (B,H/side,W/side,side*side*C), the pixels of a block in sequence."""
    channels = x.shape[-1]
    _, height, width, _ = ops.shape(x)  # numbers, or tensors where a size is not known
    rows, columns = height // side, width // side
    x = ops.reshape(x, (-1, rows, side, columns, side, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, rows, columns, side * side * channels))


def channels_to_blocks(x: Any, side: int) -> Any:
    """Invert `blocks_to_channels`."""
    inner = x.shape[-1] // side**2
    _, rows, columns, _ = ops.shape(x)
    x = ops.reshape(x, (-1, rows, columns, side, side, inner))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, rows * side, columns * side, inner))


def reflect_border(x: Any, border: int) -> Any:
    """Mirror the rows and columns of (B,H,W,C) beyond its edges.

    With zeros instead, normalization would amplify the edge of a flat picture, the only thing in it
    that varies. Lines are taken one by one, because the fast kernels of LiteRT have no operation
    that reverses; the backend's own reflection is slower, measured.
    """
    near = range(1, border + 1)
    above, below = [x[:, n : n + 1] for n in near], [x[:, -n - 1 : -n] for n in near]
    x = ops.concatenate([*reversed(above), x, *below], 1)
    left, right = [x[:, :, n : n + 1] for n in near], [x[:, :, -n - 1 : -n] for n in near]
    return ops.concatenate([*reversed(left), x, *right], 2)


@dataclass(frozen=True)
class PainterOperations:
    """The three operations that an engine may replace by equivalent, faster ones of its backend."""

    normalize: Callable[[Any, Any, Any], Any] = normalize_instances
    gather: Callable[[Any, int], Any] = blocks_to_channels
    spread: Callable[[Any, int], Any] = channels_to_blocks


PLAIN_OPERATIONS = PainterOperations()


@keras.saving.register_keras_serializable("vst")
class Painter(keras.Model):
    """Paints pictures in styles given as embeddings.

    Called with pictures (B,H,W,3) in [0,1], H and W known multiples of 4 and not
    below 8, and embeddings (B,100); returns pictures of the same shape in [0,1].
    """

    def __init__(self, plan: PainterPlan | Mapping[str, Any] | None = None, **options: Any):
        options.setdefault("name", "painter")
        super().__init__(**options)
        self.plan = plan if isinstance(plan, PainterPlan) else PainterPlan(**(plan or {}))
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

    def get_config(self) -> dict[str, Any]:
        return {"plan": asdict(self.plan), "name": self.name}

    def set_space(self, numbers: Any) -> None:
        """Set the mean and the basis of the style space from embeddings (N,100).

        Embeddings of real styles lie in a narrow cone: a long mean, and variances that differ a
        thousandfold by direction. Whitened, the directions of small variance are learned too, and
        sooner.
        """
        centre = numbers.mean(0)
        values, vectors = np.linalg.eigh(np.cov(numbers.T))
        self.table["centre"].assign(centre)
        self.table["basis"].assign(vectors / np.sqrt(np.maximum(values, 0) + 0.01))

    def styles(self, numbers: Any) -> Any:
        """Convert embeddings (B,100) to the painter's own basis, (B,100)."""
        return ops.matmul(numbers - self.weight("centre"), self.weight("basis"))

    def bias(self, name: str, channels: int) -> None:
        name = f"{name}_bias"
        self.table[name] = self.add_weight(shape=(channels,), initializer="zeros", name=name)

    def style(self, name: str, channels: int) -> None:
        """Add the weights that turn a style into the scale and the shift of each channel."""
        small = keras.initializers.RandomNormal(stddev=0.02)
        for kind, constant in (("scale", "ones"), ("shift", "zeros")):
            key = f"{name}_{kind}"
            self.table[key] = self.add_weight(shape=(DIM, channels), initializer=small, name=key)
            key += "_bias"
            self.table[key] = self.add_weight(shape=(channels,), initializer=constant, name=key)

    def weight(self, name: str, like: Any = None) -> Any:
        """Return a weight, cast to the type of ``like``."""
        value = self.table[name]
        return value if like is None else ops.cast(value, like.dtype)

    def convolve(self, x: Any, name: str) -> Any:
        kernel = self.weight(name, x)
        return ops.conv(reflect_border(x, kernel.shape[0] // 2), kernel, 1, "valid")

    def plain(self, x: Any, name: str) -> Any:
        """Apply a convolution, its bias and a ReLU."""
        return ops.relu(self.convolve(x, name) + self.weight(f"{name}_bias", x))

    def convolve_styled(
        self, x: Any, styles: Any, name: str, operations: PainterOperations, phases: int = 1
    ) -> Any:
        """Apply a convolution and conditional normalization; the phases of a block share scale and
        shift, so that none of them can show as a grid.
        """
        scale, shift = (
            ops.matmul(styles, self.weight(f"{name}_{kind}")) + self.weight(f"{name}_{kind}_bias")
            for kind in ("scale", "shift")
        )
        scale, shift = (ops.concatenate([one] * phases, 1) for one in (scale, shift))
        return operations.normalize(self.convolve(x, name), scale, shift)

    def encode(self, pictures: Any, operations: PainterOperations = PLAIN_OPERATIONS) -> Any:
        """Encode pictures (B,H,W,3) as features (B,H/4,W/4,channels)."""
        half = self.plain(operations.gather(pictures, 2), "stem")
        return self.plain(operations.gather(half, 2), "gather")

    def stages(
        self, x: Any, styles: Any, operations: PainterOperations = PLAIN_OPERATIONS
    ) -> list[Any]:
        """Return the input of the residual blocks and the output of each, at a quarter of the
        resolution.
        """
        found = [x]
        for index in range(self.plan.blocks):
            inner = ops.relu(self.convolve_styled(found[-1], styles, f"block{index}a", operations))
            found.append(
                found[-1] + self.convolve_styled(inner, styles, f"block{index}b", operations)
            )
        return found

    def trunk(self, x: Any, styles: Any, operations: PainterOperations = PLAIN_OPERATIONS) -> Any:
        """Return the output of the last residual block."""
        return self.stages(x, styles, operations)[-1]

    def decode(self, x: Any, styles: Any, operations: PainterOperations = PLAIN_OPERATIONS) -> Any:
        """Decode features (B,H/4,W/4,channels) to the picture before the last sigmoid, in blocks at
        half resolution: (B,H/2,W/2,12).
        """
        x = operations.spread(ops.relu(self.convolve_styled(x, styles, "spread", operations, 4)), 2)
        x = ops.relu(self.convolve_styled(x, styles, "fine", operations))
        return self.convolve_styled(x, styles, "colour", operations, 4)

    def flat_color(self, styles: Any) -> Any:
        """Return the color (B,3), in [0,1], that the painter gives a picture in which nothing
        varies: only the shift of the last normalization remains.
        """
        shift = ops.matmul(styles, self.weight("colour_shift")) + self.weight("colour_shift_bias")
        return ops.sigmoid(shift)

    def finish(self, half: Any, operations: PainterOperations = PLAIN_OPERATIONS) -> Any:
        """Turn blocks at half resolution, of any range, into pictures in [0,1]."""
        return operations.spread(ops.sigmoid(half), 2)

    def call(
        self, pictures: Any, numbers: Any, operations: PainterOperations = PLAIN_OPERATIONS
    ) -> Any:
        styles = self.styles(numbers)
        x = self.trunk(self.encode(pictures, operations), styles, operations)
        return self.finish(self.decode(x, styles, operations), operations)


@keras.saving.register_keras_serializable("vst")
class Spread(layers.Layer):
    """Scales and shifts normalized numbers to the style space; both constants are weights."""

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="spread"
        )

    def call(self, numbers: Any) -> Any:
        return numbers * self.spread + self.mean


def convolve_normalized(x: Any, width: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(width, 3, stride, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)


def build_predictor(
    widths: tuple[int, ...] = PREDICTOR_WIDTHS, side: int | None = PREDICTOR_SIDE
) -> keras.Model:
    """Build the predictor: (B,256,256,3) in 0..255 -> (B,100). ``side`` None: pictures of any size
    from 32 pixels on, for the features of its stages (layers ``stage0`` to ``stage3``).

    Style is in the statistics of every scale, so the predictor pools the means and the standard
    deviations of all four stages, not one deep average.
    """
    picture = keras.Input((side, side, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, -1, name="rescale")(picture)
    x = layers.Conv2D(widths[0], 4, 4, name="patches")(x)
    statistics = []
    for stage, width in enumerate(widths):
        if stage:
            x = layers.ReLU()(convolve_normalized(x, width, 2, f"down{stage}"))
        x = layers.ReLU()(convolve_normalized(x, width, 1, f"stage{stage}a"))
        x = layers.Add()([x, convolve_normalized(x, width, 1, f"stage{stage}b")])
        x = layers.ReLU(name=f"stage{stage}")(x)
        mean = ops.mean(x, (1, 2), keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(x - mean), (1, 2)) + 1e-4)
        statistics += [ops.squeeze(mean, (1, 2)), spread]
    x = layers.Dense(256, "gelu", name="gather")(layers.Concatenate()(statistics))
    numbers = layers.Dense(DIM, name="numbers")(x)
    return keras.Model(picture, Spread(name="space")(numbers), name="predictor")
