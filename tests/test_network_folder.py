"""Outputs and chunks on a network file system whose renames, listings and handles go wrong."""

from __future__ import annotations

import errno
import random
from pathlib import Path
from typing import Any

import pytest

import vst
from tests.chunk_helpers import films, make_chunk_job, paint_whole, read_pictures, run_in_chunks
from tests.fault_tally import TALLY
from tests.network_folder import NetworkFolder
from vst.core.files import atomic_write, move_file
from vst.core.types import Progress
from vst.pipeline.resume import resume

__all__ = ["films", "paint_whole"]


def paint_on_network(films: Path, folder: Path, expected: Any, seed: int) -> dict[str, int]:
    """Stop a run at a random frame, and resume it, in a folder that goes wrong. Returns how often
    it did, by kind.
    """
    dice = random.Random(seed)
    moment = dice.randrange(30, 90)
    output = folder / "out.mkv"

    def stop(progress: Progress) -> None:
        if progress.done >= moment:
            raise vst.VSTError("enough")

    with (
        TALLY.fault("renames, listings and handles of a network file system go wrong") as fault,
        pytest.MonkeyPatch.context() as patch,
    ):
        network = NetworkFolder(patch, folder, dice)
        with pytest.raises(vst.VSTError, match="enough"):
            run_in_chunks(make_chunk_job(films, output), stop)
        assert resume(str(output), runner=run_in_chunks) is not None
        patch.undo()
        fault.compare(expected, read_pictures(output))
        fault.count_leftovers(folder, "out.mkv")
        assert (fault.lost, fault.left) == (0, 0), [path.name for path in folder.rglob("*")]
    return network.faults


def test_a_run_stopped_and_resumed_on_a_network_loses_nothing(
    films: Path, tmp_path: Path, paint_whole: Any
) -> None:
    faults = paint_on_network(films, tmp_path, paint_whole(), seed=1)
    assert sum(faults.values()) > 10 and len(faults) >= 4, faults


@pytest.mark.slow
def test_twenty_runs_on_a_network_lose_nothing(
    films: Path, tmp_path: Path, paint_whole: Any
) -> None:
    for seed in range(2, 22):
        place = tmp_path / str(seed)
        place.mkdir()
        paint_on_network(films, place, paint_whole(), seed)


def test_a_file_is_whole_whatever_the_answers_are(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        network = NetworkFolder(patch, tmp_path, random.Random(2), share=0.5)
        for number in range(60):
            path = tmp_path / f"{number % 7}.txt"
            with atomic_write(path, sync=True) as draft:
                draft.write_text(str(number), encoding="utf-8")
            new = tmp_path / f"new{number}.txt"
            with atomic_write(new, overwrite=False) as draft:
                draft.write_text(str(number), encoding="utf-8")
        assert network.faults["link done, answer lost"] > 5
        assert network.faults["rename done, answer lost"] > 5
    assert [(tmp_path / f"{n}.txt").read_text(encoding="utf-8") for n in range(4)] == [
        "56", "57", "58", "59",
    ]  # fmt: skip
    assert len(list(tmp_path.glob("new*.txt"))) == 60 and not list(tmp_path.glob(".*"))


def test_a_name_that_is_taken_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "there", overwrite=False) as draft:
        draft.write_bytes(b"new")
    assert (tmp_path / "there").read_bytes() == b"old"


def test_a_rename_that_fails_is_still_an_error(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    with pytest.raises(OSError) as error:
        move_file(tmp_path / "one", tmp_path / "none" / "two")
    assert error.value.errno == errno.ENOENT and (tmp_path / "one").exists()
