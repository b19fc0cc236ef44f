"""The engine for Magenta's arbitrary image stylization, in any form of its model.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization
network", BMVC 2017. `magenta_graph` runs the SavedModel of TensorFlow Hub, `magenta_lite` the
TFLite pair; this module finds the model, and checks, pads and resizes for both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from vst import assets
from vst.core.paths import expand_home
from vst.core.registry import find_nearest
from vst.core.types import Embedding, OnProgress, Picture, Pictures, ignore_progress
from vst.engines.base import EmbeddingEngine
from vst.engines.magenta_graph import HubModel
from vst.engines.magenta_lite import LitePair, describe_lite_file
from vst.errors import AssetError, EngineError, MissingFileError, SpaceError, UsageError

STYLE_SIZE = 256
"""Side in pixels of the picture that a style is embedded from, as in Magenta's training."""
GRID = 4
"""The painter halves the picture twice and rounds its sides up to multiples of this."""
MIN_SIDE = 16
"""The smallest side in pixels that the painter's reflected borders allow."""


class Model(Protocol):
    """A loaded model in either form."""

    space: str
    dim: int
    fixed_size: tuple[int, int] | None
    style_size: tuple[int, int] | None

    def embed(self, picture: Picture) -> Embedding:
        """Return the (dim,) float32 embedding of a uint8 picture of the style's size."""

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames, H and W multiples of `GRID`, with (B, dim)
        embeddings.
        """

    def close(self) -> None:
        """Release the model."""


class MagentaEngine(EmbeddingEngine):
    """Magenta's model from TensorFlow Hub, from a folder, or as a TFLite pair.

    ``model``: None (the hub handle, kept in the cache folder), a name of `vst models list`, a
    TensorFlow Hub or Kaggle handle, a SavedModel's folder, a folder with the TFLite pair, or its
    two files as "predict.tflite,transfer.tflite". ``threads``: None for one on each core.

    Raises `AssetError` for a model that cannot be downloaded, is damaged, or is of another kind.
    """

    name = "magenta"
    reports_progress = True

    @classmethod
    def find_tensorflow_use(cls, model: str | None, options: Any) -> str:
        name = model or "magenta"
        return f"engine 'magenta' with model {name!r}" if is_saved_model(name) else ""

    def __init__(
        self,
        *,
        model: str | None = None,
        threads: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        super().__init__()
        if threads is not None and threads < 1:
            raise UsageError(f"threads {threads} is not allowed. Give 1 or more, or None for all.")
        self.model: Model | None = open_model(model, threads, on_progress)
        self.space = self.model.space
        self.dim = self.model.dim

    def embed(self, image: Picture) -> Embedding:
        model = self._get_model()
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise UsageError(
                f"style of shape {image.shape}, {image.dtype}. Give RGB uint8 (height, width, 3)."
            )
        height, width = model.style_size or (STYLE_SIZE, STYLE_SIZE)
        square = np.asarray(
            cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
        embedding = model.embed(square)
        if not np.isfinite(embedding).all():
            raise EngineError(
                "Magenta's predictor returned values that are not finite: its weights are damaged. "
                "Run `vst models check`, or download it again with `vst models pull magenta`."
            )
        return embedding

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        model = self._get_model()
        numbers = np.ascontiguousarray(embeddings, np.float32)
        if numbers.shape != (len(frames), self.dim):
            raise SpaceError(
                f"embeddings of shape {numbers.shape} for {len(frames)} frames; engine 'magenta' "
                f"paints in {self.space!r} with ({len(frames)}, {self.dim}): embed with this engine"
            )
        if not np.isfinite(numbers).all():
            raise EngineError(
                "the embedding has values that are not finite. Embed the picture again."
            )
        if len(frames) == 0:
            return frames.copy()
        if model.fixed_size:
            return _paint_resized(model, frames, numbers, model.fixed_size)
        height, width = frames.shape[1:3]
        painted = model.paint(_pad(frames), numbers)
        cropped: Pictures = np.ascontiguousarray(painted[:, :height, :width])
        return cropped

    def close(self) -> None:
        if self.model is not None:
            self.model.close()
        self.model = None

    def _get_model(self) -> Model:
        if self.model is None:
            raise EngineError("this engine is closed. Open another one.")
        return self.model


def is_saved_model(name: str) -> bool:
    """Whether a name, path or handle is of a SavedModel, which runs in TensorFlow alone; by what is
    known without opening it.
    """
    path = expand_home(name)
    if path.exists():
        return path.name == "saved_model.pb" or (path / "saved_model.pb").is_file()
    if name in assets.MODELS:
        return assets.MODELS[name].needs_tensorflow
    return "," not in name and assets.is_handle(name) and "tflite" not in name.lower()


def open_model(
    model: str | None, threads: int | None, on_progress: OnProgress = ignore_progress
) -> Model:
    """Find the model that ``model`` names, download it if needed, and load it."""
    name = model or "magenta"
    path = expand_home(name)
    if path.exists():
        return _open_path(path, threads)
    names = assets.list_painters("magenta")
    if name in names:
        return _open_cached(
            assets.obtain_model(assets.get_known_model(name), on_progress),
            name,
            threads,
            on_progress,
        )
    if "," in name:
        return LitePair([expand_home(part.strip()) for part in name.split(",")], threads)
    if assets.is_handle(name):
        return _open_cached(_resolve_handle(name, on_progress), name, threads, on_progress)
    hint = find_nearest(name, names)
    raise MissingFileError(
        f"model {name!r} was not found.{f' Did you mean {hint!r}?' if hint else ''} Give a name "
        f"({', '.join(names)}), a TensorFlow Hub or Kaggle handle, the folder of a "
        "SavedModel or of the TFLite pair, or its two files joined by a comma."
    )


def _open_path(path: Path, threads: int | None) -> Model:
    """Load a model from a folder, or from one file of a folder."""
    if path.is_file():
        if path.suffix == ".tflite":
            # The file is the painter; look for a predictor beside it.
            others = [one for one in _list_lite_files(path.parent) if one != path]
            predictors = [one for one in others if _is_predictor(one)]
            return LitePair([path, *(predictors or others)], threads)
        if path.name == "saved_model.pb":
            return HubModel(path.parent, threads)
        raise AssetError(
            f"model {path} is neither a .tflite file nor a folder. Unpack an archive first, or "
            f"import it with `vst models pull magenta --from-folder {path}`."
        )
    lite = _list_lite_files(path)
    if (path / "saved_model.pb").is_file() or not lite:
        if not (path / "saved_model.pb").is_file() and not (path / "variables").is_dir():
            raise AssetError(
                f"the folder {path} holds neither a SavedModel (saved_model.pb) nor .tflite files. "
                "Give the folder that holds them directly."
            )
        return HubModel(path, threads)
    return LitePair(lite, threads)


def _open_cached(folder: Path, name: str, threads: int | None, on_progress: OnProgress) -> Model:
    """Load a model from the cache; download it once more if it is damaged there."""
    try:
        return _open_path(folder, threads)
    except AssetError:
        if not assets.discard_model(folder):
            raise
    known = assets.MODELS.get(name)
    fresh = (
        assets.obtain_model(known, on_progress)
        if known
        else assets.obtain_handle(name, on_progress)
    )
    return _open_path(fresh, threads)


def _resolve_handle(handle: str, on_progress: OnProgress) -> Path:
    """Return the folder of a handle's model. Web addresses go through the package's own download,
    which resumes and has timeouts; TensorFlow Hub resolves the others (gs://…).
    """
    if not assets.is_web_handle(handle):
        return assets.resolve_with_hub(handle)
    return assets.obtain_handle(handle, on_progress)


def _list_lite_files(folder: Path) -> list[Path]:
    """List the .tflite files directly in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".tflite" and path.is_file())


def _is_predictor(path: Path) -> bool:
    found = describe_lite_file(path)
    return found is not None and not found.paints


def _pad(frames: Pictures) -> Pictures:
    """Mirror rows and columns at the lower and right edges up to a size that the painter takes."""
    height, width = (max(MIN_SIDE, side + -side % GRID) for side in frames.shape[1:3])
    below, right = height - frames.shape[1], width - frames.shape[2]
    if not (below or right):
        return np.ascontiguousarray(frames)
    return np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), mode="symmetric")


def _paint_resized(
    model: Model, frames: Pictures, numbers: np.ndarray, size: tuple[int, int]
) -> Pictures:
    """Paint with a model of one fixed size: resize the frames to it and the paintings back."""
    height, width = frames.shape[1:3]
    painted = []
    for frame, embedding in zip(frames, numbers):
        inside = cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA)
        picture = model.paint(inside[None], embedding[None])[0]
        painted.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC))
    return np.stack(painted)
