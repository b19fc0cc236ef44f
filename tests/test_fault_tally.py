"""The tables of faults and bad input: counted, joined, and written into the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_tally import Tally, replace_marked
from tools.fuzz_counts import Ending

ROOT = Path(__file__).parent.parent


def count_some() -> Tally:
    tally = Tally()
    with tally.fault("the disk is full") as row:
        row.frames += 100
    with pytest.raises(OSError), tally.fault("the disk is full") as row:
        row.frames, row.lost = row.frames + 20, 3
        raise OSError
    tally.bad_input("scores").record(Ending(1, "vst: empty\n", seconds=0.5))
    return tally


def test_the_counts_of_several_processes_are_joined() -> None:
    tally, other = count_some(), count_some()
    other.inputs["scores"].longest = 2.0
    tally.add(other.as_dict())
    full = tally.faults["the disk is full"]
    assert (full.injected, full.survived, full.frames, full.lost) == (4, 2, 240, 6)
    assert (tally.inputs["scores"].tried, tally.inputs["scores"].longest) == (2, 2.0)


def test_the_run_writes_its_tables_and_the_sentence_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/reliability.md"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    count_some().write_documents(tmp_path, "5 tests passed, in 3 minutes on 2 cores.")
    page = (tmp_path / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert "| the disk is full | 2 | 1 | 120 | 3 | 0 |\n| **all faults** | 2 | 1 | 120" in page
    assert "| scores | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in page
    assert "killed (SIGKILL) at a random moment" not in page
    assert "5 tests passed, in 3 minutes" in page and "took 0.5 s." in page
    readme = " ".join((tmp_path / "README.md").read_text(encoding="utf-8").split())
    assert "survived 1: 117 of 120 compared frames equal" in readme
    again = (tmp_path / "README.md").read_bytes()
    count_some().write_documents(tmp_path, "5 tests passed, in 3 minutes on 2 cores.")
    assert (tmp_path / "README.md").read_bytes() == again


def test_a_page_without_a_place_for_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="has no <!-- faults -->"):
        replace_marked(tmp_path / "page.md", "faults", "")
