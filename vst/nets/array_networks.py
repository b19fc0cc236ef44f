"""VGG16 and AlexNet with ImageNet's weights, built from files of plain arrays.

The layout is that of the LPIPS packages for JAX, which carry torchvision's weights: kernels and
biases as ``VGG16_0/Conv_3/kernel``, (height, width, in, out), and the LPIPS heads, one weight for
each channel of a layer, as ``NetLinLayer_2/Conv_0/kernel``. The channels come from the arrays, so
that tests can use narrow networks. Importing this module does not import Keras.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vst.errors import AssetError

Array = NDArray[np.float32]
Convolution = tuple[Array, Array]

VGG16_BLOCKS = (2, 2, 3, 3, 3)
"""Convolutions in each block; a pooling layer separates two blocks."""
ALEXNET_STRIDES = (4, 1, 1, 1, 1)
ALEXNET_BORDERS = (2, 2, 1, 1, 1)
ALEXNET_POOLED = (1, 2)
"""Convolutions with a pooling layer before them."""
ALEXNET_LAYERS = tuple(f"conv{number}" for number in range(1, 6))
SUFFIX = ".npz"


def read_convolutions(path: Path, network: str, count: int) -> list[Convolution]:
    """Read the kernels and biases of a network's convolutions in order, as float32. ``network``:
    ``VGG16`` or ``AlexNet``. Raises `AssetError` for a file that lacks one.
    """
    names = [f"{network}_0/Conv_{index}" for index in range(count)]
    arrays = _read_arrays(path)
    for name in names:
        kernel, bias = arrays.get(f"{name}/kernel"), arrays.get(f"{name}/bias")
        if kernel is None or bias is None or kernel.ndim != 4 or bias.shape != kernel.shape[-1:]:
            raise AssetError(
                f"{path} has no array {name!r} of a {network}. Give a file with the convolutions "
                "of the network, in the layout of docs/protocol.md."
            )
    return [(arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name in names]


def read_heads(path: Path) -> list[Array]:
    """Read the LPIPS heads, one weight for each channel of each of five layers; empty if the file
    has none.
    """
    arrays = _read_arrays(path)
    heads = [arrays.get(f"NetLinLayer_{index}/Conv_0/kernel") for index in range(5)]
    return [head.reshape(-1) for head in heads if head is not None]


def _read_arrays(path: Path) -> dict[str, Array]:
    try:
        with np.load(path) as file:
            return {name: file[name].astype(np.float32) for name in file.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AssetError(
            f"{path} cannot be read as arrays: {error}. Give an .npz file in the layout of "
            "docs/protocol.md."
        ) from error


def build_vgg16(path: Path) -> Any:
    """Build VGG16's convolutions as a Keras model for pictures of any size (B,H,W,3), normalized as
    torchvision does; its layers have the names of Keras's own VGG16.
    """
    from keras import layers

    values = read_convolutions(path, "VGG16", sum(VGG16_BLOCKS))
    start = x = layers.Input((None, None, 3))
    made, index = [], 0
    for block, count in enumerate(VGG16_BLOCKS, start=1):
        for number in range(1, count + 1):
            kernel = values[index][0]
            layer = layers.Conv2D(
                kernel.shape[-1], kernel.shape[:2], padding="same", activation="relu",
                name=f"block{block}_conv{number}",
            )  # fmt: skip
            x, index = layer(x), index + 1
            made.append(layer)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return _make_model(start, x, made, values, path)


def build_alexnet(path: Path) -> Any:
    """Build AlexNet's convolutions as a Keras model for pictures of at least 63 pixels a side,
    normalized as torchvision does; its layers are `ALEXNET_LAYERS`.
    """
    from keras import layers

    values = read_convolutions(path, "AlexNet", len(ALEXNET_LAYERS))
    start = x = layers.Input((None, None, 3))
    made = []
    for index, name in enumerate(ALEXNET_LAYERS):
        if index in ALEXNET_POOLED:
            x = layers.MaxPooling2D(3, 2, name=f"pool{index}")(x)
        kernel = values[index][0]
        x = layers.ZeroPadding2D(ALEXNET_BORDERS[index])(x)
        layer = layers.Conv2D(
            kernel.shape[-1], kernel.shape[:2], ALEXNET_STRIDES[index], activation="relu", name=name
        )
        x = layer(x)
        made.append(layer)
    return _make_model(start, x, made, values, path)


def _make_model(
    start: Any, end: Any, made: list[Any], values: list[Convolution], path: Path
) -> Any:
    import keras

    model = keras.Model(start, end)
    for layer, (kernel, bias) in zip(made, values):
        try:
            layer.set_weights([kernel, bias])
        except ValueError as error:
            raise AssetError(
                f"the arrays in {path} do not fit each other at {layer.name}: {error}. Give a "
                "complete file."
            ) from error
    model.trainable = False
    return model
