"""The style that each frame of a painted video should have, from a job or from styles."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.types import Embedding
from vst.errors import MediaError, UnsupportedFileError, UsageError
from vst.job import Job
from vst.metrics.style import Predictor
from vst.schedule.timeline import Timeline, blend_embeddings
from vst.styles.resolve import ResolvedStyle, check_space, resolve_styles
from vst.video.sinks.metadata import read_job
from vst.video.sources.base import Source

StyleTarget = Callable[[int], Embedding]
"""Index of a frame -> the style embedding that it should have."""
HELD = 0.002
"""Change of the style numbers from frame to frame, of their length, up to which a style is held."""


def get_predictor(engine: Any, name: str) -> Predictor:
    """What measures the style numbers of a picture; raises `UsageError` for an engine without."""
    if not hasattr(engine, "embed"):
        raise UsageError(f"engine {name!r} has no style embeddings; choose another predictor")
    embed: Predictor = engine.embed
    return embed


def read_styles_job(painted: str) -> Job:
    """Read the job that is stored in a painted file."""
    text = read_job(Path(painted))
    if text is None:
        raise UnsupportedFileError(
            f"{painted} has no job in its metadata: its styles are unknown. Name them with --style"
        )
    known = {
        name: value for name, value in json.loads(text).items() if name in Job.__dataclass_fields__
    }
    # Paths in the metadata are relative to the file that carries it.
    folder = Path(painted).parent
    names = tuple(
        str(folder / name) if (folder / name).exists() else name for name in known.pop("styles", ())
    )
    if not names:
        raise MediaError(
            f"{painted} was painted by a score; say with --style what a part of it was painted "
            "with, or leave the style distance out"
        )
    kept = {n: known[n] for n in ("keyframes", "picker", "ease", "blend", "strength") if n in known}
    return Job(known.get("content", ""), names, "", **kept)


def resolve_timeline(job: Job, film: Source) -> tuple[list[ResolvedStyle], Timeline]:
    """The job's styles, and when each is painted over the film."""
    resolved = resolve_styles(job.styles, keyframes=job.keyframes, picker=job.picker)
    last = max(0.0, film.info.duration - 1 / float(film.info.rate))
    names = [style.name for style in resolved]
    return resolved, Timeline.through(names, last, ease=job.ease, blend=job.blend)


def build_style_target(job: Job, engine: Any, name: str, film: Source) -> StyleTarget:
    """The style numbers that each frame should have."""
    resolved, line = resolve_timeline(job, film)
    check_space(resolved, name, engine.space)
    numbers = {
        style.name: np.asarray(style.style, np.float32)
        if style.space
        else engine.embed(style.picture)
        for style in resolved
    }

    def wanted(index: int) -> Embedding:
        mix = line.at(index / float(film.info.rate))
        return blend_embeddings(
            [numbers[name] for name in mix.weights], list(mix.weights.values()), mix.blend
        )

    return wanted


def find_held_styles(wanted: StyleTarget, count: int) -> list[bool]:
    """For each frame, whether its style is nearly that of the frame before."""
    targets = [wanted(index) for index in range(count)]
    return [
        index == 0 or float(np.linalg.norm(target - targets[index - 1])) <= HELD * _norm(target)
        for index, target in enumerate(targets)
    ]


def _norm(target: Embedding) -> float:
    return float(np.linalg.norm(target))
