"""Engines stay open for jobs that need the same one; contents are opened with the job's limits."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.chunk_helpers import films, make_chunk_job
from vst import preview
from vst.checkpoint.planner import ChunkRule
from vst.cluster import worker
from vst.cluster.paint_clips import ClipQueue
from vst.cluster.tasks import ChunkOrder
from vst.cluster.transport import FileTransport
from vst.cluster.worker import Worker
from vst.errors import LimitError
from vst.job import Job
from vst.pipeline import parts
from vst.pipeline.parts import EngineCache
from vst.preview import FramePreviewer
from vst.schedule.timeline import Timeline

__all__ = ["films"]


class CountingEngine:
    """Stands for an engine; counts how often it is closed."""

    batch = 1
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Job, CountingEngine]]:
    """The engines that are opened, in order."""
    found: list[tuple[Job, CountingEngine]] = []

    def open_engine(job: Job, *given: Any) -> CountingEngine:
        found.append((job, CountingEngine()))
        return found[-1][1]

    monkeypatch.setattr(parts, "open_job_engine", open_engine)
    return found


JOB = Job("c.mp4", ("s.png",), "o.mp4", engine="gatys")


def test_a_job_with_the_same_engine_reuses_it(opened: list[Any]) -> None:
    cache = EngineCache()
    first = cache.open(JOB)
    assert cache.open(replace(JOB, content="other.mp4", strength=0.5)) is first
    assert (len(opened), opened[0][1].closed) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"engine": "tint"},
        {"model": "other"},
        {"engine_options": (("steps", 7),)},
        {"batch": 3},
        {"threads": 1},
    ],
    ids=str,
)
def test_a_job_with_another_engine_setting_gets_an_engine_of_its_own(
    opened: list[Any], change: dict[str, Any]
) -> None:
    cache = EngineCache()
    first = cache.open(JOB)
    assert cache.open(replace(JOB, **change)) is not first
    assert (len(opened), opened[0][1].closed) == (2, 1)


def test_a_previewer_opens_another_engine_for_other_engine_options(opened: list[Any]) -> None:
    previewer = FramePreviewer()
    first = previewer.open_engine(JOB)
    second = previewer.open_engine(replace(JOB, engine_options=(("steps", 7),)))
    assert first is not second and len(opened) == 2


def make_order(job: Job, folder: Path) -> ChunkOrder:
    styles = {"red": np.full((4, 4, 3), (230, 20, 20), np.uint8)}
    timeline = Timeline.through(["red"], 1.0)
    transport = FileTransport(str(folder))
    version = worker.__version__
    key = uuid.uuid4().hex
    return ChunkOrder(key, job, timeline, styles, ChunkRule(5, 10), {}, transport, version)


def test_a_worker_opens_another_engine_for_another_batch(films: Path, tmp_path: Path) -> None:
    painter = Worker(1)
    batches = []
    for batch in (2, 5):
        job = make_chunk_job(films, tmp_path / "o.mkv", batch=batch)
        batches.append(painter._open(make_order(job, tmp_path)).engine.batch)
    painter.close()
    assert batches == [2, 5]


def test_workers_previews_and_clips_open_contents_with_the_limits_of_the_job(
    films: Path, tmp_path: Path
) -> None:
    job = make_chunk_job(films, tmp_path / "o.mkv", max_pixels=100)
    with pytest.raises(LimitError):
        Worker(1).prepare(make_order(job, tmp_path))
    with pytest.raises(LimitError):
        FramePreviewer().paint(job, 0.0)
    with pytest.raises(LimitError):
        preview.read_middle_picture(job.content, job.limits)
    with pytest.raises(LimitError):
        ClipQueue([job], FileTransport(None), print)._is_long(job)


def test_a_previewer_opens_the_content_again_for_other_limits(films: Path, tmp_path: Path) -> None:
    previewer = FramePreviewer()
    job = make_chunk_job(films, tmp_path / "o.mkv")
    previewer.paint(job, 0.0)
    with pytest.raises(LimitError):
        previewer.paint(replace(job, max_pixels=100), 0.0)
    previewer.close()
