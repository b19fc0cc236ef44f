"""The engine that needs no download: it runs the package's own predictor and painter."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core import threads as cores
from vst.core.data_folder import WEIGHTS
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import EmbeddingEngine
from vst.errors import EngineError, SpaceError
from vst.nets import weight_files

CONTRAST_NONE, CONTRAST_STEP = 2.0, 8.0
"""Levels between the darkest and the brightest pixel: up to which a frame is flat, and over how
many more it fades to its painting."""
CPU_INFO = Path("/proc/cpuinfo")
GPU_BATCH = 8
"""Frames that a GPU paints in one call."""


class EmbeddedEngine(EmbeddingEngine):
    """Paints with the package's weights, or with those in the folder ``model`` that `vst train
    embedded` wrote.

    ``threads``: how many cores it may use; None: all. On a CPU it paints the frames of a batch in
    parallel, each on one core, and a single frame on all cores unless TensorFlow was started with
    fewer. On a GPU it paints a batch in one call.
    """

    name = "embedded"
    space = TFLITE_SPACE
    dim = 100
    base_megabytes = 1800.0
    bytes_per_pixel = 400.0
    paints_in_parallel = True

    def __init__(self, *, model: str | None = None, threads: int | None = None) -> None:
        super().__init__()
        self.folder = Path(model) if model else WEIGHTS
        self.tensorflow = start_tensorflow(threads)
        self.on_gpu = bool(self.tensorflow.config.list_physical_devices("GPU"))
        self.parallel_frames = 1 if self.on_gpu else cores.share_cores(threads).frames
        self.batch = GPU_BATCH if self.on_gpu else self.parallel_frames
        self._painters: ThreadPoolExecutor | None = None
        self._predict: Any = None
        self._painter: Any = None
        self._paint: Any = None
        self._size: tuple[int, int] | None = None

    def embed(self, image: Picture) -> Embedding:
        if self._predict is None:
            self._predict = self._build_predict()
        side = self._predict.input_signature[0].shape[1]
        squeezed = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return np.asarray(self._predict(squeezed[None]), np.float32)[0]

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        numbers = np.asarray(embeddings, np.float32)
        if numbers.shape != (len(frames), self.dim):
            raise SpaceError(
                f"embeddings of shape {numbers.shape}: engine 'embedded' paints {len(frames)} "
                f"frames with shape ({len(frames)}, {self.dim}). Embed the styles with this engine."
            )
        self._compile_for(frames.shape[1], frames.shape[2])
        if self.on_gpu:
            return np.asarray(self._paint(frames, numbers)) if len(frames) else frames.copy()
        painted = np.empty_like(frames)

        def paint_one(index: int) -> None:
            one = slice(index, index + 1)
            painted[one] = self._paint(frames[one], numbers[one])

        if self.parallel_frames == 1 or len(frames) == 1:
            for index in range(len(frames)):
                paint_one(index)
        else:
            if self._painters is None:
                self._painters = ThreadPoolExecutor(self.parallel_frames, "vst painting")
            list(self._painters.map(paint_one, range(len(frames))))
        return painted

    def prepare_size(self, width: int, height: int) -> None:
        # TensorFlow creates its kernels at the first call.
        frame, numbers = np.zeros((1, height, width, 3), np.uint8), np.zeros((1, self.dim))
        self.stylize(frame, numbers)

    def _compile_for(self, height: int, width: int) -> None:
        """Compile the painter for a size. Only the last size is kept: a job has one, and functions
        for others would add up.
        """
        if self._size != (height, width):
            self._paint, self._size = self._build_paint(height, width), (height, width)

    def close(self) -> None:
        if self._painters is not None:
            self._painters.shutdown()
        self._painters = None
        self._predict = self._painter = self._paint = self._size = None

    def _build_predict(self) -> Any:
        from vst.nets.embedded import PREDICTOR_SIDE, build_predictor

        tf = self.tensorflow
        network = build_predictor()
        weight_files.assign_arrays(network, weight_files.read_weights(self.folder, "predictor"))
        shape = [1, PREDICTOR_SIDE, PREDICTOR_SIDE, 3]

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8)])
        def predict(picture: Any) -> Any:
            return network(tf.cast(picture, tf.float32), training=False)

        return predict

    def _build_paint(self, height: int, width: int) -> Any:
        from vst.nets.embedded import Painter

        tf = self.tensorflow
        if self._painter is None:
            self._painter = Painter()
            weight_files.assign_arrays(
                self._painter, weight_files.read_weights(self.folder, "painter")
            )
        painter, operations = (
            self._painter,
            build_batch_operations(tf) if self.on_gpu else build_single_frame_operations(tf),
        )
        count = None if self.on_gpu else 1

        @tf.function(
            input_signature=[
                tf.TensorSpec([count, height, width, 3], tf.uint8),
                tf.TensorSpec([count, self.dim], tf.float32),
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
    from vst.nets.embedded import BLOCK, SMALLEST

    _, height, width, _ = frame.shape
    after = [max(-side % BLOCK, SMALLEST - side + -SMALLEST % BLOCK) for side in (height, width)]
    if after == [0, 0]:
        return frame
    rows, columns = reflect_indices(height, 0, after[0]), reflect_indices(width, 0, after[1])
    return tf.gather(tf.gather(frame, rows, axis=1), columns, axis=2)


def reflect_indices(length: int, before: int, after: int) -> np.ndarray:
    """Return the indices of a side of ``length`` pixels with its reflection at both ends; a border
    may be longer than the side, NumPy then reflects again.
    """
    return np.pad(np.arange(length, dtype=np.int32), (before, after), mode="reflect")


def build_single_frame_operations(tf: Any) -> Any:
    """Return the painter's operations in TensorFlow's own kernels, for one frame at a time.

    For one frame, instance normalization is batch normalization, for which TensorFlow has one fused
    kernel: measured, normalization then takes an eighth of the time instead of a quarter. Where the
    CPU multiplies bfloat16, that saves another third.
    """
    from vst.nets.embedded import PainterOperations

    kind = tf.bfloat16 if has_fast_bfloat16() else tf.float32

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
    import keras
    import tensorflow as tf

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
