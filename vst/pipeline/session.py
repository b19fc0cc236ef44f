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
from vst.checkpoint.fingerprint import about_job
from vst.checkpoint.planner import Piece, Reach, Rule, checksum
from vst.checkpoint.sink import ChunkSink, ChunkWriter
from vst.checkpoint.store import ChunkFolder
from vst.core.limits import check_frames
from vst.core.locks import check_free
from vst.core.types import Frame, OnProgress, Progress, VideoInfo
from vst.errors import Cancelled, MediaError
from vst.imaging.compositing import scaled
from vst.job import Job, span
from vst.masks.base import Mask
from vst.pipeline.loop import Chunking, Line, Passed, Shot, is_warm_start, run_line
from vst.pipeline.memory_estimate import check_needed
from vst.pipeline.painter import Batch
from vst.stabilizers import STABILISERS
from vst.video.retime import fading, retimed
from vst.video.sinks import kind_of
from vst.video.sinks.place import LOCK, hidden_folder
from vst.video.sources.base import Source
from vst.video.sources.rate import resample

ENDLESS = 96
"""Frames that warm up what remembers all of a scene (docs/cluster.md has the measurement)."""


@dataclass
class Stop:
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
def finishing(job: Job, stop: Stop) -> Iterator[None]:
    """While the output is put together, its growing files tell that the job is alive."""
    output = Path(job.output)
    stop.patience, stop.beat = job.patience, time.monotonic()
    stop.pulse = lambda: _written(hidden_folder(output), chunks.folder_of(output))
    try:
        yield
    finally:
        stop.beat = stop.pulse = None


def _written(*folders: Path) -> list[tuple[str, int]]:
    """The files of working folders, with their sizes."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                found.append((path.name, path.stat().st_size))
    return sorted(found)


@contextlib.contextmanager
def chunks_of(job: Job, info: VideoInfo, workers: int = 1) -> Iterator[ChunkFolder | None]:
    """The folder of the job's chunks, for a video that is longer than one; it stays if the output
    does not become whole, and then a `Cancelled` says how to go on.
    """
    output = Path(job.output)
    if not has_chunks(job, info):
        # The sink holds its own place; a run with chunks works elsewhere.
        check_free(chunks.folder_of(output) / chunks.LOCK, repr(job.output))
        yield None
        return
    check_free(hidden_folder(output) / LOCK, repr(job.output))
    rate, lookahead = float(job.fps or info.rate), STABILISERS[job.stabilise]().lookahead
    rule = Rule.of(chunks.SECONDS, rate, lookahead, frames_in_all(job, info), workers)
    folder = ChunkFolder(output, about_job(job), job.as_dict(), rule)
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
    seconds = frames_in_all(job, info) / float(job.fps or info.rate)
    return seconds > chunks.SECONDS and kind_of(job.output) == "video"


def reach_of(job: Job, warmup: int) -> Reach:
    """What a chunk that takes over nothing needs of the frames before it; ``warmup`` is what the
    engine needs.
    """
    stabiliser = STABILISERS[job.stabilise]()
    endless = stabiliser.warmup is None or job.mask is not None  # a mask's edge remembers too
    needed = (ENDLESS if endless else stabiliser.warmup or 0) + warmup + fading(job.ghost)
    return Reach(needed, stabiliser.lookahead, endless)


class Unchanged:
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
class Work:
    """The painting of a job's frames, in one go or chunk by chunk."""

    job: Job
    source: Source
    line: Line
    mask: Mask | None
    stop: Stop
    unchanged: Unchanged
    on_progress: OnProgress

    def piece(self, piece: Piece, rule: Rule, carried: dict[str, Any] | None = None) -> Passed:
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

    def done(self, folder: ChunkFolder | None) -> Passed:
        """Paint what is missing."""
        self.stop.patience, self.stop.beat = self.job.patience, time.monotonic()
        try:
            return self._run(None, 0) if folder is None else self._in_chunks(folder)
        finally:
            self.stop.beat = None

    def _in_chunks(self, folder: ChunkFolder) -> Passed:
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
        return Passed(frames, first_read)

    def _run(self, chunking: Chunking | None, before: int) -> Passed:
        carried = chunking.carried if chunking is not None else None
        total = max(0, frames_in_all(self.job, self.source.info) - before)
        shots = self._shots(carried)
        if carried is not None and is_warm_start(carried):
            self._recall(carried)
        heard = self.stop.heard(self.on_progress)
        return run_line(self.line, shots, total, heard, chunking, self.job.patience)

    def _shots(self, carried: dict[str, Any] | None) -> Iterator[Shot]:
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
                and carried.get("checksum", checksum(head.picture)) == checksum(head.picture)
            ):
                return without_mask(
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
            batch = Batch([frame], [scaled(frame.picture, easel.width, easel.height)], [alpha])
            easel.paint(batch, [mix])
            if easel.edge is not None:
                easel.edge.reset()
            return

    def _all_shots(self) -> Iterator[Shot]:
        frames = frames_of(self.job, self.source)
        return self.mask.over(frames) if self.mask is not None else without_mask(frames)


def frames_in_all(job: Job, info: VideoInfo) -> int:
    """How many frames the output has, as far as the content's header can be believed."""
    return round(span(job, info) / job.speed * float(job.fps or info.rate))


def check_fits(job: Job, info: VideoInfo) -> None:
    """Raise `LimitError` where the job is larger than its limits allow."""
    check_frames(repr(job.content), frames_in_all(job, info), job.max_frames)
    check_needed(job, info)


def frames_of(job: Job, source: Source) -> Iterator[Frame]:
    """The frames that are painted: a part of the content, at another rate or speed if wanted."""
    frames = source.frames(job.start, job.end)
    if job.speed != 1:
        return retimed(frames, job.speed, job.fps or source.info.rate)
    return resample(frames, job.fps) if job.fps is not None else frames


def without_mask(frames: Iterable[Frame]) -> Iterator[Shot]:
    """Each frame, with no mask."""
    return ((frame, None) for frame in frames)
