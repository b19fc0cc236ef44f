"""The engine that needs no download: it runs the package's own predictor and painter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from vst.core.data_folder import locate_weights
from vst.core.packages import is_installed
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.threads import share_cores
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import EmbeddingEngine, EngineMemory
from vst.engines.embedded_options import AUTO, INT8, EmbeddedOptions
from vst.engines.embedded_runtime import Runtime
from vst.errors import SpaceError
from vst.nets.embedded_plan import PREDICTOR_SIDE
from vst.nets.lite_interpreter import is_litert_installed
from vst.nets.weight_files import INT8_PARTS, has_part

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
LITE_MEMORY = EngineMemory(250.0, 320.0)
"""In LiteRT, with the layers of one frame of the painter `fine`; `fast` takes an eighth less."""
GPU_BATCH = 8
"""Frames that a GPU paints in one call."""


class EmbeddedEngine(EmbeddingEngine):
    """Paints with the package's weights, or with others: ``model`` names the painter ``fast`` (the
    default) or ``fine``, or a folder that `vst train embedded` wrote.

    ``threads``: how many cores it may use; None: all. On a CPU it paints the frames of a batch in
    parallel, each on one core; TensorFlow paints a single frame on all cores unless it was started
    with fewer. On a GPU it paints a batch in one call.
    """

    name = "embedded"
    space = TFLITE_SPACE
    dim = 100
    memory = EngineMemory(1800.0, 400.0)
    paints_in_parallel = True

    @classmethod
    def find_tensorflow_use(cls, model: str | None, options: EmbeddedOptions | None) -> str:
        precision = (options or EmbeddedOptions()).precision
        if chooses_int8(locate_weights(model), precision):
            return ""
        if precision != AUTO:
            return f"precision {precision!r}"
        why = "with weights that have no part in int8" if model else "without ai-edge-litert"
        return f"engine 'embedded' {why}"

    @classmethod
    def find_memory(
        cls, model: str | None, options: EmbeddedOptions | None, threads: int | None
    ) -> EngineMemory:
        precision = (options or EmbeddedOptions()).precision
        if not chooses_int8(locate_weights(model), precision):
            return cls.memory
        frames = share_cores(threads).frames
        return LITE_MEMORY._replace(bytes_per_pixel=frames * LITE_MEMORY.bytes_per_pixel)

    def __init__(
        self,
        *,
        model: str | None = None,
        threads: int | None = None,
        options: EmbeddedOptions | None = None,
    ) -> None:
        super().__init__()
        precision = (options or EmbeddedOptions()).precision
        self.runtime = open_runtime(locate_weights(model), precision, threads)
        self.parallel_frames = 1 if self.runtime.paints_batches else share_cores(threads).frames
        self.batch = GPU_BATCH if self.runtime.paints_batches else self.parallel_frames
        self._painters: ThreadPoolExecutor | None = None

    def embed(self, image: Picture) -> Embedding:
        side = (PREDICTOR_SIDE, PREDICTOR_SIDE)
        return self.runtime.embed(cv2.resize(image, side, interpolation=cv2.INTER_AREA))

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        numbers = np.asarray(embeddings, np.float32)
        if numbers.shape != (len(frames), self.dim):
            raise SpaceError(
                f"embeddings of shape {numbers.shape}: engine 'embedded' paints {len(frames)} "
                f"frames with shape ({len(frames)}, {self.dim}). Embed the styles with this engine."
            )
        self.runtime.prepare_size(frames.shape[1], frames.shape[2])
        if self.runtime.paints_batches:
            return self.runtime.paint(frames, numbers) if len(frames) else frames.copy()
        painted = np.empty_like(frames)

        def paint_one(index: int) -> None:
            one = slice(index, index + 1)
            painted[one] = self.runtime.paint(frames[one], numbers[one])

        if self.parallel_frames == 1 or len(frames) == 1:
            for index in range(len(frames)):
                paint_one(index)
        else:
            if self._painters is None:
                self._painters = ThreadPoolExecutor(self.parallel_frames, "vst painting")
            list(self._painters.map(paint_one, range(len(frames))))
        return painted

    def prepare_size(self, width: int, height: int) -> None:
        # The runtimes create their kernels at the first call.
        frame, numbers = np.zeros((1, height, width, 3), np.uint8), np.zeros((1, self.dim))
        self.stylize(frame, numbers)

    def close(self) -> None:
        if self._painters is not None:
            self._painters.shutdown()
        self._painters = None
        self.runtime.close()


def open_runtime(folder: Path, precision: str, threads: int | None) -> Runtime:
    """Open the runtime that computes in ``precision``, with the weights in ``folder``."""
    if chooses_int8(folder, precision):
        from vst.engines.lite_runtime import LiteRuntime

        return LiteRuntime(folder)
    from vst.engines.tensorflow_runtime import TensorFlowRuntime

    return TensorFlowRuntime(folder, None if precision == AUTO else precision, threads)


def chooses_int8(folder: Path, precision: str) -> bool:
    """Whether the weights in ``folder`` are run in LiteRT, for this value of the option."""
    return precision == INT8 or (precision == AUTO and prefers_int8(folder))


def prefers_int8(folder: Path) -> bool:
    """Whether int8 is the fastest precision here: LiteRT is installed, the weights exist in int8,
    and TensorFlow would not find a GPU. Neither library is imported.
    """
    if not (is_litert_installed() and has_part(folder, INT8_PARTS["painter"])):
        return False
    return not NVIDIA_DRIVER.exists() or not is_installed("tensorflow")
