"""What happens to a frame after it is painted: stabilizing, compositing, writing.

`StabilizerStage` and `FrameWriter` each run in a thread of their own. Frames and the ends of chunks
pass through both in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vst.checkpoint.handover import Handover, WarmStart, encode_start
from vst.core.types import Frame, Picture
from vst.imaging.color import CONTENT_SHARES, ONLY, mix_content_color
from vst.imaging.compositing import compute_painting_share, fade_to_content
from vst.imaging.deep_color import apply_difference
from vst.imaging.exr_file import code_mask
from vst.imaging.palette import recolor_by_palette
from vst.masks.base import Alpha, blend
from vst.pipeline.parts import PipelineParts
from vst.schedule.timeline import Mix

EDGE_REACH = 0.004
"""Width of the mask's edge, as a part of the picture's longer side."""


@dataclass(frozen=True)
class PendingFrame:
    """A frame that was painted and waits for the stabilizer."""

    frame: Frame
    alpha: Alpha | None
    mix: Mix
    new_scene: bool


@dataclass(frozen=True)
class PaintedFrame:
    """A frame with its content and its painting, both at the painting's size."""

    pending: PendingFrame
    content: Picture
    painting: Picture


@dataclass(frozen=True)
class ChunkBoundary:
    """Comes between painted frames where a chunk begins: ``start`` is what it starts from."""

    start: Handover | WarmStart


@dataclass(frozen=True)
class ChunkEnd:
    """Comes between stabilized frames where a chunk ends."""

    start: Handover | WarmStart


StabilizedFrame = tuple[PendingFrame, Picture]
"""A frame with what belongs to it, and its stabilized painting."""


class StabilizerStage:
    """Passes painted frames through the stabilizer, in order, and on to ``write``.

    None comes before a new scene: pending frames are passed on, and the stabilizer is reset.
    ``done`` counts the frames passed on, from ``first_written`` on.
    """

    def __init__(
        self,
        parts: PipelineParts,
        pending: deque[PendingFrame],
        write: Callable[[StabilizedFrame | ChunkEnd], None],
        first_written: int,
    ) -> None:
        self.stabilizer = parts.stabilizer
        self.pending, self.write, self.first_written = pending, write, first_written
        self.done = 0

    def __call__(self, item: PaintedFrame | ChunkBoundary | None) -> None:
        if item is None:
            self.flush()
            self.stabilizer.reset()
        elif isinstance(item, ChunkBoundary):
            self.write(ChunkEnd(item.start))
        else:
            self.pending.append(item.pending)
            self.stabilizer.set_mix(item.pending.mix)
            self._pass_on(self.stabilizer.step(item.content, item.painting))

    def flush(self) -> None:
        """Pass on the frames that the stabilizer still has."""
        self._pass_on(self.stabilizer.flush())

    def _pass_on(self, pictures: list[Picture]) -> None:
        for picture in pictures:
            pending = self.pending.popleft()
            self.done += pending.frame.index >= self.first_written
            self.write((pending, picture))


class FrameWriter:
    """Composites stabilized frames with their content and writes those from ``first_written`` on;
    those before it only warm up the trail, unless its state was restored.
    """

    def __init__(
        self, parts: PipelineParts, first_written: int, *, trail_is_restored: bool = False
    ) -> None:
        self.parts, self.first_written = parts, first_written
        self.trail_is_restored = trail_is_restored

    def __call__(self, item: StabilizedFrame | ChunkEnd) -> None:
        if isinstance(item, ChunkEnd):
            self._end_chunk(item.start)
            return
        pending, painting = item
        frame, trail = pending.frame, self.parts.trail
        is_written = frame.index >= self.first_written
        if not is_written and (trail is None or self.trail_is_restored):
            return
        if self.parts.painted is not None:
            painting = self.parts.painted.cover(frame, painting)
        picture = composite(pending, painting, self.parts.painter.engine.fades_below)
        if trail is not None:
            if pending.new_scene:
                trail.reset()
            picture = trail.step(picture)
        if is_written:
            if pending.alpha is not None:
                self._write_mattes(frame, pending.alpha)
            deep = None
            if frame.deep is not None:
                apply = apply_difference if self.parts.hdr is None else self.parts.hdr
                deep = apply(frame.deep, frame.picture, picture)
            self.parts.sink.write(Frame(frame.index, frame.time, picture, frame.alpha, deep))

    def _write_mattes(self, frame: Frame, alpha: Alpha) -> None:
        layers = [alpha] if alpha.ndim == 2 else np.moveaxis(alpha, 2, 0)
        for sink, layer in zip(self.parts.mattes, layers):
            names = sink.spec.names
            coded = code_mask(layer) if names is not None and names.codec == "exr" else layer
            sink.write(Frame(frame.index, frame.time, cv2.cvtColor(coded, cv2.COLOR_GRAY2RGB)))

    def _end_chunk(self, start: Handover | WarmStart) -> None:
        trail = self.parts.trail
        if isinstance(start, Handover) and trail is not None:
            start = replace(start, trail=trail.state())
        self.parts.sink.end_chunk(encode_start(start))


def composite(pending: PendingFrame, painting: Picture, fades_below: float) -> Picture:
    """The painting at the content's size: recolored, faded by its strength, over the background."""
    content, mix, alpha = pending.frame.picture, pending.mix, pending.alpha
    if alpha is None:
        share = compute_painting_share(mix.painted, fades_below)
        return fade_to_content(content, recolor(mix, content, painting), share)
    if mix.regions:
        return composite_regions(content, mix, alpha, painting)
    # The painter has faded foreground and background apart already.
    is_whole = mix.background is not None and mix.background.painted > 0
    counted = None if is_whole else alpha
    whole = fade_to_content(content, recolor(mix, content, painting, counted), 1.0)
    if is_whole:
        return whole
    # A background that is not painted is the content itself, not what came back from the size of
    # the painting.
    return blend(whole, content, widen(alpha))


def composite_regions(content: Picture, mix: Mix, alphas: Alpha, painting: Picture) -> Picture:
    """The painting of several regions at the content's size, each recolored as its mix asks for."""
    union = np.asarray(alphas.max(axis=2), np.uint8)
    whole = content
    if mix.painted > 0:
        rest = recolor(mix, content, painting, np.asarray(255 - union, np.uint8))
        whole = fade_to_content(content, rest, 1.0)
    for alpha, region in reversed(list(zip(np.moveaxis(alphas, 2, 0), mix.regions))):
        if alpha.any() and region.painted > 0:
            own = np.ascontiguousarray(alpha)
            part = fade_to_content(content, recolor(region, content, painting, own), 1.0)
            whole = blend(part, whole, widen(own) if mix.painted == 0 else own)
    return whole


def widen(alpha: Alpha) -> Alpha:
    """Widen an alpha by a few pixels, in which the edge has parted foreground and background."""
    reach = 1 + 2 * max(2, round(EDGE_REACH * max(alpha.shape[:2])))
    near = cv2.dilate(alpha, np.ones((reach, reach), np.uint8))
    return np.asarray(cv2.blur(near, (reach, reach)), np.uint8)


def recolor(mix: Mix, content: Picture, painting: Picture, counted: Alpha | None = None) -> Picture:
    """The painting with the content's colors, or the content with the painting's, as far as the mix
    asks for them, at the content's size then. ``counted``: the part whose colors are painted.
    """
    palette = mix.palette or {mix.colors: 1.0}
    only = palette.get(ONLY, 0.0)
    if only > 0:
        graded = recolor_by_palette(content, painting, counted)
        rest = {name: part / (1 - only) for name, part in palette.items() if name != ONLY}
        if not rest or only >= 1:
            return graded
        other = recolor(replace(mix, palette=rest), content, painting, counted)
        return fade_to_content(other, graded, only)
    share = sum(CONTENT_SHARES[name] * part for name, part in palette.items())
    if share == 0:
        return painting
    return mix_content_color(content, fade_to_content(content, painting, 1.0), share=share)
