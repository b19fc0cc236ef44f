"""How long a job would take, and how much memory: its first frames are run."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vst.core.types import Progress
from vst.engines.base import Engine
from vst.job import Job, compute_painting_size
from vst.pipeline.checks import check_job
from vst.pipeline.frames import count_frames
from vst.pipeline.loop import PAINT
from vst.pipeline.memory_estimate import estimate_memory
from vst.pipeline.object_files import ObjectFiles, names_objects
from vst.pipeline.run import Result, run
from vst.pipeline.session import check_limits
from vst.video.sources import open_source

WARM = 8
"""First frames that an estimate leaves out: the engine compiles its function, threads start."""


@dataclass(frozen=True)
class Estimate:
    """What a job would do: the sizes, the styles with their times, the seconds that it would take,
    the megabytes of memory that it would need and the bytes that its file would have.
    """

    output: str
    frames: int
    fps: str
    size: tuple[int, int]
    painted_at: tuple[int, int]
    engine: str
    keyframes: list[dict[str, Any]]
    seconds: float
    startup: float
    memory: float
    measured_on: int
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def estimate(job: Job, *, frames: int = 40, engine: Engine | None = None) -> Estimate:
    """Estimate what ``job`` would take: run its first ``frames`` frames, in a temporary folder.

    What a run costs once (compiling the engine's function, closing the file) is kept apart from
    what a frame costs, or a short trial would make a long job look slower than it is. ``engine``:
    one that is open, and stays open.
    """
    if names_objects(job):
        with ObjectFiles(job) as files:
            found = estimate(files.job, frames=frames, engine=engine)
        return replace(found, output=job.output)
    check_job(job)
    with open_source(job.content, job.limits) as source:
        info = source.info
    check_limits(job, info)
    rate = job.fps or info.rate
    total = count_frames(job, info)
    events: list[Progress] = []
    with tempfile.TemporaryDirectory(prefix="vst-") as folder:
        output = str(Path(folder) / f"trial{Path(job.output).suffix}")
        end = min(job.start + (frames + 0.5) / float(rate), job.end or info.duration)
        short = replace(job, end=end, output=output, audio=False, overwrite=True)
        short = replace(short, sidecar=None, save_mask=None)
        trial = run(short, events.append, engine=engine)
        written = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
    each = _measure_frame([event for event in events if event.stage == PAINT], trial)
    once = max(0.0, trial.seconds - each * trial.frames)
    return Estimate(
        output=job.output,
        frames=total,
        fps=f"{rate.numerator}/{rate.denominator}",
        size=(info.width, info.height),
        painted_at=compute_painting_size(job.size, info.width, info.height, info.sample_aspect),
        engine=job.engine,
        keyframes=trial.keyframes,
        seconds=round(once + each * total, 3),
        startup=trial.startup,
        memory=round(estimate_memory(job, info)),
        measured_on=trial.frames,
        bytes=round(written * total / max(1, trial.frames)),
    )


def _measure_frame(events: list[Progress], trial: Result) -> float:
    """Seconds of one frame, once the first ones are done."""
    warm = next((event for event in events if event.done >= WARM), events[0])
    last = events[-1]
    if last.done - warm.done >= WARM:
        return (last.seconds - warm.seconds) / (last.done - warm.done)
    return trial.seconds / max(1, trial.frames)
