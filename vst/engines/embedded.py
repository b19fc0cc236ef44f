"""The engine that needs no download: the package's own predictor and painter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.engines.base import EmbeddingEngine
from vst.errors import EngineError
from vst.frames import Embedding, Picture, Pictures
from vst.nets import store

SPACE = "magenta-tflite-100"
WEIGHTS = Path(__file__).parent.parent / "weights"
PREDICTOR_SIDE = 256
PAD = 12
BLOCK = 4


class EmbeddedEngine(EmbeddingEngine):
    """Paints with the weights in ``vst/weights``, or in the folder ``model`` that `vst train embedded` wrote.

    ``threads``: how many cores TensorFlow may use, where it has not started yet; all of them if None.
    """

    name = "embedded"
    space = SPACE
    dim = 100

    def __init__(self, *, model: str | None = None, threads: int | None = None) -> None:
        super().__init__()
        self.folder = Path(model) if model else WEIGHTS
        self.tensorflow = start_tensorflow(threads)
        self._predict: Any = None
        self._painter: Any = None
        self._paint: Any = None
        self._size: tuple[int, int] | None = None

    def embed(self, image: Picture) -> Embedding:
        if self._predict is None:
            self._predict = self._build_predictor()
        side = (PREDICTOR_SIDE, PREDICTOR_SIDE)
        squeezed = cv2.resize(image, side, interpolation=cv2.INTER_AREA)
        return np.asarray(self._predict(squeezed[None]), np.float32)[0]

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        size = frames.shape[1:3]
        if self._size != size:
            self._paint, self._size = self._build_paint(*size), size
        numbers = np.asarray(embeddings, np.float32)
        painted = [
            np.asarray(self._paint(frames[i : i + 1], numbers[i : i + 1]))
            for i in range(len(frames))
        ]
        return np.concatenate(painted) if painted else frames.copy()

    def close(self) -> None:
        self._predict = self._painter = self._paint = self._size = None

    def _build_predictor(self) -> Any:
        from vst.nets.predictor import build_predictor

        tf = self.tensorflow
        network = build_predictor()
        store.assign(network, store.read_arrays(self.folder, "predictor"))
        side = PREDICTOR_SIDE

        @tf.function(input_signature=[tf.TensorSpec([1, side, side, 3], tf.uint8)])
        def predict(picture: Any) -> Any:
            return network(tf.cast(picture, tf.float32), training=False)

        return predict

    def _build_paint(self, height: int, width: int) -> Any:
        tf = self.tensorflow
        if self._painter is None:
            from vst.nets.trial import TrialPainter

            self._painter = TrialPainter()
            store.assign(self._painter, store.read_arrays(self.folder, "painter"))
        painter = self._painter
        rows = reflected(height, PAD, BLOCK)
        columns = reflected(width, PAD, BLOCK)

        @tf.function(
            input_signature=[
                tf.TensorSpec([1, height, width, 3], tf.uint8),
                tf.TensorSpec([1, self.dim], tf.float32),
            ]
        )
        def paint(frame: Any, numbers: Any) -> Any:
            wide = tf.gather(tf.gather(frame, rows, axis=1), columns, axis=2)
            painted = painter(tf.cast(wide, tf.float32) / 255, numbers)
            painted = painted[:, PAD : PAD + height, PAD : PAD + width]
            return tf.cast(tf.clip_by_value(painted * 255 + 0.5, 0, 255), tf.uint8)

        return paint


def reflected(length: int, pad: int, block: int) -> np.ndarray:
    """Indices of a side of ``length`` pixels with ``pad`` reflected ones before it and at least so many after,
    a multiple of ``block`` in all. Any length: numpy reflects again where the side is shorter than its padding."""
    after = pad + (-(length + 2 * pad)) % block
    return np.pad(np.arange(length, dtype=np.int32), (pad, after), mode="reflect")


def start_tensorflow(threads: int | None) -> Any:
    """TensorFlow, quiet, under Keras's TensorFlow backend, with at most ``threads`` threads per operation."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise EngineError(
            f"engine 'embedded' runs under Keras's TensorFlow backend, not {keras.backend.backend()!r}; "
            "unset KERAS_BACKEND"
        )
    if threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError:
            # TensorFlow has started: its threads are set once per process.
            pass
    return tf
