"""Simulates a film on up to 1,000 workers, with the real driver of `vst.cluster`.

    python bench/cluster_simulation.py --json docs/cluster-simulation.json

The film of ten hours is planned without decoding: its chunks have the lengths of the chunk rule,
and are known once the workers have read all sections of the film. A worker takes the seconds of the
model that `bench/cluster.py` fitted. What the driver does (planning, giving tasks, storing chunks)
is the real code on real files; its CPU time passes on the virtual clock of
`bench/simulated_ray.py`.

The cases: all workers alike; 5 % of them ten times slower; 10 % of the machines lost every minute,
each replaced after one; a driver that stops in the middle and is started again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time as clock
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import psutil

from bench.simulated_ray import SimulatedRay
from vst.checkpoint import store
from vst.checkpoint.fingerprint import STEADY_METHOD
from vst.checkpoint.handover import ReadPoint, WarmStart
from vst.checkpoint.planner import ChunkPlan, ChunkRule
from vst.checkpoint.reading import SECTION_SECONDS, ReadSection, Section, plan_sections
from vst.checkpoint.store import ChunkFolder
from vst.cluster import pool, running
from vst.cluster.paint_chunks import ClusterPainter
from vst.cluster.pool import WorkerPool
from vst.cluster.tasks import ChunkOrder, ClusterSettings, TaskResult
from vst.cluster.transport import FileTransport, SentFile
from vst.core import files
from vst.core.types import ignore_progress
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.schedule.timeline import Timeline

RATE = 24
WARMUP, AHEAD = 15, 15
"""Frames before and after a chunk in the middle of a shot, at the default steadiness."""
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Costs:
    """Seconds: of a worker for a chunk, for painting a frame, and for reading one ahead; of the
    driver for joining what was read of a frame; of Ray for a call; until a worker is ready.
    """

    chunk: float
    frame: float
    read: float
    join: float = 0.0
    call: float = 0.0005
    start: float = 5.0


@dataclass(frozen=True)
class Case:
    """What a cluster is like, and when the driver is stopped (part of the chunks; 1: never)."""

    workers: int
    slow_share: float = 0.0
    lost_a_minute: float = 0.0
    stopped_at: float = 1.0


@dataclass
class Outcome:
    """What a simulated job took. ``seconds``: virtual; ``model``: what the model expects; ``cpu``:
    seconds of the driver's CPU; ``calls``: to Ray; ``lost``: chunks that are missing at the end.
    """

    case: dict[str, Any]
    chunks: int
    frames: int
    seconds: float
    model: float
    cpu: float
    calls: int
    losses: int
    lost: int
    megabytes: float


class SimulatedWorker:
    """Takes the time of a worker, and makes files of a few bytes. Its methods return seconds, and
    what makes their result.
    """

    costs: Costs
    folder: Path

    def __init__(self, cores: int | None) -> None:
        self.prepared = False

    def prepare(self, order: Any) -> tuple[float, Callable[[], Any]]:
        seconds = 0.0 if self.prepared else self.costs.start
        self.prepared = True
        return seconds, lambda: "simulated"

    def paint_chunk(
        self, order: ChunkOrder, plan: ChunkPlan, handover: Any = None
    ) -> tuple[float, Callable[[], TaskResult]]:
        start = plan.start
        extra = start.first_written - start.read_from.index if start is not None else 0
        seconds = self.costs.chunk + self.costs.frame * (plan.frames + extra)

        def make() -> TaskResult:
            sent = {}
            for name, suffix in (("track", ".mp4"), ("state", ".npz")):
                path = self.folder / f"{plan.number}-{clock.monotonic_ns()}{suffix}"
                path.write_bytes(b"painted")
                sent[name] = SentFile(str(path))
            last = plan.following is None
            return TaskResult(plan.frames, 0.0, last, sent, extra, seconds, "simulated")

        return seconds, make

    def find_cuts(
        self, order: ChunkOrder, section: Section
    ) -> tuple[float, Callable[[], ReadSection]]:
        frames = SECTION_SECONDS * RATE

        def make() -> ReadSection:
            return ReadSection(np.array([section.start]), np.zeros(1), np.zeros((1, 2)))

        return frames * self.costs.read, make

    def close(self) -> tuple[float, Callable[[], Any]]:
        return 0.0, lambda: None


class SimulatedPainter(ClusterPainter):
    """Plans chunks without decoding, once the workers have read all sections."""

    ray: SimulatedRay
    costs: Costs
    total: int

    def _plan_film(self, folder: ChunkFolder, order: ChunkOrder) -> Iterator[ChunkPlan]:
        number, start, index = 0, None, 0
        while number in folder.chunks:  # reading continues where the first chunk is missing
            index += min(folder.rule.longest(index), self.total - index)
            number += 1
        start = make_start(index) if number else None
        keyframes = [SECTION_SECONDS * n for n in range(int(self.total / RATE / SECTION_SECONDS))]
        sections = plan_sections(keyframes, index / RATE, None, (1, 1))
        for _ in self._read_sections(sections, order, []):
            self.ray.advance(self.ray.now + SECTION_SECONDS * RATE * self.costs.join)
        while index < self.total:
            end = index + min(folder.rule.longest(index), self.total - index)
            following = make_start(end) if end < self.total else None
            written = start.first_written if start is not None else 0
            frames = (following.first_written if following else self.total) - written
            if number not in folder.chunks:
                yield ChunkPlan(number, start, following, frames)
            start, number, index = following, number + 1, end
        self.planned = number

    def run(self, folder: ChunkFolder, order: ChunkOrder, stop_after: int) -> None:
        """Paint until so many frames are kept."""
        self.pool.start(order)
        tasks = self._make_tasks(iter(list(self._plan_film(folder, order))), order, folder)
        for outcome in self.pool.run_tasks(tasks, self._is_wanted):
            self._store(outcome, folder, [])
            if self.stats.frames >= stop_after:
                return


def make_start(index: int) -> WarmStart:
    """The start of a chunk in the middle of a shot."""
    written = index - AHEAD
    read = ReadPoint(written - WARMUP, (written - WARMUP) / RATE)
    return WarmStart(index, written, read, {"before": None, "changes": []})


def simulate(case: Case, costs: Costs, hours: float, seed: int = 1) -> Outcome:
    """Run one case."""
    total = round(hours * 3600 * RATE)
    rule = ChunkRule.of(10.0, RATE, AHEAD, total, case.workers)
    expected = count_chunks(rule, total)
    found = Outcome(
        asdict(case), 0, total, 0.0, model_seconds(case, costs, total, rule), 0.0, 0, 0, 0, 0.0
    )
    held = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory(prefix="vst-simulation-") as name:
        SimulatedWorker.costs, SimulatedWorker.folder = costs, Path(name)
        for part in (case.stopped_at, 1.0) if case.stopped_at < 1 else (1.0,):
            began = clock.process_time()
            with open_folder(Path(name), rule) as folder:
                ray = run_driver(case, costs, folder, total, (round(part * total), seed))
                found.chunks = len(folder.chunks)
            found.cpu += clock.process_time() - began
            found.seconds += ray.now
            found.calls += ray.calls
            found.losses += ray.losses
    found.lost = expected - found.chunks
    found.megabytes = (psutil.Process().memory_info().rss - held) / 1e6
    return found


@contextlib.contextmanager
def open_folder(place: Path, rule: ChunkRule) -> Iterator[ChunkFolder]:
    """The folder of the film's chunks, which stay when it is closed."""
    folder = ChunkFolder(place / "out.mp4", {"stabilizer": STEADY_METHOD}, rule, {})
    yield folder
    folder.close(keep=True)


def run_driver(
    case: Case, costs: Costs, folder: ChunkFolder, total: int, until: tuple[int, int]
) -> SimulatedRay:
    """Run the driver until so many frames are kept, with a seed; returns the world then. Nothing is
    flushed to the disk, whose time is not the driver's.
    """
    stop_after, seed = until
    ray = SimulatedRay(
        case.workers, case.slow_share, lost_a_minute=case.lost_a_minute, call_seconds=costs.call,
        seed=seed,
    )  # fmt: skip
    job = Job("film.mp4", ("@ink-wash",), str(folder.output))
    transport = FileTransport(str(folder.path))
    timeline = Timeline.through(["one", "two"], duration=total / RATE)
    order = ChunkOrder("film", job, timeline, {}, folder.rule, {}, transport, "simulated")
    virtual = SimpleNamespace(monotonic=ray.monotonic, sleep=ray.sleep)
    with (
        mock.patch.object(pool, "import_ray", lambda: ray),
        mock.patch.object(pool, "time", virtual),
        mock.patch.object(store, "sync_to_disk"),
        mock.patch.object(files, "sync_to_disk"),
        mock.patch.object(pool, "Worker", SimulatedWorker),
    ):
        workers = WorkerPool(ClusterSettings("simulated", case.workers, 1))
        painter = SimulatedPainter(workers, ignore_progress, RunControl())
        painter.ray, painter.costs, painter.total = ray, costs, total
        painter.run(folder, order, stop_after)
    return ray


def count_chunks(rule: ChunkRule, total: int) -> int:
    index = count = 0
    while index < total:
        index += min(rule.longest(index), total - index)
        count += 1
    return count


def model_seconds(case: Case, costs: Costs, total: int, rule: ChunkRule) -> float:
    """The model's seconds. Machines: a slow one counts as a tenth; one that is lost is away for a
    minute and as long as a worker starts, and half a chunk is painted in vain. Chunks: ``chunk``
    and ``frame`` seconds, with warm-up. At the end, one of the smallest chunks is waited for; with
    slow machines until it is late and another one has painted it. Reading ahead is done by all, and
    ends with one section. A restarted driver starts its workers twice, reads the rest again, and
    paints again what was under way.
    """
    chunks = count_chunks(rule, total)
    frames = total + chunks * (WARMUP + AHEAD)
    work = chunks * costs.chunk + frames * costs.frame
    each = work / chunks
    speed = 1 - case.slow_share * (1 - 1 / 10)
    per_second = case.lost_a_minute / 60
    away = 60.0 + pool.NODE_POLL_SECONDS / 2 + costs.start + each / 2
    speed /= 1 + per_second * away
    painting = work / (case.workers * speed)
    reading = max(total * costs.read / (case.workers * speed), total * costs.join)
    section = SECTION_SECONDS * RATE * costs.read
    reading += section * (running.LATE + 1 if case.slow_share else 1)
    last = costs.chunk + costs.frame * (rule.longest(total - 1) + WARMUP + AHEAD)
    if case.slow_share:
        last *= running.LATE + 1
    seconds = costs.start + reading + painting + last
    if case.stopped_at < 1:
        again = costs.start + each / 2 + (1 - case.stopped_at) * reading
        seconds += again
    return seconds


def list_cases(workers: int) -> dict[str, Case]:
    """The cases of one size."""
    plain = Case(workers)
    return {
        "all alike": plain,
        "5 % ten times slower": replace(plain, slow_share=0.05),
        "10 % lost a minute": replace(plain, lost_a_minute=0.1),
        "both": replace(plain, slow_share=0.05, lost_a_minute=0.1),
        "the driver restarted": replace(plain, stopped_at=0.5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--json")
    options = parser.parse_args()
    fitted = json.loads((ROOT / "docs" / "cluster.json").read_text(encoding="utf-8"))["model"]
    costs = Costs(fitted["a"], fitted["b"], fitted["scout"], fitted["plan"], start=fitted["start"])
    place = Path(options.json) if options.json else None
    rows: list[dict[str, Any]] = []
    if place is not None and place.exists():  # continue what was interrupted
        rows = json.loads(place.read_text(encoding="utf-8"))["rows"]
    done = {(row["case"]["workers"], row["name"]) for row in rows}
    cases = [(n, name, case) for n in options.workers for name, case in list_cases(n).items()]
    for workers, name, case in cases:
        if (workers, name) in done:
            continue
        found = simulate(case, costs, options.hours)
        rows.append({"name": name, **asdict(found)})
        print(format_outcome(name, found), flush=True)
        rows.sort(key=lambda row: row["case"]["workers"])
        if place is not None:
            all_found = {"hours": options.hours, "costs": asdict(costs), "rows": rows}
            place.write_text(json.dumps(all_found, indent=1) + "\n", encoding="utf-8")


def format_outcome(name: str, found: Outcome) -> str:
    """One line on a case."""
    return (
        f"{found.case['workers']:5} {name:36} {found.seconds:9.0f} s, model {found.model:9.0f} s "
        f"({100 * (found.seconds / found.model - 1):+.1f} %), {found.chunks} chunks, "
        f"{found.lost} lost, {found.losses} machines lost, driver "
        f"{1000 * found.cpu / found.chunks:.2f} ms and {found.calls / found.chunks:.1f} "
        f"calls a chunk, {found.megabytes:.0f} MB"
    )


if __name__ == "__main__":
    main()
