"""The work of a job: its frames painted in one go or chunk by chunk, stopped and taken up again."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from vst.checkpoint import store as chunks
from vst.checkpoint.fingerprint import fingerprint_job
from vst.checkpoint.planner import ChunkPlan, ChunkRule, WarmupNeed, checksum_picture
from vst.checkpoint.sink import ChunkSink, ChunkWriter
from vst.checkpoint.store import ChunkFolder
from vst.core.limits import check_frames
from vst.core.locks import check_free
from vst.core.types import Frame, OnProgress, Progress, VideoInfo
from vst.errors import Cancelled, MediaError
from vst.imaging.compositing import scaled
from vst.job import Job, span
from vst.masks.base import Mask
from vst.pipeline.loop import (
    Chunking,
    LoopResult,
    MaskedFrame,
    PipelineParts,
    is_warm_start,
    run_loop,
)
from vst.pipeline.memory_estimate import check_estimated_memory
from vst.pipeline.painter import FrameBatch
from vst.stabilizers import STABILISERS
from vst.video.retime import fading, retime_frames
from vst.video.sinks import detect_sink_kind
from vst.video.sinks.atomic_output import LOCK, get_working_folder
from vst.video.sources.base import Source
from vst.video.sources.rate import resample

ENDLESS_WARMUP = 96
"""Frames that warm up what remembers all of a scene (docs/cluster.md has the measurement)."""


@dataclass
class RunControl:
    """How a job is stopped from outside, and seen to be alive. ``armed``: there are chunks to stop
    at the end of; ``asked``: stop at the end of this one. ``beat``: when (``time.monotonic``) the
    last step was done; None where no steps are expected. ``pulse`` gives a value that changes
    while something is done that has no steps.
    """

    armed: bool = False
    asked: bool = False
    beat: float | None = None
    patience: float = 0.0
    pulse: Callable[[], object] | None = None

    def heard(self, on_progress: OnProgress) -> OnProgress:
        """Takes each event as a step done, and hands it on."""

        def listen(progress: Progress) -> None:
            if self.beat is not None:
                self.beat = time.monotonic()
            on_progress(progress)

        return listen


@contextlib.contextmanager
def watch_output(job: Job, stop: RunControl) -> Iterator[None]:
    """While the output is put together, its growing files tell that the job is alive."""
    output = Path(job.output)
    stop.patience, stop.beat = job.patience, time.monotonic()
    stop.pulse = lambda: _list_sizes(get_working_folder(output), chunks.get_chunk_folder(output))
    try:
        yield
    finally:
        stop.beat = stop.pulse = None


def _list_sizes(*folders: Path) -> list[tuple[str, int]]:
    """The files of working folders, with their sizes."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                found.append((path.name, path.stat().st_size))
    return sorted(found)


@contextlib.contextmanager
def open_chunks(job: Job, info: VideoInfo, workers: int = 1) -> Iterator[ChunkFolder | None]:
    """The folder of the job's chunks, for a video that is longer than one; it stays if the output
    does not become whole, and then a `Cancelled` says how to go on.
    """
    output = Path(job.output)
    if not has_chunks(job, info):
        # The sink holds its own place; a run with chunks works elsewhere.
        check_free(chunks.get_chunk_folder(output) / chunks.LOCK, repr(job.output))
        yield None
        return
    check_free(get_working_folder(output) / LOCK, repr(job.output))
    rate, lookahead = float(job.fps or info.rate), STABILISERS[job.stabilise]().lookahead
    rule = ChunkRule.of(chunks.SECONDS, rate, lookahead, count_frames(job, info), workers)
    folder = ChunkFolder(output, fingerprint_job(job), job.as_dict(), rule)
    keep = True
    try:
        yield folder
        keep = job.keep_chunks
    except Cancelled as error:
        if folder.chunks:
            raise Cancelled(
                f"stopped; {folder.frames} frames are kept; go on with: vst resume {job.output}"
            ) from error
        raise
    finally:
        folder.close(keep=keep)


def has_chunks(job: Job, info: VideoInfo) -> bool:
    """Whether the job is painted in chunks: a video, not a GIF or folder, that is long enough."""
    seconds = count_frames(job, info) / float(job.fps or info.rate)
    return seconds > chunks.SECONDS and detect_sink_kind(job.output) == "video"


def get_warmup_need(job: Job, warmup: int) -> WarmupNeed:
    """What a chunk that takes over nothing needs of the frames before it; ``warmup`` is what the
    engine needs.
    """
    stabiliser = STABILISERS[job.stabilise]()
    endless = stabiliser.warmup is None or job.mask is not None  # a mask's edge remembers too
    needed = (ENDLESS_WARMUP if endless else stabiliser.warmup or 0) + warmup + fading(job.ghost)
    return WarmupNeed(needed, stabiliser.lookahead, endless)


class ChangeGuard:
    """Tells whether a file was changed or removed since this was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = self._now()

    def check(self) -> None:
        """Raise `MediaError` if it was."""
        if self._now() != self._before:
            raise MediaError(
                f"{str(self.path)!r} was changed or removed while it was read; run again"
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_size, found.st_mtime_ns) if self.path.is_file() else (0, 0)


@dataclass(frozen=True)
class RenderSession:
    """The painting of a job's frames, in one go or chunk by chunk."""

    job: Job
    source: Source
    line: PipelineParts
    mask: Mask | None
    stop: RunControl
    unchanged: ChangeGuard
    on_progress: OnProgress

    def piece(
        self, piece: ChunkPlan, rule: ChunkRule, carried: dict[str, Any] | None = None
    ) -> LoopResult:
        """Paint one chunk; ``carried`` is what the one before has left, if that is there."""
        sink = self.line.sink
        assert isinstance(sink, ChunkWriter)
        sink.begin(piece.number)
        if carried is None and piece.start is not None:
            carried = piece.start.as_state()
        self.line.easel.reset()
        passed = self._run(Chunking(rule, lambda: False, carried, piece.leaves), 0)
        if passed.whole:
            sink.end_line()
        return passed

    def done(self, folder: ChunkFolder | None) -> LoopResult:
        """Paint what is missing."""
        self.stop.patience, self.stop.beat = self.job.patience, time.monotonic()
        try:
            return self._run(None, 0) if folder is None else self._in_chunks(folder)
        finally:
            self.stop.beat = None

    def _in_chunks(self, folder: ChunkFolder) -> LoopResult:
        sink, stop = self.line.sink, self.stop
        assert isinstance(sink, ChunkSink)
        assert folder.rule is not None
        first_read, frames = time.perf_counter(), 0
        while (number := folder.missing) is not None:
            numbers = iter(range(number + 1, sys.maxsize))

            def go_on(numbers: Iterator[int] = numbers) -> bool:
                self.unchanged.check()
                return next(numbers) not in folder.chunks and not stop.asked

            sink.begin(number)
            chunking = Chunking(folder.rule, go_on, folder.carried_into(number))
            stop.armed = True
            passed = self._run(chunking, folder.frames)
            frames += passed.frames
            if passed.whole:
                sink.end_line()
                break
            if stop.asked and folder.missing is not None:
                raise Cancelled("stopped")
        stop.armed = False
        return LoopResult(frames, first_read)

    def _run(self, chunking: Chunking | None, before: int) -> LoopResult:
        carried = chunking.carried if chunking is not None else None
        total = max(0, count_frames(self.job, self.source.info) - before)
        shots = self._shots(carried)
        if carried is not None and is_warm_start(carried):
            self._recall(carried)
        heard = self.stop.heard(self.on_progress)
        return run_loop(self.line, shots, total, heard, chunking, self.job.patience)

    def _shots(self, carried: dict[str, Any] | None) -> Iterator[MaskedFrame]:
        """The frames with their masks, from the first one that the chunk reads.

        A plain content is read from there on; if that frame is another than before, and where
        frames are made of others or the mask remembers, all before it are read again.
        """
        if carried is None:
            return self._all_shots()
        index, first = int(carried["index"]), float(carried["first"])
        if self.mask is None and self.job.speed == 1 and self.job.fps is None:
            frames = self.source.frames(first, self.job.end)
            head = next(frames, None)
            if (
                head is not None
                and head.time == first
                and carried.get("checksum", checksum_picture(head.picture))
                == checksum_picture(head.picture)
            ):
                return pair_without_mask(
                    Frame(index + place, frame.time, frame.picture)
                    for place, frame in enumerate(chain([head], frames))
                )
        return islice(self._all_shots(), index, None)

    def _recall(self, carried: dict[str, Any]) -> None:
        """Let the engine see the frame of the scene, before those that warm a chunk up, that it
        would remember.
        """
        easel = self.line.easel
        easel.reset()
        times = carried["earlier"]
        for place, moment in enumerate(times):
            mix = self.line.mix_at(float(moment))
            if not any(easel.engine.remembers(each) for each in (mix, mix.ground) if each):
                continue
            index = int(carried["index"]) - len(times) + place
            frame, alpha = next(islice(self._shots({"index": index, "first": float(moment)}), 1))
            batch = FrameBatch([frame], [scaled(frame.picture, easel.width, easel.height)], [alpha])
            easel.paint(batch, [mix])
            if easel.edge is not None:
                easel.edge.reset()
            return

    def _all_shots(self) -> Iterator[MaskedFrame]:
        frames = read_frames(self.job, self.source)
        return self.mask.apply(frames) if self.mask is not None else pair_without_mask(frames)


def count_frames(job: Job, info: VideoInfo) -> int:
    """How many frames the output has, as far as the content's header can be believed."""
    return round(span(job, info) / job.speed * float(job.fps or info.rate))


def check_limits(job: Job, info: VideoInfo) -> None:
    """Raise `LimitError` where the job is larger than its limits allow."""
    check_frames(repr(job.content), count_frames(job, info), job.max_frames)
    check_estimated_memory(job, info)


def read_frames(job: Job, source: Source) -> Iterator[Frame]:
    """The frames that are painted: a part of the content, at another rate or speed if wanted."""
    frames = source.frames(job.start, job.end)
    if job.speed != 1:
        return retime_frames(frames, job.speed, job.fps or source.info.rate)
    return resample(frames, job.fps) if job.fps is not None else frames


def pair_without_mask(frames: Iterable[Frame]) -> Iterator[MaskedFrame]:
    """Each frame, with no mask."""
    return ((frame, None) for frame in frames)
