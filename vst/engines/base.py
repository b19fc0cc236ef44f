"""What an engine promises.

To add one: a file in this folder with a class that derives from `EmbeddingEngine` (it knows a style
as numbers, which can be mixed) or from `PictureEngine` (it paints a style, and mixes are
cross-fades of paintings), one line in the table of `vst.engines`, and nothing else: the contract
tests take their engines from that table. What users can tell it beyond ``model`` and ``threads``: a
frozen dataclass of options and one line in `vst.engines.choices`, which also says how they travel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from types import TracebackType
from typing import Any

import numpy as np

from vst.core.types import Embedding, Picture, Pictures, check_pictures
from vst.errors import EngineError, SpaceError
from vst.schedule.timeline import NONE, Mix, blend_embeddings


class Engine(ABC):
    """Paints frames in mixes of styles. The pipeline sees this and no more."""

    name = ""
    warmup = 0
    """Frames of content that it must see before a chunk that takes over no `state`, for what it
    remembers to matter little; 0: it remembers nothing from frame to frame.
    """
    tells = False
    """Whether its constructor takes ``on_progress`` too: it may have to fetch a model, or takes
    many steps for a picture.
    """
    model_is_style = False
    """Whether its model paints in a style of its own, and so stands for ``-s`` where that is left
    out.
    """
    batch = 1
    """Frames that it likes to be given at once."""
    fades_below = 1.0
    """Strength under which the pipeline cross-fades the painting to the content (1: always, by the
    strength).
    """

    @abstractmethod
    def prepare(self, styles: Mapping[str, Picture | Embedding]) -> None:
        """Get ready for a job's styles, once: keyframe name -> picture, or embedding of this
        engine's space.
        """

    def expect(self, width: int, height: int) -> None:
        """Get ready for frames of this size, where that takes time: it is no part of the first
        frame's then.
        """

    @abstractmethod
    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames of one scene in B mixes; the same shape comes back."""

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""

    def remembers(self, mix: Mix) -> bool:
        """Whether painting a frame in this mix lets it remember something of that frame for the
        rest of the scene, if it does not yet.
        """
        return False

    def state(self) -> dict[str, Any]:
        """What it remembers of the scene, as plain arrays and numbers, to be carried over the end
        of a chunk.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""

    def close(self) -> None:
        """Let go of what is held. The engine cannot be used afterwards."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


MOST_EMBEDDED = 256
"""Style pictures whose numbers an engine remembers."""


class EmbeddingEngine(Engine):
    """An engine that knows a style as ``dim`` numbers of a named style ``space``.

    Mixing is done here, once for all engines of this kind, on plain arrays; the subclass embeds and
    stylizes.
    """

    fades_below = 0.3
    space: str
    dim: int

    def __init__(self) -> None:
        self.styles: dict[str, Embedding] = {}
        self.own: Embedding | None = None
        self._embedded: dict[bytes, Embedding] = {}

    @abstractmethod
    def embed(self, image: Picture) -> Embedding:
        """The style of one RGB uint8 picture of any size, as float32 (dim,)."""

    @abstractmethod
    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames in the styles of (B, dim) numbers; the same shape comes
        back.
        """

    def prepare(self, styles: Mapping[str, Picture | Embedding]) -> None:
        self.styles = {name: self._as_embedding(name, style) for name, style in styles.items()}

    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        if self.own is None and any(self.remembers(mix) for mix in mixes):
            # Once per scene: the content's own style is what a weak strength goes towards.
            self.own = self.embed(frames[0])
        if any(mix.blend == "pixels" for mix in mixes):
            return np.stack([self._cross_fade(frame, mix) for frame, mix in zip(frames, mixes)])
        numbers = np.stack([self.mixed(mix) for mix in mixes])
        return check_pictures(self.stylize(frames, numbers), frames, self.name)

    def remembers(self, mix: Mix) -> bool:
        return mix.painted < 1

    def mixed(self, mix: Mix) -> Embedding:
        """The numbers of a mix: the styles blended, then drawn towards the content's own by its
        strength.
        """
        weights = {name: weight for name, weight in mix.weights.items() if name != NONE}
        if not weights:
            if self.own is None:
                raise EngineError(
                    "a mix of no style was asked for before the scene's own style was taken"
                )
            return self.own
        self._need(weights)
        style = blend_embeddings(
            [self.styles[name] for name in weights], list(weights.values()), mix.blend
        )
        if mix.painted >= 1 or self.own is None:
            return style
        return np.float32(mix.painted) * style + np.float32(1 - mix.painted) * self.own

    def reset(self) -> None:
        self.own = None

    def state(self) -> dict[str, Any]:
        return {} if self.own is None else {"own": self.own}

    def restore(self, state: dict[str, Any]) -> None:
        self.own = state.get("own")

    def _cross_fade(self, frame: Picture, mix: Mix) -> Picture:
        """Paint a frame once per style that has weight, and fade between the paintings (the
        reports' way).
        """
        weights = {
            name: weight for name, weight in mix.weights.items() if name != NONE and weight > 0
        }
        if not weights:
            return frame
        pure = [Mix({name: 1.0}, "linear", mix.painted) for name in weights]
        numbers = np.stack([self.mixed(one) for one in pure])
        frames = np.repeat(frame[None], len(pure), axis=0)
        paintings = check_pictures(self.stylize(frames, numbers), frames, self.name)
        return cross_fade(paintings, list(weights.values()))

    def _as_embedding(self, name: str, style: Picture | Embedding) -> Embedding:
        array: Any = np.asarray(style)
        if array.ndim == 3:
            return self._embedded_once(array)
        if array.shape != (self.dim,):
            raise SpaceError(
                f"style {name!r} has {array.size} numbers; engine {self.name!r} paints in the "
                f"style space {self.space!r} of {self.dim}; embed its picture with this engine"
            )
        return array.astype(np.float32)

    def _embedded_once(self, picture: Picture) -> Embedding:
        """The numbers of a style picture: one that was prepared before is not read again, because a
        preview prepares the same ones over and over.
        """
        found = blake2b(repr(picture.shape).encode() + picture.tobytes(), digest_size=16).digest()
        if found not in self._embedded:
            if len(self._embedded) >= MOST_EMBEDDED:
                self._embedded.pop(next(iter(self._embedded)))
            self._embedded[found] = self.embed(picture)
        return self._embedded[found]

    def _need(self, names: Mapping[str, float]) -> None:
        missing = [name for name in names if name not in self.styles]
        if missing:
            known = ", ".join(self.styles) or "none"
            raise EngineError(f"style {missing[0]!r} was not prepared; prepared: {known}")


class PictureEngine(Engine):
    """An engine that paints whole styles: a mix is a cross-fade of one painting per style that has
    weight.
    """

    @abstractmethod
    def paint_style(self, frames: Pictures, style: str) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames in one prepared style."""

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


def cross_fade(pictures: Pictures, weights: Sequence[float]) -> Picture:
    """The weighted mean of (N, H, W, 3) uint8 pictures, rounded to uint8."""
    if len(pictures) == 1:
        return pictures[0]
    share = np.asarray(weights, np.float32) / np.float32(sum(weights))
    return (
        np.rint(np.tensordot(share, pictures.astype(np.float32), 1)).clip(0, 255).astype(np.uint8)
    )
