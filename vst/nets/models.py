"""The package's networks as Keras models: to call, to train on, to save and to export.

What `keras.saving.load_model` needs to read them again is registered by importing this module.
"""

from __future__ import annotations

from pathlib import Path

from vst.core.packages import require_keras

try:
    import keras
except ImportError:
    require_keras("vst.nets.models")
    raise

from vst.core.data_folder import WEIGHTS
from vst.core.registry import make_unknown_error
from vst.nets.embedded import Painter, PainterPlan, build_predictor
from vst.nets.embedded_plan import DIM
from vst.nets.feedforward import FeedForward, load_network
from vst.nets.weight_files import assign_arrays, read_weights

PARTS = ("painter", "predictor")


def load_model(name: str | Path, folder: Path = WEIGHTS) -> keras.Model:
    """Load a network with its weights as a Keras model.

    ``painter``: [pictures (B,H,W,3) in [0,1], H and W multiples of 4, embeddings (B,100)] ->
    pictures in [0,1]; ``predictor``: pictures (B,256,256,3) in 0..255 -> embeddings; or the path of
    a ``.keras`` file, as `vst train fast` writes it. ``folder``: other weights of the embedded
    model. Raises `UnknownNameError` and `AssetError`.
    """
    if str(name).endswith(".keras"):
        return load_network(Path(name))
    if name not in PARTS:
        raise make_unknown_error("network", str(name), PARTS)
    if name == "predictor":
        predictor = build_predictor()
        assign_arrays(predictor, read_weights(folder, "predictor"))
        return predictor
    return make_functional(load_painter(folder))


def load_painter(folder: Path = WEIGHTS) -> Painter:
    """Load the painter of a folder of weights, of the size that they have."""
    arrays = read_weights(folder, "painter")
    try:
        painter = Painter(PainterPlan.read(arrays))
    except (KeyError, IndexError):
        painter = Painter()  # which names what does not fit
    assign_arrays(painter, arrays)
    return painter


def make_functional(painter: Painter) -> keras.Model:
    """Make a model of two inputs, which `fit` and `export` need, around a painter."""
    pictures = keras.Input((None, None, 3), name="pictures")
    numbers = keras.Input((DIM,), name="numbers")
    return keras.Model([pictures, numbers], painter(pictures, numbers), name="embedded")


__all__ = ["FeedForward", "Painter", "load_model", "load_painter", "make_functional"]
