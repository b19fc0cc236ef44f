"""Estimates how much memory a job needs, before it starts.

An estimate, not a promise: the constants were measured (`bench/memory.py`) with the program and its
ffmpeg counted together, and are above what was found. Nothing enforces it while the job runs.
"""

from __future__ import annotations

from vst.core.limits import check_memory
from vst.core.types import VideoInfo
from vst.engines import ENGINES
from vst.engines.options import parse_engine_options
from vst.job import Job, compute_painting_size

CONTENT = 250.0
"""Bytes for each pixel of the content: frames that are read ahead, composited and encoded."""
STABILIZER = {"off": 0.0, "gaussian": 100.0, "steady": 500.0}
"""Bytes for each painted pixel: optical flow, and the frames that the stabilizer holds; of `steady`
at a steadiness of 0.5 (measured at 1920 x 1080: 320, and 710 at 1).
"""


def estimate_memory(job: Job, info: VideoInfo) -> float:
    """Megabytes that the job is expected to use at most, its ffmpeg included."""
    width, height = compute_painting_size(job.size, info.width, info.height, info.sample_aspect)
    painted = width * height
    options = parse_engine_options(job.engine, job.engine_options)
    engine = ENGINES[job.engine].find_memory(job.model, options, job.threads)
    painting = engine.bytes_per_pixel * max(1.0, job.brush**2)
    stabilizing = STABILIZER.get(job.stabilize, max(STABILIZER.values()))
    if job.stabilize == "steady":
        stabilizing *= 0.5 + job.steadiness  # it holds as many frames as it looks back and ahead
    if job.steadiness == 0:
        stabilizing = 0.0
    pixels = info.width * info.height * CONTENT + painted * (painting + stabilizing)
    return float(engine.megabytes + pixels / 1e6)


def check_estimated_memory(job: Job, info: VideoInfo) -> float:
    """`estimate_memory`; raises `LimitError` for more than the job's limit, or than is free."""
    megabytes = estimate_memory(job, info)
    check_memory(megabytes, job.max_memory)
    return megabytes
