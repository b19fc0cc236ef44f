"""The power is cut, the clock jumps, the disk cannot be written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chunk_helpers import (
    films,
    is_same,
    make_chunk_job,
    paint_whole,
    read_pictures,
    run_in_chunks,
)
from tests.conftest import CommandResult
from tests.fault_tally import TALLY
from tests.power_loss import UnsafeDisk
from vst.checkpoint.store import get_chunk_folder, read_manifest
from vst.core.files import sync_to_disk
from vst.core.types import Progress
from vst.pipeline.resume import resume

__all__ = ["films", "paint_whole"]
Run = Callable[..., CommandResult]


def cut_and_resume(
    films: Path, folder: Path, expected: list[Any], seed: int, times: int
) -> list[int]:
    """Cut the power at random moments of one run; resume each of the remains. Returns how many
    chunks each of them still had.
    """
    dice = random.Random(seed)
    moments = sorted(dice.sample(range(1, 95), times))
    (folder / "run").mkdir()
    job = make_chunk_job(films, folder / "run" / "out.mkv")
    remains: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        disk = UnsafeDisk(patch)

        def listen(progress: Progress) -> None:
            while moments and progress.done >= moments[0]:
                moments.pop(0)
                remains.append(folder / f"cut{len(remains)}")
                chunks = get_chunk_folder(remains[-1] / "out.mkv")
                disk.cut_power(get_chunk_folder(folder / "run" / "out.mkv"), chunks, dice)

        run_in_chunks(job, listen)
    kept = []
    for place in remains:
        with TALLY.fault("power cut: what was not flushed is lost") as fault:
            output = place / "out.mkv"
            manifest = read_manifest(output)
            kept.append(len(manifest["chunks"]) if manifest is not None else 0)
            if manifest is not None:
                assert resume(str(output), runner=run_in_chunks) is not None
            else:
                run_in_chunks(make_chunk_job(films, output))
            fault.compare(expected, read_pictures(output))
            fault.count_leftovers(place, "out.mkv")
            assert (fault.lost, fault.left) == (0, 0)
    return kept


def test_a_power_cut_loses_no_chunk_that_was_listed(
    films: Path, tmp_path: Path, paint_whole: Any
) -> None:
    kept = cut_and_resume(films, tmp_path, paint_whole(), seed=1, times=4)
    assert max(kept) >= 2


@pytest.mark.slow
def test_a_hundred_power_cuts(films: Path, tmp_path: Path, paint_whole: Any) -> None:
    for seed in range(10):
        (tmp_path / str(seed)).mkdir()
        cut_and_resume(films, tmp_path / str(seed), paint_whole(), seed + 10, 10)


def test_the_layer_loses_what_was_not_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, dice, folder = UnsafeDisk(monkeypatch), random.Random(1), tmp_path / "disk"
    folder.mkdir()
    for name in ("flushed", "loose"):
        (folder / name).write_bytes(bytes(1000))
    sync_to_disk(folder / "flushed")
    sync_to_disk(folder)
    (folder / "new").write_bytes(bytes(1000))
    sizes: dict[str, set[int]] = {"flushed": set(), "loose": set(), "new": set()}
    for number in range(20):
        place = tmp_path / str(number)
        disk.cut_power(folder, place, dice)
        for name, found in sizes.items():
            found.add((place / name).stat().st_size if (place / name).exists() else -1)
    assert sizes["flushed"] == {1000}
    assert -1 not in sizes["loose"] and min(sizes["loose"]) < 900
    assert -1 in sizes["new"] and max(sizes["new"]) > 0


def test_a_clock_that_jumps_changes_nothing(
    films: Path, tmp_path: Path, paint_whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, clock = random.Random(3), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + dice.uniform(-1e6, 1e6))
    with TALLY.fault("the clock jumps by days") as fault:
        output = tmp_path / "out.mkv"
        run_in_chunks(make_chunk_job(films, output))
        found = read_pictures(output)
        fault.compare(paint_whole(), found)
        assert is_same(found, paint_whole())


@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "frames/"])
def test_a_disk_that_cannot_be_written_is_named_before_painting(
    films: Path, run: Run, name: str
) -> None:
    place = Path("/sys/kernel")
    if not place.is_dir():
        pytest.skip("needs a file system that refuses new files")
    words = (films / "content.mp4", "-s", films / "red.png", "--engine", "tint")
    with TALLY.fault("the disk cannot be written") as fault:
        done = run("stylize", *words, "-o", f"{place}/{name}")
        assert done.code == 1, done.err
        assert "cannot be written" in done.err and done.err.count("\n") == 1
        assert "paint" not in done.err
        fault.left += (place / name).exists()
