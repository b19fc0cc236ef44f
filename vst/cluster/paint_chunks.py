"""A long video, its chunks painted on many machines and joined here."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from vst import __version__
from vst.checkpoint.fingerprint import is_path, list_inputs
from vst.checkpoint.planner import ROUNDS, ChunkPlan, plan_chunks
from vst.checkpoint.store import STATE_SUFFIX, ChunkFolder
from vst.cluster.pool import RETRIED, TaskOutcome, WorkerPool
from vst.cluster.tasks import TRIES, ChunkOrder, ClusterSettings, Task, TaskResult
from vst.cluster.transport import FileTransport, move_into
from vst.core.timecode import format_time
from vst.core.types import OnProgress, Progress, silent
from vst.core.workers import Ahead
from vst.errors import Cancelled, EngineError, OutputError, VSTError
from vst.job import Job
from vst.pipeline.build_schedule import Schedule
from vst.pipeline.loop import LoopResult
from vst.pipeline.run import Result, run
from vst.pipeline.session import (
    RenderSession,
    RunControl,
    count_frames,
    get_warmup_need,
    read_frames,
)

MOST_PLANNED = 64
"""Chunks that may be found ahead of the workers."""
WORKER_INPUTS = ("content", "mask", "model")
"""Inputs that workers read themselves; the rest is read by the driver alone."""


@dataclass
class ClusterStats:
    """What a job on a cluster took: chunks and frames painted, those painted to warm up, seconds of
    all workers, of reading ahead, of taking chunks in, and bytes taken in.
    """

    chunks: int = 0
    frames: int = 0
    extra: int = 0
    worker_seconds: float = 0.0
    scout_seconds: float = 0.0
    take_seconds: float = 0.0
    bytes: int = 0
    nodes: dict[str, int] = field(default_factory=dict)


@dataclass
class ClusterPainter:
    """Paints the chunks that a folder misses on a crew's machines. ``planned``: how many chunks the
    video has, once the last is found.
    """

    crew: WorkerPool
    on_progress: OnProgress
    stop: RunControl
    tally: ClusterStats = field(default_factory=ClusterStats)
    planned: int | None = None
    source_warnings: list[str] = field(default_factory=list)
    _failed: tuple[ChunkPlan, VSTError] | None = None

    def __call__(self, work: RenderSession, folder: ChunkFolder, played: Schedule) -> LoopResult:
        """As `vst.pipeline.run.ChunkPainter`."""
        assert folder.rule is not None
        with open_transport(self.crew.settings, folder) as post:
            order = make_order(work.job, played, folder, post)
            return self._painted(work, folder, order)

    def _painted(self, work: RenderSession, folder: ChunkFolder, order: ChunkOrder) -> LoopResult:
        self.source_warnings = work.source.warnings
        self.crew.start(order)
        began = time.perf_counter()
        total = max(0, count_frames(work.job, work.source.info) - folder.frames)
        self.stop.armed = True
        with Ahead(self._pieces(work, folder), MOST_PLANNED, work.job.patience) as pieces:
            tasks = self._tasks(iter(pieces), order, folder)
            for outcome in self.crew.each(tasks, self._wanted):
                self._take(outcome, folder)
                seconds = time.perf_counter() - began
                self.on_progress(
                    Progress("paint", self.tally.frames, total, seconds, self._detail(folder))
                )
        self.stop.armed = False
        work.unchanged.check()
        if self._failed is not None:
            raise make_chunk_error(*self._failed, folder, work.job.output)
        if self.stop.asked and folder.missing is not None:
            raise Cancelled("stopped")
        return LoopResult(self.tally.frames, began)

    def _tasks(
        self, pieces: Iterator[ChunkPlan], order: ChunkOrder, folder: ChunkFolder
    ) -> Iterator[Task]:
        """The chunks as tasks. One that is best begun with what another remembers waits for that
        one, and others go before; where there is nothing else to do, it is warmed up instead.
        """
        waiting: list[ChunkPlan] = []
        more = True
        while more or waiting:
            ready = next((one for one in waiting if one.number - 1 in folder.chunks), None)
            if ready is not None:
                waiting.remove(ready)
                left = folder.path / folder.chunks[ready.number - 1].state
                yield Task("piece", order, ready, np.fromfile(left, np.uint8))
            elif more and len(waiting) < ROUNDS * self.crew.size:
                piece = next(pieces, None)
                more = piece is not None
                if piece is not None and piece.waits:
                    waiting.append(piece)
                elif piece is not None:
                    yield Task("piece", order, piece)
            else:
                yield Task("piece", order, waiting.pop())

    def _wanted(self) -> bool:
        return self._failed is None and not self.stop.asked

    def _detail(self, folder: ChunkFolder) -> dict[str, Any]:
        return {
            "chunks": len(folder.chunks),
            "all_chunks": self.planned,
            "workers": self.crew.size,
        }

    def _pieces(self, work: RenderSession, folder: ChunkFolder) -> Iterator[ChunkPlan]:
        """The chunks that are missing, found while the first of them are painted."""
        easel = work.line.easel
        assert folder.rule is not None
        reach = get_warmup_need(work.job, easel.engine.warmup)
        size = (easel.width, easel.height)
        pieces = plan_chunks(read_frames(work.job, work.source), folder.rule, size, reach)
        while True:
            began = time.perf_counter()
            piece = next(pieces, None)
            self.tally.scout_seconds += time.perf_counter() - began
            if piece is None:
                return
            if piece.following is None:
                self.planned = piece.number + 1
            if piece.number not in folder.chunks:
                yield piece

    def _take(self, outcome: TaskOutcome, folder: ChunkFolder) -> None:
        """Keep a chunk that has come, or the error that it has failed with."""
        piece = outcome.task.piece
        assert piece is not None
        if outcome.error is not None:
            if self._failed is None:
                self._failed = piece, outcome.error
            return
        began = time.perf_counter()
        painted: TaskResult = outcome.value
        if painted.frames != piece.frames:
            self._failed = (
                piece,
                EngineError(
                    f"{painted.node} read {painted.frames} frames where the driver read "
                    f"{piece.frames}"
                ),
            )
            return
        tally = self.tally
        tally.bytes += store_result(painted, piece.number, folder)
        tally.chunks += 1
        tally.frames += painted.frames
        tally.extra += painted.extra
        tally.worker_seconds += painted.seconds
        known = self.source_warnings
        known += [text for text in painted.warnings if text not in known]
        tally.nodes[painted.node] = tally.nodes.get(painted.node, 0) + 1
        tally.take_seconds += time.perf_counter() - began


def store_result(painted: TaskResult, number: int, folder: ChunkFolder) -> int:
    """Put the files of chunk ``number`` into the folder; returns their bytes."""
    suffix = Path(painted.parcels["track"].path).suffix
    track, state = (folder.unfinished(number, end) for end in (suffix, STATE_SUFFIX))
    move_into(painted.parcels["track"], track)
    move_into(painted.parcels["state"], state)
    size = track.stat().st_size + state.stat().st_size
    folder.take(number, track, state, frames=painted.frames, first=painted.first, last=painted.last)
    return size


@contextlib.contextmanager
def open_transport(settings: ClusterSettings, folder: ChunkFolder) -> Iterator[FileTransport]:
    """How the chunks of a folder travel; what is left on the way is removed."""
    if not settings.shares_folder:
        yield FileTransport(None)
    elif settings.storage is None:
        yield FileTransport(str(folder.path.absolute()))
    else:
        with open_shared_folder(Path(settings.storage), folder.output) as place:
            yield FileTransport(str(place))


@contextlib.contextmanager
def open_shared_folder(storage: Path, output: Path) -> Iterator[Path]:
    """A folder of this output's own in one that all machines see."""
    mark = blake2b(os.fsencode(output.absolute()), digest_size=6).hexdigest()
    place = storage.absolute() / f"vst-{mark}"
    try:
        shutil.rmtree(place, ignore_errors=True)  # what a killed run has left
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"storage {str(storage)!r} cannot be written to ({error.strerror or error})"
        ) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def make_order(job: Job, played: Schedule, folder: ChunkFolder, post: FileTransport) -> ChunkOrder:
    """What all chunks of the job have in common."""
    assert folder.rule is not None
    inputs = {
        name: post.send(Path(given))
        for name, given in list_inputs(job).items()
        if name in WORKER_INPUTS and is_path(given)
    }
    return ChunkOrder(
        key=uuid.uuid4().hex,
        job=job,
        timeline=played.timeline,
        styles=played.styles,
        rule=folder.rule,
        inputs=inputs,
        post=post,
        version=__version__,
    )


def make_chunk_error(
    piece: ChunkPlan, error: VSTError, folder: ChunkFolder, output: str
) -> VSTError:
    """The error of a job, one chunk of which has failed."""
    start = format_time(piece.start.first) if piece.start is not None else "the beginning"
    tries = f" {TRIES} times" if isinstance(error, tuple(RETRIED)) else ""
    kept = f"; {folder.frames} frames are kept: mend it, then vst resume {output}"
    return type(error)(
        f"chunk {piece.number} (from {start} on) failed{tries}: {error}"
        f"{kept if folder.chunks else ''}"
    )


def run_with_pool(
    crew: WorkerPool, job: Job, on_progress: OnProgress = silent, stop: RunControl | None = None
) -> Result:
    """Do a job with a crew: a long video chunk by chunk, anything else here alone."""
    stop = stop or RunControl()
    chunked = ClusterPainter(crew, on_progress, stop)
    result = run(job, on_progress, stop, elsewhere=chunked, workers=max(1, len(crew.places)))
    if chunked.planned is None:
        note = f"{job.output} has no chunks to share out: it was painted on this machine alone"
        result.warnings.append(note)
    return result
