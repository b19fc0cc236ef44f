"""What goes to the workers and what comes back: plain values, pictures and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vst.checkpoint.planner import ChunkPlan, ChunkRule
from vst.cluster.transport import FileTransport, SentFile
from vst.core.types import Embedding, Picture
from vst.errors import UsageError
from vst.job import Job
from vst.schedule.timeline import Timeline

LOCAL = "local"
"""The address of a cluster that is this machine alone."""
OBJECT = "object"
"""The storage that is Ray's own, in the memory of the machines."""
CORES = 2
"""Cores of a worker without a GPU, where nothing is said."""
TRIES = 3
"""So often a chunk is tried before it fails the job."""


@dataclass(frozen=True)
class ClusterSettings:
    """Which machines paint. ``address``: `LOCAL`, or that of a Ray cluster; ``workers``: how many
    at most (None: as many as fit); ``cores`` of each (None: `CORES`); ``storage``: `OBJECT`, or a
    folder that every machine sees under the same name (None: for `LOCAL` the output's own, else
    `OBJECT`).
    """

    address: str
    workers: int | None = None
    cores: int | None = None
    storage: str | None = None

    def __post_init__(self) -> None:
        if not self.address.strip():
            raise UsageError(f"cluster ''; give {LOCAL!r}, or the address of a Ray cluster")
        for name in ("workers", "cores"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}; give 1 or more")
        if self.storage not in (None, OBJECT) and not Path(str(self.storage)).is_dir():
            raise UsageError(
                f"storage {self.storage!r} is no folder; give {OBJECT!r}, or a folder that every "
                "machine of the cluster sees under this name"
            )

    @property
    def shares_folder(self) -> bool:
        """Whether files go through a folder."""
        return self.storage != OBJECT and (self.storage is not None or self.address == LOCAL)


@dataclass(frozen=True)
class ChunkOrder:
    """What the chunks of one job have in common: sent once, and kept by each worker.

    ``job`` names its inputs as the driver does; ``inputs`` tells where a worker finds them.
    ``styles`` are what the engine gets ready for, numbers where it knows them.
    """

    key: str
    job: Job
    timeline: Timeline
    styles: Mapping[str, Picture | Embedding]
    rule: ChunkRule
    inputs: Mapping[str, SentFile]
    post: FileTransport
    version: str


@dataclass(frozen=True)
class ClipOrder:
    """One whole clip, painted by one worker."""

    key: str
    job: Job
    inputs: Mapping[str, SentFile]
    post: FileTransport
    version: str


@dataclass(frozen=True)
class TaskResult:
    """A chunk or a clip that is whole: its files on their way back, in ``parcels``.

    ``extra``: frames painted to warm up; ``seconds``: from the first frame read to the last file
    closed; ``node``: the machine.
    """

    frames: int
    first: float
    last: bool
    parcels: Mapping[str, SentFile]
    extra: int = 0
    seconds: float = 0.0
    node: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """A worker's ``method`` and what it is given: an order, and of a chunk the plan, with what the
    chunk before it has left, as the bytes of a file, where it needs that.
    """

    method: str
    order: ChunkOrder | ClipOrder
    piece: ChunkPlan | None = None
    carried: npt.NDArray[np.uint8] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from others."""
        return self.order.key, self.piece.number if self.piece is not None else -1
