"""Runs the embedded networks in LiteRT, in int8; TensorFlow is not imported."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vst.core.types import Embedding, Picture, Pictures
from vst.engines.embedded_runtime import Runtime, count_missing_pixels, reflect_indices
from vst.errors import DependencyError
from vst.nets.lite_interpreter import (
    is_litert_installed,
    open_interpreter,
    translate_lite_errors,
)
from vst.nets.weight_files import INT8_PARTS, find_weights_file

REMEDY = "Install the package again."


class LiteRuntime(Runtime):
    """Weights in int8, inputs of each convolution rounded to int8: `vst export tflite` makes the
    files. Each frame is painted on one core; threads share the interpreters of one size.
    """

    def __init__(self, folder: Path) -> None:
        if not is_litert_installed():
            raise DependencyError(
                "precision 'int8' needs the package ai-edge-litert, which is not installed. Run "
                "`pip install ai-edge-litert`, or give another precision."
            )
        self._painter, self._predictor = (
            find_weights_file(folder, INT8_PARTS[part]) for part in ("painter", "predictor")
        )
        self._size: tuple[int, int] | None = None
        self._idle: list[_Painter] = []

    def embed(self, picture: Picture) -> Embedding:
        with translate_lite_errors(self._predictor):
            embed = open_interpreter(self._predictor, 1, REMEDY).get_signature_runner()
            (found,) = embed(pictures=picture[None] / np.float32(255)).values()
        return np.asarray(found, np.float32)[0]

    def prepare_size(self, height: int, width: int) -> None:
        if self._size != (height, width):
            self._idle, self._size = [], (height, width)

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        size = (frames.shape[1], frames.shape[2])
        painter = self._take_idle()
        if painter is None or painter.size != size:
            painter = _Painter(self._painter, *size)
        painted = painter.paint(frames[0], embeddings)
        if self._size == size:
            self._idle.append(painter)
        return painted[None]

    def close(self) -> None:
        self._idle, self._size = [], None

    def _take_idle(self) -> _Painter | None:
        try:
            return self._idle.pop()  # atomic: another thread may take the last one
        except IndexError:
            return None


class _Painter:
    """An interpreter for frames of one size."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self._path, self.size = path, (height, width)
        after = [count_missing_pixels(side) for side in (height, width)]
        self._rows = reflect_indices(height, 0, after[0])[:, None]
        self._columns = reflect_indices(width, 0, after[1])[None]
        self._is_mirrored = any(after)
        self._lite = open_interpreter(path, 1, REMEDY)
        with translate_lite_errors(path):
            inputs = {len(one["shape"]): one["index"] for one in self._lite.get_input_details()}
            self._frames, self._styles = inputs[4], inputs[2]
            shape = (1, len(self._rows), self._columns.size, 3)
            self._lite.resize_tensor_input(self._frames, shape)
            self._lite.allocate_tensors()
            self._paintings = self._lite.get_output_details()[0]["index"]

    def paint(self, frame: Picture, embedding: np.ndarray) -> Picture:
        if self._is_mirrored:
            frame = frame[self._rows, self._columns]
        with translate_lite_errors(self._path):
            np.multiply(frame, np.float32(1 / 255), out=self._lite.tensor(self._frames)()[0])
            self._lite.set_tensor(self._styles, embedding)
            self._lite.invoke()
            # OpenCV rounds and converts in one pass.
            painted = cv2.convertScaleAbs(self._lite.tensor(self._paintings)()[0], alpha=255)
        return painted[: self.size[0], : self.size[1]]
