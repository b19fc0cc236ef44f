"""Paints the page's long jobs on a cluster, all of them with the same workers."""

from __future__ import annotations

import threading

from vst.cluster import ClusterSettings, WorkerPool
from vst.cluster.paint_chunks import ClusterPainter
from vst.cluster.tasks import refuse_local_options
from vst.core.closable import Closable
from vst.core.types import OnProgress, ignore_progress
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.pipeline.run import Result, run
from vst.pipeline.session import CHUNK_SECONDS


class ClusterRunner(Closable):
    """Runs jobs as `vst.pipeline.run.run` does, their chunks on a cluster that it is connected to
    until it is closed. Workers paint one job at a time; further jobs wait.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._pool = WorkerPool(settings)
        self._pool.__enter__()
        self._lock = threading.Lock()

    def __call__(
        self,
        job: Job,
        on_progress: OnProgress = ignore_progress,
        control: RunControl | None = None,
        *,
        chunk_seconds: float = CHUNK_SECONDS,
    ) -> Result:
        refuse_local_options(job)
        control = control or RunControl()
        with self._lock:
            painter = ClusterPainter(self._pool, on_progress, control)
            return run(
                job, on_progress, control, chunk_painter=painter, chunk_seconds=chunk_seconds
            )

    def close(self) -> None:
        self._pool.close()
