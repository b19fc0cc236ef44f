"""Painting the frames of a scene: at the brush's size, figure and ground apart where there is a
mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vst.core.types import Frame, Picture
from vst.engines.base import Engine
from vst.errors import EngineError
from vst.imaging.compositing import finish, painted_share, scaled
from vst.masks.base import Alpha, Edge
from vst.schedule.timeline import Mix

BRUSH_STEPS = 8
"""Sizes of brush from one to its double: an engine makes a function for each size it paints at."""


@dataclass(frozen=True)
class FrameBatch:
    """Some frames of one scene; ``contents`` are the frames at the size of the painting, ``alphas``
    the masks of the frames, at the frames' size, where there is a mask. ``chunk_start``: where a
    new chunk starts with it, what the finder of scenes knew before.
    """

    frames: list[Frame] = field(default_factory=list)
    contents: list[Picture] = field(default_factory=list)
    alphas: list[Alpha | None] = field(default_factory=list)
    new_scene: bool = True
    chunk_start: dict[str, Any] | None = None


@dataclass(frozen=True)
class FramePainter:
    """An engine, the size of its paintings, and how figure and ground are joined (None: no mask).

    What it paints has ``width`` x ``height`` whatever the brush's size.
    """

    engine: Engine
    width: int
    height: int
    edge: Edge | None = None
    ground: dict[str, Any] = field(default_factory=dict)
    """What an engine that looks back remembers of the ground, painted apart from the figure."""

    def reset(self) -> None:
        """Forget the scene."""
        self.engine.reset()
        self.ground.clear()
        if self.edge is not None:
            self.edge.reset()

    def state(self) -> dict[str, Any]:
        """What is remembered of the scene, to be carried over the end of a chunk."""
        edge = self.edge.state() if self.edge is not None else {}
        return {"engine": self.engine.state(), "edge": edge, "ground": dict(self.ground)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.engine.restore(state["engine"])
        self.ground.clear()
        self.ground.update(state.get("ground", {}))
        if self.edge is not None:
            self.edge.restore(state["edge"])

    def paint(self, batch: FrameBatch, mixes: Sequence[Mix]) -> list[Picture]:
        """Paint each frame of a batch; what the engine raises is told with its name and the frame.

        With a mask the paintings are whole pictures, faded by their strength already; without, the
        fade is the last touch, at the full size.
        """
        first = batch.frames[0]
        try:
            if self.edge is None and all(mix.brush == 1 for mix in mixes):
                return list(self.engine.paint(np.stack(batch.contents), mixes))
            return [
                self._paint_one(content, alpha, mix)
                for content, alpha, mix in zip(batch.contents, batch.alphas, mixes)
            ]
        except (ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
            where = f"engine {self.engine.name!r} failed at frame {first.index}"
            text = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise EngineError(
                f"{where} ({first.time:.3f} s): {text or type(error).__name__}"
            ) from error

    def _paint_one(self, content: Picture, alpha: Alpha | None, mix: Mix) -> Picture:
        if self.edge is None or alpha is None:
            return self._at_brush_size(content, mix)
        small = resize_alpha(alpha, self.width, self.height)
        parts = self.edge.parts(content, small)
        figure = self._faded(parts.foreground, mix)
        if mix.ground is None or mix.ground.painted == 0:
            ground = parts.background  # as filmed
        else:
            ground = self._ground(parts.background, mix.ground)
        return self.edge.join(parts, small, figure, ground)

    def _ground(self, content: Picture, mix: Mix) -> Picture:
        """The ground's painting; an engine that looks back must not see the figure's there."""
        if self.engine.warmup == 0:
            return self._faded(content, mix)
        figure = self.engine.state()
        self.engine.restore(self.ground)
        painting = self._faded(content, mix)
        self.ground.clear()
        self.ground.update(self.engine.state())
        self.engine.restore(figure)
        return painting

    def _faded(self, content: Picture, mix: Mix) -> Picture:
        share = painted_share(mix.painted, self.engine.fades_below)
        if share == 0:
            return content
        return finish(content, self._at_brush_size(content, mix), share)

    def _at_brush_size(self, content: Picture, mix: Mix) -> Picture:
        factor = 2 ** (round(math.log2(mix.brush) * BRUSH_STEPS) / BRUSH_STEPS)
        width, height = max(1, round(self.width * factor)), max(1, round(self.height * factor))
        painting = self.engine.paint(scaled(content, width, height)[None], [mix])[0]
        return scaled(painting, self.width, self.height)


def resize_alpha(alpha: Alpha, width: int, height: int) -> Alpha:
    """A mask at another size."""
    return scaled(alpha, width, height)
