"""An engine that paints with exported files, as a program on a phone or in a browser would."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import EmbeddingEngine
from vst.engines.embedded_runtime import reflect_indices
from vst.export.plan import SHORTEST, STRIDE, ExportPlan
from vst.export.write import FORMATS, export_networks
from vst.nets.embedded_plan import DIM, PREDICTOR_SIDE


class ExportedEngine(EmbeddingEngine):
    """Runs the painter and the predictor that `export_networks` writes, frame by frame."""

    name = "exported"
    dim = DIM

    def __init__(self, folder: Path, format_name: str, precision: str = "float32") -> None:
        super().__init__()
        self.space = "magenta-tflite-100"
        files = export_networks(format_name, ExportPlan(precision=precision), folder)
        painter, predictor = (FORMATS[format_name].open_file(file.path) for file in files)
        self._paint, self._predict = painter, predictor

    def embed(self, image: Picture) -> Embedding:
        side = (PREDICTOR_SIDE, PREDICTOR_SIDE)
        picture = cv2.resize(image, side, interpolation=cv2.INTER_AREA)
        return self._predict({"pictures": picture[None] / np.float32(255)})[0]

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        _, height, width, _ = frames.shape
        rows, columns = (mirror_to_stride(side) for side in (height, width))
        painted = np.empty_like(frames)
        for index, (frame, embedding) in enumerate(zip(frames, embeddings)):
            larger = frame[rows][:, columns][None] / np.float32(255)
            found = self._paint({"frames": larger, "styles": embedding[None]})
            painted[index] = np.rint(255 * found[0, :height, :width])
        return painted


def mirror_to_stride(side: int) -> np.ndarray:
    """Return the indices of a side, mirrored at its end up to a length that the painter takes."""
    longer = max(side + -side % STRIDE, SHORTEST["painter"])
    return reflect_indices(side, 0, longer - side)
