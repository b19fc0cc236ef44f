"""The painting of a job's frames: in one go or chunk by chunk, stopped and resumed."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from vst.checkpoint.fingerprint import fingerprint_job
from vst.checkpoint.handover import ChunkStart, ReadPoint, WarmStart
from vst.checkpoint.planner import ChunkPlan, ChunkRule, WarmupNeed
from vst.checkpoint.sink import ChunkWriter
from vst.checkpoint.store import LOCK as CHUNK_LOCK
from vst.checkpoint.store import ChunkFolder, get_chunk_folder
from vst.core.limits import check_frames
from vst.core.locks import check_unlocked
from vst.core.types import OnProgress, VideoInfo
from vst.errors import Cancelled
from vst.imaging.resize import resize
from vst.imaging.trail import count_fading_frames
from vst.job import Job
from vst.masks.base import Mask
from vst.pipeline.control import RunControl
from vst.pipeline.frames import ChangeGuard, count_frames, read_masked_frames
from vst.pipeline.loop import Chunking, LoopResult, run_loop
from vst.pipeline.memory_estimate import check_estimated_memory
from vst.pipeline.object_files import replace_names
from vst.pipeline.painter import FrameBatch
from vst.pipeline.parts import PipelineParts, make_stabilizer
from vst.video.frame_names import locate_output
from vst.video.sinks import detect_sink_kind
from vst.video.sinks.atomic_output import LOCK, get_working_folder
from vst.video.sinks.gif import MOST_FRAMES
from vst.video.sources.base import Source

CHUNK_SECONDS = 10.0
"""Seconds of a chunk at most; a job that is not longer has no chunks."""
ENDLESS_WARMUP = 96
"""Frames that warm up what remembers a whole scene (docs/cluster.md has the measurement)."""


def check_limits(job: Job, info: VideoInfo) -> None:
    """Raise `LimitError` where the job is larger than its limits allow."""
    check_frames(repr(job.content), count_frames(job, info), job.max_frames)
    check_estimated_memory(job, info)


def has_chunks(job: Job, info: VideoInfo, chunk_seconds: float = CHUNK_SECONDS) -> bool:
    """Whether the job is painted in chunks: one that is long enough, without regions or a mask that
    is written, which are read or written in one go; a GIF where it keeps every frame.
    """
    rate = job.fps or info.rate
    kind = detect_sink_kind(job.output)
    if kind == "gif":
        varies = info.variable and job.fps is None and job.speed == 1
        fits = rate <= MOST_FRAMES and not varies
    else:
        fits = kind != "y4m" and not info.is_stream
    is_long = count_frames(job, info) / float(rate) > chunk_seconds
    return fits and is_long and job.save_mask is None and job.mask_regions is None


def get_warmup_need(job: Job, warmup: int) -> WarmupNeed:
    """What a chunk without a handover needs of the frames before it; ``warmup``: the engine's."""
    stabilizer = make_stabilizer(job)
    endless = job.mask is not None  # its edge remembers the whole scene
    needed = (
        max(ENDLESS_WARMUP if endless else 0, stabilizer.warmup)
        + warmup
        + count_fading_frames(job.ghost)
    )
    return WarmupNeed(needed, stabilizer.lookahead, endless)


@contextlib.contextmanager
def open_chunks(
    job: Job,
    info: VideoInfo,
    control: RunControl,
    workers: int = 1,
    chunk_seconds: float = CHUNK_SECONDS,
) -> Iterator[ChunkFolder | None]:
    """The folder of the job's chunks, for a video that is longer than one. It stays if the output
    does not become whole; a `Cancelled` then says how to resume.
    """
    output = locate_output(job.output)
    if not has_chunks(job, info, chunk_seconds):
        # The sink locks its own folder; a run with chunks works in another one.
        check_unlocked(get_chunk_folder(output) / CHUNK_LOCK, repr(job.output))
        yield None
        return
    check_unlocked(get_working_folder(output) / LOCK, repr(job.output))
    rate, lookahead = float(job.fps or info.rate), make_stabilizer(job).lookahead
    rule = ChunkRule.of(chunk_seconds, rate, lookahead, count_frames(job, info), workers)
    plain = replace_names(job.as_dict(), control.addresses)
    folder = ChunkFolder(output, fingerprint_job(job), rule, plain)
    folder.on_kept = control.keep_chunk
    keep = True
    try:
        yield folder
        keep = job.keep_chunks or control.keeps_chunks
    except Cancelled as error:
        if folder.chunks:
            raise Cancelled(
                f"stopped: {folder.frames} frames are kept. "
                f"Resume with: vst resume {shlex.quote(job.output)}"
            ) from error
        raise
    finally:
        folder.close(keep=keep)


@dataclass(frozen=True)
class RenderSession:
    """Paints a job's frames with the parts that were built for it."""

    job: Job
    source: Source
    parts: PipelineParts
    mask: Mask | None
    control: RunControl
    guard: ChangeGuard
    on_progress: OnProgress

    def paint_all(self) -> LoopResult:
        """Paint the whole video in one go."""
        info = self.source.info
        has_length = not info.is_stream or self.job.end is not None
        return self._run(None, count_frames(self.job, info) if has_length else None)

    def paint_chunk(
        self, plan: ChunkPlan, rule: ChunkRule, sink: ChunkWriter, start: ChunkStart | None = None
    ) -> LoopResult:
        """Paint one chunk; ``start``: what the chunk before has left (None: as planned)."""
        following = plan.following
        if following is not None and following.is_approximate:
            following = None
        sink.begin(plan.number)
        self.parts.painter.reset()
        chunking = Chunking(
            rule, lambda: False, start or plan.start, following, self._handover_need
        )
        result = self._run(chunking, count_frames(self.job, self.source.info))
        if result.whole:
            sink.end_video()
        return result

    def paint_missing(self, folder: ChunkFolder, sink: ChunkWriter) -> LoopResult:
        """Paint the chunks that are missing in ``folder``; raises `Cancelled` where the control
        asks to stop.
        """
        first_read, frames = time.perf_counter(), 0
        all_frames = count_frames(self.job, self.source.info)
        while (number := folder.missing) is not None:
            sink.begin(number)
            continues = _Continuation(self.guard, self.control, folder, number)
            start = folder.load_start(number)
            chunking = Chunking(folder.rule, continues, start, need=self._handover_need)
            self.control.paints_chunks = True
            result = self._run(chunking, max(0, all_frames - folder.frames))
            frames += result.frames
            if result.whole:
                sink.end_video()
                break
            if self.control.stop_requested and folder.missing is not None:
                raise Cancelled("stopped")
        self.control.paints_chunks = False
        return LoopResult(frames, first_read)

    @property
    def _handover_need(self) -> WarmupNeed:
        """What a chunk with a handover needs: painter and trail are restored."""
        stabilizer = self.parts.stabilizer
        return WarmupNeed(stabilizer.warmup, stabilizer.lookahead)

    def _run(self, chunking: Chunking | None, total: int | None) -> LoopResult:
        start = chunking.start if chunking is not None else None
        read_from = start.read_from if start is not None else None
        frames = read_masked_frames(self.job, self.source, self.mask, read_from)
        if isinstance(start, WarmStart):
            self._recall_scene(start)
        patience = self.job.patience
        return run_loop(self.parts, frames, total, self.on_progress, chunking, patience)

    def _recall_scene(self, start: WarmStart) -> None:
        """Show the engine the frame of the scene that it would remember, where that lies before
        the frames that warm the chunk up.
        """
        painter = self.parts.painter
        painter.reset()
        for place, moment in enumerate(start.earlier):
            mix = self.parts.mix_at(moment)
            if not any(painter.engine.remembers(each) for each in (mix, mix.background) if each):
                continue
            index = start.read_from.index - len(start.earlier) + place
            earlier = ReadPoint(index, moment)
            frames = read_masked_frames(self.job, self.source, self.mask, earlier)
            for frame, alpha in islice(frames, 1):
                small = resize(frame.picture, painter.width, painter.height)
                painter.paint(FrameBatch([frame], [small], [alpha]), [mix])
            if painter.edge is not None:
                painter.edge.reset()
            return


@dataclass
class _Continuation:
    """Decides at the end of chunk ``number`` whether the loop goes on with the next one: if that is
    missing, and nobody asked to stop.
    """

    guard: ChangeGuard
    control: RunControl
    folder: ChunkFolder
    number: int

    def __call__(self) -> bool:
        self.guard.check()
        self.number += 1
        return self.number not in self.folder.chunks and not self.control.stop_requested
