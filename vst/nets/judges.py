"""Networks that judge a painting: VGG16 for style and content, AlexNet for style, and LPIPS. The
default painter was trained on none of them; the painter `fine` was trained on VGG16.

Style and content distance: Gatys et al. (2016), in the layers of Johnson et al. (2016). LPIPS:
Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric" (2018).
Importing this module does not import Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vst import assets
from vst.core.packages import is_installed, require_keras
from vst.core.types import Picture
from vst.errors import AssetError, MissingFileError, UnsupportedFileError
from vst.nets import array_networks
from vst.nets.backbones import Backbone, normalize_as_torch, open_backbone

ASSET = "vgg16"
STYLE_LAYERS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")
CONTENT_LAYER = "block3_conv3"
LPIPS_LAYERS = (*STYLE_LAYERS, "block5_conv3")
MIN_SIDE = 64
"""Pixels; smaller pictures are mirrored up to it, because AlexNet's last layer would be empty."""
EPSILON = 1e-10

Floats = NDArray[np.float32]
Layers = Callable[[Any], list[Any]]
"""Computes features (1,h,w,C) of a picture (1,H,W,3) in [0,1], layer by layer."""


@dataclass(frozen=True)
class Lpips:
    """LPIPS by one network: the squared difference of its unit-length features, weighted by
    channel, averaged over places, summed over layers; 0 for equal pictures.
    """

    name: str
    layers: Layers
    heads: Sequence[Floats]

    def __call__(self, first: Picture, second: Picture) -> float:
        """The distance of two pictures of one size, RGB uint8."""
        pairs = zip(self.layers(to_batch(first)), self.layers(to_batch(second)), self.heads)
        total = 0.0
        for one, other, head in pairs:
            difference = np.square(_scale_to_unit(one) - _scale_to_unit(other))
            total += float((difference @ head).mean(dtype=np.float64))
        return total


class Judge:
    """The networks that a judge's files hold. ``vgg``, ``alexnet`` and ``lpips`` are None where
    their file is missing.
    """

    def __init__(self, files: Sequence[Path]):
        self.names = [path.name for path in files]
        self.vgg: Layers | None = None
        self.alexnet: Layers | None = None
        self.lpips: Lpips | None = None
        for path in files:
            self._open(path)
        if self.vgg is None and self.alexnet is None:
            raise AssetError(
                f"{', '.join(map(str, files))}: neither VGG16 nor AlexNet. Give Keras's VGG16 "
                "weights (.h5), or files vgg16.npz and alexnet.npz as docs/protocol.md has them."
            )

    def _open(self, path: Path) -> None:
        """Open one file. AlexNet measures LPIPS, as its authors recommend; without it VGG16."""
        if path.stem.startswith("alexnet"):
            network = array_networks.build_alexnet(path)
            self.alexnet = make_alexnet_layers(network)
            heads = array_networks.read_heads(path)
            if heads:
                self.lpips = Lpips("alexnet", self.alexnet, heads)
            return
        backbone = open_backbone("vgg16", path)
        self.vgg = make_vgg_layers(backbone)
        is_plain = path.suffix == array_networks.SUFFIX
        heads = array_networks.read_heads(path) if is_plain else []
        if heads and self.lpips is None:
            self.lpips = Lpips("vgg16", self.vgg, heads)


WEIGHT_SUFFIXES = (".npz", ".h5")
"""Suffixes of a judge's file."""


def find_judge() -> Path | None:
    """The weights that `vst models pull vgg16` installed, if they and Keras are there."""
    if not is_installed("keras"):
        return None
    place = assets.find_model_folder(assets.get_known_model(ASSET))
    return place.folder if place.is_complete else None


def open_judge(place: Path | str) -> Judge:
    """Open a judge: a file of weights (Keras's ``.h5`` of VGG16, or an ``.npz``), or a folder with
    such files.
    """
    require_keras("a judge")
    place = Path(place)
    if not place.exists():
        raise MissingFileError(f"judge {str(place)!r} does not exist. Give a file or a folder.")
    if place.is_file() and place.suffix.lower() not in WEIGHT_SUFFIXES:
        raise UnsupportedFileError(
            f"judge {str(place)!r} holds no weights. Give a file that ends in "
            f"{' or '.join(WEIGHT_SUFFIXES)}, or a folder."
        )
    files = [place] if place.is_file() else list_judge_files(place)
    if not files:
        raise MissingFileError(
            f"judge folder {str(place)!r} has no vgg16*.npz, vgg16*.h5 or alexnet*.npz. "
            "Give a folder with one of them."
        )
    return Judge(files)


def list_judge_files(folder: Path) -> list[Path]:
    """The judge's files in a folder: AlexNet first, then one VGG16."""
    alexnets = sorted(folder.glob("alexnet*.npz"))[:1]
    return alexnets + [*sorted(folder.glob("vgg16*.npz")), *sorted(folder.glob("vgg16*.h5"))][:1]


def make_vgg_layers(backbone: Backbone) -> Layers:
    """Make what computes `LPIPS_LAYERS` of VGG16."""

    def compute(pictures: Any) -> list[Any]:
        found = backbone(pictures, LPIPS_LAYERS)
        return [to_array(found[name]) for name in LPIPS_LAYERS]

    return compute


def make_alexnet_layers(network: Any) -> Layers:
    """Make what computes the five layers of AlexNet."""
    import keras

    outputs = [network.get_layer(name).output for name in array_networks.ALEXNET_LAYERS]
    model = keras.Model(network.input, outputs)

    def compute(pictures: Any) -> list[Any]:
        return [to_array(found) for found in model(normalize_as_torch(pictures), training=False)]

    return compute


def to_batch(picture: Picture) -> Floats:
    """Convert a picture (H,W,3) of bytes to (1,H,W,3) in [0,1], mirrored up to `MIN_SIDE`."""
    values = np.asarray(picture, np.float32) / 255
    missing = [(0, max(0, MIN_SIDE - side)) for side in values.shape[:2]]
    if any(after for _, after in missing):
        values = np.pad(values, (*missing, (0, 0)), mode="symmetric")
    return np.asarray(values[None], np.float32)


def to_array(tensor: Any) -> Floats:
    """Convert a tensor of any Keras backend to an array."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(tensor), np.float32)


def _scale_to_unit(features: Floats) -> Floats:
    length = np.sqrt(np.square(features).sum(-1, keepdims=True))
    return np.asarray(features / (length + EPSILON), np.float32)


def compute_gram(features: Floats) -> Floats:
    """The Gram matrix (C,C) of features (1,h,w,C): the mean product of two channels."""
    flat = features.reshape(-1, features.shape[-1])
    return np.asarray(flat.T @ flat / len(flat), np.float32)


def compare(found: Floats, wanted: Floats) -> float:
    """The mean squared error relative to the wanted one's mean square."""
    error = float(np.square(found - wanted).mean(dtype=np.float64))
    energy = float(np.square(wanted).mean(dtype=np.float64))
    return error / max(energy, EPSILON)


def measure_style(layers: Layers, picture: Picture, count: int | None = None) -> list[Floats]:
    """The Gram matrices of a picture in the first ``count`` layers (default: all)."""
    return [compute_gram(found) for found in layers(to_batch(picture))[:count]]


def compare_styles(found: Sequence[Floats], wanted: Sequence[Floats]) -> float:
    """The sum over layers of `compare`."""
    return sum(compare(one, other) for one, other in zip(found, wanted))
