"""Runs Magenta's TFLite pair: a predictor (256² picture -> embedding) and a painter (content,
embedding -> picture).

Their inputs and outputs tell which file is which, not their names. There are three official
painters: two of a fixed 384², and one of any size, whose file leaves its output shape open.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vst.assets import MODELS
from vst.core.files import hash_file
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.types import Embedding, Picture, Pictures
from vst.errors import AssetError, EngineError, MissingFileError
from vst.nets.lite_interpreter import open_interpreter, translate_lite_errors

REMEDY = "Download it again with `vst models pull magenta-lite`."
BATCH_PIXELS = 4 * 256 * 256
"""Pixels painted in one call where the painter takes any size. Measured on two cores: four frames
at once take 0.64 of the CPU time at 64², 0.75 at 128², 0.90 at 256² and 0.97 at 384²."""


@dataclass(frozen=True)
class LiteFile:
    """One .tflite file. ``size``: fixed height and width of its picture, None: any. ``dim``:
    length of its embedding.
    """

    path: Path
    paints: bool
    dim: int
    size: tuple[int, int] | None


class LitePair:
    """A predictor and a painter in the TFLite (LiteRT) interpreter, on ``threads`` threads."""

    def __init__(self, files: Sequence[Path], threads: int | None = None) -> None:
        predictor, painter = choose_lite_pair(files)
        self.files = (predictor.path, painter.path)
        self.dim = predictor.dim
        self.space = name_lite_space(predictor)
        self.fixed_size = painter.size
        self.style_size = predictor.size
        count = threads or os.cpu_count() or 1
        self._predictor: Any = open_interpreter(predictor.path, count, REMEDY)
        self._predictor.allocate_tensors()
        self._painter: Any = open_interpreter(painter.path, count, REMEDY)
        self._shape: tuple[int, ...] = ()

    def embed(self, picture: Picture) -> Embedding:
        """Return the (dim,) float32 embedding of a (256, 256, 3) uint8 picture."""
        style = picture[None].astype(np.float32) / np.float32(255)
        with translate_lite_errors(self.files[0]):
            self._predictor.set_tensor(self._predictor.get_input_details()[0]["index"], style)
            self._predictor.invoke()
            found = self._predictor.get_tensor(self._predictor.get_output_details()[0]["index"])
        return np.array(found, np.float32).reshape(self.dim)

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames with (B, dim) embeddings; uint8, of the painter's
        size.
        """
        count, height, width = frames.shape[:3]
        step = 1 if self.fixed_size else max(1, BATCH_PIXELS // (height * width))
        painted = [
            self._paint(frames[i : i + step], embeddings[i : i + step])
            for i in range(0, count, step)
        ]
        return painted[0] if len(painted) == 1 else np.concatenate(painted)

    def _paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        content, numbers = get_painter_inputs(self._painter)
        with translate_lite_errors(self.files[1]):
            if self._shape != frames.shape:
                if not self.fixed_size:
                    self._painter.resize_tensor_input(content["index"], frames.shape)
                    self._painter.resize_tensor_input(
                        numbers["index"], (len(frames), *numbers["shape"][1:])
                    )
                self._painter.allocate_tensors()
                self._shape = frames.shape
            self._painter.set_tensor(content["index"], frames.astype(np.float32) / np.float32(255))
            shape = (len(frames), *numbers["shape"][1:])
            self._painter.set_tensor(numbers["index"], embeddings.reshape(shape))
            self._painter.invoke()
            picture = self._painter.get_tensor(self._painter.get_output_details()[0]["index"])
        if not np.isfinite(picture).all():
            raise EngineError(
                f"{self.files[1].name} returned values that are not finite: its weights or the "
                "embedding are damaged. Run `vst models check`, or embed the style again."
            )
        return np.asarray(np.rint(picture.clip(0, 1) * 255), np.uint8)

    def close(self) -> None:
        """Release the interpreters and their memory."""
        self._predictor = self._painter = None


def choose_lite_pair(files: Sequence[Path]) -> tuple[LiteFile, LiteFile]:
    """Choose the predictor and the best painter of .tflite files: any size before a fixed one, then
    the larger file.
    """
    known = [described for described in map(describe_lite_file, files) if described is not None]
    predictors = [one for one in known if not one.paints]
    painters = sorted(
        (one for one in known if one.paints),
        key=lambda one: (one.size is None, one.size or (0, 0), one.path.stat().st_size),
        reverse=True,
    )
    for painter in painters:
        for predictor in predictors:
            if predictor.dim == painter.dim:
                return predictor, painter
    names = ", ".join(path.name for path in files) or "none"
    lacks = "predictor" if not predictors else "painter" if not painters else "matching pair"
    raise AssetError(
        f"no {lacks} among the .tflite files ({names}). Give a folder or two files with a "
        "predictor (picture -> embedding) and a painter (picture, embedding -> picture), such as "
        "`vst models pull magenta-lite` downloads."
    )


def describe_lite_file(path: Path) -> LiteFile | None:
    """Find out whether a .tflite file is a predictor, a painter, or neither (None)."""
    if not path.is_file():
        raise MissingFileError(f"{path} does not exist. Give the two .tflite files of the pair.")
    found = open_interpreter(path, 1, REMEDY)
    inputs, outputs = found.get_input_details(), found.get_output_details()
    shapes = [tuple(int(n) for n in end["shape_signature"]) for end in (*inputs, *outputs)]
    if len(inputs) == 1 and len(outputs) == 1 and len(shapes[0]) == 4 and shapes[0][-1] == 3:
        size = (int(inputs[0]["shape"][1]), int(inputs[0]["shape"][2]))
        dim = int(np.prod(outputs[0]["shape"]))
        return LiteFile(path, False, dim, size) if len(outputs[0]["shape"]) in (2, 4) else None
    if len(inputs) != 2:
        return None
    content, numbers = get_painter_inputs(found)
    open_shape = len(outputs[0]["shape"]) == 0 or any(n < 0 for shape in shapes for n in shape)
    size = (int(content["shape"][1]), int(content["shape"][2]))
    return LiteFile(path, True, int(np.prod(numbers["shape"][1:])), None if open_shape else size)


def get_painter_inputs(painter: Any) -> tuple[Any, Any]:
    """Return a painter's inputs for the content and the embedding, whatever their order."""
    first, second = painter.get_input_details()
    return (first, second) if int(first["shape"][-1]) == 3 else (second, first)


def name_lite_space(predictor: LiteFile) -> str:
    """Return the style space: the official predictors, recognized by hash or name, share one."""
    official = {file.sha256 for file in MODELS["magenta-lite"].files}
    digest = hash_file(predictor.path)
    by_name = predictor.path.name in ("style_predict_f16_256.tflite",)
    if predictor.dim == 100 and (digest in official or by_name):
        return TFLITE_SPACE
    return f"magenta-tflite-{predictor.dim}-{digest[:8]}"
