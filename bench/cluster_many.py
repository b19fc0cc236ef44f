"""Runs many real Ray workers on this machine, each with a fraction of its cores, and kills some.

    python bench/cluster_many.py --workers 100 --json docs/cluster-many.json

The workers paint with `tint`, and wait for a known time at each batch of frames, so that they need
little of the CPU. A tenth of them is killed (SIGKILL) each ``--every`` seconds. The result is
compared with that of a run without a cluster, frame by frame.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from bench.cluster import find_workers
from bench.cluster_clip import RATE
from bench.harness import describe_machine
from tests.cluster_faults import VARIABLE
from vst.api import make_job
from vst.cluster import ClusterSettings, WorkerPool
from vst.cluster.paint_chunks import ClusterPainter
from vst.pipeline.control import RunControl
from vst.pipeline.run import run
from vst.plotting import save_picture
from vst.video.sinks.track import TrackWriter
from vst.video.sources import open_source

ROOT = Path(__file__).parent.parent
SIZE = (64, 48)
CHUNK_SECONDS = 2.0
WAIT_SECONDS = 0.1
"""Seconds that a worker waits at each batch."""
SHARE = 0.1
"""Part of the workers that is killed at a time."""


class Killer(threading.Thread):
    """Kills a share of the workers each ``every`` seconds; also notes their memory."""

    def __init__(self, every: float) -> None:
        super().__init__(daemon=True)
        self.every, self.over = every, threading.Event()
        self.killed, self.most, self.memory = 0, 0, 0.0

    def run(self) -> None:
        rng = random.Random(0)
        while not self.over.wait(self.every):
            workers = find_workers()
            self.most = max(self.most, len(workers))
            used = [one.memory_full_info().uss for one in workers]
            self.memory = max(self.memory, float(np.mean(used or [0])))
            for one in rng.sample(workers, round(SHARE * len(workers))):
                os.kill(one.pid, signal.SIGKILL)
                self.killed += 1


def draw_film(path: Path, minutes: float) -> None:
    """Draw shots of 3 to 9 s, each of a texture of its own that moves."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "track.mkv"
        writer = TrackWriter(track, SIZE, Fraction(RATE))
        left = round(60 * minutes * RATE)
        while left > 0:
            texture = rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
            frames = min(left, int(rng.integers(3 * RATE, 9 * RATE)))
            for index in range(frames):
                writer.write_frame(np.roll(texture, index, axis=1))
            left -= frames
        writer.close()
        track.replace(path)


def count_lost(one: Path, other: Path) -> tuple[int, int]:
    """How many frames there are, and how many differ or are missing."""
    with open_source(one) as first, open_source(other) as second:
        wanted = [frame.picture for frame in first.frames()]
        found = [frame.picture for frame in second.frames()]
    same = sum(np.array_equal(a, b) for a, b in zip(wanted, found))
    return len(wanted), max(len(wanted), len(found)) - same


def measure(folder: Path, workers: int, minutes: float, every: float) -> dict[str, Any]:
    """Paint a film without a cluster, then on one."""
    import ray

    clip, style = folder / "clip.mkv", folder / "style.png"
    draw_film(clip, minutes)
    save_picture(style, np.full((32, 32, 3), (200, 60, 40), np.uint8))
    options: dict[str, Any] = {"engine": "tint", "codec": "ffv1", "overwrite": True}
    run(make_job(clip, style, folder / "here.mkv", **options), chunk_seconds=CHUNK_SECONDS)
    ray.init(
        "local", num_cpus=workers, include_dashboard=False, log_to_driver=False,
        runtime_env={
            "worker_process_setup_hook": "tests.cluster_faults.install",
            "env_vars": {VARIABLE: json.dumps({"slow": WAIT_SECONDS}), "PYTHONPATH": str(ROOT)},
        },
    )  # fmt: skip
    before = time.process_time()
    killer = Killer(every)
    with WorkerPool(ClusterSettings("local", workers, 1)) as pool:
        sizes: list[int] = []
        painter = ClusterPainter(pool, lambda progress: sizes.append(pool.size), RunControl())
        killer.start()
        began = time.perf_counter()
        job = make_job(clip, style, folder / "there.mkv", **options)
        run(job, chunk_painter=painter, chunk_seconds=CHUNK_SECONDS)
        seconds = time.perf_counter() - began
        killer.over.set()
        killer.join()
    spent = time.process_time() - before
    ray.shutdown()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames, lost = count_lost(folder / "here.mkv", folder / "there.mkv")
    stats = painter.stats
    return {
        "workers": workers,
        "most_at_once": max([killer.most, *sizes]),
        "killed": killer.killed,
        "chunks": stats.chunks,
        "frames": frames,
        "lost": lost,
        "seconds": seconds,
        "driver_cpu_per_chunk": spent / stats.chunks,
        "driver_peak_mb": peak / 1000,
        "worker_mb": killer.memory / 1e6,
        "load": os.getloadavg()[0],
        "machine": describe_machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--every", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        found = measure(Path(name), options.workers, options.minutes, options.every)
    text = json.dumps(found, indent=1)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
