"""Painting the frames of a scene: at the brush's size, foreground and background apart where there
is a mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vst.checkpoint.handover import WarmStart
from vst.core.types import Frame, Picture
from vst.engines.base import Engine
from vst.errors import EngineError
from vst.imaging.compositing import compute_painting_share, fade_to_content
from vst.imaging.guided_filter import enlarge_guided
from vst.imaging.resize import resize
from vst.masks.base import Alpha, Edge
from vst.schedule.timeline import Mix

BRUSH_STEPS = 8
"""Brush sizes between one and its double: an engine compiles a function for each painting size."""


@dataclass(frozen=True)
class FrameBatch:
    """Some frames of one scene; ``contents`` are the frames at the size of the painting, ``alphas``
    their masks at the frames' size, where there is a mask. ``chunk_start``: where the chunk starts
    that begins with the batch. ``is_read_point``: a later chunk may read from the batch on.
    """

    frames: list[Frame] = field(default_factory=list)
    contents: list[Picture] = field(default_factory=list)
    alphas: list[Alpha | None] = field(default_factory=list)
    new_scene: bool = True
    chunk_start: WarmStart | None = None
    is_read_point: bool = False


@dataclass(frozen=True)
class FramePainter:
    """An engine, the size of its paintings, and the edge that joins foreground and background
    (None: no mask).

    Its paintings have ``width`` x ``height`` whatever the brush's size. ``background`` is the state
    of an engine with memory for the background, which it paints apart from the foreground.
    """

    engine: Engine
    width: int
    height: int
    edge: Edge | None = None
    background: dict[str, Any] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget the scene."""
        self.engine.reset()
        self.background.clear()
        if self.edge is not None:
            self.edge.reset()

    def state(self) -> dict[str, Any]:
        """What is remembered of the scene, for the next chunk."""
        edge = self.edge.state() if self.edge is not None else {}
        return {"engine": self.engine.state(), "edge": edge, "ground": dict(self.background)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.engine.restore(state["engine"])
        self.background.clear()
        self.background.update(state.get("ground", {}))
        if self.edge is not None:
            self.edge.restore(state["edge"])

    def paint(self, batch: FrameBatch, mixes: Sequence[Mix]) -> list[Picture]:
        """Paint each frame of a batch. Raises `EngineError`, which names engine and frame, for
        whatever the engine raises.

        With a mask the paintings are whole pictures that are faded by their strength; without one
        the fade comes last, at the full size.
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
            return self._paint_at_brush_size(content, mix)
        if mix.regions:
            return self._paint_regions(self.edge, content, alpha, mix)
        small = resize(alpha, self.width, self.height)
        parts = self.edge.parts(content, small)
        foreground = self._paint_faded(parts.foreground, mix)
        if mix.background is None or mix.background.painted == 0:
            background = parts.background
        else:
            background = self._paint_background(parts.background, mix.background)
        return self.edge.join(parts, small, foreground, background)

    def _paint_regions(self, edge: Edge, content: Picture, alphas: Alpha, mix: Mix) -> Picture:
        """Paint what is in no region, and over it each region, the topmost last."""
        small = [resize(alpha, self.width, self.height) for alpha in np.moveaxis(alphas, 2, 0)]
        painting = content
        if mix.painted > 0:
            rest = edge.parts(content, np.maximum.reduce(small)).background
            painting = self._paint_faded(rest, mix)
        for alpha, region in reversed(list(zip(small, mix.regions))):
            if alpha.any():
                parts = edge.cut(content, alpha)
                painted = self._paint_faded(parts.foreground, region)
                painting = edge.join(parts, alpha, painted, painting)
        return painting

    def _paint_background(self, content: Picture, mix: Mix) -> Picture:
        """Paint the background; an engine with memory must not see the foreground's there."""
        if self.engine.warmup == 0:
            return self._paint_faded(content, mix)
        foreground = self.engine.state()
        self.engine.restore(self.background)
        painting = self._paint_faded(content, mix)
        self.background.clear()
        self.background.update(self.engine.state())
        self.engine.restore(foreground)
        return painting

    def _paint_faded(self, content: Picture, mix: Mix) -> Picture:
        share = compute_painting_share(mix.painted, self.engine.fades_below)
        if share == 0:
            return content
        return fade_to_content(content, self._paint_at_brush_size(content, mix), share)

    def _paint_at_brush_size(self, content: Picture, mix: Mix) -> Picture:
        factor = 2 ** (round(math.log2(mix.brush) * BRUSH_STEPS) / BRUSH_STEPS)
        width, height = max(1, round(self.width * factor)), max(1, round(self.height * factor))
        painting = self.engine.paint(resize(content, width, height)[None], [mix])[0]
        plain = resize(painting, self.width, self.height)
        if factor >= 1:
            return plain
        # Enlarged strokes are blurred and ragged: the content's edges make them crisp again. Near
        # brush 1 there is little to enlarge.
        share = min(1.0, -math.log2(factor))
        guided = enlarge_guided(painting, resize(content, self.width, self.height))
        return fade_to_content(plain, guided, share)
