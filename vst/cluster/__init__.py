"""The same jobs on more than one machine, by Ray (an extra: ``pip install 'vst[cluster]'``).

A long video goes out chunk by chunk, a short clip whole; the driver, this process, finds the
chunks, keeps what comes back, and joins it as any run does.
"""

from __future__ import annotations

from collections.abc import Callable

from vst.batch import Outcome
from vst.cluster.chunks import paint_with
from vst.cluster.clips import batch_with
from vst.cluster.crew import Crew
from vst.cluster.orders import LOCAL, OBJECT, Settings
from vst.core.types import OnProgress, silent
from vst.job import Job, check_paths
from vst.pipeline.run import Result
from vst.pipeline.session import Stop

__all__ = ["LOCAL", "OBJECT", "Crew", "Settings", "batch_on", "paint_on"]


def paint_on(
    settings: Settings, job: Job, on_progress: OnProgress = silent, stop: Stop | None = None
) -> Result:
    """Do the job on a cluster; like `vst.pipeline.run.run`."""
    check_paths(job)
    with Crew(settings) as crew:
        return paint_with(crew, job, on_progress, stop)


def batch_on(
    settings: Settings,
    jobs: list[Job],
    on_progress: OnProgress = silent,
    *,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    stop: Stop | None = None,
) -> list[Outcome]:
    """Run many jobs on a cluster; like `vst.batch.run_batch`."""
    with Crew(settings) as crew:
        return batch_with(crew, jobs, on_progress, on_outcome=on_outcome, stop=stop)
