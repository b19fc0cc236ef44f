"""The feed-forward network that paints in one style: an encoder, residual blocks, a decoder.

After Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer" (2016), with
instance normalisation (Ulyanov et al. 2016) and upsampling followed by a convolution, or transposed
convolutions, at the way out. A network is kept as one ``.keras`` file: its plan, what it was
trained for, and its weights.
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

from vst.errors import AssetError, MissingFileError
from vst.nets.embedded import normalise_each, reflected
from vst.nets.plan import STRIDE, FeedForwardPlan

CLASS = "vst>FeedForward"
SMALLEST = 16
"""Pixels of the shortest side that every reflection within the network can be taken of."""
LARGEST_FILE = 512 * 2**20
"""Bytes of an unpacked network; the reports' has 7 million."""

Normalise = Callable[[Any, Any, Any], Any]


@keras.saving.register_keras_serializable("vst")
class FeedForward(keras.Model):
    """Paints pictures (B,H,W,3) in [0,1] in the one style that it was trained for; the same shape
    comes back, in [0,1].

    Any size from `SMALLEST` on: what is no multiple of `STRIDE` is mirrored on at the lower and
    right edge, and cut off again. ``about``: what is kept beside the weights, plain values.
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
        self._convolution("first", 3, one, self.plan.reach)
        self._convolution("half", one, two)
        self._convolution("quarter", two, four)
        for index in range(self.plan.blocks):
            self._convolution(f"block{index}a", four, four)
            self._convolution(f"block{index}b", four, four)
        self._convolution("up_half", four, two, turned=True)
        self._convolution("up_full", two, one, turned=True)
        self._convolution("last", one, 3, self.plan.reach, normed=False)
        self.built = True

    def _convolution(
        self,
        name: str,
        inputs: int,
        outputs: int,
        side: int = 3,
        *,
        normed: bool = True,
        turned: bool = False,
    ) -> None:
        """A kernel, with the scale and shift of its normalisation, or a bias where there is none.

        ``turned``: as a transposed convolution has it, where the plan wants those.
        """
        turned = turned and self.plan.upsampling == "transposed"
        shape = (side, side, outputs, inputs) if turned else (side, side, inputs, outputs)
        spread = keras.initializers.RandomNormal(stddev=(2 / (side * side * inputs)) ** 0.5)
        self.table[name] = self.add_weight(shape=shape, initializer=spread, name=name)
        for part, start in (
            (("scale", "ones"), ("shift", "zeros")) if normed else (("shift", "zeros"),)
        ):
            key = f"{name}_{part}"
            self.table[key] = self.add_weight(shape=(outputs,), initializer=start, name=key)

    def get_config(self) -> dict[str, Any]:
        return {"plan": asdict(self.plan), "about": self.about, "name": self.name}

    def _kernel(self, name: str, like: Any) -> Any:
        return ops.cast(self.table[name], like.dtype)

    def _convolved(self, x: Any, name: str, stride: int = 1) -> Any:
        kernel = self._kernel(name, x)
        return ops.conv(reflected(x, kernel.shape[0] // 2), kernel, stride, "valid")

    def _normed(self, x: Any, name: str, normalise: Normalise) -> Any:
        """Instance normalisation; its sums need 32 bits, whatever the convolutions are in."""
        scale, shift = (
            ops.cast(self.table[f"{name}_{part}"], "float32")[None] for part in ("scale", "shift")
        )
        return normalise(x, scale, shift)

    def _enlarged(self, x: Any, name: str) -> Any:
        """Twice as high and wide, convolved."""
        if self.plan.upsampling == "transposed":
            return ops.conv_transpose(x, self._kernel(name, x), 2, "same")
        size = ops.shape(x)
        larger = ops.image.resize(x, (size[1] * 2, size[2] * 2), interpolation="bilinear")
        return self._convolved(ops.cast(larger, x.dtype), name)

    def call(self, pictures: Any, normalise: Normalise | None = None) -> Any:
        normalise = normalise or normalise_exactly
        height, width = pictures.shape[1:3]
        x = mirrored_on(pictures)
        for name, stride in (("first", 1), ("half", 2), ("quarter", 2)):
            x = ops.relu(self._normed(self._convolved(x, name, stride), name, normalise))
        for index in range(self.plan.blocks):
            first, second = f"block{index}a", f"block{index}b"
            inner = ops.relu(self._normed(self._convolved(x, first), first, normalise))
            x = x + self._normed(self._convolved(inner, second), second, normalise)
        for name in ("up_half", "up_full"):
            x = ops.relu(self._normed(self._enlarged(x, name), name, normalise))
        x = ops.cast(self._convolved(x, "last"), "float32") + ops.cast(
            self.table["last_shift"], "float32"
        )
        return (ops.tanh(x)[:, :height, :width] + 1) / 2


def normalise_exactly(x: Any, scale: Any, shift: Any) -> Any:
    """`normalise_each`, with its sums in 32 bits."""
    return ops.cast(normalise_each(ops.cast(x, "float32"), scale, shift), x.dtype)


def mirrored_on(pictures: Any) -> Any:
    """(B,H,W,3) with rows and columns mirrored on, up to multiples of `STRIDE`."""
    for axis in (1, 2):
        side = pictures.shape[axis]
        more = -side % STRIDE if side is not None else 0
        if more:
            places = np.pad(np.arange(side, dtype=np.int32), (0, more), mode="reflect")
            pictures = ops.take(pictures, places, axis=axis)
    return pictures


def save_network(path: Path, network: FeedForward, about: Mapping[str, Any]) -> None:
    """Write a network as ``.keras``, its weights in 32 bits; the file appears when it is whole."""
    plain = FeedForward(network.plan, about, dtype="float32")
    plain.set_weights(network.get_weights())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".part-{path.name}")
    plain.save(draft)
    draft.replace(path)


def load_network(path: Path) -> FeedForward:
    """Read a network that `save_network` wrote.

    The file comes from anywhere. Before Keras reads it, its description is held to be that of a
    `FeedForward` of an allowed plan and nothing else, so that it can name no other code; Keras's
    safe mode, which refuses functions as bytes, is on as well, and nothing in it is pickled.
    """
    check_file(path)
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = " ".join(str(error).split())[:200]
        raise AssetError(
            f"network {str(path)!r} cannot be read ({told}); train it again with `vst train fast`"
        ) from error
    assert isinstance(network, FeedForward)
    return network


def check_file(path: Path) -> None:
    """Raise `AssetError` unless the file describes a `FeedForward`."""
    if not path.is_file():
        raise MissingFileError(
            f"network {str(path)!r} is not there; `vst train fast` leaves one as style.keras"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
            with archive.open("config.json") as stream:
                described = json.loads(stream.read(2**20))
        known = {"plan", "about", "name"}
        config = described["config"]
        fits = described["registered_name"] == CLASS and described["class_name"] == "FeedForward"
        fits = fits and described["module"] in (None, __name__) and set(config) <= known
        FeedForwardPlan(**config["plan"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise not_a_network(path) from error
    if not fits or size > LARGEST_FILE:
        raise not_a_network(path)


def not_a_network(path: Path) -> AssetError:
    return AssetError(
        f"{str(path)!r} is no network that `vst train fast` or `vst train temporal` wrote; "
        "give their style.keras"
    )
