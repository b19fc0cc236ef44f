"""How much memory a job is expected to need, before it is begun.

An estimate, not a promise: the constants were measured (`bench/memory.py`) with the program and its
ffmpeg counted together, and lie above what was found. Nothing holds a job to it while it runs.
"""

from __future__ import annotations

from vst.core.limits import check_memory
from vst.core.types import VideoInfo
from vst.job import Job, painting_size

BASE = {"tint": 250.0, "embedded": 1800.0}
"""Megabytes with small pictures: Python, libraries, TensorFlow, ffmpeg."""
BASE_OTHER = 2500.0
CONTENT = 250.0
"""Bytes for each pixel of the content: frames that are read ahead, finished and encoded."""
PAINTED = {"tint": 30.0, "embedded": 400.0}
"""Bytes for each painted pixel: the engine's layers."""
PAINTED_OTHER = 2000.0
STEADIED = {"off": 0.0, "light": 100.0, "flow": 250.0, "strong": 400.0}
"""Bytes for each painted pixel: flow, and what the stabiliser remembers."""


def estimate_memory(job: Job, info: VideoInfo) -> float:
    """Megabytes that the job is expected to hold at most, its ffmpeg included."""
    width, height = painting_size(job.size, info.width, info.height, info.sample_aspect)
    painted = width * height
    engine = PAINTED.get(job.engine, PAINTED_OTHER) * max(1.0, job.brush**2)
    steady = STEADIED.get(job.stabilise, max(STEADIED.values()))
    pixels = info.width * info.height * CONTENT + painted * (engine + steady)
    return BASE.get(job.engine, BASE_OTHER) + pixels / 1e6


def check_estimated_memory(job: Job, info: VideoInfo) -> float:
    """`estimate_memory`; raises `LimitError` where that is more than the job's limit, or than is free."""
    megabytes = estimate_memory(job, info)
    check_memory(megabytes, job.max_memory)
    return megabytes
