"""Measures what painting on a cluster costs, and fits a model of its throughput.

    python bench/cluster.py --minutes 5 --json docs/cluster.json [--turns 3] [--engine embedded]

Two workers of one core each, on Ray on this machine, against a local run on the same two cores, in
turns, on a clip of 640 x 360 at 24 frames a second that the script draws (shots of 3 to 9 s). Times
are from the first frame read to the finished file: the start of Ray, TensorFlow and the workers is
told apart. Then eight clips of 5 s as whole tasks, and a chunk's way through Ray's store.

The model: a worker needs ``a`` seconds for a chunk and ``b`` for each frame (least squares over all
chunks); the driver reads ahead, takes chunks in and joins them at speeds that are measured here.
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
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT, RATE = 640, 360, 24
CORES = 2
STYLES = ("@ink-wash", "@indigo-waves")
LINK = 125e6
"""Bytes a second of the driver's network in the model: one gigabit. Not measured."""
FILM_HOURS, CLIP_SECONDS = 2.0, 10.0
CHUNK = 10.0
ASKED = 1.25


def draw_clip(path: Path, seconds: float, seed: int = 0) -> None:
    """Shots of 3 to 9 s: a texture of several grains, each shot's own, that drifts and grows."""
    from vst.video.sinks.track import TrackWriter

    rng = np.random.default_rng(seed)
    left = round(seconds * RATE)
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "track.mkv"
        writer = TrackWriter(track, (WIDTH, HEIGHT), Fraction(RATE))
        while left > 0:
            frames = min(left, round(rng.uniform(3, 9) * RATE))
            for picture in shot(rng, frames):
                writer.write_frame(picture)
            left -= frames
        writer.close()
        track.replace(path)


def shot(rng: np.random.Generator, frames: int) -> Any:
    """The frames of one shot."""
    large = np.zeros((HEIGHT * 2, WIDTH * 2, 3), np.float32)
    for cell in (8, 24, 80, 240):
        grain = rng.random((HEIGHT * 2 // cell + 2, WIDTH * 2 // cell + 2, 3), np.float32)
        large += (
            cv2.resize(grain, (WIDTH * 2, HEIGHT * 2), interpolation=cv2.INTER_CUBIC) * cell**0.5
        )
    low, high = large.min(), large.max()
    texture = ((large - low) / (high - low) * 255).astype(np.uint8)
    angle, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 3)
    for index in range(frames):
        grown = 1 + 0.0005 * index
        turn = cv2.getRotationMatrix2D((WIDTH, HEIGHT), 0.02 * index, grown)
        turn[:, 2] -= (WIDTH / 2, HEIGHT / 2)
        drift = 150 * np.sin(speed * index / 150)
        turn[:, 2] += np.array([np.cos(angle), np.sin(angle)]) * drift
        yield cv2.warpAffine(texture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def local_run(clip: Path, folder: Path, engine: str, styles: list[str]) -> dict[str, Any]:
    """The local run on all cores, in a process of its own."""
    words = [sys.executable, str(ROOT / "cli.py"), "stylize", str(clip)]
    for style in styles:
        words += ["-s", style]
    words += ["-o", str(folder / "local.mp4"), "--engine", engine, "--threads", str(CORES)]
    words += ["--json", "--progress", "none", "--overwrite"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def cluster_run(part: str, words: list[str]) -> dict[str, Any]:
    """A part of this script in a process of its own, for Ray's and TensorFlow's start is apart."""
    with tempfile.NamedTemporaryFile(suffix=".json") as told:
        command = [sys.executable, __file__, "--part", part, "--json", told.name, *words]
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads(Path(told.name).read_text())
        return found


def crew_of(settings: Any) -> Any:
    """A crew that waits until all its workers are ready: their start is no part of the time."""
    from vst.cluster.pool import WorkerPool

    class Patient(WorkerPool):
        def start(self, order: Any) -> None:
            began = time.perf_counter()
            super().start(order)
            while self._joining:
                self._welcome(0.2, time.monotonic())
            self.ready_seconds = time.perf_counter() - began

    return Patient(settings)


def chunked(clip: Path, folder: Path, engine: str, styles: list[str], storage: str | None) -> Any:
    """One long video on two workers; with it what each chunk took."""
    from vst.api import job_of
    from vst.cluster import ClusterSettings
    from vst.cluster.paint_chunks import ClusterPainter
    from vst.pipeline.run import run
    from vst.pipeline.session import RunControl

    rows: list[tuple[int, float]] = []

    class Noted(ClusterPainter):
        def _take(self, outcome: Any, folder: Any) -> None:
            super()._take(outcome, folder)
            if outcome.error is None:
                painted = outcome.value
                rows.append((painted.frames + painted.extra, painted.seconds))

    began = time.perf_counter()
    last = [0.0]
    job = job_of(clip, styles, folder / "cluster.mp4", engine=engine, overwrite=True)
    with crew_of(ClusterSettings("local", CORES, 1, storage)) as crew:
        started = time.perf_counter() - began
        noted = Noted(crew, lambda progress: last.__setitem__(0, progress.seconds), RunControl())
        result = run(job, elsewhere=noted, workers=CORES)
        return {
            "seconds": result.seconds,
            "ray_seconds": round(started, 3),
            "ready_seconds": round(crew.ready_seconds, 3),
            "join_seconds": round(result.seconds - last[0], 3),
            "frames": result.frames,
            "rows": rows,
            "tally": asdict(noted.tally),
        }


def clips(clip: Path, folder: Path, engine: str, styles: list[str], count: int = 8) -> Any:
    """Short clips as whole tasks: what the worker and what the driver needs for each."""
    from vst.api import job_of
    from vst.cluster import ClusterSettings
    from vst.cluster.paint_clips import ClipQueue, run_batch_with_pool

    spent = [0.0]
    task, take = ClipQueue._order, ClipQueue.take
    long = ClipQueue._is_long

    def timed(function: Any) -> Any:
        def call(*words: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*words)
            finally:
                spent[0] += time.perf_counter() - began

        return call

    ClipQueue._order, ClipQueue.take, ClipQueue._is_long = timed(task), timed(take), timed(long)
    seconds = 5.0
    jobs = [
        job_of(clip, styles, folder / f"clip{n}.mp4", engine=engine, end=seconds, overwrite=True)
        for n in range(count)
    ]
    with crew_of(ClusterSettings("local", CORES, 1)) as crew:
        outcomes = run_batch_with_pool(crew, jobs)
    assert all(one.state == "done" for one in outcomes), outcomes
    sizes = [(folder / f"clip{n}.mp4").stat().st_size for n in range(count)]
    warm = outcomes[CORES:]  # the first of each worker loads the engine
    return {
        "clips": count,
        "frames": warm[0].frames,
        "worker_seconds": median(one.seconds for one in warm),
        "driver_seconds": spent[0] / count,
        "bytes": median(sizes),
    }


@dataclass(frozen=True)
class Model:
    """Seconds: ``a`` a chunk and ``b`` a frame on a worker; ``scout``, ``take`` and ``join`` a
    frame on the driver; ``start``: until a worker is ready. ``size``: bytes a frame, coming back.
    ``extra``: part of frames painted to warm up. Of a clip: ``clip`` seconds on the worker over its
    frames, ``send`` on the driver.
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

    def film(self, workers: int, hours: float = FILM_HOURS) -> dict[str, Any]:
        """One long film: seconds, and which part limits it."""
        frames = hours * 3600 * RATE
        chunk = min(CHUNK * RATE, max(frames / (2 * workers), CHUNK * RATE / 4))
        parts = {
            "workers": (self.a / chunk + self.b * (1 + self.extra)) / workers,
            "reading ahead": self.scout,
            "taking chunks in": self.take,
            "network": self.size / LINK,
        }
        limit = max(parts, key=lambda name: parts[name])
        seconds = self.start + frames * (parts[limit] + self.join) + chunk * self.b
        share = frames * parts[limit] / seconds
        limit = limit if share > 0.5 else "start and joining"
        return {"seconds": seconds, "frames_per_second": frames / seconds, "limit": limit}

    def many(self, workers: int, count: int, length: float = CLIP_SECONDS) -> dict[str, Any]:
        """Many clips: seconds, and which part limits it."""
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


def fitted(runs: list[dict[str, Any]], of_clips: dict[str, Any]) -> Model:
    """The model, from the runs in chunks and the one in clips."""
    rows = np.array([row for run in runs for row in run["rows"]], np.float64)
    known = np.stack([np.ones(len(rows)), rows[:, 0]], 1)
    (a, b), *_ = np.linalg.lstsq(known, rows[:, 1], rcond=None)
    if a < 0 or b <= 0:  # too few sizes to part them
        a, b = 0.0, rows[:, 1].sum() / rows[:, 0].sum()
    tallies = [run["tally"] for run in runs]
    frames = sum(tally["frames"] for tally in tallies)

    def each(name: str) -> float:
        return float(sum(tally[name] for tally in tallies) / frames)

    return Model(
        a=float(a),
        b=float(b),
        scout=each("scout_seconds"),
        take=each("take_seconds"),
        join=sum(run["join_seconds"] for run in runs) / frames,
        start=median(run["ray_seconds"] + run["ready_seconds"] for run in runs),
        size=each("bytes"),
        extra=each("extra"),
        clip=max(0.0, of_clips["worker_seconds"] - float(b) * of_clips["frames"]),
        send=of_clips["driver_seconds"],
    )


def carried_on(model: Model) -> dict[str, Any]:
    """The model at each power of ten."""
    workers = (1, 10, 100, 1000)
    counts = [10**power for power in range(1, 7)]
    return {
        "film": {str(number): model.film(number) for number in workers},
        "clips": {
            str(number): {str(count): model.many(number, count) for count in counts}
            for number in workers
        },
    }


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        folder = Path(name)
        clip = folder / "clip.mkv"
        draw_clip(clip, options.minutes * 60)
        words = ["--clip", str(clip), "--folder", name, "--engine", options.engine]
        for style in options.styles:
            words += ["--style", style]
        here, there = [], []
        for turn in range(options.turns):
            here.append(local_run(clip, folder, options.engine, options.styles))
            there.append(cluster_run("chunks", words))
            say(f"turn {turn + 1}: {here[-1]['seconds']:.1f} s here, {there[-1]['seconds']:.1f} s")
        through_ray = cluster_run("object", words)
        of_clips = cluster_run("clips", words)
    model = fitted(there, of_clips)
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
        "object_take_per_chunk": through_ray["tally"]["take_seconds"]
        / through_ray["tally"]["chunks"],
        "chunks": tally["chunks"],
        "warmup_frames": tally["extra"],
        "frames": tally["frames"],
        "clips": of_clips,
        "model": asdict(model),
        "link_bytes_per_second": LINK,
        "paper": carried_on(model),
    }


def say(text: str) -> None:
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
        found = clips(*common)
    elif options.part:
        found = chunked(*common, "object" if options.part == "object" else None)
    else:
        found = measured(options)
    text = json.dumps(found, indent=1)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    if not options.part:
        print(text)


if __name__ == "__main__":
    main()
