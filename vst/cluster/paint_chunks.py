"""A long video whose chunks are painted on several machines and joined here."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from vst import __version__
from vst.checkpoint.fingerprint import is_path, list_inputs
from vst.checkpoint.handover import WarmStart
from vst.checkpoint.planner import ROUNDS, ChunkPlan, plan_chunks
from vst.checkpoint.reading import (
    ReadFrame,
    ReadSection,
    Section,
    join_sections,
    plan_sections,
    read_ahead,
)
from vst.checkpoint.store import STATE_SUFFIX, ChunkFolder
from vst.cluster.pool import RETRIED, TaskOutcome, WorkerPool
from vst.cluster.tasks import TRIES, ChunkOrder, ClusterSettings, Task, TaskResult
from vst.cluster.transport import FileTransport, move_into
from vst.core.timecode import format_time
from vst.core.types import OnProgress, Progress, ignore_progress
from vst.core.workers import ReadAhead
from vst.errors import Cancelled, EngineError, OutputError, StalledError, VSTError
from vst.job import Job
from vst.pipeline.build_schedule import Schedule
from vst.pipeline.control import RunControl
from vst.pipeline.frames import count_frames, read_masked_frames
from vst.pipeline.loop import PAINT, LoopResult
from vst.pipeline.run import Result, run
from vst.pipeline.session import CHUNK_SECONDS, RenderSession, get_warmup_need
from vst.storage import check_writable, join_address, remove

LEAST_READERS = 8
"""Workers, and sections of the content, from which on the workers find the cuts; fewer do not paint
faster than this process reads.
"""
MOST_PLANNED = 64
"""Chunks that are planned ahead of the workers at most."""
WORKER_INPUTS = ("content", "mask", "model", "lut")
"""Inputs that workers read themselves; only the driver reads the others."""


class SectionError(Exception):
    """The content cannot be read in sections; reading it in one go says why, or works."""


@dataclass
class ClusterStats:
    """What a job on a cluster took: chunks and frames painted, frames painted to warm up, seconds
    of all workers, of planning, of storing results, and bytes stored; chunks by machine.
    """

    chunks: int = 0
    frames: int = 0
    extra: int = 0
    worker_seconds: float = 0.0
    plan_seconds: float = 0.0
    store_seconds: float = 0.0
    bytes: int = 0
    nodes: dict[str, int] = field(default_factory=dict)


@dataclass
class ClusterPainter:
    """Paints the chunks that a folder misses with a pool of workers. ``planned``: how many chunks
    the video has, once the last one is planned.
    """

    pool: WorkerPool
    on_progress: OnProgress
    control: RunControl
    stats: ClusterStats = field(default_factory=ClusterStats)
    planned: int | None = None
    _failed: tuple[ChunkPlan, VSTError] | None = None

    @property
    def workers(self) -> int:
        """How many workers share the chunks."""
        return max(1, len(self.pool.find_slots()))

    def paint(self, session: RenderSession, folder: ChunkFolder, schedule: Schedule) -> LoopResult:
        """Paint the missing chunks; see `vst.pipeline.run.ChunkPainter`."""
        addresses = self.control.addresses
        with open_transport(self.pool.settings, folder, addresses) as transport:
            order = make_order(session.job, schedule, folder, transport)
            return self._paint_order(session, folder, order)

    def _paint_order(
        self, session: RenderSession, folder: ChunkFolder, order: ChunkOrder
    ) -> LoopResult:
        self.pool.start(order)
        began = time.perf_counter()
        planned = self._plan_in_sections(session, folder, order)
        total = max(0, count_frames(session.job, session.source.info) - folder.frames)
        self.control.paints_chunks = True
        found = iter(planned) if planned is not None else self._plan(session, folder)
        with ReadAhead(found, MOST_PLANNED, session.job.patience) as plans:
            tasks = self._make_tasks(iter(plans), order, folder)
            for outcome in self.pool.run_tasks(tasks, self._is_wanted):
                self._store(outcome, folder, session.source.warnings)
                seconds = time.perf_counter() - began
                detail = self._get_detail(folder)
                self.on_progress(Progress(PAINT, self.stats.frames, total, seconds, detail))
        self.control.paints_chunks = False
        session.guard.check()
        if self._failed is not None:
            raise make_chunk_error(*self._failed, folder, session.job.output)
        if self.control.stop_requested and folder.missing is not None:
            raise Cancelled("stopped")
        return LoopResult(self.stats.frames, began)

    def _make_tasks(
        self, plans: Iterator[ChunkPlan], order: ChunkOrder, folder: ChunkFolder
    ) -> Iterator[Task]:
        """The chunks as tasks. A chunk that wants the handover of another waits for it while others
        go first; where there is nothing else to do, it starts with frames that warm it up instead.
        """
        waiting: list[ChunkPlan] = []
        more = True
        while more or waiting:
            ready = next((one for one in waiting if one.number - 1 in folder.chunks), None)
            if ready is not None:
                waiting.remove(ready)
                state = folder.path / folder.chunks[ready.number - 1].state
                yield Task("paint_chunk", order, ready, np.fromfile(state, np.uint8))
            elif more and len(waiting) < ROUNDS * self.pool.size:
                plan = next(plans, None)
                more = plan is not None
                if plan is not None and plan.wants_handover:
                    waiting.append(plan)
                elif plan is not None:
                    yield Task("paint_chunk", order, plan)
            else:
                yield Task("paint_chunk", order, waiting.pop())

    def _is_wanted(self) -> bool:
        return self._failed is None and not self.control.stop_requested

    def _get_detail(self, folder: ChunkFolder) -> dict[str, Any]:
        return {
            "chunks": len(folder.chunks),
            "all_chunks": self.planned,
            "workers": self.pool.size,
        }

    def _plan(self, session: RenderSession, folder: ChunkFolder) -> Iterator[ChunkPlan]:
        """The missing chunks, planned by this process while the first of them are painted."""
        first = find_first_missing(folder)
        start = first[1] if first is not None else None
        read_from = start.read_from if start is not None else None
        # Chunks end where the content shows it: the mask does not matter.
        frames = (
            frame for frame, _ in read_masked_frames(session.job, session.source, None, read_from)
        )
        painter = session.parts.painter
        size = (painter.width, painter.height)
        return self._plan_missing(read_ahead(frames, size, start), session, folder)

    def _plan_missing(
        self, frames: Iterable[ReadFrame], session: RenderSession, folder: ChunkFolder
    ) -> Iterator[ChunkPlan]:
        """The missing chunks of a content, from the first of them on."""
        need = get_warmup_need(session.job, session.parts.painter.engine.warmup)
        plans = plan_chunks(frames, folder.rule, need, find_first_missing(folder))
        while True:
            began = time.perf_counter()
            plan = next(plans, None)
            self.stats.plan_seconds += time.perf_counter() - began
            if plan is None:
                return
            if plan.following is None:
                self.planned = plan.number + 1
            if plan.number not in folder.chunks:
                yield plan

    def _plan_in_sections(
        self, session: RenderSession, folder: ChunkFolder, order: ChunkOrder
    ) -> list[ChunkPlan] | None:
        """The missing chunks, where many workers find the cuts first, each in sections of the
        content; None: this process is to read all of it.
        """
        job, painter = session.job, session.parts.painter
        if self.workers < LEAST_READERS or job.speed != 1 or job.fps is not None:
            return None
        first = find_first_missing(folder)
        start = first[1] if first is not None else None
        begin = start.read_from.time if start is not None else job.start
        size = (painter.width, painter.height)
        sections = plan_sections(session.source.list_keyframes(), begin, job.end, size)
        if len(sections) < LEAST_READERS:
            return None
        try:
            found = self._read_sections(sections, order, session.source.warnings)
            return list(self._plan_missing(join_sections(found, start), session, folder))
        except SectionError:
            self.planned = None
            return None

    def _read_sections(
        self, sections: list[Section], order: ChunkOrder, warnings: list[str]
    ) -> Iterator[ReadSection]:
        """Have the workers read the sections; yields them in order. Raises `SectionError` where one
        does not begin where the index of the content says.
        """
        early: dict[int, ReadSection] = {}
        number = 0
        tasks = (Task("find_cuts", order, section=section) for section in sections)
        for outcome in self.pool.run_tasks(tasks, self._is_wanted):
            section = outcome.task.section
            if outcome.error is not None or section is None:
                raise SectionError
            early[section.number] = outcome.value
            while number in early:
                found = early.pop(number)
                if not len(found.times) or (number and found.times[0] != sections[number].start):
                    raise SectionError
                warnings += [text for text in found.warnings if text not in warnings]
                yield found
                number += 1
        if number < len(sections):
            raise Cancelled("stopped")

    def _store(self, outcome: TaskOutcome, folder: ChunkFolder, warnings: list[str]) -> None:
        """Keep a chunk that a worker has painted, or the error that it failed with."""
        plan = outcome.task.plan
        if plan is None:
            return
        if outcome.error is not None:
            self._failed = self._failed or (plan, outcome.error)
            return
        began = time.perf_counter()
        result: TaskResult = outcome.value
        if result.frames != plan.frames:
            error = EngineError(
                f"{result.node} read {result.frames} frames where the driver read {plan.frames}"
            )
            self._failed = plan, error
            return
        stats = self.stats
        stats.bytes += store_result(result, plan.number, folder)
        stats.chunks += 1
        stats.frames += result.frames
        stats.extra += result.extra
        stats.worker_seconds += result.seconds
        stats.nodes[result.node] = stats.nodes.get(result.node, 0) + 1
        warnings += [text for text in result.warnings if text not in warnings]
        stats.store_seconds += time.perf_counter() - began


def find_first_missing(folder: ChunkFolder) -> tuple[int, WarmStart] | None:
    """The number of the first missing chunk and its start, if chunks before it tell where that is;
    None: all frames have to be read. Chunks that were painted without a cluster do not tell what
    is in the scene before.
    """
    number = folder.missing
    start = folder.load_start(number) if number is not None else None
    return (number, start) if number and isinstance(start, WarmStart) else None


def store_result(result: TaskResult, number: int, folder: ChunkFolder) -> int:
    """Put the files of chunk ``number`` into the folder; returns their bytes."""
    suffix = Path(result.files["track"].path).suffix
    track, state = (folder.get_unfinished_path(number, end) for end in (suffix, STATE_SUFFIX))
    move_into(result.files["track"], track)
    move_into(result.files["state"], state)
    size = track.stat().st_size + state.stat().st_size
    folder.adopt(number, track, state, frames=result.frames, first=result.first, last=result.last)
    return size


@contextlib.contextmanager
def open_transport(
    settings: ClusterSettings, folder: ChunkFolder, addresses: Mapping[str, str]
) -> Iterator[FileTransport]:
    """How the chunks of a folder are sent; files left on the way are removed. ``addresses``: local
    path -> address of inputs that are in object storage.
    """
    if settings.address_of_storage:
        with open_shared_address(settings.address_of_storage, folder.output) as address:
            yield FileTransport(None, address, addresses)
    elif not settings.shares_folder:
        yield FileTransport(None)
    elif settings.storage is None:
        yield FileTransport(str(folder.path.absolute()))
    else:
        with open_shared_folder(Path(settings.storage), folder.output) as place:
            yield FileTransport(str(place))


def mark_output(output: Path) -> str:
    """A name for what belongs to an output of this machine alone."""
    whole = os.fsencode(output.absolute()) + b"\0" + socket.gethostname().encode()
    return f"vst-{blake2b(whole, digest_size=6).hexdigest()}"


@contextlib.contextmanager
def open_shared_address(storage: str, output: Path) -> Iterator[str]:
    """The address of a folder for this output alone in object storage."""
    address = join_address(storage, mark_output(output))
    check_writable(address)
    remove(address)  # what a killed run has left
    try:
        yield address
    finally:
        remove(address)


@contextlib.contextmanager
def open_shared_folder(storage: Path, output: Path) -> Iterator[Path]:
    """A folder for this output alone in one that all machines see."""
    place = storage.absolute() / mark_output(output)
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


def make_order(
    job: Job, schedule: Schedule, folder: ChunkFolder, transport: FileTransport
) -> ChunkOrder:
    """What all chunks of the job have in common."""
    inputs = {
        name: transport.send(Path(given))
        for name, given in list_inputs(job).items()
        if name in WORKER_INPUTS and is_path(given)
    }
    return ChunkOrder(
        key=uuid.uuid4().hex,
        job=job,
        timeline=schedule.timeline,
        styles=schedule.prepared,
        rule=folder.rule,
        inputs=inputs,
        transport=transport,
        version=__version__,
    )


def make_chunk_error(
    plan: ChunkPlan, error: VSTError, folder: ChunkFolder, output: str
) -> VSTError:
    """The error of a job, one chunk of which has failed."""
    start = format_time(plan.start.read_from.time) if plan.start is not None else "the beginning"
    tries = f" {TRIES} times" if isinstance(error, (*RETRIED, StalledError)) else ""
    kept = f". {folder.frames} frames are kept; fix the cause, then: vst resume {output}"
    return type(error)(
        f"chunk {plan.number} (from {start} on) failed{tries}: {error}"
        f"{kept if folder.chunks else ''}"
    )


def run_with_pool(
    pool: WorkerPool,
    job: Job,
    on_progress: OnProgress = ignore_progress,
    control: RunControl | None = None,
    *,
    chunk_seconds: float = CHUNK_SECONDS,
) -> Result:
    """Run a job with a pool: a long video chunk by chunk, anything else in this process."""
    control = control or RunControl()
    painter = ClusterPainter(pool, on_progress, control)
    result = run(job, on_progress, control, chunk_painter=painter, chunk_seconds=chunk_seconds)
    if painter.planned is None:
        note = f"{job.output} has too few chunks to share: this machine painted it alone"
        result.warnings.append(note)
    return result
