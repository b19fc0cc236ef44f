"""The one loop of the house: source -> engine -> stabiliser -> finish -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from vst.checkpoint.planner import ChunkRule, checksum_picture
from vst.core.threads import opencv_on, share
from vst.core.types import Frame, OnProgress, Picture, Progress
from vst.core.workers import Ahead, Behind
from vst.imaging.color import SHARE, luminance_only
from vst.imaging.compositing import finish, painted_share, scaled
from vst.masks.base import Alpha, blend
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.schedule.timeline import Mix, Timeline
from vst.stabilizers.base import Stabiliser
from vst.video.retime import Ghost
from vst.video.scene_cuts import CutDetector
from vst.video.sinks.base import Sink

MaskedFrame = tuple[Frame, Alpha | None]
"""A frame and its mask, where there is one."""

EDGE_REACH = 0.004
"""Part of the picture's longer side up to which the ground is the edge's, not the content's own."""
AHEAD = 3
"""Frames, brought up to whole batches, that may wait to be painted."""
STABILIZED = 2
"""Frames that may wait to be steadied, beside those of one batch."""
BEHIND = 3
"""Frames that may wait to be written."""
PAINT = "paint"
"""The stage of the `Progress` that counts frames."""


@dataclass(frozen=True)
class PipelineParts:
    """The parts that a video runs through, ready to go; ``width`` and ``height`` are the size of
    the painting.
    """

    easel: FramePainter
    timeline: Timeline
    stabiliser: Stabiliser
    sink: Sink
    ghost: Ghost | None = None
    start: float = 0.0
    speed: float = 1.0
    threads: int | None = None
    """Cores that may be used; None: all."""

    def mix_at(self, seconds: float) -> Mix:
        """The mix of the frame that is shown at ``seconds``: the timeline goes by the content's
        clock, which runs ``speed`` times as fast as the output's from ``start`` on.
        """
        return self.timeline.at(self.start + (seconds - self.start) * self.speed)


@dataclass(frozen=True)
class LoopResult:
    """What went through: frames, the clock (``time.perf_counter``) when the first one was read, and
    whether it went to the end, not only to the end of a chunk.
    """

    frames: int
    first_read: float
    whole: bool = True


@dataclass
class Chunking:
    """How a video is cut into chunks. Frames that a stabiliser still holds go to the next chunk.

    ``carried``: what the chunk before has left, where the line does not start at the beginning; its
    first shots are then the frames that waited for the stabiliser. Or, of a chunk that takes over
    nothing, `vst.checkpoint.planner.WarmStart.as_state`: its first shots then warm it up. ``go_on``:
    asked at each chunk's end whether the next one is to be painted. ``leaves``: what a chunk that
    is known to be followed by one that takes over nothing leaves, in place of all that is
    remembered.
    """

    rule: ChunkRule
    go_on: Callable[[], bool]
    carried: dict[str, Any] | None = None
    leaves: dict[str, Any] | None = None

    @property
    def start(self) -> int:
        """The first frame of the first chunk."""
        if self.carried is None:
            return 0
        if is_warm_start(self.carried):
            return int(self.carried["start"])
        return int(self.carried["index"]) + len(self.carried["scenes"])

    @property
    def written(self) -> int:
        """The first frame that is written; those before are painted to warm up."""
        return int(self.carried.get("written", 0)) if self.carried is not None else 0


def is_warm_start(carried: dict[str, Any]) -> bool:
    """Whether a chunk takes over nothing: it is warmed up by some frames before it."""
    return "stabiliser" not in carried


def run_loop(
    line: PipelineParts,
    shots: Iterable[MaskedFrame],
    total: int | None,
    on_progress: OnProgress,
    chunking: Chunking | None = None,
    patience: float | None = None,
) -> LoopResult:
    """Paint every frame and write it: one thread reads, this one paints, one steadies, one writes.

    Nothing is held but a few batches, and what the stabiliser looks ahead. With ``chunking`` the
    sink is told each chunk's end, and reading, painting and writing go on over it side by side.
    ``patience``: seconds after which reading or writing that does not go on is an error.
    """
    started = time.perf_counter()
    shots = iter(shots)
    waiting = restore_parts(line, shots, chunking.carried if chunking is not None else None)
    easel = line.easel
    first = chunking.written if chunking is not None else 0
    size = easel.engine.batch
    prepared = group_frames(shots, size, easel.width, easel.height, chunking)
    ahead = Ahead(prepared, -(-AHEAD // size), patience)
    write = Behind(_make_writer(line, first), BEHIND, patience)
    # What hangs behind the steadying is found out by its own patience.
    steadying = StabilizerStage(line, waiting, write, first)
    steady = Behind(steadying, size + STABILIZED)
    # Left in the order of write, steady, ahead: nobody waits for somebody who has gone.
    with opencv_on(share(line.threads).opencv), ahead, steady, write:
        for batch in ahead:
            if batch.new_scene:
                steady(None)
                easel.reset()
            if chunking is not None and batch.chunk_start is not None:
                steady(ChunkStart(batch, easel.state(), chunking.leaves))
                if not chunking.go_on():
                    steady.finish()
                    write.finish()
                    return LoopResult(steadying.done, started, whole=False)
            mixes = [line.mix_at(frame.time) for frame in batch.frames]
            for index, painting in enumerate(easel.paint(batch, mixes)):
                shot = PendingFrame(
                    batch.frames[index],
                    batch.alphas[index],
                    mixes[index],
                    new_scene=batch.new_scene and index == 0,
                )
                steady(PaintedFrame(shot, batch.contents[index], painting))
            seconds = time.perf_counter() - started
            on_progress(Progress(PAINT, steadying.done, total, seconds, {"painting": painting}))
        steady.finish()
        steadying.let_go()
        write.finish()
    on_progress(Progress(PAINT, steadying.done, total, time.perf_counter() - started))
    return LoopResult(steadying.done, started)


@dataclass(frozen=True)
class PaintedFrame:
    """A frame that has been painted, with its content and its painting, at the painting's size."""

    shot: PendingFrame
    content: Picture
    painting: Picture


@dataclass(frozen=True)
class ChunkStart:
    """Stands among painted frames where a chunk begins with ``batch``; ``easel`` is what the easel
    remembered there; ``leaves``, where it is known, stands for all that is carried over.
    """

    batch: FrameBatch
    easel: dict[str, Any]
    leaves: dict[str, Any] | None = None


class StabilizerStage:
    """Takes what was painted, in order, through the stabiliser, and hands it on to be written.

    None stands before a new scene: what is held is let go of, and the scene forgotten.
    """

    def __init__(
        self,
        line: PipelineParts,
        waiting: deque[PendingFrame],
        write: Behind[StabilizedFrame],
        first: int,
    ) -> None:
        self.line, self.waiting, self.write, self.first = line, waiting, write, first
        self.done = 0

    def __call__(self, item: PaintedFrame | ChunkStart | None) -> None:
        stabiliser = self.line.stabiliser
        if item is None:
            self.let_go()
            stabiliser.reset()
        elif isinstance(item, ChunkStart):
            leaves = item.leaves
            if leaves is not None:
                self.write(ChunkEnd(leaves))
            else:
                self.write(make_handover(self.line, self.waiting, item))
        else:
            self.waiting.append(item.shot)
            stabiliser.told(item.shot.mix)
            self._hand_over(stabiliser.step(item.content, item.painting))

    def let_go(self) -> None:
        """Hand on what is still held."""
        self._hand_over(self.line.stabiliser.flush())

    def _hand_over(self, steady: list[Picture]) -> None:
        """Pass the stabiliser's pictures on, each with the frame that waits for it; those before
        the first one that is written are not counted.
        """
        for painting in steady:
            shot = self.waiting.popleft()
            self.done += shot.frame.index >= self.first
            self.write((shot, painting))


def group_frames(
    shots: Iterable[MaskedFrame],
    size: int,
    width: int,
    height: int,
    chunking: Chunking | None = None,
) -> Iterator[FrameBatch]:
    """Groups of at most ``size`` frames of one scene and chunk, scaled to ``width`` x ``height``
    too.
    """
    cuts = CutDetector()
    carried = chunking.carried if chunking is not None else None
    if carried is not None:
        cuts.restore(carried["cuts"])
    batch = FrameBatch(new_scene=carried is None)
    start = chunking.start if chunking is not None else 0
    for frame, alpha in shots:
        content = scaled(frame.picture, width, height)
        known = cuts.state() if chunking is not None else None
        cut = cuts.is_cut(content)
        inside = frame.index - start
        ends = chunking is not None and inside > 0 and chunking.rule.ends(start, inside, cut)
        if cut or ends or len(batch.frames) == size:
            if batch.frames:
                yield batch
            batch = FrameBatch(new_scene=cut, chunk_start=known if ends else None)
        start = frame.index if ends else start
        batch.frames.append(frame)
        batch.contents.append(content)
        batch.alphas.append(alpha)
    if batch.frames:
        yield batch


@dataclass(frozen=True)
class PendingFrame:
    """A frame that has been painted and waits for the stabiliser."""

    frame: Frame
    alpha: Alpha | None
    mix: Mix
    new_scene: bool


@dataclass(frozen=True)
class ChunkEnd:
    """Stands among the frames to be written where a chunk ends, with what is carried over it."""

    state: dict[str, Any] = field(default_factory=dict)


StabilizedFrame = tuple[PendingFrame, Picture] | ChunkEnd
"""A frame with all that is known of it, and its steady painting."""


def make_handover(line: PipelineParts, waiting: deque[PendingFrame], start: ChunkStart) -> ChunkEnd:
    """What the chunk that begins at ``start`` must know. ``first``: the time of the first frame
    that it has to read, with the ``index`` and a checksum that tell it again.
    """
    batch = start.batch
    first = waiting[0].frame if waiting else batch.frames[0]
    return ChunkEnd(
        {
            "first": first.time,
            "index": first.index,
            "checksum": checksum_picture(first.picture),
            "scenes": [shot.new_scene for shot in waiting],
            "cuts": batch.chunk_start,
            "stabiliser": line.stabiliser.state(),
            "easel": start.easel,
        }
    )


def restore_parts(
    line: PipelineParts, shots: Iterator[MaskedFrame], carried: dict[str, Any] | None
) -> deque[PendingFrame]:
    """Let the parts of the line go on from what `make_handover` told; returns the frames that wait for
    the stabiliser, taken from ``shots``.
    """
    waiting: deque[PendingFrame] = deque()
    if carried is None or is_warm_start(carried):
        # The line may have painted another chunk before, and hold some of it.
        line.stabiliser.flush()
        line.stabiliser.reset()
        if line.ghost is not None:
            line.ghost.reset()
        return waiting
    line.stabiliser.restore(carried["stabiliser"])
    line.easel.restore(carried["easel"])
    if line.ghost is not None:
        line.ghost.restore(carried["ghost"])
    for new_scene, (frame, alpha) in zip(carried["scenes"], shots):
        waiting.append(PendingFrame(frame, alpha, line.mix_at(frame.time), new_scene))
    return waiting


def _make_writer(line: PipelineParts, first: int) -> Callable[[StabilizedFrame], None]:
    """What finishes a painting and writes it, from frame ``first`` on."""

    def write(item: StabilizedFrame) -> None:
        if isinstance(item, ChunkEnd):
            remembers = line.ghost is not None and not is_warm_start(item.state)
            ghost = line.ghost.state() if line.ghost is not None and remembers else {}
            line.sink.end_chunk({**item.state, "ghost": ghost})
            return
        shot, painting = item
        if shot.frame.index < first and line.ghost is None:
            return
        picture = finish_frame(line, shot, painting)
        if line.ghost is not None:
            if shot.new_scene:
                line.ghost.reset()
            picture = line.ghost.step(picture)
        if shot.frame.index >= first:
            line.sink.write(Frame(shot.frame.index, shot.frame.time, picture))

    return write


def finish_frame(line: PipelineParts, shot: PendingFrame, painting: Picture) -> Picture:
    """The painting at the content's size, in its colours, faded by its strength."""
    content, mix = shot.frame.picture, shot.mix
    share = painted_share(mix.painted, line.easel.engine.fades_below)
    if shot.alpha is None:
        return finish(content, recolor(mix, content, painting), share)
    # Figure and ground were faded apart already.
    whole = finish(content, recolor(mix, content, painting), 1.0)
    if mix.ground is not None and mix.ground.painted > 0:
        return whole
    # A ground as filmed is the content itself, not what came back from the size of the painting,
    # up to a few pixels from the figure: there the edge has parted them.
    reach = 1 + 2 * max(2, round(EDGE_REACH * max(content.shape[:2])))
    near = cv2.dilate(shot.alpha, np.ones((reach, reach), np.uint8))
    return blend(whole, content, cv2.blur(near, (reach, reach)))


def recolor(mix: Mix, content: Picture, painting: Picture) -> Picture:
    """The painting, brought to the content's size where it takes colours of the content."""
    palette = mix.palette or {mix.colours: 1.0}
    share = sum(SHARE[name] * part for name, part in palette.items())
    if share == 0:
        return painting
    return luminance_only(content, finish(content, painting, 1.0), share=share)
