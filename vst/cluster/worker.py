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
from vst.checkpoint.planner import Piece
from vst.checkpoint.sink import ChunkWriter
from vst.checkpoint.store import STATE_SUFFIX, unfinished
from vst.cluster.files import Inputs, Parcel
from vst.cluster.orders import ClipOrder, Order, Painted
from vst.core.state_io import State, load_state, save_state
from vst.core.types import silent
from vst.engines.base import Engine
from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.build_schedule import Arrangement
from vst.pipeline.run import engine_for, line_of, opened_mask, run, sink_spec
from vst.pipeline.session import Stop, Unchanged, Work
from vst.video.sources import open_source
from vst.video.sources.base import Source


@dataclass
class Tray:
    """Where a worker lays its chunk: in ``folder``, under names that no other try has."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    frames: int = 0
    first: float = 0.0
    last: bool = False

    def unfinished(self, number: int, suffix: str) -> Path:
        """Where a file of chunk ``number`` is written."""
        return unfinished(self.folder, number, f".{uuid.uuid4().hex}{suffix}")

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

    def ready(self, order: Order | None) -> str:
        """Load what the order needs; returns the machine's name."""
        if order is not None:
            self._opened(order)
        return socket.gethostname()

    def piece(
        self, order: Order, piece: Piece, left: npt.NDArray[np.uint8] | None = None
    ) -> Painted:
        """Paint one chunk; ``left`` is the state that the one before has left, if it is there."""
        began = time.perf_counter()
        job, source = self._opened(order)
        engine = self._engine_for(job)
        unchanged = Unchanged(Path(job.content))
        with order.post.tray() as folder:
            tray = Tray(folder)
            spec = sink_spec(job, source.info)
            with ChunkWriter(spec, tray) as sink, opened_mask(job) as mask:
                played = Arrangement([], order.timeline, [])
                masked = mask is not None
                line = line_of(job, source.info, engine, played, sink, masked=masked)
                work = Work(job, source, line, mask, Stop(), unchanged, silent)
                work.piece(piece, order.rule, state_of(left))
                unchanged.check()
                warnings = [*source.warnings, *(mask.warnings if mask is not None else [])]
            parcels = {name: order.post.send_away(path) for name, path in tray.files.items()}
        start = piece.start if left is None else None
        return Painted(
            frames=tray.frames,
            first=tray.first,
            last=tray.last,
            parcels=parcels,
            extra=start.written - start.warm if start is not None else 0,
            seconds=time.perf_counter() - began,
            node=socket.gethostname(),
            warnings=warnings,
        )

    def clip(self, order: ClipOrder) -> Painted:
        """Paint one whole clip."""
        began = time.perf_counter()
        check_version(order.version)
        job = here(order.job, order.inputs, self._inputs, self._cores)
        with order.post.tray() as folder:
            # Another try must not find the folder of this one.
            output = folder / f"{uuid.uuid4().hex}{Path(job.output).suffix}"
            job = replace(job, output=str(output), overwrite=False, keep_chunks=False)
            result = run(job, engine=self._engine_for(job))
            parcel = order.post.send_away(output)
        self._inputs.clear()
        return Painted(
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

    def _opened(self, order: Order) -> tuple[Job, Source]:
        """The job as it is named here, its engine ready for its styles, and its content."""
        if self._open is not None and self._open[0] == order.key:
            return self._open[1:]
        check_version(order.version)
        if self._open is not None:
            self._open[2].close()
            self._open = None
        job = here(order.job, order.inputs, self._inputs, self._cores)
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
            self._engine = wanted, engine_for(job)
        return self._engine[1]


def here(job: Job, parcels: Mapping[str, Parcel], inputs: Inputs, cores: int | None) -> Job:
    """The job with its inputs as they are named on this machine."""
    found = {name: inputs.local(name, parcel) for name, parcel in parcels.items()}
    styles = tuple(
        found.get(f"style {number}", style) for number, style in enumerate(job.styles, 1)
    )
    named = {name.replace(" ", "_"): path for name, path in found.items() if name[:6] != "style "}
    return replace(job, styles=styles, threads=cores, **named)  # type: ignore[arg-type]


def state_of(left: npt.NDArray[np.uint8] | None) -> State | None:
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
