"""The loop: source -> batch -> painter -> stabilizer -> compositing -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vst.checkpoint.handover import ChunkStart, Handover, WarmStart
from vst.checkpoint.planner import ChunkRule
from vst.core.threads import opencv_on, share
from vst.core.types import OnProgress, Progress
from vst.core.workers import Ahead, Behind
from vst.imaging.compositing import scaled
from vst.pipeline.frames import MaskedFrame
from vst.pipeline.painter import FrameBatch
from vst.pipeline.parts import PipelineParts
from vst.pipeline.stages import (
    ChunkBoundary,
    FrameWriter,
    PaintedFrame,
    PendingFrame,
    StabilizerStage,
)
from vst.video.scene_cuts import CutDetector

AHEAD = 3
"""Frames, rounded up to whole batches, that may wait to be painted."""
STABILIZED = 2
"""Frames that may wait for the stabilizer, besides those of one batch."""
BEHIND = 3
"""Frames that may wait to be written."""
PAINT = "paint"
"""The stage of the `Progress` that counts frames."""


@dataclass(frozen=True)
class LoopResult:
    """Frames written, the clock (``time.perf_counter``) when the first one was read, and whether
    the video has ended, not only a chunk.
    """

    frames: int
    first_read: float
    whole: bool = True


@dataclass(frozen=True)
class Chunking:
    """How the loop cuts a video into chunks.

    ``start``: what the first chunk starts from; None: the video's first frame. ``continues`` is
    asked at the end of each chunk whether the next one is to be painted. ``following``: a start
    that the next chunk is known to need no more than; else it gets all that is remembered.
    """

    rule: ChunkRule
    continues: Callable[[], bool]
    start: ChunkStart | None = None
    following: WarmStart | None = None


def run_loop(
    parts: PipelineParts,
    frames: Iterable[MaskedFrame],
    total: int | None,
    on_progress: OnProgress,
    chunking: Chunking | None = None,
    patience: float | None = None,
) -> LoopResult:
    """Paint every frame and write it: one thread reads, this one paints, one stabilizes, one
    writes.

    Only a few batches are in memory, and the frames that the stabilizer looks ahead. With
    ``chunking`` the sink gets the end of each chunk, and reading, painting and writing go on across
    it. ``patience``: seconds without progress after which reading or writing raises `StalledError`.
    """
    started = time.perf_counter()
    frames = iter(frames)
    start = chunking.start if chunking is not None else None
    pending = restore_parts(parts, frames, start)
    first_written = start.first_written if start is not None else 0
    painter, size = parts.painter, parts.painter.engine.batch
    groups = group_frames(frames, size, painter.width, painter.height, chunking)
    ahead = Ahead(groups, -(-AHEAD // size), patience)
    write = Behind(FrameWriter(parts, first_written), BEHIND, patience)
    stage = StabilizerStage(parts, pending, write, first_written)
    # Whatever hangs after the stabilizer is detected by the patience of ``write``.
    stabilize = Behind(stage, size + STABILIZED)
    # Left in the order write, stabilize, ahead: nobody waits for a thread that has ended.
    with opencv_on(share(parts.threads).opencv), ahead, stabilize, write:
        for batch in ahead:
            if batch.new_scene:
                stabilize(None)
                painter.reset()
            if chunking is not None and batch.chunk_start is not None:
                stabilize(ChunkBoundary(batch, painter.state(), chunking.following))
                if not chunking.continues():
                    stabilize.finish()
                    write.finish()
                    return LoopResult(stage.done, started, whole=False)
            for painted in paint_batch(parts, batch):
                stabilize(painted)
            seconds = time.perf_counter() - started
            detail = {"painting": painted.painting}
            on_progress(Progress(PAINT, stage.done, total, seconds, detail))
        stabilize.finish()
        stage.flush()
        write.finish()
    on_progress(Progress(PAINT, stage.done, total, time.perf_counter() - started))
    return LoopResult(stage.done, started)


def paint_batch(parts: PipelineParts, batch: FrameBatch) -> list[PaintedFrame]:
    """Paint the frames of a batch, each in the mix of its own time."""
    mixes = [parts.mix_at(frame.time) for frame in batch.frames]
    painted = []
    for index, painting in enumerate(parts.painter.paint(batch, mixes)):
        new_scene = batch.new_scene and index == 0
        pending = PendingFrame(batch.frames[index], batch.alphas[index], mixes[index], new_scene)
        painted.append(PaintedFrame(pending, batch.contents[index], painting))
    return painted


def group_frames(
    frames: Iterable[MaskedFrame],
    size: int,
    width: int,
    height: int,
    chunking: Chunking | None = None,
) -> Iterator[FrameBatch]:
    """Group frames by at most ``size`` of one scene and chunk, with copies of ``width`` x
    ``height``.
    """
    cuts = CutDetector()
    start = chunking.start if chunking is not None else None
    if start is not None:
        cuts.restore(start.cuts)
    batch = FrameBatch(new_scene=start is None)
    begin = start.first_painted if start is not None else 0
    for frame, alpha in frames:
        content = scaled(frame.picture, width, height)
        before_frame = cuts.state() if chunking is not None else None
        cut = cuts.is_cut(content)
        length = frame.index - begin
        ends = chunking is not None and length > 0 and chunking.rule.ends(begin, length, cut)
        if cut or ends or len(batch.frames) == size:
            if batch.frames:
                yield batch
            batch = FrameBatch(new_scene=cut, chunk_start=before_frame if ends else None)
        begin = frame.index if ends else begin
        batch.frames.append(frame)
        batch.contents.append(content)
        batch.alphas.append(alpha)
    if batch.frames:
        yield batch


def restore_parts(
    parts: PipelineParts, frames: Iterator[MaskedFrame], start: ChunkStart | None
) -> deque[PendingFrame]:
    """Bring the parts into the state that a chunk starts from; returns the frames that the
    stabilizer holds there, taken from ``frames``.
    """
    pending: deque[PendingFrame] = deque()
    if not isinstance(start, Handover):
        # The parts may have painted another chunk before, and hold some of it.
        parts.stabilizer.flush()
        parts.stabilizer.reset()
        if parts.trail is not None:
            parts.trail.reset()
        return pending
    parts.stabilizer.restore(start.stabilizer)
    parts.painter.restore(start.painter)
    if parts.trail is not None:
        parts.trail.restore(start.trail)
    for new_scene, (frame, alpha) in zip(start.scenes, frames):
        pending.append(PendingFrame(frame, alpha, parts.mix_at(frame.time), new_scene))
    return pending
