"""Runs jobs on several machines, by Ray (an extra: ``cluster``).

A long video is painted chunk by chunk, a short clip whole by one worker; the driver, this process,
plans the chunks, stores what comes back, and joins it as any run does.
"""

from __future__ import annotations

from collections.abc import Callable

from vst.batch import JobOutcome
from vst.cluster.paint_chunks import run_with_pool
from vst.cluster.paint_clips import run_batch_with_pool
from vst.cluster.pool import WorkerPool
from vst.cluster.tasks import LOCAL, OBJECT, ClusterSettings, refuse_local_options
from vst.core.types import OnProgress, ignore_progress
from vst.job import Job
from vst.pipeline.build_schedule import read_job_score
from vst.pipeline.checks import check_job
from vst.pipeline.control import RunControl
from vst.pipeline.object_files import names_objects
from vst.pipeline.run import Result
from vst.pipeline.session import CHUNK_SECONDS

__all__ = [
    "LOCAL",
    "OBJECT",
    "ClusterSettings",
    "WorkerPool",
    "run_batch_on_cluster",
    "run_on_cluster",
]


def run_on_cluster(
    settings: ClusterSettings,
    job: Job,
    on_progress: OnProgress = ignore_progress,
    control: RunControl | None = None,
    *,
    chunk_seconds: float = CHUNK_SECONDS,
) -> Result:
    """Run the job on a cluster; like `vst.pipeline.run.run`."""
    refuse_local_options(job)
    if not names_objects(job):  # those are checked once their files are here
        check_job(job)
        read_job_score(job)
    with WorkerPool(settings) as pool:
        return run_with_pool(pool, job, on_progress, control, chunk_seconds=chunk_seconds)


def run_batch_on_cluster(
    settings: ClusterSettings,
    jobs: list[Job],
    on_progress: OnProgress = ignore_progress,
    *,
    on_outcome: Callable[[JobOutcome], None] = lambda outcome: None,
    control: RunControl | None = None,
) -> list[JobOutcome]:
    """Run many jobs on a cluster; like `vst.batch.run_batch`."""
    with WorkerPool(settings) as pool:
        return run_batch_with_pool(pool, jobs, on_progress, on_outcome=on_outcome, control=control)
