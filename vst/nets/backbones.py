"""The networks whose layers measure the content and the style of a picture.

To add one: a line in `BACKBONES`. Opening a backbone imports Keras; the command line reads the
table alone.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vst import assets
from vst.core.data_folder import WEIGHTS
from vst.core.registry import make_unknown_error
from vst.errors import AssetError, MissingFileError, UsageError
from vst.nets import array_networks

DEFAULT = "embedded"
RANDOM = "random"
"""Stands for a weights file: untrained weights, for tests."""
DOWNLOAD_TIMEOUT = 30.0
"""Seconds without an answer after which a download fails."""
CAFFE_MEAN = (123.68, 116.779, 103.939)
"""Mean red, green and blue of ImageNet, which VGG and ResNet subtract."""
TORCH_MEAN, TORCH_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's red, green and blue in [0,1], as torchvision's."""


@dataclass(frozen=True)
class BackboneSpec:
    """A network of the table. ``network``: its name in ``keras.applications``, empty for the
    package's own. ``values``: the range that its first layer takes: ``caffe`` (blue first, 0..255
    less the mean), ``signed`` (−1..1), ``bytes`` (0..255), ``torch`` (mean 0, standard deviation
    1; only for weights from `vst.nets.array_networks`). ``min_side``: the shortest side, in
    pixels, for which its deepest layer is not empty. ``content`` and ``style``: its default layers.
    ``stride``: pixels between patches if its first layer takes patches that do not overlap, else 1.
    """

    network: str
    values: str
    min_side: int
    content: tuple[str, ...]
    style: tuple[str, ...]
    stride: int = 1


BACKBONES: dict[str, BackboneSpec] = {
    "embedded": BackboneSpec(
        "", "bytes", 32, ("stage1",), ("patches", "stage0", "stage1", "stage2", "stage3"), 4,
    ),
    "vgg19": BackboneSpec(
        "VGG19", "caffe", 32, ("block4_conv2",),
        ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"),
    ),
    "vgg16": BackboneSpec(
        "VGG16", "caffe", 32, ("block3_conv3",),
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
    ),
    "resnet50": BackboneSpec(
        "ResNet50", "caffe", 32, ("conv4_block2_out",),
        ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
    ),
    "xception": BackboneSpec(
        "Xception", "signed", 71, ("block5_sepconv1_act",),
        ("block1_conv1_act", "block1_conv2_act", "block2_sepconv2_act", "block3_sepconv2_act",
         "block4_sepconv2_act"),
    ),
    "efficientnetb7": BackboneSpec(
        "EfficientNetB7", "bytes", 32, ("block4a_expand_activation",),
        ("stem_activation", "block2a_expand_activation", "block3a_expand_activation",
         "block4a_expand_activation", "block5a_expand_activation"),
    ),
}  # fmt: skip
"""Name -> specification. VGG's layers are those of Gatys et al. (2016) and Johnson et al. (2016);
the others' are those of the same resolution."""


class Backbone:
    """A loaded network of the table. Called with pictures (B,H,W,3) in [0,1] of any size and names
    of layers, it returns name -> features (B,h,w,C). Differentiable; its weights are frozen.
    """

    def __init__(self, name: str, network: Any, spec: BackboneSpec | None = None):
        self.name, self.network = name, network
        self.spec = spec or BACKBONES[name]
        self.content_layers, self.style_layers = self.spec.content, self.spec.style
        self.phases = choose_phases(self.spec.stride)
        self._parts: dict[tuple[str, ...], Any] = {}
        network.trainable = False

    @property
    def layers(self) -> list[str]:
        """The names of all layers, from the input on."""
        return [layer.name for layer in self.network.layers]

    def __call__(self, pictures: Any, names: Sequence[str], phase: Any = None) -> dict[str, Any]:
        """``phase``: one of `phases`, also as a tensor (2,): where the first patch begins, above
        and left of the picture, which is mirrored there.
        """
        values = self.preprocess(pictures)
        if phase is not None and self.spec.stride > 1:
            values = shift_patches(values, phase, self.spec.stride)
        found: dict[str, Any] = self._truncate(tuple(names))(values, training=False)
        return found

    def preprocess(self, pictures: Any) -> Any:
        """Convert pictures to the range of the network's first layer; those smaller than its
        minimum are mirrored up to it.
        """
        from keras import ops

        pictures = mirror_to_minimum(pictures, self.spec.min_side)
        if self.spec.values == "torch":
            return normalize_as_torch(pictures)
        pictures = pictures * 255.0
        if self.spec.values == "caffe":
            mean = ops.convert_to_tensor(CAFFE_MEAN, dtype=pictures.dtype)
            return ops.flip(pictures - mean, -1)
        return pictures / 127.5 - 1.0 if self.spec.values == "signed" else pictures

    def _truncate(self, names: tuple[str, ...]) -> Any:
        """Return the network up to the deepest of these layers, with all of them as outputs."""
        import keras

        if not names:
            raise UsageError(f"no layers were given for backbone {self.name!r}. Give at least one.")
        if names not in self._parts:
            known = self.layers
            for name in names:
                if name not in known:
                    raise make_unknown_error(f"layer of {self.name}", name, known)
            wanted = {name: self.network.get_layer(name).output for name in names}
            self._parts[names] = keras.Model(self.network.input, wanted)
        return self._parts[names]


def normalize_as_torch(pictures: Any) -> Any:
    """Bring pictures (B,H,W,3) in [0,1] to ImageNet's mean 0 and standard deviation 1."""
    from keras import ops

    pictures = ops.convert_to_tensor(pictures)
    mean = ops.convert_to_tensor(TORCH_MEAN, dtype=pictures.dtype)
    return (pictures - mean) / ops.convert_to_tensor(TORCH_DEVIATION, dtype=pictures.dtype)


def choose_phases(stride: int) -> tuple[tuple[int, int], ...]:
    """Choose ``stride`` offsets (down, right) for the first patch, such that each row and each
    column of pixels is a patch's first, second, … exactly once.
    """
    return tuple((place, (2 * place + place * 2 // stride) % stride) for place in range(stride))


def shift_patches(pictures: Any, phase: Any, stride: int) -> Any:
    """Mirror pictures (B,H,W,C) at their edges and crop them from ``phase`` on: the result has the
    same size, (B,H+stride,W+stride,C), for each phase.
    """
    from keras import ops

    batch, height, width, channels = ops.shape(pictures)
    wider = ops.pad(pictures, ((0, 0), (stride, stride), (stride, stride), (0, 0)), "reflect")
    start = (0, phase[0], phase[1], 0)
    return ops.slice(wider, start, (batch, height + stride, width + stride, channels))


def mirror_to_minimum(pictures: Any, min_side: int) -> Any:
    """Mirror pictures (B,H,W,C) at the lower and right edges up to ``min_side``; sides of unknown
    length stay.
    """
    from keras import ops

    for axis in (1, 2):
        side = pictures.shape[axis]
        if side is not None and side < min_side:
            places = np.pad(np.arange(side, dtype=np.int32), (0, min_side - side), mode="reflect")
            pictures = ops.take(pictures, places, axis=axis)
    return pictures


def open_backbone(name: str = DEFAULT, weights: Path | str | None = None) -> Backbone:
    """Open a network of `BACKBONES` with its weights.

    ``weights``: None for the package's own (``embedded``) or ImageNet's (of `vst models pull`, else
    downloaded once, into Keras's cache); a weights file of the same network without its top, or a
    folder with one named after the backbone (for ``embedded``: a folder that ``vst train embedded``
    wrote); for ``vgg16`` also an ``.npz`` of `vst.nets.array_networks`; or `RANDOM`.

    Raises `AssetError` for weights that cannot be downloaded or do not fit.
    """
    if name not in BACKBONES:
        raise make_unknown_error("backbone", name, BACKBONES)
    kind = BACKBONES[name]
    if weights not in (None, RANDOM) and not Path(str(weights)).exists():
        raise MissingFileError(
            f"weights {str(weights)!r} for backbone {name!r} do not exist. Give a weights file."
        )
    if not kind.network:
        return Backbone(name, build_embedded_backbone(weights))
    weights = find_weights_file(name, weights)
    if name == "vgg16" and weights is not None and Path(weights).suffix == array_networks.SUFFIX:
        network = array_networks.build_vgg16(Path(weights))
        return Backbone(name, network, replace(kind, values="torch"))
    return Backbone(name, build_keras_application(name, kind.network, weights))


def find_weights_file(name: str, weights: Path | str | None) -> Path | str | None:
    """The file of a backbone's weights: the one named, the one in a folder, or the one that `vst
    models pull` installed; None: Keras has to download it.
    """
    if weights is None and name in assets.MODELS:
        place = assets.find_model_folder(assets.get_known_model(name))
        weights = place.folder if place.is_complete else None
    if weights is None or weights == RANDOM or not Path(weights).is_dir():
        return weights
    for suffix in (array_networks.SUFFIX, ".h5"):
        found = sorted(Path(weights).glob(f"{name}*{suffix}"))
        if found:
            return found[0]
    raise MissingFileError(
        f"folder {str(weights)!r} has no weights of backbone {name!r}. Give the file itself."
    )


def build_embedded_backbone(weights: Path | str | None) -> Any:
    """Build the embedded model's predictor for pictures of any size."""
    from vst.nets import weight_files
    from vst.nets.embedded import build_predictor

    network = build_predictor(side=None)
    if weights != RANDOM:
        folder = Path(weights) if weights is not None else WEIGHTS
        weight_files.assign_arrays(network, weight_files.read_weights(folder, "predictor"))
    return network


def build_keras_application(name: str, network: str, weights: Path | str | None) -> Any:
    """Build a network of ``keras.applications`` without its top."""
    import keras

    build = getattr(keras.applications, network)
    source = "imagenet" if weights is None else None if weights == RANDOM else str(weights)
    try:
        with quiet_download():
            return build(include_top=False, weights=source, input_shape=(None, None, 3))
    # Keras raises a bare Exception where an address does not answer.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if weights is None:
            raise AssetError(
                f"no ImageNet weights for backbone {name!r} ({reason}). Download its notop weights "
                "elsewhere and give the file as the model, or use backbone 'embedded', which needs "
                "no download."
            ) from error
        raise AssetError(
            f"the weights in {source!r} do not fit backbone {name!r} ({reason}). "
            "Give weights of the same network without its top."
        ) from error


@contextlib.contextmanager
def quiet_download() -> Iterator[None]:
    """Keep Keras from printing, and set a timeout for its download."""
    import keras

    verbose, timeout = keras.config.is_interactive_logging_enabled(), socket.getdefaulttimeout()
    keras.config.disable_interactive_logging()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
        if verbose:
            keras.config.enable_interactive_logging()
