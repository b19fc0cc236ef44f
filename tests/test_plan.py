"""Chunks planned ahead are those of a run, and each can be painted without the one before."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.chunk_helpers import (
    films,
    is_same,
    make_chunk_job,
    paint_whole,
    read_pictures,
    run_in_chunks,
)
from vst.api import make_job
from vst.checkpoint.handover import WarmStart, decode_start, encode_start
from vst.checkpoint.planner import ChunkPlan, ChunkRule, WarmupNeed, plan_chunks
from vst.checkpoint.reading import read_ahead
from vst.checkpoint.store import ChunkFolder, get_chunk_folder, read_manifest
from vst.cluster.paint_chunks import find_first_missing, make_order, store_result
from vst.cluster.transport import FileTransport
from vst.cluster.worker import Worker
from vst.errors import Cancelled, OutputError
from vst.pipeline import session
from vst.pipeline.build_schedule import Schedule
from vst.pipeline.frames import read_frames
from vst.pipeline.loop import LoopResult
from vst.pipeline.resume import resume
from vst.pipeline.session import RenderSession, get_warmup_need
from vst.video.sources import open_source

__all__ = ["films", "paint_whole"]


class SeparatePainter:
    """Paints the chunks of ``numbers`` (None: all) one by one, with a worker that paints nothing
    else; ``handovers``: chunks that want the state of the one before get it; ``transport``: None:
    through a folder.
    """

    def __init__(
        self,
        numbers: set[int] | None = None,
        workers: int = 1,
        *,
        handovers: bool = True,
        transport: FileTransport | None = None,
    ) -> None:
        self.numbers, self.workers, self.handovers = numbers, workers, handovers
        self.transport = transport

    def paint(self, render: RenderSession, folder: ChunkFolder, schedule: Schedule) -> LoopResult:
        painter, worker = render.parts.painter, Worker(1)
        frames = read_frames(render.job, render.source)
        need = get_warmup_need(render.job, painter.engine.warmup)
        with tempfile.TemporaryDirectory() as name:
            transport = self.transport or FileTransport(name)
            order = make_order(render.job, schedule, folder, transport)
            read = read_ahead(frames, (painter.width, painter.height))
            for plan in plan_chunks(read, folder.rule, need):
                if self.numbers is None or plan.number in self.numbers:
                    result = worker.paint_chunk(order, plan, self.get_handover(plan, folder))
                    assert result.frames == plan.frames
                    store_result(result, plan.number, folder)
        worker.close()
        if folder.missing is not None:
            raise Cancelled("stopped")
        return LoopResult(folder.frames, time.perf_counter())

    def get_handover(self, plan: ChunkPlan, folder: ChunkFolder) -> Any:
        if not (self.handovers and plan.wants_handover):
            return None
        return np.fromfile(folder.path / folder.chunks[plan.number - 1].state, np.uint8)


EXACT: list[dict[str, Any]] = [
    {"stabilize": "off"},
    {"stabilize": "gaussian"},
    {"strength": 0.5, "stabilize": "gaussian"},
    {"fps": 7, "stabilize": "off"},
    {"speed": 0.5, "end": 5, "stabilize": "gaussian"},
    {"start": 2.05, "stabilize": "gaussian", "strength": 0.2},
    {"stabilize": "steady"},
    {"steadiness": 1.0, "ghost": 0.1},
    {"start": 3.8, "stabilize": "steady"},  # no cut from there on: one shot for all workers
    {"mask": "auto:0.2,0.2,0.5,0.5", "stabilize": "off", "end": 7},
]


@pytest.mark.parametrize("way", EXACT, ids=str)
def test_chunks_painted_separately_are_those_of_a_run(
    films: Path, tmp_path: Path, paint_whole: Any, way: dict[str, Any]
) -> None:
    output = tmp_path / "parts.mkv"
    job = make_chunk_job(films, output, keep_chunks=True, **way)
    run_in_chunks(job, chunk_painter=SeparatePainter(workers=3))
    assert is_same(read_pictures(output), paint_whole(**way))
    manifest = read_manifest(output)
    assert manifest is not None
    sizes = [chunk.frames for chunk in manifest["chunks"]]
    assert len(sizes) > 3 and sizes[-2] < max(sizes)


@pytest.mark.parametrize(
    "way",
    [{"mask": "auto:0.2,0.2,0.5,0.5"}],
    ids=str,
)
def test_endless_memory_is_nearly_warmed_up(
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    paint_whole: Any,
    way: dict[str, Any],
) -> None:
    """Few frames warm up, because the clip is short; differences are in steps of 255."""
    monkeypatch.setattr(session, "ENDLESS_WARMUP", 15)
    job = make_chunk_job(films, tmp_path / "parts.mkv", **way)
    run_in_chunks(job, chunk_painter=SeparatePainter(handovers=False))
    pairs = zip(paint_whole(**way), read_pictures(tmp_path / "parts.mkv"), strict=True)
    differences = [np.abs(one.astype(int) - other).mean() for one, other in pairs]
    assert len(differences) == 100
    assert np.mean(differences) < 1


@pytest.mark.parametrize("name", ["gaussian", "steady"])
def test_chunks_painted_separately_are_resumed_to_the_same_frames(
    films: Path, tmp_path: Path, paint_whole: Any, name: str
) -> None:
    output = tmp_path / "parts.mkv"
    job = make_chunk_job(films, output, stabilize=name)
    with pytest.raises(Cancelled):
        run_in_chunks(job, chunk_painter=SeparatePainter({0, 1, 2}, workers=2))
    assert resume(str(output), runner=run_in_chunks) is not None
    assert is_same(read_pictures(output), paint_whole(stabilize=name))
    assert not get_chunk_folder(output).exists()


def test_the_plan_is_what_a_run_finds(films: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    run_in_chunks(make_chunk_job(films, output, stabilize="gaussian", keep_chunks=True))
    manifest = read_manifest(output)
    assert manifest is not None
    with open_source(films / "content.mp4") as source:
        rule = ChunkRule.read(manifest["rule"])
        read = read_ahead(source.frames(), (48, 36))
        plans = list(plan_chunks(read, rule, WarmupNeed(2, 2)))
    assert [plan.frames for plan in plans] == [one.frames for one in manifest["chunks"]]
    (at_cut,) = [p.start for p in plans if p.start and p.start.index == 37]
    assert (at_cut.read_from.index, at_cut.first_written, at_cut.earlier) == (37, 37, [])
    within = plans[1].start
    assert within is not None
    assert (within.index, within.first_written, within.read_from.index) == (20, 18, 16)


@pytest.mark.parametrize("need", [WarmupNeed(0), WarmupNeed(2, 2), WarmupNeed(15, 15)], ids=str)
def test_a_plan_continues_from_any_chunk(films: Path, need: WarmupNeed) -> None:
    rule, size = ChunkRule(20, 32, 16), (48, 36)
    with open_source(films / "content.mp4") as source:
        frames = list(source.frames())
    plans = list(plan_chunks(read_ahead(frames, size), rule, need))
    assert len(plans) > 3
    for number, plan in enumerate(plans[1:], 1):
        assert plan.start is not None
        kept = decode_start(encode_start(plan.start))  # as the chunk before keeps it
        assert isinstance(kept, WarmStart)
        read = read_ahead(frames[kept.read_from.index :], size, kept)
        rest = plan_chunks(read, rule, need, (number, kept))
        for found, expected in zip(rest, plans[number:], strict=True):
            assert (found.number, found.frames) == (expected.number, expected.frames)
            assert place_of(found.start) == place_of(expected.start)
            assert place_of(found.following) == place_of(expected.following)


def place_of(start: WarmStart | None) -> Any:
    if start is None:
        return None
    return start.index, start.first_written, start.read_from, start.earlier, str(start.cuts)


def test_a_cluster_continues_to_read_where_a_chunk_is_missing(
    films: Path, tmp_path: Path, paint_whole: Any
) -> None:
    output = tmp_path / "out.mkv"
    job = make_chunk_job(films, output)
    with pytest.raises(Cancelled):
        run_in_chunks(job, chunk_painter=SeparatePainter({0, 1, 2, 4}, workers=2))
    manifest = read_manifest(output)
    assert manifest is not None
    folder = ChunkFolder(output, manifest["about"], ChunkRule.read(manifest["rule"]), {})
    first = find_first_missing(folder)
    folder.close(keep=True)
    assert first is not None and first[0] == 3 and first[1].index > 40


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    total=some.integers(1, 5000),
    seconds=some.floats(0.1, 20),
    workers=some.integers(1, 100),
    lookahead=some.integers(0, 3),
)
def test_chunks_are_never_too_short_or_long(
    total: int, seconds: float, workers: int, lookahead: int
) -> None:
    rule = ChunkRule.of(seconds, 10.0, lookahead, total, workers)
    for start in range(0, total, max(1, total // 20)):
        assert lookahead < rule.longest(start) <= max(lookahead + 1, round(seconds * 10))
        assert rule.ends(start, rule.longest(start), False)
        assert not rule.ends(start, lookahead, True)
    assert ChunkRule.read(rule.as_dict()) == rule


@pytest.mark.parametrize("plain", [None, [], {"least": 1}, {"least": 5, "most": 2, "fewest": 1,
                                                           "total": 3, "workers": 1}])  # fmt: skip
def test_a_damaged_rule_is_refused(plain: Any) -> None:
    with pytest.raises(OutputError, match="damaged"):
        ChunkRule.read(plain)


def test_the_warmup_follows_from_stabilizer_engine_and_trail() -> None:
    assert get_warmup_need(make_job("a", "b", "c.mp4", steadiness=0.5), 0) == WarmupNeed(15, 15)
    assert get_warmup_need(make_job("a", "b", "c.mp4", steadiness=1), 0) == WarmupNeed(31, 31)
    assert get_warmup_need(make_job("a", "b", "c.mp4", steadiness=0), 0) == WarmupNeed(0)
    assert get_warmup_need(
        make_job("a", "b", "c.mp4", mask="auto", stabilize="off"), 0
    ) == WarmupNeed(session.ENDLESS_WARMUP, 0, True)
    assert get_warmup_need(make_job("a", "b", "c.mp4", stabilize="gaussian"), 3) == WarmupNeed(5, 2)
    assert get_warmup_need(make_job("a", "b", "c.mp4", stabilize="off", ghost=1), 0).warmup == 101


def test_endless_memory_starts_with_its_scene_and_wants_a_handover_later(
    films: Path,
) -> None:
    with open_source(films / "content.mp4") as source:
        read = read_ahead(source.frames(), (48, 36))
        plans = list(plan_chunks(read, ChunkRule(12, 20), WarmupNeed(25, 0, True)))
    starts = [plan.start.index if plan.start else 0 for plan in plans]
    assert starts == [0, 20, 37, 57, 77, 97]
    assert [plan.wants_handover for plan in plans] == [False, False, False, False, True, True]
    assert [plan.start.read_from.index for plan in plans if plan.start] == [0, 37, 37, 52, 72]
