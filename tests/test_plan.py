"""A plan of chunks: found ahead as a run finds them, and each painted without the one before."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.test_chunks import films, frames_of, same
from vst.api import job_of
from vst.checkpoint import store as chunks
from vst.checkpoint.planner import ChunkPlan, ChunkRule, WarmupNeed, plan_chunks
from vst.checkpoint.store import ChunkFolder, get_chunk_folder, read_manifest
from vst.cluster.paint_chunks import make_order, store_result
from vst.cluster.transport import FileTransport
from vst.cluster.worker import Worker
from vst.errors import Cancelled, OutputError
from vst.job import Job
from vst.pipeline.build_schedule import Schedule
from vst.pipeline.loop import LoopResult
from vst.pipeline.loop import session as work
from vst.pipeline.resume import resume
from vst.pipeline.run import run
from vst.pipeline.session import RenderSession, get_warmup_need
from vst.pipeline.session import read_frames as frames_of_job
from vst.video.sources import open_source

__all__ = ["films"]


class Alone:
    """Paints the chunks of ``numbers`` (None: all) one by one, apart from each other; those that
    need what the one before remembers are given that, if ``chained``.
    """

    def __init__(self, numbers: set[int] | None = None, *, chained: bool = True) -> None:
        self.numbers, self.chained = numbers, chained

    def __call__(self, work: RenderSession, folder: ChunkFolder, played: Schedule) -> LoopResult:
        easel, worker = work.line.easel, Worker(1)
        assert folder.rule is not None
        frames = frames_of_job(work.job, work.source)
        reach = get_warmup_need(work.job, easel.engine.warmup)
        with tempfile.TemporaryDirectory() as name:
            order = make_order(work.job, played, folder, FileTransport(name))
            for piece in plan_chunks(frames, folder.rule, (easel.width, easel.height), reach):
                if self.numbers is None or piece.number in self.numbers:
                    painted = worker.piece(
                        order, piece, left_for(piece, folder) if self.chained else None
                    )
                    assert painted.frames == piece.frames
                    store_result(painted, piece.number, folder)
        worker.close()
        if folder.missing is not None:
            raise Cancelled("stopped")
        return LoopResult(folder.frames, time.perf_counter())


def left_for(piece: ChunkPlan, folder: ChunkFolder) -> Any:
    """What the chunk before has left, where it is needed."""
    if not piece.waits:
        return None
    return np.fromfile(folder.path / folder.chunks[piece.number - 1].state, np.uint8)


def job(films: Path, output: Path, **options: Any) -> Job:
    styles = [films / "red.png", films / "blue.png"]
    options = {"engine": "tint", "codec": "ffv1", "size": 48, **options}
    return job_of(films / "content.mp4", styles, output, **options)


EXACT: list[dict[str, Any]] = [
    {"stabilise": "off"},
    {"stabilise": "light"},
    {"strength": 0.5, "stabilise": "light"},
    {"fps": 7, "stabilise": "off"},
    {"speed": 0.5, "end": 5, "stabilise": "light"},
    {"start": 2.05, "stabilise": "light", "strength": 0.2},
    {"stabilise": "flow"},
    {"stabilise": "strong", "ghost": 0.1},
    {"mask": "auto:0.2,0.2,0.5,0.5", "stabilise": "off", "end": 7},
]


@pytest.mark.parametrize("way", EXACT, ids=str)
def test_chunks_painted_alone_are_those_of_a_run(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: dict[str, Any]
) -> None:
    whole = tmp_path / "whole.mkv"
    run(job(films, whole, **way))
    monkeypatch.setattr(chunks, "SECONDS", 2.0)
    output = tmp_path / "parts.mkv"
    run(job(films, output, keep_chunks=True, **way), elsewhere=Alone(), workers=3)
    assert same(frames_of(output), frames_of(whole))
    manifest = read_manifest(output)
    assert manifest is not None
    sizes = [chunk.frames for chunk in manifest["chunks"]]
    assert len(sizes) > 5 and sizes[-2] < max(sizes)


@pytest.mark.parametrize(
    "way",
    [{"stabilise": "flow"}, {"stabilise": "strong"}, {"mask": "auto:0.2,0.2,0.5,0.5"}],
    ids=str,
)
def test_what_remembers_a_scene_is_nearly_warmed_up(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: dict[str, Any]
) -> None:
    """Frames that warm up are few here, for so is the clip; a step is one of 255."""
    monkeypatch.setattr(work, "ENDLESS_WARMUP", 15)
    run(job(films, tmp_path / "whole.mkv", **way))
    monkeypatch.setattr(chunks, "SECONDS", 2.0)
    run(job(films, tmp_path / "parts.mkv", **way), elsewhere=Alone(chained=False))
    pairs = zip(frames_of(tmp_path / "whole.mkv"), frames_of(tmp_path / "parts.mkv"), strict=True)
    differences = [np.abs(one.astype(int) - other).mean() for one, other in pairs]
    assert len(differences) == 100
    assert np.mean(differences) < 1


@pytest.mark.parametrize("stabilise", ["light", "flow"])
def test_a_run_goes_on_with_chunks_painted_alone(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stabilise: str
) -> None:
    run(job(films, tmp_path / "whole.mkv", stabilise=stabilise))
    monkeypatch.setattr(chunks, "SECONDS", 2.0)
    output = tmp_path / "parts.mkv"
    with pytest.raises(Cancelled):
        run(job(films, output, stabilise=stabilise), elsewhere=Alone({0, 1, 2}), workers=2)
    assert resume(str(output)) is not None
    assert same(frames_of(output), frames_of(tmp_path / "whole.mkv"))
    assert not get_chunk_folder(output).exists()


def test_the_plan_is_what_a_run_finds(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SECONDS", 2.0)
    output = tmp_path / "out.mkv"
    run(job(films, output, stabilise="light", keep_chunks=True))
    manifest = read_manifest(output)
    assert manifest is not None
    with open_source(films / "content.mp4") as source:
        rule = ChunkRule.read(manifest["rule"])
        pieces = list(plan_chunks(source.frames(), rule, (48, 36), WarmupNeed(2, 2)))
    assert [piece.frames for piece in pieces] == [one.frames for one in manifest["chunks"]]
    (at_cut,) = [p.start for p in pieces if p.start and p.start.index == 37]
    assert (at_cut.warm, at_cut.written, at_cut.earlier) == (37, 37, [])
    within = pieces[1].start
    assert within is not None
    assert (within.index, within.written, within.warm) == (20, 18, 16)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_what_chunks_need_of_the_frames_before() -> None:
    assert get_warmup_need(job_of("a", "b", "c.mp4", stabilise="flow"), 0) == WarmupNeed(
        work.ENDLESS, 0, True
    )
    assert get_warmup_need(job_of("a", "b", "c.mp4", stabilise="light"), 3) == WarmupNeed(5, 2)
    assert get_warmup_need(job_of("a", "b", "c.mp4", stabilise="off", ghost=1), 0).warmup == 101


def test_what_remembers_all_of_a_scene_is_warmed_up_while_it_is_young_and_waits_later(
    films: Path,
) -> None:
    with open_source(films / "content.mp4") as source:
        pieces = list(
            plan_chunks(source.frames(), ChunkRule(12, 20), (48, 36), WarmupNeed(25, 0, True))
        )
    starts = [piece.start.index if piece.start else 0 for piece in pieces]
    assert starts == [0, 20, 37, 57, 77, 97]
    assert [piece.waits for piece in pieces] == [False, False, False, False, True, True]
    assert [piece.start.warm for piece in pieces if piece.start] == [0, 37, 37, 52, 72]
