"""The interface of an engine, which paints frames in styles.

To add one: write a file in this folder with a class that derives from `EmbeddingEngine` (its styles
are embeddings, which can be mixed) or from `PictureEngine` (it paints one style at a time, and a
mix is a cross-fade of paintings), and add one line to the table of `vst.engines`. The contract
tests take their engines from that table. Options beyond ``model`` and ``threads``: a frozen
dataclass and one line in `vst.engines.options`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vst.core.closable import Closable
from vst.core.registry import make_unknown_error
from vst.core.types import Embedding, Picture, Pictures, check_pictures
from vst.errors import EngineError, SpaceError
from vst.schedule.timeline import BLENDS, NONE, Mix, blend_embeddings


class EngineMemory(NamedTuple):
    """Memory that an engine needs, measured: ``megabytes`` with small frames (Python, the
    libraries, the model and ffmpeg), and bytes for each painted pixel (the layers of the network).
    """

    megabytes: float
    bytes_per_pixel: float


class Engine(Closable, ABC):
    """Paints frames in mixes of styles; all that the pipeline uses of an engine."""

    name = ""
    memory: ClassVar[EngineMemory] = EngineMemory(2500.0, 2000.0)
    paints_in_parallel: ClassVar[bool] = False
    """Whether it paints several frames at once, each on one core of its own."""
    model_is_style: ClassVar[bool] = False
    """Whether its model paints in a style of its own, which is used where no style is given."""
    reports_progress: ClassVar[bool] = False
    """Whether its constructor takes ``on_progress``: it may download a model, or takes many steps
    for each frame.
    """
    warmup = 0
    """Frames of content that it must see before a chunk for which there is no `state`; 0: it
    remembers nothing from frame to frame.
    """
    batch = 1
    """Frames that it paints best in one call."""
    fades_below = 1.0
    """Strength below which the pipeline cross-fades the painting to the content; 1: at any
    strength.
    """

    @classmethod
    def find_tensorflow_use(cls, model: str | None, options: Any) -> str:
        """Return what of it needs TensorFlow with this model and these options of its own, as the
        subject of a sentence; empty if nothing does. Nothing heavy is imported.
        """
        return ""

    @classmethod
    def find_memory(cls, model: str | None, options: Any, threads: int | None) -> EngineMemory:
        """Return the memory that it needs with this model, these options of its own, and so many
        cores (None: all).
        """
        return cls.memory

    @abstractmethod
    def prepare(
        self, styles: Mapping[str, Picture | Embedding]
    ) -> Mapping[str, Picture | Embedding]:
        """Load the styles of a job, once: keyframe name -> picture, or embedding of this engine's
        space. Returns what it paints with, by the same names: an `EmbeddingEngine` returns
        embeddings only.
        """

    def prepare_size(self, width: int, height: int) -> None:
        """Compile for frames of this size, so that the first frame takes no longer than others."""

    @abstractmethod
    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames of one scene in B mixes; returns the same shape."""

    def reset(self) -> None:
        """Forget the scene: the next frame follows a cut."""

    def remembers(self, mix: Mix) -> bool:
        """Whether painting a frame in this mix stores something of it for the rest of the scene."""
        return False

    def state(self) -> dict[str, Any]:
        """Return what it remembers of the scene, as plain arrays and numbers; the next chunk
        restores it.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""

    def close(self) -> None:
        """Release the model. The engine cannot be used afterwards."""


MAX_CACHED_EMBEDDINGS = 256
"""Style pictures whose embeddings an engine keeps."""


class EmbeddingEngine(Engine):
    """An engine whose styles are embeddings: ``dim`` numbers of a named style ``space``.

    This class mixes the embeddings, as plain arrays; a subclass embeds pictures and stylizes
    frames.
    """

    fades_below = 0.3
    space: str
    dim: int

    def __init__(self) -> None:
        self.styles: dict[str, Embedding] = {}
        self.scene_style: Embedding | None = None
        self._cache: dict[bytes, Embedding] = {}

    @abstractmethod
    def embed(self, image: Picture) -> Embedding:
        """Return the style of one RGB uint8 picture of any size, float32 (dim,)."""

    @abstractmethod
    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames in the styles of (B, dim) embeddings; returns the same
        shape.
        """

    def prepare(self, styles: Mapping[str, Picture | Embedding]) -> Mapping[str, Embedding]:
        self.styles = {name: self._to_embedding(name, style) for name, style in styles.items()}
        return self.styles

    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        if self.scene_style is None and any(self.remembers(mix) for mix in mixes):
            # Once per scene: a weak strength draws the style towards the content's own.
            self.scene_style = self.embed(frames[0])
        if any(mix.blend == "pixels" for mix in mixes):
            return np.stack([self._cross_fade(frame, mix) for frame, mix in zip(frames, mixes)])
        embeddings = np.stack([self.resolve_mix(mix) for mix in mixes])
        return check_pictures(self.stylize(frames, embeddings), frames, self.name)

    def remembers(self, mix: Mix) -> bool:
        return mix.painted < 1

    def resolve_mix(self, mix: Mix) -> Embedding:
        """Return the embedding of a mix: the styles blended, then drawn towards the content's own
        style by the strength.

        Raises `UnknownNameError` for a blend that is not one of `BLENDS`, `EngineError` for a style
        that was not prepared.
        """
        if mix.blend not in BLENDS:
            raise make_unknown_error("blend", mix.blend, BLENDS)
        weights = {name: weight for name, weight in mix.weights.items() if name != NONE}
        if not weights:
            if self.scene_style is None:
                raise EngineError(
                    "mix without a style: the scene's own style is not known yet. Paint a frame of "
                    "the scene first."
                )
            return self.scene_style
        check_prepared(weights, self.styles)
        style = blend_embeddings(
            [self.styles[name] for name in weights], list(weights.values()), mix.blend
        )
        if mix.painted >= 1 or self.scene_style is None:
            return style
        return np.float32(mix.painted) * style + np.float32(1 - mix.painted) * self.scene_style

    def reset(self) -> None:
        self.scene_style = None

    def state(self) -> dict[str, Any]:
        # The key is part of the checkpoint's format.
        return {} if self.scene_style is None else {"own": self.scene_style}

    def restore(self, state: dict[str, Any]) -> None:
        self.scene_style = state.get("own")

    def _cross_fade(self, frame: Picture, mix: Mix) -> Picture:
        """Paint a frame once per style that has weight, and cross-fade the paintings."""
        weights = {
            name: weight for name, weight in mix.weights.items() if name != NONE and weight > 0
        }
        if not weights:
            return frame
        pure = [Mix({name: 1.0}, strength=mix.painted) for name in weights]
        embeddings = np.stack([self.resolve_mix(one) for one in pure])
        frames = np.repeat(frame[None], len(pure), axis=0)
        paintings = check_pictures(self.stylize(frames, embeddings), frames, self.name)
        return cross_fade(paintings, list(weights.values()))

    def _to_embedding(self, name: str, style: Picture | Embedding) -> Embedding:
        array: Any = np.asarray(style)
        if array.ndim == 3:
            return self._embed_cached(array)
        if array.shape != (self.dim,):
            raise SpaceError(
                f"style {name!r}: it has {array.size} numbers, engine {self.name!r} paints in the "
                f"style space {self.space!r} of {self.dim}. Embed its picture with this engine."
            )
        return array.astype(np.float32)

    def _embed_cached(self, picture: Picture) -> Embedding:
        """Embed a style picture, unless it was embedded before: a preview prepares the same styles
        again and again.
        """
        key = blake2b(repr(picture.shape).encode() + picture.tobytes(), digest_size=16).digest()
        if key not in self._cache:
            if len(self._cache) >= MAX_CACHED_EMBEDDINGS:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = self.embed(picture)
        return self._cache[key]


class PictureEngine(Engine):
    """An engine that paints one style at a time: a mix is a cross-fade of the paintings in each
    style that has weight.
    """

    @abstractmethod
    def paint_style(self, frames: Pictures, style: str) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames in one prepared style; returns the same shape."""

    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        names = sorted(
            {name for mix in mixes for name, weight in mix.weights.items() if weight > 0}
        )
        layers = {
            name: frames
            if name == NONE
            else check_pictures(self.paint_style(frames, name), frames, self.name)
            for name in names
        }
        painted = []
        for index, mix in enumerate(mixes):
            used = [name for name in names if mix.weights.get(name, 0) > 0]
            painted.append(
                cross_fade(
                    np.stack([layers[n][index] for n in used]), [mix.weights[n] for n in used]
                )
            )
        return np.stack(painted)


def check_prepared(names: Mapping[str, float], styles: Mapping[str, Any]) -> None:
    """Raise `EngineError` unless all ``names`` are among the prepared ``styles``."""
    missing = [name for name in names if name not in styles]
    if missing:
        known = ", ".join(styles) or "none"
        raise EngineError(f"style {missing[0]!r} was not prepared. Prepared styles: {known}.")


def cross_fade(pictures: Pictures, weights: Sequence[float]) -> Picture:
    """Return the weighted mean of (N, H, W, 3) uint8 pictures, rounded to uint8."""
    if len(pictures) == 1:
        return pictures[0]
    share = np.asarray(weights, np.float32) / np.float32(sum(weights))
    return (
        np.rint(np.tensordot(share, pictures.astype(np.float32), 1)).clip(0, 255).astype(np.uint8)
    )
