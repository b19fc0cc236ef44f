"""The engine that needs no download: the package's own predictor and painter."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core import threads as cores
from vst.core.data_folder import WEIGHTS
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import EmbeddingEngine
from vst.errors import EngineError, SpaceError
from vst.nets import store

SPACE = "magenta-tflite-100"
CONTRAST_NONE, CONTRAST_STEP = 2.0, 8.0
"""Levels between darkest and brightest: up to which a frame is plain, and to be whole, more."""
PROCESSOR_FLAGS = Path("/proc/cpuinfo")
GPU_BATCH = 8
"""Frames that a GPU paints together."""


class EmbeddedEngine(EmbeddingEngine):
    """Paints with the weights in ``vst/weights``, or in the folder ``model`` that `vst train
    embedded` wrote.

    ``threads``: how many cores it may use, all of them if None. Several frames at once are painted
    side by side, on one core each; a single one on all, where TensorFlow has not started otherwise.
    Where TensorFlow sees a GPU, the frames of a batch go through it together.
    """

    name = "embedded"
    space = SPACE
    dim = 100

    def __init__(self, *, model: str | None = None, threads: int | None = None) -> None:
        super().__init__()
        self.folder = Path(model) if model else WEIGHTS
        self.tensorflow = start_tensorflow(threads)
        self.on_gpu = bool(self.tensorflow.config.list_physical_devices("GPU"))
        self.side_by_side = 1 if self.on_gpu else cores.share(threads).frames
        self.batch = GPU_BATCH if self.on_gpu else self.side_by_side
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
                f"engine 'embedded' paints {len(frames)} frames with numbers of shape "
                f"({len(frames)}, {self.dim}), not {numbers.shape}; "
                "embed the styles with this engine"
            )
        self._get_ready(frames.shape[1], frames.shape[2])
        if self.on_gpu:
            return np.asarray(self._paint(frames, numbers)) if len(frames) else frames.copy()
        painted = np.empty_like(frames)

        def paint_one(index: int) -> None:
            one = slice(index, index + 1)
            painted[one] = self._paint(frames[one], numbers[one])

        if self.side_by_side == 1 or len(frames) == 1:
            for index in range(len(frames)):
                paint_one(index)
        else:
            if self._painters is None:
                self._painters = ThreadPoolExecutor(self.side_by_side, "vst painting")
            list(self._painters.map(paint_one, range(len(frames))))
        return painted

    def expect(self, width: int, height: int) -> None:
        # The first call makes the kernels.
        frame, numbers = np.zeros((1, height, width, 3), np.uint8), np.zeros((1, self.dim))
        self.stylize(frame, numbers)

    def _get_ready(self, height: int, width: int) -> None:
        """One function per size, the last one only: a job has one size, and a function per shape
        would pile up.
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
        store.assign(network, store.read_arrays(self.folder, "predictor"))
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
            store.assign(self._painter, store.read_arrays(self.folder, "painter"))
        painter, kit = self._painter, batch_kit(tf) if self.on_gpu else fast_kit(tf)
        count = None if self.on_gpu else 1

        @tf.function(
            input_signature=[
                tf.TensorSpec([count, height, width, 3], tf.uint8),
                tf.TensorSpec([count, self.dim], tf.float32),
            ]
        )
        def paint(frame: Any, numbers: Any) -> Any:
            styles = painter.styles(numbers)
            x = painter.trunk(painter.encode(padded(tf, frame), kit), styles, kit)
            half = tf.sigmoid(tf.cast(painter.decode(x, styles, kit), tf.float32))
            # To bytes first, then to pixels: a quarter of the memory is moved.
            painted = tf.nn.depth_to_space(tf.cast(half * 255 + 0.5, tf.uint8), 2)
            return faded(tf, frame, painted[:, :height, :width], painter.plain_colour(styles))

        # Here and not at the first frame, which may be two frames in two threads.
        return paint.get_concrete_function()


def faded(tf: Any, frame: Any, painted: Any, colour: Any) -> Any:
    """The painting, drawn towards its plain colour where the frame has next to no contrast.

    Normalisation blows up whatever there is: in a black frame, the rounding of the arithmetic. By
    its build the painter gives ``colour`` for a frame in which nothing varies at all; frames of 2
    to 10 levels between darkest and brightest go from there to their painting.
    """
    spread = tf.reduce_max(frame, (1, 2)) - tf.reduce_min(frame, (1, 2))
    share = (tf.cast(tf.reduce_max(spread, 1), tf.float32) - CONTRAST_NONE) / CONTRAST_STEP

    def mixed() -> Any:
        part = tf.clip_by_value(share, 0, 1)[:, None, None, None]
        mix = part * tf.cast(painted, tf.float32) + (1 - part) * 255 * colour[:, None, None]
        return tf.cast(mix + 0.5, tf.uint8)

    return tf.cond(tf.reduce_all(share >= 1), lambda: painted, mixed)


def padded(tf: Any, frame: Any) -> Any:
    """The frame, mirrored at its right and lower edge to multiples of the painter's block."""
    from vst.nets.embedded import BLOCK, SMALLEST

    _, height, width, _ = frame.shape
    after = [max(-side % BLOCK, SMALLEST - side + -SMALLEST % BLOCK) for side in (height, width)]
    if after == [0, 0]:
        return frame
    rows, columns = reflected(height, 0, after[0]), reflected(width, 0, after[1])
    return tf.gather(tf.gather(frame, rows, axis=1), columns, axis=2)


def reflected(length: int, before: int, after: int) -> np.ndarray:
    """Indices of a side of ``length`` pixels with its reflection on both ends, for any length:
    numpy reflects again where the side is shorter than its border.
    """
    return np.pad(np.arange(length, dtype=np.int32), (before, after), mode="reflect")


def fast_kit(tf: Any) -> Any:
    """The painter's operations by TensorFlow's own kernels, for one frame at a time.

    For one frame, instance normalisation is batch normalisation, which exists as one fused kernel:
    measured, it takes the normalisation's share of the time from a quarter to an eighth.
    Sixteen-bit numbers where the processor multiplies them save another third.
    """
    from vst.nets.embedded import Kit

    kind = tf.bfloat16 if has_fast_bfloat16() else tf.float32

    return Kit(fused_normalise(tf), gathering(tf, kind), tf.nn.depth_to_space)


def fused_normalise(tf: Any) -> Any:
    """Instance normalisation of one picture, as one kernel."""
    from vst.nets.embedded import EPSILON

    def normalise(x: Any, scale: Any, shift: Any) -> Any:
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=scale[0],
            offset=shift[0],
            mean=[],
            variance=[],
            epsilon=EPSILON,
            is_training=True,
        ).y

    return normalise


def batch_kit(tf: Any, kind: Any = None) -> Any:
    """The painter's operations for several frames at once, as a GPU likes them: convolutions of
    ``kind``, float16 if None, and statistics of float32, each frame's its own.
    """
    from vst.nets.embedded import Kit, normalise_each

    def normalise(x: Any, scale: Any, shift: Any) -> Any:
        return tf.cast(normalise_each(tf.cast(x, tf.float32), scale, shift), x.dtype)

    return Kit(normalise, gathering(tf, kind or tf.float16), tf.nn.depth_to_space)


def gathering(tf: Any, kind: Any) -> Any:
    """Blocks to channels; bytes become numbers of ``kind``, 0..1, on the way."""

    def gather(x: Any, side: int) -> Any:
        blocks = tf.nn.space_to_depth(x, side)
        return tf.cast(blocks, kind) / 255 if x.dtype == tf.uint8 else blocks

    return gather


def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; elsewhere it is emulated, slower than
    float32.
    """
    try:
        flags = PROCESSOR_FLAGS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def start_tensorflow(threads: int | None) -> Any:
    """TensorFlow, quiet, under Keras's TensorFlow backend, with at most ``threads`` threads per
    operation.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise EngineError(
            f"engine 'embedded' runs under Keras's TensorFlow backend, not "
            f"{keras.backend.backend()!r}; unset KERAS_BACKEND"
        )
    if threads and cores.OF_TENSORFLOW not in os.environ:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError:
            # TensorFlow has started: its threads are set once per process.
            pass
    return tf
