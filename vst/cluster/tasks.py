"""What workers get and return: plain values, pictures and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vst.checkpoint.planner import ChunkPlan, ChunkRule
from vst.checkpoint.reading import Section
from vst.cluster.transport import FileTransport, SentFile
from vst.core.types import Embedding, Picture
from vst.errors import UsageError
from vst.job import Job
from vst.masks.open import DRAWN
from vst.schedule.timeline import Timeline
from vst.storage import is_address

LOCAL = "local"
"""The address of a cluster of this machine alone."""
OBJECT = "object"
"""The storage of Ray itself, in the memory of the machines."""
CORES = 2
"""Cores of a worker without a GPU by default."""
TRIES = 3
"""Attempts at a chunk before it fails the job."""


@dataclass(frozen=True)
class ClusterSettings:
    """Which machines paint.

    ``address``: `LOCAL`, or the address of a Ray cluster; ``workers``: at most this many (None: as
    many as fit); ``cores``: of each worker (None: `CORES`); ``storage``: `OBJECT`, the address of a
    folder in object storage, or a folder that every machine sees under the same name (None: for
    `LOCAL` the output's folder, else `OBJECT`).
    """

    address: str
    workers: int | None = None
    cores: int | None = None
    storage: str | None = None

    def __post_init__(self) -> None:
        if not self.address.strip():
            raise UsageError(
                f"cluster '': no address. Give {LOCAL!r}, or the address of a Ray cluster"
            )
        for name in ("workers", "cores"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}: too few. Give 1 or more")
        if self.storage in (None, OBJECT) or self.address_of_storage:
            return
        if not Path(str(self.storage)).is_dir():
            raise UsageError(
                f"storage {self.storage!r} is not a folder. Give {OBJECT!r}, an address such as "
                "s3://bucket/folder, or a folder that every machine of the cluster sees under this "
                "name"
            )

    @property
    def address_of_storage(self) -> str:
        """The folder in object storage through which files are sent; empty: none."""
        return self.storage if self.storage and is_address(self.storage) else ""

    @property
    def shares_folder(self) -> bool:
        """Whether files are sent through a folder."""
        if self.address_of_storage:
            return False
        return self.storage != OBJECT and (self.storage is not None or self.address == LOCAL)


@dataclass(frozen=True)
class ChunkOrder:
    """What the chunks of one job have in common: sent once, and kept by each worker.

    ``job`` names its inputs as the driver does; ``inputs`` has them as a worker finds them.
    ``styles``: what the engine paints from, embeddings where it has them.
    """

    key: str
    job: Job
    timeline: Timeline
    styles: Mapping[str, Picture | Embedding]
    rule: ChunkRule
    inputs: Mapping[str, SentFile]
    transport: FileTransport
    version: str


@dataclass(frozen=True)
class ClipOrder:
    """One whole clip, painted by one worker."""

    key: str
    job: Job
    inputs: Mapping[str, SentFile]
    transport: FileTransport
    version: str


@dataclass(frozen=True)
class TaskResult:
    """A whole chunk or clip: its ``files`` on their way back, by kind.

    ``extra``: frames painted to warm up; ``seconds``: of the whole task; ``cpu``: CPU time of the
    worker and of the programs that it started; ``node``: the machine.
    """

    frames: int
    first: float
    last: bool
    files: Mapping[str, SentFile]
    extra: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    node: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """A worker's ``method`` and its arguments: an order, and for a chunk its ``plan``, with the
    state file of the chunk before as ``handover`` (bytes), where it needs one; to find cuts a
    ``section`` of the content.
    """

    method: str
    order: ChunkOrder | ClipOrder
    plan: ChunkPlan | None = None
    handover: npt.NDArray[np.uint8] | None = None
    section: Section | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """Identifies the task."""
        part = self.plan or self.section
        return self.order.key, self.method, part.number if part is not None else -1

    @property
    def arguments(self) -> tuple[object, ...]:
        """What the method gets after the order."""
        if self.section is not None:
            return (self.section,)
        return () if self.plan is None else (self.plan, self.handover)


def refuse_local_options(job: Job) -> None:
    """Refuse painted frames, drawn masks and regions, whose pictures are not sent to the workers,
    and a mask to be written, which does not come back.
    """
    if job.painted:
        raise UsageError(
            "painted frames on a cluster: their pictures are not sent to the workers. Run the job "
            "without a cluster"
        )
    if job.mask is not None and job.mask.startswith(DRAWN):
        raise UsageError(
            f"mask {job.mask!r} on a cluster: its pictures are not sent to the workers. Run the "
            "job without a cluster, or write the mask with --save-mask first and give that"
        )
    if job.mask_regions is not None:
        raise UsageError(
            f"mask_regions {job.mask_regions!r} on a cluster: their files are not sent to the "
            "workers. Run the job without a cluster"
        )
    if job.save_mask is not None:
        raise UsageError(
            f"save_mask {job.save_mask!r} on a cluster: the workers do not send masks. Run the job "
            "without a cluster"
        )
