"""What runs on a worker: it keeps one engine and one job open, and paints chunks and clips.

Nothing here depends on Ray: a worker is an object with five methods.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst import __version__
from vst.checkpoint.handover import ChunkStart, decode_start
from vst.checkpoint.planner import ChunkPlan
from vst.checkpoint.reading import ReadSection, Section
from vst.checkpoint.sink import ChunkWriter
from vst.checkpoint.store import STATE_SUFFIX, get_unfinished_path
from vst.cluster.tasks import ChunkOrder, ClipOrder, TaskResult
from vst.cluster.transport import Inputs, SentFile
from vst.core.state_io import State, load_state, save_state
from vst.core.types import ignore_progress
from vst.engines.base import Engine
from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.pipeline.frames import ChangeGuard, open_painted_content
from vst.pipeline.parts import EngineCache, build_parts, build_sink_spec, open_job_mask
from vst.pipeline.run import run
from vst.pipeline.session import RenderSession
from vst.storage import is_address
from vst.video.sources.base import Source


@dataclass
class WorkerChunkStore:
    """Keeps the chunk of a worker in ``folder``, under names that no other attempt has."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    frames: int = 0
    first: float = 0.0
    last: bool = False

    def get_unfinished_path(self, number: int, suffix: str) -> Path:
        """Where a file of chunk ``number`` is written."""
        return get_unfinished_path(self.folder, number, f".{uuid.uuid4().hex}{suffix}")

    def seal(
        self, number: int, written: Path, state: State, *, frames: int, first: float, last: bool
    ) -> None:
        """Keep the track ``written`` of chunk ``number``, and the ``state`` at its end."""
        kept = self.get_unfinished_path(number, STATE_SUFFIX)
        save_state(kept, state)
        self.files = {"track": written, "state": kept}
        self.frames, self.first, self.last = frames, first, last


@dataclass(frozen=True)
class _OpenOrder:
    key: str
    job: Job
    source: Source
    engine: Engine


class Worker:
    """Paints chunks and clips with ``cores`` threads (None: as many as the engine likes)."""

    def __init__(self, cores: int | None = None) -> None:
        self._cores = cores
        self._inputs = Inputs()
        self._engines = EngineCache()
        self._order: _OpenOrder | None = None
        if cores is not None:
            cv2.setNumThreads(cores)

    def prepare(self, order: ChunkOrder | None) -> str:
        """Load what the order needs; returns the machine's name."""
        if order is not None:
            self._open(order)
        return socket.gethostname()

    def paint_chunk(
        self, order: ChunkOrder, plan: ChunkPlan, handover: npt.NDArray[np.uint8] | None = None
    ) -> TaskResult:
        """Paint one chunk; ``handover``: the state file of the chunk before, if it is there."""
        began, spent = time.perf_counter(), measure_cpu()
        opened = self._open(order)
        job, source = opened.job, opened.source
        with order.transport.open_folder() as folder:
            store = WorkerChunkStore(folder)
            guard = ChangeGuard(Path(job.content))
            spec = build_sink_spec(job, source.info)
            sink = ChunkWriter(spec, store)
            with sink, open_job_mask(job, source.info.rate) as mask:
                masked = mask is not None
                parts = build_parts(
                    job, source.info, opened.engine, order.timeline, sink, masked=masked
                )
                session = RenderSession(
                    job, source, parts, mask, RunControl(), guard, ignore_progress
                )
                with contextlib.closing(parts.stabilizer):
                    session.paint_chunk(plan, order.rule, sink, load_sent_state(handover))
                guard.check()
                warnings = [*source.warnings, *(mask.warnings if mask is not None else [])]
            files = {name: order.transport.move(path) for name, path in store.files.items()}
        start = plan.start if handover is None else None
        return TaskResult(
            frames=store.frames,
            first=store.first,
            last=store.last,
            files=files,
            extra=start.first_written - start.read_from.index if start is not None else 0,
            seconds=time.perf_counter() - began,
            cpu=measure_cpu() - spent,
            node=socket.gethostname(),
            warnings=warnings,
        )

    def find_cuts(self, order: ChunkOrder, section: Section) -> ReadSection:
        """Read a section of the content without painting it."""
        source = self._open(order).source
        found = ReadSection.of(source.frames(section.start, section.end), section.size)
        return replace(found, warnings=list(source.warnings))

    def paint_clip(self, order: ClipOrder) -> TaskResult:
        """Paint one whole clip."""
        began = time.perf_counter()
        check_version(order.version)
        self._close_order()  # the engine is prepared for other styles, or closed
        job = localize_job(order.job, order.inputs, self._inputs, self._cores)
        with order.transport.open_folder() as folder:
            files: dict[str, SentFile] = {}
            if is_address(job.output):  # this worker uploads it
                result = run(job, engine=self._engines.open(job))
            else:
                # Another attempt must not find the folder of this one.
                output = folder / f"{uuid.uuid4().hex}{Path(job.output).suffix}"
                job = replace(job, output=str(output), overwrite=False, keep_chunks=False)
                result = run(job, engine=self._engines.open(job))
                files["output"] = order.transport.move(output)
        self._inputs.clear()
        return TaskResult(
            frames=result.frames,
            first=0.0,
            last=True,
            files=files,
            seconds=time.perf_counter() - began,
            node=socket.gethostname(),
            warnings=result.warnings,
        )

    def close(self) -> None:
        """Close everything that is open."""
        self._close_order()
        self._engines.close()
        self._inputs.clear()

    def _open(self, order: ChunkOrder) -> _OpenOrder:
        """The order's job with this machine's paths, its content, and its engine prepared."""
        if self._order is not None and self._order.key == order.key:
            return self._order
        check_version(order.version)
        self._close_order()
        job = localize_job(order.job, order.inputs, self._inputs, self._cores)
        source = open_painted_content(job)
        try:
            engine = self._engines.open(job)
            engine.prepare(order.styles)
        except BaseException:
            source.close()
            raise
        self._order = _OpenOrder(order.key, job, source, engine)
        return self._order

    def _close_order(self) -> None:
        if self._order is not None:
            self._order.source.close()
            self._order = None


def localize_job(job: Job, files: Mapping[str, SentFile], inputs: Inputs, cores: int | None) -> Job:
    """The job with its inputs' paths on this machine."""
    found = {name: inputs.locate(name, sent) for name, sent in files.items()}
    styles = tuple(
        found.get(f"style {number}", style) for number, style in enumerate(job.styles, 1)
    )
    named: dict[str, Any] = {
        name.replace(" ", "_"): path
        for name, path in found.items()
        if not name.startswith("style ")
    }
    return replace(job, styles=styles, threads=cores, **named)


def measure_cpu() -> float:
    """CPU time, in seconds, of this process and of the programs that it has started and that have
    ended.
    """
    return sum(os.times()[:4])


def load_sent_state(handover: npt.NDArray[np.uint8] | None) -> ChunkStart | None:
    """What a chunk starts from, out of the state file of the chunk before."""
    if handover is None:
        return None
    with tempfile.TemporaryDirectory(prefix="vst-") as folder:
        path = Path(folder) / "state.npz"
        handover.tofile(path)
        return decode_start(load_state(path)["carried"])


def check_version(version: str) -> None:
    """Raise `UsageError` for an order of another version of vst."""
    if version != __version__:
        raise UsageError(
            f"{socket.gethostname()} has vst {__version__}, the driver {version}. Install the same "
            "version on every machine"
        )
