"""The cuts of a content found in sections, by many workers, are those found in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from tests.chunk_helpers import (
    CHUNK_SECONDS,
    films,
    is_same,
    make_chunk_job,
    paint_whole,
    read_pictures,
)
from tests.test_plan import place_of
from vst.checkpoint import reading
from vst.checkpoint.planner import ChunkPlan, ChunkRule, WarmupNeed, plan_chunks
from vst.checkpoint.reading import ReadSection, join_sections, plan_sections, read_ahead
from vst.cluster import LOCAL, ClusterSettings, paint_chunks
from vst.cluster.paint_chunks import ClusterPainter
from vst.cluster.pool import TaskOutcome
from vst.cluster.tasks import Task
from vst.cluster.worker import Worker
from vst.core.types import ignore_progress
from vst.errors import MediaError
from vst.pipeline.control import RunControl
from vst.pipeline.run import run
from vst.video.sources import open_source
from vst.video.sources.base import Source

__all__ = ["films", "paint_whole"]

SIZE = (48, 36)
RULE = ChunkRule(12, 20, 5)


@pytest.fixture(autouse=True)
def each_keyframe_begins_a_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECTION_SECONDS", 0.0)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Encodes a clip with cuts whose groups of pictures have twelve frames."""
    folder = tmp_path_factory.mktemp("keyed")
    rng = np.random.default_rng(0)
    shots = [rng.integers(0, 255, (12, 30, 3), np.uint8).repeat(4, 0).repeat(4, 1) for _ in "abcde"]
    pictures = [
        np.ascontiguousarray(shots[index // 17][:, index % 17 : index % 17 + 64])
        for index in range(80)
    ]

    def encode(name: str, *options: str) -> Path:
        path = folder / name
        if not path.exists():
            clips.encode(path, pictures, "-g", "12", "-sc_threshold", "0", *options, rate=10)
        return path

    return encode


def read_in_sections(source: Source, start: float = 0.0, end: float | None = None) -> list[Any]:
    sections = plan_sections(source.list_keyframes(), start, end, SIZE)
    assert len(sections) > 1
    parts = [ReadSection.of(source.frames(one.start, one.end), SIZE) for one in sections]
    assert [part.times[0] for part in parts[1:]] == [one.start for one in sections[1:]]
    return list(join_sections(parts))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("closed.mp4", ("-bf", "3")),
        ("open.mp4", ("-bf", "3", "-x264-params", "open-gop=1")),
        ("plain.mkv", ("-bf", "0")),
        ("stream.ts", ("-bf", "2")),
    ],
)
@pytest.mark.parametrize("part", [(0.0, None), (1.25, 6.05)])
def test_sections_have_the_frames_and_changes_of_one_pass(
    keyed: Any, name: str, options: tuple[str, ...], part: tuple[float, float | None]
) -> None:
    with open_source(keyed(name, *options)) as source:
        found = read_in_sections(source, *part)
        assert found == list(read_ahead(source.frames(*part), SIZE))


@pytest.mark.parametrize("name", ["scene_cuts.mp4", "bikes.mp4"])
def test_real_clips_have_the_same_cuts_and_chunks(shared: Path, name: str) -> None:
    with open_source(shared / "video" / name) as source:
        one_pass = list(read_ahead(source.frames(), SIZE))
        assert read_in_sections(source) == one_pass


def test_the_plan_of_sections_continues_from_any_chunk(keyed: Any) -> None:
    need = WarmupNeed(4, 4)
    with open_source(keyed("closed.mp4", "-bf", "3")) as source:
        plans = list(plan_chunks(read_ahead(source.frames(), SIZE), RULE, need))
        assert list(map(place_of_plan, plan_chunks(read_in_sections(source), RULE, need))) == list(
            map(place_of_plan, plans)
        )
        for number, plan in enumerate(plans[1:], 1):
            assert plan.start is not None
            begin = plan.start.read_from.time
            sections = plan_sections(source.list_keyframes(), begin, None, SIZE)
            parts = [ReadSection.of(source.frames(one.start, one.end), SIZE) for one in sections]
            read = join_sections(parts, plan.start)
            rest = plan_chunks(read, RULE, need, (number, plan.start))
            assert list(map(place_of_plan, rest)) == list(map(place_of_plan, plans[number:]))


def place_of_plan(plan: ChunkPlan) -> Any:
    return plan.number, plan.frames, place_of(plan.start), place_of(plan.following)


class PoolHere:
    """Workers in this process. Tasks end in the reverse of the order in which they begin, as far as
    they are known at once; ``calls`` counts them by method.
    """

    size = 8
    settings = ClusterSettings(LOCAL)

    def __init__(self) -> None:
        self.worker = Worker(1)
        self.calls: list[str] = []

    def find_slots(self) -> list[Any]:
        return [None] * self.size

    def start(self, order: Any) -> None:
        self.worker.prepare(order)

    def run_tasks(self, tasks: Iterator[Task], is_wanted: Any) -> Iterator[TaskOutcome]:
        found = list(tasks)
        for task in reversed(found):
            self.calls.append(task.method)
            try:
                value = getattr(self.worker, task.method)(task.order, *task.arguments)
                yield TaskOutcome(task, value)
            except MediaError as error:
                yield TaskOutcome(task, error=error)


def paint(films: Path, output: Path, pool: PoolHere) -> None:
    painter = ClusterPainter(pool, ignore_progress, RunControl())  # type: ignore[arg-type]
    job = make_chunk_job(films, output, stabilize="off")
    run(job, chunk_painter=painter, chunk_seconds=CHUNK_SECONDS)
    pool.worker.close()


def test_workers_find_the_cuts_and_paint_the_same_frames(
    films: Path, tmp_path: Path, paint_whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paint_chunks, "LEAST_READERS", 1)
    pool = PoolHere()
    paint(films, tmp_path / "out.mkv", pool)
    assert pool.calls.count("find_cuts") >= 1 and pool.calls.count("paint_chunk") > 3
    assert is_same(read_pictures(tmp_path / "out.mkv"), paint_whole(stabilize="off"))


@pytest.mark.parametrize("fault", ["late", "unreadable"])
def test_a_section_that_begins_elsewhere_is_read_in_one_pass(
    films: Path, tmp_path: Path, paint_whole: Any, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(paint_chunks, "LEAST_READERS", 1)
    real = Worker.find_cuts

    def find_cuts(worker: Worker, order: Any, section: Any) -> ReadSection:
        if fault == "unreadable":
            raise MediaError("cannot be read")
        return replace(real(worker, order, section), times=np.zeros(0))

    monkeypatch.setattr(Worker, "find_cuts", find_cuts)
    pool = PoolHere()
    paint(films, tmp_path / "out.mkv", pool)
    assert "find_cuts" in pool.calls
    assert is_same(read_pictures(tmp_path / "out.mkv"), paint_whole(stabilize="off"))


def test_a_picture_has_no_index_and_is_read_in_one_pass(films: Path) -> None:
    with open_source(films / "red.png") as source:
        assert source.list_keyframes() == []
    assert len(plan_sections([], 0.0, None, SIZE)) == 1
