"""Workers that die, hang, or cannot paint a frame: the chunk is tried again, or named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chunk_helpers import is_same, read_pictures, run_in_chunks
from tests.cluster_machines import (
    FRAMES,
    films_fixture,  # noqa: F401
    job,
    join_fixture,  # noqa: F401
    machines_fixture,  # noqa: F401
    numbers_of,
    run_on,
)
from vst.checkpoint.store import get_chunk_folder
from vst.errors import EngineError, StalledError
from vst.pipeline.resume import resume

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's own


def test_a_poisoned_chunk_is_named_and_its_neighbours_are_kept(
    films: Path, tmp_path: Path, join: Any
) -> None:
    output = tmp_path / "out.mkv"
    with pytest.raises(EngineError) as error:
        run_on(join(at=70, how="raise"), job(films, output))
    said = str(error.value)
    assert "chunk 3 (from " in said and "failed 3 times" in said
    assert "frame 70" in said and "something in this frame" in said
    assert f"vst resume {output}" in said and "\n" not in said
    kept = numbers_of(output)
    assert {0, 1, 2} <= set(kept) and 3 not in kept
    assert not [path for path in get_chunk_folder(output).iterdir() if "unfinished" in path.name]
    assert resume(str(output), runner=run_in_chunks) is not None  # without a cluster
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))
    assert not get_chunk_folder(output).exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "memory", "hang"])
def test_a_chunk_of_a_worker_that_dies_has_no_memory_or_hangs_is_painted_by_another(
    films: Path, tmp_path: Path, join: Any, how: str
) -> None:
    once = tmp_path / "once"
    output = tmp_path / "out.mkv"
    patience = {"patience": 3.0} if how == "hang" else {}
    result = run_on(join(at=70, how=how, once=str(once)), job(films, output, **patience))
    assert once.exists() and result.frames == FRAMES
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))


@pytest.mark.slow
def test_a_chunk_that_kills_each_worker_fails_the_job(
    films: Path, tmp_path: Path, join: Any
) -> None:
    output = tmp_path / "out.mkv"
    with pytest.raises(EngineError, match=r"chunk 3 .* failed 3 times: the worker died"):
        run_on(join(at=70, how="kill"), job(films, output))
    assert {0, 1, 2} <= set(numbers_of(output))


@pytest.mark.slow
def test_a_chunk_that_hangs_everywhere_fails_the_job(
    films: Path, tmp_path: Path, join: Any
) -> None:
    output = tmp_path / "out.mkv"
    with pytest.raises(StalledError, match=r"chunk 3 .* failed 3 times: painting .* 3 s"):
        run_on(join(at=70, how="hang"), job(films, output, patience=3.0))
    assert {0, 1, 2} <= set(numbers_of(output))
