"""Measures a film without cuts on a cluster: what a chunk costs besides its frames, what a second
worker gains, and how much the frames at the seams differ from an uninterrupted run.

    python bench/cluster_one_shot.py --json docs/cluster.json

Paints one shot of 20 s at 256 x 256 and 24 frames a second in chunks of 2.5, 5 and 10 s, by one
worker and by two, each on a core of its own, in turn. CPU seconds are those of the workers and the
programs that they start: other programs change them less than the wall clock. The cost of a chunk
goes into the model that `bench/cluster.py` has written into the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from bench.cluster import STYLES, Model, extrapolate, fit_line, log, measure_planning, start_workers
from bench.cluster_clip import RATE, draw_clip
from vst.api import make_job
from vst.cluster import ClusterSettings
from vst.cluster.paint_chunks import ClusterPainter
from vst.pipeline.control import RunControl
from vst.pipeline.run import run
from vst.video.sources import open_source

SECONDS, SIDE = 20.0, 256
CHUNK_LENGTHS = (2.5, 5.0, 10.0)
NEAR = 12
"""Frames on each side of a seam that are compared."""


@dataclass
class PaintedShot:
    """A run: its seconds, and of each chunk the frames, warm-up included, the seconds and the CPU
    seconds.
    """

    workers: int
    chunk_seconds: float
    seconds: float = 0.0
    chunks: list[tuple[int, float, float]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


def paint_shot(pool: Any, workers: int, clip: Path, output: Path, length: float) -> PaintedShot:
    """Paint the clip in chunks of ``length`` seconds."""
    found = PaintedShot(workers, length)

    class Noted(ClusterPainter):
        def _store(self, outcome: Any, folder: Any, warnings: Any) -> None:
            super()._store(outcome, folder, warnings)
            one = outcome.value
            found.chunks.append((one.frames + one.extra, one.seconds, one.cpu))
            if outcome.task.plan.start is not None:
                found.starts.append(outcome.task.plan.start.first_written)

    job = make_job(clip, STYLES, output, codec="ffv1", overwrite=True)
    painter = Noted(pool, lambda progress: None, RunControl())
    found.seconds = run(job, chunk_painter=painter, chunk_seconds=length).seconds
    return found


def compare_seams(whole: Path, parts: Path, starts: list[int]) -> list[float]:
    """The mean difference, of 255, of the frames near seams."""
    near = {start + away for start in starts for away in range(-NEAR, NEAR)}
    with open_source(whole) as one, open_source(parts) as other:
        pairs = zip(one.frames(), other.frames(), strict=True)
        return [
            float(np.abs(first.picture.astype(int) - second.picture).mean())
            for first, second in pairs
            if first.index in near
        ]


def measure(folder: Path) -> dict[str, Any]:
    """Measure everything."""
    clip = folder / "clip.mkv"
    draw_clip(clip, SECONDS, one_shot=True, size=(SIDE, SIDE))
    began = os.getloadavg()[0]
    runs: list[PaintedShot] = []
    for workers in (1, 2):
        with start_workers(ClusterSettings("local", workers, 1), pinned=True) as pool:
            for length in CHUNK_LENGTHS:
                output = folder / f"{workers}-{length}.mkv"
                since = time.perf_counter()
                runs.append(paint_shot(pool, workers, clip, output, length))
                log(f"{workers} workers, {length} s: {time.perf_counter() - since:.1f} s")
    job = make_job(clip, STYLES, folder / "whole.mkv", codec="ffv1", threads=1)
    run(job, chunk_seconds=10 * SECONDS)
    seams = compare_seams(folder / "whole.mkv", folder / "2-2.5.mkv", runs[3].starts)
    chunks = [chunk for one in runs for chunk in one.chunks]
    a, b = fit_line([(frames, cpu) for frames, _, cpu in chunks])
    wall = [sum(one.seconds for one in runs if one.workers == n) for n in (1, 2)]
    cpu = [
        sum(chunk[2] for one in runs if one.workers == n for chunk in one.chunks) for n in (1, 2)
    ]
    return {
        "clip": f"one shot of {SECONDS:g} s, {SIDE} x {SIDE}, {RATE} fps",
        "chunk_lengths": CHUNK_LENGTHS,
        "chunks": len(chunks),
        "cpu_per_chunk": a,
        "cpu_per_frame": b,
        "gain_of_second_worker": wall[0] / wall[1],
        "cpu_of_two_over_one": cpu[1] / cpu[0],
        "seconds": {f"{one.workers}, {one.chunk_seconds:g} s": one.seconds for one in runs},
        "seams": len(runs[3].starts),
        "seam_difference_mean": float(np.mean(seams)),
        "seam_difference_most": max(seams),
        "load": [began, os.getloadavg()[0]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, required=True, help="written by bench/cluster.py")
    parser.add_argument("--keep", type=Path, help="folder for the videos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        found = measure(options.keep or Path(name))
    text = json.loads(options.json.read_text(encoding="utf-8"))
    text["one_shot"] = found
    text["model"]["a"] = max(0.0, found["cpu_per_chunk"])
    text["model"]["plan"] = measure_planning()
    text["paper"] = extrapolate(Model(**text["model"]))
    options.json.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
