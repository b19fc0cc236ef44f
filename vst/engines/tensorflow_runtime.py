"""Runs the embedded networks in TensorFlow, and what else the engines need of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from vst.core import threads as cores
from vst.core.packages import require_tensorflow
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.embedded_runtime import (
    CONTRAST_NONE,
    CONTRAST_STEP,
    Runtime,
    count_missing_pixels,
    reflect_indices,
)
from vst.errors import DependencyError, EngineError
from vst.nets import weight_files
from vst.nets.embedded_plan import DIM, PREDICTOR_SIDE

CPU_INFO = Path("/proc/cpuinfo")


class TensorFlowRuntime(Runtime):
    """Computes in ``precision``: float32 or bfloat16; None: bfloat16 where the CPU multiplies it,
    float16 on a GPU, where it paints a batch in one call. ``threads``: as for the engine.
    """

    def __init__(self, folder: Path, precision: str | None, threads: int | None) -> None:
        self.folder, self.precision = folder, precision
        self.tensorflow = start_tensorflow(threads)
        self.paints_batches = bool(self.tensorflow.config.list_physical_devices("GPU"))
        self.painter: Any = None
        self._predict: Any = None
        self._paint: Any = None
        self._size: tuple[int, int] | None = None

    def embed(self, picture: Picture) -> Embedding:
        if self._predict is None:
            self._predict = self._build_predict()
        return np.asarray(self._predict(picture[None]), np.float32)[0]

    def prepare_size(self, height: int, width: int) -> None:
        if self._size != (height, width):
            self._paint, self._size = self._build_paint(height, width), (height, width)

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        return np.asarray(self._paint(frames, embeddings))

    def close(self) -> None:
        self.painter = self._predict = self._paint = self._size = None

    def _build_predict(self) -> Any:
        from vst.nets.embedded import build_predictor

        tf = self.tensorflow
        network = build_predictor()
        weight_files.assign_arrays(network, weight_files.read_weights(self.folder, "predictor"))
        shape = [1, PREDICTOR_SIDE, PREDICTOR_SIDE, 3]

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8)])
        def predict(picture: Any) -> Any:
            return network(tf.cast(picture, tf.float32), training=False)

        return predict

    def _build_paint(self, height: int, width: int) -> Any:
        from vst.nets.models import load_painter

        tf = self.tensorflow
        if self.painter is None:
            self.painter = load_painter(self.folder)
        painter, count = self.painter, None if self.paints_batches else 1
        build = build_batch_operations if self.paints_batches else build_single_frame_operations
        operations = build(tf, self.precision and tf.as_dtype(self.precision))

        @tf.function(
            input_signature=[
                tf.TensorSpec([count, height, width, 3], tf.uint8),
                tf.TensorSpec([count, DIM], tf.float32),
            ]
        )
        def paint(frame: Any, numbers: Any) -> Any:
            styles = painter.styles(numbers)
            x = painter.trunk(
                painter.encode(pad_to_blocks(tf, frame), operations), styles, operations
            )
            half = tf.sigmoid(tf.cast(painter.decode(x, styles, operations), tf.float32))
            # Bytes first, then pixels: this moves a quarter of the memory.
            painted = tf.nn.depth_to_space(tf.cast(half * 255 + 0.5, tf.uint8), 2)
            return fade_flat_frames(
                tf, frame, painted[:, :height, :width], painter.flat_color(styles)
            )

        # Trace now: the first two frames may arrive in two threads.
        return paint.get_concrete_function()


def fade_flat_frames(tf: Any, frame: Any, painted: Any, color: Any) -> Any:
    """Fade the painting to its flat color where the frame has almost no contrast.

    Instance normalization amplifies whatever varies: in a black frame, rounding errors. The painter
    gives ``color`` for a frame in which nothing varies; frames with 2 to 10 levels between the
    darkest and the brightest pixel fade from that color to their painting.
    """
    spread = tf.reduce_max(frame, (1, 2)) - tf.reduce_min(frame, (1, 2))
    share = (tf.cast(tf.reduce_max(spread, 1), tf.float32) - CONTRAST_NONE) / CONTRAST_STEP

    def mixed() -> Any:
        part = tf.clip_by_value(share, 0, 1)[:, None, None, None]
        mix = part * tf.cast(painted, tf.float32) + (1 - part) * 255 * color[:, None, None]
        return tf.cast(mix + 0.5, tf.uint8)

    return tf.cond(tf.reduce_all(share >= 1), lambda: painted, mixed)


def pad_to_blocks(tf: Any, frame: Any) -> Any:
    """Mirror the frame at its right and lower edges up to multiples of the painter's block."""
    _, height, width, _ = frame.shape
    after = [count_missing_pixels(side) for side in (height, width)]
    if after == [0, 0]:
        return frame
    rows, columns = reflect_indices(height, 0, after[0]), reflect_indices(width, 0, after[1])
    return tf.gather(tf.gather(frame, rows, axis=1), columns, axis=2)


def build_single_frame_operations(tf: Any, kind: Any = None) -> Any:
    """Return the painter's operations in TensorFlow's own kernels, for one frame at a time, in
    ``kind`` (None: bfloat16 where the CPU multiplies it, else float32).

    For one frame, instance normalization is batch normalization, for which TensorFlow has one fused
    kernel: measured, normalization then takes an eighth of the time instead of a quarter. Where the
    CPU multiplies bfloat16, that saves another third.
    """
    from vst.nets.embedded import PainterOperations

    kind = kind or (tf.bfloat16 if has_fast_bfloat16() else tf.float32)
    return PainterOperations(
        build_fused_normalize(tf), build_gather(tf, kind), tf.nn.depth_to_space
    )


def build_fused_normalize(tf: Any) -> Any:
    """Return the instance normalization of one picture as a single kernel."""
    from vst.nets.embedded import EPSILON

    def normalize(x: Any, scale: Any, shift: Any) -> Any:
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=scale[0],
            offset=shift[0],
            mean=[],
            variance=[],
            epsilon=EPSILON,
            is_training=True,
        ).y

    return normalize


def build_batch_operations(tf: Any, kind: Any = None) -> Any:
    """Return the painter's operations for a batch on a GPU: convolutions in ``kind`` (None:
    float16), statistics of each frame in float32.
    """
    from vst.nets.embedded import PainterOperations, normalize_instances

    def normalize(x: Any, scale: Any, shift: Any) -> Any:
        return tf.cast(normalize_instances(tf.cast(x, tf.float32), scale, shift), x.dtype)

    return PainterOperations(normalize, build_gather(tf, kind or tf.float16), tf.nn.depth_to_space)


def build_gather(tf: Any, kind: Any) -> Any:
    """Return the operation from blocks to channels; it converts bytes to ``kind`` in 0..1."""

    def gather(x: Any, side: int) -> Any:
        blocks = tf.nn.space_to_depth(x, side)
        return tf.cast(blocks, kind) / 255 if x.dtype == tf.uint8 else blocks

    return gather


def has_fast_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware; emulated, it is slower than float32."""
    try:
        flags = CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def start_tensorflow(threads: int | None) -> Any:
    """Import TensorFlow without its log, with Keras on its TensorFlow backend and at most
    ``threads`` threads per operation.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    require_tensorflow("this")
    try:
        import keras
        import tensorflow as tf
    except ImportError as error:
        raise DependencyError(
            f"TensorFlow cannot be imported: {error}. Install it again, or paint with engine "
            "'embedded' in precision int8, which needs ai-edge-litert alone."
        ) from error

    if keras.backend.backend() != "tensorflow":
        raise EngineError(
            f"Keras backend {keras.backend.backend()!r}: engines need the TensorFlow backend. "
            "Unset KERAS_BACKEND."
        )
    if threads and cores.TENSORFLOW_SETTING not in os.environ:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError:
            # TensorFlow has started; a process sets its threads only once.
            pass
    return tf
