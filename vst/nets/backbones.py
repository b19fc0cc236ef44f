"""The networks whose layers say what a picture shows and how it is painted.

To add one: a line in `BACKBONES`. Keras is imported when a backbone is opened: the table alone is
read by the command line.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.data_folder import WEIGHTS
from vst.core.registry import unknown
from vst.errors import AssetError, MissingFileError, UsageError

DEFAULT = "embedded"
RANDOM = "random"
"""In the place of a weights file: untrained values, for tests of everything else."""
PATIENCE = 30.0
"""Seconds without an answer after which a server of weights counts as silent."""
CAFFE_MEAN = (123.68, 116.779, 103.939)
"""Mean red, green and blue of ImageNet, which VGG and ResNet subtract."""


@dataclass(frozen=True)
class Kind:
    """A kind of network. ``network``: its name in ``keras.applications``, empty for the package's
    own; ``values``: what pictures become before its first layer: ``caffe`` (blue first, 0..255 less
    the mean), ``signed`` (−1..1), ``bytes`` (0..255); ``least``: the shortest side, in pixels, that
    leaves something at its deepest layer. ``content`` and ``style``: the layers it is asked for
    unless others are named. ``stride``: pixels from one patch to the next, where the first layer
    takes patches that do not overlap; else 1.
    """

    network: str
    values: str
    least: int
    content: tuple[str, ...]
    style: tuple[str, ...]
    stride: int = 1


BACKBONES: dict[str, Kind] = {
    "embedded": Kind(
        "", "bytes", 32, ("stage1",), ("patches", "stage0", "stage1", "stage2", "stage3"), 4,
    ),
    "vgg19": Kind(
        "VGG19", "caffe", 32, ("block4_conv2",),
        ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"),
    ),
    "vgg16": Kind(
        "VGG16", "caffe", 32, ("block3_conv3",),
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
    ),
    "resnet50": Kind(
        "ResNet50", "caffe", 32, ("conv4_block2_out",),
        ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
    ),
    "xception": Kind(
        "Xception", "signed", 71, ("block5_sepconv1_act",),
        ("block1_conv1_act", "block1_conv2_act", "block2_sepconv2_act", "block3_sepconv2_act",
         "block4_sepconv2_act"),
    ),
    "efficientnetb7": Kind(
        "EfficientNetB7", "bytes", 32, ("block4a_expand_activation",),
        ("stem_activation", "block2a_expand_activation", "block3a_expand_activation",
         "block4a_expand_activation", "block5a_expand_activation"),
    ),
}  # fmt: skip
"""Name -> kind. VGG's layers are those of Gatys et al. (2016) and Johnson et al. (2016); those of
the others were taken where the picture is as small as there."""


class Backbone:
    """A network of the table, opened: called with pictures (B,H,W,3) in [0,1] of any size and names
    of layers, it returns name -> features (B,h,w,C). Differentiable; its weights stay as they are.
    """

    def __init__(self, name: str, network: Any):
        self.name, self.network = name, network
        self.kind = BACKBONES[name]
        self.content_layers, self.style_layers = self.kind.content, self.kind.style
        self.phases = phases_of(self.kind.stride)
        self._parts: dict[tuple[str, ...], Any] = {}
        network.trainable = False

    @property
    def layers(self) -> list[str]:
        """The names of all layers, from the picture on."""
        return [layer.name for layer in self.network.layers]

    def __call__(self, pictures: Any, names: Sequence[str], phase: Any = None) -> dict[str, Any]:
        """``phase``: one of `phases`, or a tensor (2,) of one: where the first patch begins, above
        and left of the picture, which is mirrored there.
        """
        values = self.prepared(pictures)
        if phase is not None and self.kind.stride > 1:
            values = shifted(values, phase, self.kind.stride)
        found: dict[str, Any] = self._part(tuple(names))(values, training=False)
        return found

    def prepared(self, pictures: Any) -> Any:
        """Pictures as the network's first layer takes them; what is smaller than its least side is
        mirrored on.
        """
        from keras import ops

        pictures = mirrored(pictures, self.kind.least) * 255.0
        if self.kind.values == "caffe":
            mean = ops.convert_to_tensor(CAFFE_MEAN, dtype=pictures.dtype)
            return ops.flip(pictures - mean, -1)
        return pictures / 127.5 - 1.0 if self.kind.values == "signed" else pictures

    def _part(self, names: tuple[str, ...]) -> Any:
        """The network up to the deepest of these layers, with all of them as outputs."""
        import keras

        if not names:
            raise UsageError(f"no layer of {self.name} was named; name one of its layers")
        if names not in self._parts:
            known = self.layers
            for name in names:
                if name not in known:
                    raise unknown(f"layer of {self.name}", name, known)
            wanted = {name: self.network.get_layer(name).output for name in names}
            self._parts[names] = keras.Model(self.network.input, wanted)
        return self._parts[names]


def phases_of(stride: int) -> tuple[tuple[int, int], ...]:
    """Places (down, right) at which patches of ``stride`` pixels may begin, so few that each row
    and each column of pixels is a patch's first, second, … once.
    """
    return tuple((place, (2 * place + place * 2 // stride) % stride) for place in range(stride))


def shifted(pictures: Any, phase: Any, stride: int) -> Any:
    """Pictures (B,H,W,C), mirrored on by ``stride`` in all, beginning ``phase`` later: the same
    size, (B,H+stride,W+stride,C), for each phase.
    """
    from keras import ops

    batch, height, width, channels = ops.shape(pictures)
    wider = ops.pad(pictures, ((0, 0), (stride, stride), (stride, stride), (0, 0)), "reflect")
    start = (0, phase[0], phase[1], 0)
    return ops.slice(wider, start, (batch, height + stride, width + stride, channels))


def mirrored(pictures: Any, least: int) -> Any:
    """Pictures (B,H,W,C) with rows and columns mirrored on at the lower and right edge up to
    ``least``; sides that are not known yet stay.
    """
    from keras import ops

    for axis in (1, 2):
        side = pictures.shape[axis]
        if side is not None and side < least:
            places = np.pad(np.arange(side, dtype=np.int32), (0, least - side), mode="reflect")
            pictures = ops.take(pictures, places, axis=axis)
    return pictures


def open_backbone(name: str = DEFAULT, weights: Path | str | None = None) -> Backbone:
    """A network of `BACKBONES` with its weights.

    ``weights``: None for the package's own (``embedded``) or ImageNet's (fetched once, into Keras's
    cache); a weights file of the same network without its top (for ``embedded``: a folder that
    ``vst train embedded`` wrote); or `RANDOM`.

    Raises `AssetError` where weights cannot be had or do not fit.
    """
    if name not in BACKBONES:
        raise unknown("backbone", name, BACKBONES)
    kind = BACKBONES[name]
    if weights not in (None, RANDOM) and not Path(str(weights)).exists():
        raise MissingFileError(
            f"no weights at {str(weights)!r} for backbone {name!r}; give a file of weights"
        )
    if not kind.network:
        return Backbone(name, own_network(weights))
    return Backbone(name, application(name, kind.network, weights))


def own_network(weights: Path | str | None) -> Any:
    """The embedded model's predictor, for pictures of any size."""
    from vst.nets import store
    from vst.nets.embedded import build_predictor

    network = build_predictor(side=None)
    if weights != RANDOM:
        folder = Path(weights) if weights is not None else WEIGHTS
        store.assign(network, store.read_arrays(folder, "predictor"))
    return network


def application(name: str, network: str, weights: Path | str | None) -> Any:
    """A network of ``keras.applications`` without its top."""
    import keras

    build = getattr(keras.applications, network)
    source = "imagenet" if weights is None else None if weights == RANDOM else str(weights)
    try:
        with quiet_download():
            return build(include_top=False, weights=source, input_shape=(None, None, 3))
    # Keras raises a bare Exception where an address does not answer.
    except Exception as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        if weights is None:
            raise AssetError(
                f"no ImageNet weights for backbone {name!r} ({told}); fetch its notop weights file "
                "elsewhere and give it with --model, or take --backbone embedded, "
                "which needs no download"
            ) from error
        raise AssetError(
            f"the weights in {source!r} do not fit backbone {name!r} ({told}); "
            "give those of the same network without its top"
        ) from error


@contextlib.contextmanager
def quiet_download() -> Iterator[None]:
    """Keras fetches without printing, and a silent server ends in an error."""
    import keras

    talks, patience = keras.config.is_interactive_logging_enabled(), socket.getdefaulttimeout()
    keras.config.disable_interactive_logging()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(patience)
        if talks:
            keras.config.enable_interactive_logging()
