"""What runs on a worker: it holds one engine and the parts of one job, and paints what it is told.

Nothing here knows of Ray: a worker is an object with four methods.
"""

from __future__ import annotations

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
from vst.checkpoint.planner import ChunkPlan
from vst.checkpoint.sink import ChunkWriter
from vst.checkpoint.store import STATE_SUFFIX, get_unfinished_path
from vst.cluster.tasks import ChunkOrder, ClipOrder, TaskResult
from vst.cluster.transport import Inputs, SentFile
from vst.core.state_io import State, load_state, save_state
from vst.core.types import silent
from vst.engines.base import Engine
from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.build_schedule import Schedule
from vst.pipeline.run import build_parts, build_sink_spec, open_job_engine, open_job_mask, run
from vst.pipeline.session import ChangeGuard, RenderSession, RunControl
from vst.video.sources import open_source
from vst.video.sources.base import Source


@dataclass
class WorkerChunkStore:
    """Where a worker lays its chunk: in ``folder``, under names that no other try has."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    frames: int = 0
    first: float = 0.0
    last: bool = False

    def unfinished(self, number: int, suffix: str) -> Path:
        """Where a file of chunk ``number`` is written."""
        return get_unfinished_path(self.folder, number, f".{uuid.uuid4().hex}{suffix}")

    def seal(
        self, number: int, written: Path, state: State, *, frames: int, first: float, last: bool
    ) -> None:
        """Chunk ``number`` is whole."""
        kept = self.unfinished(number, STATE_SUFFIX)
        save_state(kept, state)
        self.files = {"track": written, "state": kept}
        self.frames, self.first, self.last = frames, first, last


class Worker:
    """Paints chunks and clips with ``cores`` threads (None: as the engine likes)."""

    def __init__(self, cores: int | None = None) -> None:
        self._cores = cores
        self._inputs = Inputs()
        self._engine: tuple[Any, Engine] | None = None
        self._open: tuple[str, Job, Source] | None = None
        if cores is not None:
            cv2.setNumThreads(cores)

    def ready(self, order: ChunkOrder | None) -> str:
        """Load what the order needs; returns the machine's name."""
        if order is not None:
            self._opened(order)
        return socket.gethostname()

    def piece(
        self, order: ChunkOrder, piece: ChunkPlan, left: npt.NDArray[np.uint8] | None = None
    ) -> TaskResult:
        """Paint one chunk; ``left`` is the state that the one before has left, if it is there."""
        began = time.perf_counter()
        job, source = self._opened(order)
        engine = self._engine_for(job)
        unchanged = ChangeGuard(Path(job.content))
        with order.post.tray() as folder:
            tray = WorkerChunkStore(folder)
            spec = build_sink_spec(job, source.info)
            with ChunkWriter(spec, tray) as sink, open_job_mask(job) as mask:
                played = Schedule([], order.timeline, [])
                masked = mask is not None
                line = build_parts(job, source.info, engine, played, sink, masked=masked)
                work = RenderSession(job, source, line, mask, RunControl(), unchanged, silent)
                work.piece(piece, order.rule, load_sent_state(left))
                unchanged.check()
                warnings = [*source.warnings, *(mask.warnings if mask is not None else [])]
            parcels = {name: order.post.send_away(path) for name, path in tray.files.items()}
        start = piece.start if left is None else None
        return TaskResult(
            frames=tray.frames,
            first=tray.first,
            last=tray.last,
            parcels=parcels,
            extra=start.written - start.warm if start is not None else 0,
            seconds=time.perf_counter() - began,
            node=socket.gethostname(),
            warnings=warnings,
        )

    def clip(self, order: ClipOrder) -> TaskResult:
        """Paint one whole clip."""
        began = time.perf_counter()
        check_version(order.version)
        job = localize_job(order.job, order.inputs, self._inputs, self._cores)
        with order.post.tray() as folder:
            # Another try must not find the folder of this one.
            output = folder / f"{uuid.uuid4().hex}{Path(job.output).suffix}"
            job = replace(job, output=str(output), overwrite=False, keep_chunks=False)
            result = run(job, engine=self._engine_for(job))
            parcel = order.post.send_away(output)
        self._inputs.clear()
        return TaskResult(
            frames=result.frames,
            first=0.0,
            last=True,
            parcels={"output": parcel},
            seconds=time.perf_counter() - began,
            node=socket.gethostname(),
            warnings=result.warnings,
        )

    def close(self) -> None:
        """Let go of everything."""
        if self._open is not None:
            self._open[2].close()
            self._open = None
        if self._engine is not None:
            self._engine[1].close()
            self._engine = None
        self._inputs.clear()

    def _opened(self, order: ChunkOrder) -> tuple[Job, Source]:
        """The job as it is named here, its engine ready for its styles, and its content."""
        if self._open is not None and self._open[0] == order.key:
            return self._open[1:]
        check_version(order.version)
        if self._open is not None:
            self._open[2].close()
            self._open = None
        job = localize_job(order.job, order.inputs, self._inputs, self._cores)
        source = open_source(job.content)
        self._engine_for(job).prepare(order.styles)
        self._open = order.key, job, source
        return job, source

    def _engine_for(self, job: Job) -> Engine:
        """The engine that the job names, loaded once."""
        wanted = (job.engine, job.model)
        if self._engine is None or self._engine[0] != wanted:
            if self._engine is not None:
                self._engine[1].close()
            self._engine = wanted, open_job_engine(job)
        return self._engine[1]


def localize_job(
    job: Job, parcels: Mapping[str, SentFile], inputs: Inputs, cores: int | None
) -> Job:
    """The job with its inputs as they are named on this machine."""
    found = {name: inputs.local(name, parcel) for name, parcel in parcels.items()}
    styles = tuple(
        found.get(f"style {number}", style) for number, style in enumerate(job.styles, 1)
    )
    named = {name.replace(" ", "_"): path for name, path in found.items() if name[:6] != "style "}
    return replace(job, styles=styles, threads=cores, **named)  # type: ignore[arg-type]


def load_sent_state(left: npt.NDArray[np.uint8] | None) -> State | None:
    """What the chunk before has carried over its end."""
    if left is None:
        return None
    with tempfile.TemporaryDirectory(prefix="vst-") as folder:
        path = Path(folder) / "state.npz"
        left.tofile(path)
        carried: State = load_state(path)["carried"]
        return carried


def check_version(version: str) -> None:
    """Refuse orders of another version of this program."""
    if version != __version__:
        raise UsageError(
            f"{socket.gethostname()} has vst {__version__}, the driver {version}; install the same "
            "version on every machine"
        )
