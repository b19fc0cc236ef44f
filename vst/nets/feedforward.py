"""The feed-forward network that paints in one style: encoder, residual blocks, decoder.

After Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer" (2016), with
instance normalization (Ulyanov et al. 2016); the decoder resizes before its convolutions or uses
transposed ones. One ``.keras`` file holds a network: its plan, a description of its training, and
its weights.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from vst.core.files import atomic_write
from vst.errors import AssetError, MissingFileError
from vst.nets.embedded import normalize_instances, reflect_border
from vst.nets.feedforward_plan import STRIDE, FeedForwardPlan

CLASS_NAME = "vst>FeedForward"
SMALLEST = 16
"""The shortest side, in pixels, for which the network can mirror its borders."""
LARGEST_FILE = 512 * 2**20
"""Bytes of an unpacked file, at most; a network of the default plan has 7 million."""

Normalize = Callable[[Any, Any, Any], Any]


@keras.saving.register_keras_serializable("vst")
class FeedForward(keras.Model):
    """Paints pictures (B,H,W,3) in [0,1] in the style that it was trained for; returns the same
    shape, in [0,1].

    Takes any size from `SMALLEST` on; it mirrors the lower and right edges up to multiples of
    `STRIDE` and crops the result. ``about``: plain values stored beside the weights.
    """

    def __init__(
        self,
        plan: FeedForwardPlan | Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
        **options: Any,
    ):
        options.setdefault("name", "feedforward")
        super().__init__(**options)
        self.plan = plan if isinstance(plan, FeedForwardPlan) else FeedForwardPlan(**(plan or {}))
        self.about = dict(about or {})
        self.table: dict[str, Any] = {}
        one, two, four = (self.plan.width * factor for factor in (1, 2, 4))
        self._add_convolution("first", 3, one, self.plan.reach)
        self._add_convolution("half", one, two)
        self._add_convolution("quarter", two, four)
        for index in range(self.plan.blocks):
            self._add_convolution(f"block{index}a", four, four)
            self._add_convolution(f"block{index}b", four, four)
        self._add_convolution("up_half", four, two, upsampling=True)
        self._add_convolution("up_full", two, one, upsampling=True)
        self._add_convolution("last", one, 3, self.plan.reach, normalized=False)
        self.built = True

    def _add_convolution(
        self,
        name: str,
        inputs: int,
        outputs: int,
        side: int = 3,
        *,
        normalized: bool = True,
        upsampling: bool = False,
    ) -> None:
        """Add a kernel with the scale and shift of its normalization, or else a bias.

        ``upsampling``: transposed, if the plan says so.
        """
        transposed = upsampling and self.plan.upsampling == "transposed"
        shape = (side, side, outputs, inputs) if transposed else (side, side, inputs, outputs)
        spread = keras.initializers.RandomNormal(stddev=(2 / (side * side * inputs)) ** 0.5)
        self.table[name] = self.add_weight(shape=shape, initializer=spread, name=name)
        for part, start in (
            (("scale", "ones"), ("shift", "zeros")) if normalized else (("shift", "zeros"),)
        ):
            key = f"{name}_{part}"
            self.table[key] = self.add_weight(shape=(outputs,), initializer=start, name=key)

    def get_config(self) -> dict[str, Any]:
        return {"plan": asdict(self.plan), "about": self.about, "name": self.name}

    def _kernel(self, name: str, like: Any) -> Any:
        return ops.cast(self.table[name], like.dtype)

    def _convolve(self, x: Any, name: str, stride: int = 1) -> Any:
        kernel = self._kernel(name, x)
        return ops.conv(reflect_border(x, kernel.shape[0] // 2), kernel, stride, "valid")

    def _normalize(self, x: Any, name: str, normalize: Normalize) -> Any:
        """Normalize instances; the sums need float32, whatever the type of the convolutions."""
        scale, shift = (
            ops.cast(self.table[f"{name}_{part}"], "float32")[None] for part in ("scale", "shift")
        )
        return normalize(x, scale, shift)

    def _upsample(self, x: Any, name: str) -> Any:
        """Double the height and the width, and convolve."""
        if self.plan.upsampling == "transposed":
            return ops.conv_transpose(x, self._kernel(name, x), 2, "same")
        size = ops.shape(x)
        larger = ops.image.resize(x, (size[1] * 2, size[2] * 2), interpolation="bilinear")
        return self._convolve(ops.cast(larger, x.dtype), name)

    def call(self, pictures: Any, normalize: Normalize | None = None) -> Any:
        normalize = normalize or normalize_in_float32
        height, width = pictures.shape[1:3]
        x = mirror_to_stride(pictures)
        for name, stride in (("first", 1), ("half", 2), ("quarter", 2)):
            x = ops.relu(self._normalize(self._convolve(x, name, stride), name, normalize))
        for index in range(self.plan.blocks):
            first, second = f"block{index}a", f"block{index}b"
            inner = ops.relu(self._normalize(self._convolve(x, first), first, normalize))
            x = x + self._normalize(self._convolve(inner, second), second, normalize)
        for name in ("up_half", "up_full"):
            x = ops.relu(self._normalize(self._upsample(x, name), name, normalize))
        x = ops.cast(self._convolve(x, "last"), "float32") + ops.cast(
            self.table["last_shift"], "float32"
        )
        return (ops.tanh(x)[:, :height, :width] + 1) / 2


def normalize_in_float32(x: Any, scale: Any, shift: Any) -> Any:
    """Apply `normalize_instances` with its sums in float32."""
    return ops.cast(normalize_instances(ops.cast(x, "float32"), scale, shift), x.dtype)


def mirror_to_stride(pictures: Any) -> Any:
    """Mirror (B,H,W,3) at the lower and right edges up to multiples of `STRIDE`."""
    for axis in (1, 2):
        side = pictures.shape[axis]
        more = -side % STRIDE if side is not None else 0
        if more:
            places = np.pad(np.arange(side, dtype=np.int32), (0, more), mode="reflect")
            pictures = ops.take(pictures, places, axis=axis)
    return pictures


def save_network(path: Path, network: FeedForward, about: Mapping[str, Any]) -> None:
    """Write a network as ``.keras`` with float32 weights; the file appears once it is complete."""
    plain = FeedForward(network.plan, about, dtype="float32")
    plain.set_weights(network.get_weights())
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as draft:
        plain.save(draft)


def load_network(path: Path) -> FeedForward:
    """Read a network that `save_network` wrote.

    The file is untrusted. Before Keras reads it, `check_network_file` makes sure that it describes
    a `FeedForward` of an allowed plan and nothing else, so that it cannot name other code. Keras's
    safe mode, which refuses serialized functions, is on as well, and nothing in it is pickled.
    """
    check_network_file(path)
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise AssetError(
            f"network {str(path)!r} cannot be read ({reason}). Train it again."
        ) from error
    if not isinstance(network, FeedForward):
        raise make_not_a_network_error(path)
    return network


def check_network_file(path: Path) -> None:
    """Raise `AssetError` unless the file describes a `FeedForward`."""
    if not path.is_file():
        raise MissingFileError(
            f"network {str(path)!r} does not exist. `vst train fast` writes one as style.keras."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
            with archive.open("config.json") as stream:
                described = json.loads(stream.read(2**20))
        known = {"plan", "about", "name"}
        config = described["config"]
        fits = (
            described["registered_name"] == CLASS_NAME and described["class_name"] == "FeedForward"
        )
        fits = fits and described["module"] in (None, __name__) and set(config) <= known
        FeedForwardPlan(**config["plan"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise make_not_a_network_error(path) from error
    if not fits or size > LARGEST_FILE:
        raise make_not_a_network_error(path)


def make_not_a_network_error(path: Path) -> AssetError:
    """Return the error for a file that does not describe a `FeedForward`."""
    return AssetError(
        f"{str(path)!r} is not a network that `vst train fast` or `vst train temporal` wrote. "
        "Give their style.keras."
    )
