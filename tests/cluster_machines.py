"""A cluster for tests: Ray's own test cluster, a few nodes of one core each on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.chunk_helpers import CHUNK_SECONDS, write_content
from tests.cluster_faults import VARIABLE
from vst.api import make_job
from vst.checkpoint.store import read_manifest
from vst.cluster import ClusterSettings, run_on_cluster
from vst.core.types import ignore_progress
from vst.job import Job
from vst.pipeline.run import Result
from vst.pipeline.run import run as run_here

ROOT = Path(__file__).parent.parent
FRAMES = 150


@pytest.fixture(scope="module", name="films")
def films_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """content.mp4 (15 s at 10 fps, texture that moves, a cut at 3.7 s, sound), red.png; whole.mkv:
    painted here.
    """
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("films")
    write_content(folder / "content.mp4", FRAMES)
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    run_here(job(folder, folder / "whole.mkv"))
    return folder


def job(films: Path, output: Path, **options: Any) -> Job:
    chosen = {"engine": "tint", "codec": "ffv1", "stabilize": "gaussian", **options}
    return make_job(films / "content.mp4", films / "red.png", output, **chosen)


def run_on(
    settings: ClusterSettings, job: Job, on_progress: Any = ignore_progress, control: Any = None
) -> Result:
    """Run a job on a cluster in chunks of two seconds."""
    return run_on_cluster(settings, job, on_progress, control, chunk_seconds=CHUNK_SECONDS)


class SlowClock:
    """Python's `time`, slow: Ray gives its own parts half a minute to start, and no way to say
    otherwise, which is short on a machine that is busy with other things.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        return time.monotonic() / 10


class Machines:
    """A cluster of nodes on this machine; `join` is the driver's connection to it."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster()
        self.add()

    def add(self) -> Any:
        import ray

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ray._private.node, "time", SlowClock())
            patch.setenv("RAY_agent_register_timeout_ms", "300000")
            # Without the parts of its dashboard, a node starts in a fraction of the time.
            lacking = "get_dashboard_dependency_error"
            patch.setattr(ray._private.utils, lacking, lambda: ImportError("left out"))
            return self.cluster.add_node(
                num_cpus=1,
                object_store_memory=80_000_000,
                include_dashboard=False,
                include_log_monitor=False,
            )

    def join(self, **fault: Any) -> None:
        import ray

        ray.init(
            address=self.cluster.address,
            log_to_driver=False,
            runtime_env={
                "worker_process_setup_hook": "tests.cluster_faults.install",
                "env_vars": {VARIABLE: json.dumps(fault), "PYTHONPATH": str(ROOT)},
            },
        )


@pytest.fixture(scope="module", name="machines")
def machines_fixture() -> Iterator[Machines]:
    """Two nodes of one core each."""
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    import ray

    found = Machines()
    found.add()
    yield found
    ray.shutdown()
    found.cluster.shutdown()


@pytest.fixture(name="join")
def join_fixture(machines: Machines) -> Iterator[Callable[..., ClusterSettings]]:
    """Connect to the cluster, with a fault in its workers if wanted."""
    import ray

    def joined(storage: str | None = None, **fault: Any) -> ClusterSettings:
        machines.join(**fault)
        return ClusterSettings(machines.cluster.address, cores=1, storage=storage)

    yield joined
    ray.shutdown()


def numbers_of(output: Path) -> list[int]:
    """The chunks that are kept."""
    manifest = read_manifest(output)
    assert manifest is not None
    return [number for number, chunk in enumerate(manifest["chunks"]) if chunk.frames]
