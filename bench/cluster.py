"""Measures what painting on a cluster costs, and fits a model of its throughput.

    python bench/cluster.py --minutes 5 --json docs/cluster.json [--turns 3] [--engine embedded]

Compares two workers of one core each, on Ray on this machine, with a local run on the same two
cores, in turn, on a clip of 640 x 360 at 24 frames a second that the script draws (shots of 3 to
9 s). Times run from the first frame read to the finished file; the start of Ray, TensorFlow and the
workers is reported separately. Then it measures eight clips of 5 s as whole tasks, and a chunk's
way through Ray's object store. `bench/cluster_one_shot.py` adds what a chunk costs besides its
frames, and a film without cuts.

The model: a worker needs ``a`` seconds per chunk and ``b`` per frame (least squares over all
chunks); the driver reads ahead, receives chunks and joins them at speeds that are measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import psutil

from bench.cluster_clip import HEIGHT, RATE, WIDTH, draw_clip
from vst.checkpoint.planner import ChunkRule, WarmupNeed, plan_chunks
from vst.checkpoint.reading import SECTION_SECONDS, ReadSection, join_sections
from vst.cluster import ClusterSettings
from vst.cluster.paint_chunks import LEAST_READERS

ROOT = Path(__file__).parent.parent
CORES = 2
STYLES = ("@ink-wash", "@indigo-waves")
LINK = 125e6
"""Bytes a second of the driver's network in the model: one gigabit. Assumed, not measured."""
FILM_HOURS, CLIP_SECONDS = 2.0, 10.0
CHUNK = 10.0
ASKED = 1.25


def run_locally(clip: Path, folder: Path, engine: str, styles: list[str]) -> dict[str, Any]:
    """Run the job locally on all cores, in a separate process."""
    words = [sys.executable, str(ROOT / "cli.py"), "stylize", str(clip)]
    for style in styles:
        words += ["-s", style]
    words += ["-o", str(folder / "local.mp4"), "--engine", engine, "--threads", str(CORES)]
    words += ["--json", "--progress", "none", "--overwrite"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def run_part(part: str, words: list[str]) -> dict[str, Any]:
    """Run a part of this script in a separate process, so that Ray and TensorFlow start afresh."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        command = [sys.executable, __file__, "--part", part, "--json", answer.name, *words]
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads(Path(answer.name).read_text(encoding="utf-8"))
        return found


def find_workers() -> list[psutil.Process]:
    """The processes of this program's workers."""
    found = psutil.Process().children(recursive=True)
    return [one for one in found if one.is_running() and one.name().startswith("ray::Worker")]


def pin_workers() -> None:
    """Give each worker a core of its own, as a machine of one core has: left alone, the threads of
    one worker use more than one.
    """
    for number, worker in enumerate(find_workers()):
        for thread in worker.threads():
            os.sched_setaffinity(thread.id, {number % CORES})


def start_workers(settings: Any, pinned: bool = False) -> Any:
    """Start workers and wait until all are ready, so that their start does not count."""
    from vst.cluster.pool import WorkerPool

    class Patient(WorkerPool):
        def start(self, order: Any) -> None:
            began = time.perf_counter()
            super().start(order)
            while self._starting:
                self._wait(0.2, time.monotonic())
            self.ready_seconds = time.perf_counter() - began
            if pinned:
                pin_workers()

    return Patient(settings)


def measure_chunks(
    clip: Path, folder: Path, engine: str, styles: list[str], storage: str | None
) -> Any:
    """Paint one long video on two workers, and record what each chunk took."""
    return paint_chunks(clip, folder, engine, styles, ClusterSettings("local", CORES, 1, storage))


def paint_chunks(
    clip: Path,
    folder: Path,
    engine: str,
    styles: list[str],
    settings: ClusterSettings,
) -> Any:
    """Paint a video on a cluster."""
    from vst.api import make_job
    from vst.cluster.paint_chunks import ClusterPainter
    from vst.pipeline.control import RunControl
    from vst.pipeline.run import run

    rows: list[tuple[int, float]] = []

    class Noted(ClusterPainter):
        def _store(self, outcome: Any, folder: Any, warnings: Any) -> None:
            super()._store(outcome, folder, warnings)
            if outcome.error is None:
                painted = outcome.value
                rows.append((painted.frames + painted.extra, painted.seconds))

    began = time.perf_counter()
    last = [0.0]
    job = make_job(clip, styles, folder / "cluster.mp4", engine=engine, overwrite=True)
    with start_workers(settings) as crew:
        started = time.perf_counter() - began
        noted = Noted(crew, lambda progress: last.__setitem__(0, progress.seconds), RunControl())
        result = run(job, chunk_painter=noted)
        return {
            "seconds": result.seconds,
            "ray_seconds": round(started, 3),
            "ready_seconds": round(crew.ready_seconds, 3),
            "join_seconds": round(result.seconds - last[0], 3),
            "frames": result.frames,
            "rows": rows,
            "tally": asdict(noted.stats),
        }


def measure_clips(clip: Path, folder: Path, engine: str, styles: list[str], count: int = 8) -> Any:
    """Paint short clips as whole tasks: the seconds of the worker and of the driver for each."""
    from vst.api import make_job
    from vst.cluster.paint_clips import ClipQueue, run_batch_with_pool

    spent = [0.0]
    task, take = ClipQueue._make_order, ClipQueue.store
    long = ClipQueue._is_long

    def timed(function: Any) -> Any:
        def call(*words: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*words)
            finally:
                spent[0] += time.perf_counter() - began

        return call

    ClipQueue._make_order, ClipQueue.store, ClipQueue._is_long = (
        timed(task),
        timed(take),
        timed(long),
    )
    seconds = 5.0
    jobs = [
        make_job(clip, styles, folder / f"clip{n}.mp4", engine=engine, end=seconds, overwrite=True)
        for n in range(count)
    ]
    with start_workers(ClusterSettings("local", CORES, 1)) as crew:
        outcomes = run_batch_with_pool(crew, jobs)
    assert all(one.state == "done" for one in outcomes), outcomes
    sizes = [(folder / f"clip{n}.mp4").stat().st_size for n in range(count)]
    warm = outcomes[CORES:]  # each worker's first clip loads the engine
    return {
        "clips": count,
        "frames": warm[0].frames,
        "worker_seconds": median(one.seconds for one in warm),
        "driver_seconds": spent[0] / count,
        "bytes": median(sizes),
    }


@dataclass(frozen=True)
class Model:
    """The throughput model, in seconds: ``a`` per chunk and ``b`` per frame on a worker; ``scout``
    per frame for reading ahead, on the driver or divided among `LEAST_READERS` workers and more;
    ``take``, ``join`` and ``plan`` (joining what workers have read) per frame on the driver;
    ``start``: until a worker is ready. ``size``: bytes returned per frame. ``extra``: the share of
    warm-up frames. For a clip: ``clip`` seconds on the worker in addition to its frames, ``send``
    on the driver.
    """

    a: float
    b: float
    scout: float
    take: float
    join: float
    start: float
    size: float
    extra: float
    clip: float
    send: float
    plan: float = 0.0

    def film(self, workers: int, hours: float = FILM_HOURS) -> dict[str, Any]:
        """The seconds for one long video, and which part limits it."""
        frames = hours * 3600 * RATE
        chunk = min(CHUNK * RATE, max(frames / (2 * workers), CHUNK * RATE / 4))
        shared = workers >= LEAST_READERS
        each = self.a / chunk + self.b * (1 + self.extra) + (self.scout if shared else 0.0)
        parts = {
            "workers": each / workers,
            "reading ahead": self.plan if shared else self.scout,
            "taking chunks in": self.take,
            "network": self.size / LINK,
        }
        limit = max(parts, key=lambda name: parts[name])
        seconds = self.start + frames * (parts[limit] + self.join) + chunk * self.b
        share = frames * parts[limit] / seconds
        limit = limit if share > 0.5 else "start and joining"
        return {"seconds": seconds, "frames_per_second": frames / seconds, "limit": limit}

    def many(self, workers: int, count: int, length: float = CLIP_SECONDS) -> dict[str, Any]:
        """The seconds for many clips, and which part limits them."""
        frames = length * RATE
        parts = {
            "workers": (self.clip + self.b * frames) / min(workers, count),
            "driver": self.send,
            "network": self.size * frames / LINK,
        }
        limit = max(parts, key=lambda name: parts[name])
        seconds = self.start + count * parts[limit]
        if count * parts[limit] < self.start:
            limit = "start"
        return {"seconds": seconds, "clips_per_second": count / seconds, "limit": limit}


def fit_line(rows: list[tuple[int, float]]) -> tuple[float, float]:
    """Fit the seconds of a chunk and those of a frame to (frames, seconds) of chunks."""
    numbers = np.array(rows, np.float64)
    known = np.stack([np.ones(len(numbers)), numbers[:, 0]], 1)
    (a, b), *_ = np.linalg.lstsq(known, numbers[:, 1], rcond=None)
    return float(a), float(b)


def fit_model(runs: list[dict[str, Any]], of_clips: dict[str, Any]) -> Model:
    """Fit the model to the runs in chunks and in clips."""
    rows = [row for run in runs for row in run["rows"]]
    a, b = fit_line(rows)
    if a < 0 or b <= 0:  # too few sizes to separate the two
        a, b = 0.0, sum(seconds for _, seconds in rows) / sum(frames for frames, _ in rows)
    tallies = [run["tally"] for run in runs]
    frames = sum(tally["frames"] for tally in tallies)

    def each(name: str) -> float:
        return float(sum(tally[name] for tally in tallies) / frames)

    return Model(
        a=a,
        b=b,
        scout=each("plan_seconds"),
        take=each("store_seconds"),
        join=sum(run["join_seconds"] for run in runs) / frames,
        start=median(run["ray_seconds"] + run["ready_seconds"] for run in runs),
        size=each("bytes"),
        extra=each("extra"),
        clip=max(0.0, of_clips["worker_seconds"] - b * of_clips["frames"]),
        send=of_clips["driver_seconds"],
        plan=measure_planning(),
    )


def measure_planning(frames: int = 100_000) -> float:
    """The driver's CPU seconds for a frame that workers have read: joining sections, and planning
    chunks in shots of 5 s.
    """
    count = round(SECTION_SECONDS * RATE)
    changes = np.full((count, 2), 0.02)
    changes[:: 5 * RATE] = (0.5, 0.5)
    small = np.zeros((27, 48, 3), np.uint8)
    sections = [
        ReadSection(np.arange(first, first + count) / RATE, np.zeros(count), changes, small, small)
        for first in range(0, frames, count)
    ]
    began = time.process_time()
    plans = list(plan_chunks(join_sections(sections), ChunkRule(144, 240), WarmupNeed(15, 15)))
    assert len(plans) > frames / 300
    return (time.process_time() - began) / frames


def extrapolate(model: Model) -> dict[str, Any]:
    """Evaluate the model at each power of ten."""
    workers = (1, 10, 100, 1000)
    counts = [10**power for power in range(1, 7)]
    return {
        "film": {str(number): model.film(number) for number in workers},
        "clips": {
            str(number): {str(count): model.many(number, count) for count in counts}
            for number in workers
        },
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        folder = Path(name)
        clip = folder / "clip.mkv"
        draw_clip(clip, options.minutes * 60)
        words = ["--clip", str(clip), "--folder", name, "--engine", options.engine]
        for style in options.styles:
            words += ["--style", style]
        here, there = [], []
        for turn in range(options.turns):
            here.append(run_locally(clip, folder, options.engine, options.styles))
            there.append(run_part("chunks", words))
            log(f"turn {turn + 1}: {here[-1]['seconds']:.1f} s here, {there[-1]['seconds']:.1f} s")
        through_ray = run_part("object", words)
        of_clips = run_part("clips", words)
    model = fit_model(there, of_clips)
    seconds = [median(run["seconds"] for run in runs) for runs in (here, there)]
    tally = there[-1]["tally"]
    return {
        "clip": {"minutes": options.minutes, "size": f"{WIDTH} x {HEIGHT}", "fps": RATE},
        "engine": options.engine,
        "turns": options.turns,
        "local_seconds": seconds[0],
        "cluster_seconds": seconds[1],
        "ratio": round(seconds[1] / seconds[0], 3),
        "asked": ASKED,
        "local_startup": median(run["startup"] for run in here),
        "ray_startup": median(run["ray_seconds"] for run in there),
        "workers_startup": median(run["ready_seconds"] for run in there),
        "object_seconds": through_ray["seconds"],
        "object_take_per_chunk": through_ray["tally"]["store_seconds"]
        / through_ray["tally"]["chunks"],
        "chunks": tally["chunks"],
        "warmup_frames": tally["extra"],
        "frames": tally["frames"],
        "clips": of_clips,
        "model": asdict(model),
        "link_bytes_per_second": LINK,
        "paper": extrapolate(model),
    }


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--style", action="append", dest="styles", default=[])
    parser.add_argument("--json")
    parser.add_argument("--part", choices=["chunks", "object", "clips"], help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.styles = options.styles or list(STYLES)
    common = (options.clip, options.folder, options.engine, options.styles)
    if options.part == "clips":
        found = measure_clips(*common)
    elif options.part:
        found = measure_chunks(*common, "object" if options.part == "object" else None)
    else:
        found = measure(options)
    text = json.dumps(found, indent=1)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    if not options.part:
        print(text)


if __name__ == "__main__":
    main()
