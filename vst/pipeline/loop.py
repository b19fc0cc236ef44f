"""The loop: source -> batch -> painter -> stabilizer -> compositing -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vst.checkpoint.handover import ChunkStart, Handover, ReadPoint, WarmStart
from vst.checkpoint.planner import ChunkRule, StartFinder, WarmupNeed
from vst.core.state_io import State
from vst.core.threads import limit_opencv_threads, share_cores
from vst.core.types import Frame, OnProgress, Progress
from vst.core.workers import PatientCaller, ReadAhead, WriteBehind
from vst.imaging.resize import resize
from vst.pipeline.frames import MaskedFrame
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.pipeline.parts import PipelineParts
from vst.pipeline.stages import (
    ChunkBoundary,
    FrameWriter,
    PaintedFrame,
    PendingFrame,
    StabilizerStage,
)
from vst.video.scene_cuts import CutDetector
from vst.video.sinks.memory import MemorySink

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
    that the next chunk is known to need no more than; else it gets what painter and trail remember.
    ``need``: the frames that warm a chunk up.
    """

    rule: ChunkRule
    continues: Callable[[], bool]
    start: ChunkStart | None = None
    following: WarmStart | None = None
    need: WarmupNeed = WarmupNeed(0)


def run_loop(
    parts: PipelineParts,
    frames: Iterable[MaskedFrame],
    total: int | None,
    on_progress: OnProgress,
    chunking: Chunking | None = None,
    patience: float | None = None,
) -> LoopResult:
    """Paint every frame and write it: one thread reads, one paints, one stabilizes, one writes, and
    this one passes the frames on.

    Only a few batches are in memory, and the frames that the stabilizer looks ahead. With
    ``chunking`` the sink gets the end of each chunk, and reading, painting and writing go on across
    it. ``patience``: seconds without progress after which reading, painting or writing raises
    `StalledError`.
    """
    started = time.perf_counter()
    frames = iter(frames)
    start = chunking.start if chunking is not None else None
    restore_parts(parts, start)
    pending: deque[PendingFrame] = deque()
    first_written = start.first_written if start is not None else 0
    painter, size = parts.painter, parts.painter.engine.batch
    groups = group_frames(frames, size, painter.width, painter.height, chunking)
    ahead = ReadAhead(groups, -(-AHEAD // size), patience)
    restored = isinstance(start, Handover)
    writer = FrameWriter(parts, first_written, trail_is_restored=restored)
    write = WriteBehind(writer, BEHIND, patience)
    stage = StabilizerStage(parts, pending, write, first_written)
    # Whatever hangs after the stabilizer is detected by the patience of ``write``.
    stabilize = WriteBehind(stage, size + STABILIZED)

    def report(detail: dict[str, Any] | None = None) -> None:
        seconds = time.perf_counter() - started
        on_progress(Progress(PAINT, stage.done, total, seconds, detail or {}))

    call = PatientCaller("painting", patience)
    # Left in the order call, write, stabilize, ahead: nobody waits for a thread that has ended.
    with limit_opencv_threads(share_cores(parts.threads).opencv), ahead, stabilize, write, call:
        paint = partial(call, paint_batch, parts)
        whole = paint_batches(parts.painter, ahead, paint, stabilize, report, chunking)
        stabilize.finish()
        if whole:
            stage.flush()
        write.finish()
    if whole:
        report()
    return LoopResult(stage.done, started, whole)


def paint_batches(
    painter: FramePainter,
    batches: Iterable[FrameBatch],
    paint: Callable[[FrameBatch], list[PaintedFrame]],
    stabilize: Callable[[PaintedFrame | ChunkBoundary | None], None],
    report: Callable[[dict[str, Any]], None],
    chunking: Chunking | None,
) -> bool:
    """Paint all batches and pass the frames and the ends of chunks on; whether the video has ended,
    not only a chunk.
    """
    snapshots = PainterSnapshots(painter)
    for batch in batches:
        if batch.new_scene:
            stabilize(None)
            painter.reset()
        if batch.is_read_point:
            snapshots.add(batch.frames[0].index)
        if chunking is not None and batch.chunk_start is not None:
            following = chunking.following or snapshots.make_handover(batch.chunk_start)
            stabilize(ChunkBoundary(following))
            if not chunking.continues():
                return False
        for painted in paint(batch):
            stabilize(painted)
        report({"painting": painted.painting})
    return True


def paint_on_demand(
    parts: PipelineParts, sink: MemorySink, frames: Iterable[MaskedFrame], first: int = 0
) -> Iterator[Frame]:
    """Paint frames one by one as they are asked for, in this thread, with the same result as
    `run_loop`; ``sink`` is that of ``parts``. Frames before index ``first`` only warm up.
    """
    writer = FrameWriter(parts, first)
    stage = StabilizerStage(parts, deque(), writer, first)
    painter = parts.painter
    for batch in group_frames(frames, painter.engine.batch, painter.width, painter.height):
        if batch.new_scene:
            stage(None)
            painter.reset()
        for painted in paint_batch(parts, batch):
            stage(painted)
        while sink.frames:
            yield sink.frames.pop(0)
    stage.flush()
    while sink.frames:
        yield sink.frames.pop(0)


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
    read_from = start.read_from.index if start is not None else 0
    finder = StartFinder(chunking.need, read_from) if chunking is not None else None
    batch = FrameBatch(new_scene=start is None)
    begin = start.first_painted if start is not None else 0
    for frame, alpha in frames:
        content = resize(frame.picture, width, height)
        before_frame = cuts.state() if chunking is not None else {}
        cut = cuts.is_cut(content)
        ends = marks = False
        if chunking is not None and finder is not None:
            finder.add(ReadPoint.of(frame), before_frame, cut)
            length = frame.index - begin
            ends = length > 0 and chunking.rule.ends(begin, length, cut)
            begin = frame.index if ends else begin
            reach = chunking.need.reach
            marks = chunking.rule.is_start_of_warmup(begin, frame.index, reach)
        if cut or ends or marks or len(batch.frames) == size:
            if batch.frames:
                yield batch
            following = finder.make_start() if finder is not None and ends else None
            batch = FrameBatch(new_scene=cut, chunk_start=following, is_read_point=marks)
        batch.frames.append(frame)
        batch.contents.append(content)
        batch.alphas.append(alpha)
    if batch.frames:
        yield batch


def restore_parts(parts: PipelineParts, start: ChunkStart | None) -> None:
    """Bring the parts into the state that a chunk starts from: they may have painted another chunk
    before, and hold some of it.
    """
    parts.stabilizer.flush()
    parts.stabilizer.reset()
    parts.stabilizer.seek(start.read_from.index if start is not None else 0)
    if isinstance(start, Handover):
        parts.painter.reset()
        if start.painter:
            parts.painter.restore(start.painter)
    if parts.trail is not None:
        parts.trail.reset()
        if isinstance(start, Handover):
            parts.trail.restore(start.trail)


class PainterSnapshots:
    """What the painter remembered before the frames from which chunks read."""

    def __init__(self, painter: FramePainter) -> None:
        self.painter = painter
        self._states: dict[int, State] = {}

    def add(self, index: int) -> None:
        """Keep the painter's state before frame ``index``, which it paints next."""
        self._states[index] = self.painter.state()

    def make_handover(self, start: WarmStart) -> Handover:
        """All that a chunk starts from. A painter whose scene starts with the chunk's first frame
        remembers nothing.
        """
        found = self._states.get(start.read_from.index, {})
        self._states = {k: v for k, v in self._states.items() if k > start.read_from.index}
        return Handover(replace(start, earlier=[]), found)
