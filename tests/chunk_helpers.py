"""Shared by the tests of chunks: a clip, styles, and runs with short chunks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from vst.api import make_job
from vst.checkpoint.store import read_manifest
from vst.job import Job
from vst.pipeline.run import run
from vst.video.sources import open_source

FRAMES = 100
CHUNK_SECONDS = 2.0
run_in_chunks = partial(run, chunk_seconds=CHUNK_SECONDS)
"""Runs a job with chunks of at most two seconds."""


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """content.mp4 (10 s at 10 fps, two scenes with moving texture, sound), red.png, blue.png."""
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("films")
    write_content(folder / "content.mp4", FRAMES)
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    save_picture(folder / "blue.png", np.full((60, 40, 3), (20, 20, 230), np.uint8))
    return folder


def write_content(path: Path, frames: int) -> None:
    """Write texture that moves across 64 x 48 pixels, ten frames per second, with a cut at frame
    37 and sound.
    """
    rng = np.random.default_rng(0)
    scenes = [rng.integers(0, 200, (12, 60, 3), np.uint8).repeat(4, 0).repeat(4, 1) for _ in "ab"]
    scenes[1] //= 4
    pictures = [
        np.ascontiguousarray(scenes[index >= 37][:, index % 150 : index % 150 + 64])
        for index in range(frames)
    ]
    clips.encode(path, pictures, "-c:a", "aac", rate=10, inputs=clips.SOUND)


@pytest.fixture(scope="session")
def paint_whole(films: Path) -> Callable[..., list[np.ndarray]]:
    """Paints the content in one go, with options; each choice of options is painted once."""
    known: dict[str, list[np.ndarray]] = {}

    def paint(**options: Any) -> list[np.ndarray]:
        key = repr(sorted(options.items()))
        if key not in known:
            output = films / f"whole{len(known)}.mkv"
            run(make_chunk_job(films, output, **options))
            known[key] = read_pictures(output)
        return known[key]

    return paint


def make_chunk_job(films: Path, output: Path, **options: Any) -> Job:
    """A job that paints content.mp4 in both styles, without loss."""
    styles = [films / "red.png", films / "blue.png"]
    options = {"engine": "tint", "codec": "ffv1", "size": 48, **options}
    return make_job(films / "content.mp4", styles, output, **options)


def read_pictures(path: Path) -> list[np.ndarray]:
    """All frames of a video."""
    with open_source(path) as source:
        return [frame.picture for frame in source.frames()]


def is_same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether two videos have the same frames, at least one."""
    return len(first) == len(second) > 0 and all(map(np.array_equal, first, second))


def wait_for_chunks(output: Path, count: int) -> None:
    """Wait until so many chunks are whole."""
    for _ in range(600):
        manifest = read_manifest(output)
        if manifest is not None and len(manifest["chunks"]) >= count:
            return
        time.sleep(0.02)
    raise AssertionError("no chunk came")
