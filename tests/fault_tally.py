"""Counts what the reliability tests inject and how it ends, for the tables at the end of a run.

Under pytest-xdist each worker counts for itself; `Tally.add` joins the counts in the process that
prints them.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tools.fuzz_counts import BadInputCounts


@dataclass
class FaultCounts:
    """Faults of one kind.

    ``lost``: frames that are missing or differ from those of an uninterrupted run. ``left``: files,
    threads and processes left behind.
    """

    injected: int = 0
    survived: int = 0
    frames: int = 0
    lost: int = 0
    left: int = 0

    def compare(self, wanted: Iterable[np.ndarray], found: Iterable[np.ndarray]) -> None:
        """Count the frames of a resumed run against those of an uninterrupted one."""
        for first, second in zip(wanted, found, strict=True):
            self.frames += 1
            self.lost += not np.array_equal(first, second)

    def count_leftovers(self, folder: Path, *allowed: str) -> None:
        """Count the entries of ``folder`` that are not ``allowed``."""
        self.left += len({path.name for path in folder.iterdir()} - set(allowed))


@dataclass
class Tally:
    """The counts of one process, by kind of fault and of input."""

    faults: dict[str, FaultCounts] = field(default_factory=dict)
    inputs: dict[str, BadInputCounts] = field(default_factory=dict)

    def row(self, kind: str) -> FaultCounts:
        """The counts for a kind of fault."""
        return self.faults.setdefault(kind, FaultCounts())

    @contextlib.contextmanager
    def fault(self, kind: str) -> Iterator[FaultCounts]:
        """Count a fault that is injected within; it is survived where the body raises nothing."""
        row = self.row(kind)
        row.injected += 1
        yield row
        row.survived += 1

    def bad_input(self, kind: str) -> BadInputCounts:
        """The counts for a kind of bad input."""
        return self.inputs.setdefault(kind, BadInputCounts())

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values, as pytest-xdist can send them."""
        return asdict(self)

    def add(self, counts: dict[str, Any]) -> None:
        """Add the counts of another process, in the form of `as_dict`."""
        for kind, numbers in counts.get("faults", {}).items():
            row = self.row(kind)
            for name, number in numbers.items():
                setattr(row, name, getattr(row, name) + number)
        for kind, numbers in counts.get("inputs", {}).items():
            self.bad_input(kind).add(numbers)

    def format_faults(self) -> list[str]:
        """The lines of the table of faults, in Markdown."""
        heads = ("fault", "injected", "survived", "frames compared", "frames lost", "left")
        counts = {
            kind: (one.injected, one.survived, one.frames, one.lost, one.left)
            for kind, one in sorted(self.faults.items())
        }
        return [*format_header(*heads), *format_rows(counts, "all faults")]

    def format_inputs(self) -> list[str]:
        """The lines of the table of bad inputs, in Markdown."""
        heads = ("clear errors", "usable after all", "hangs", "tracebacks", "wrong exit codes")
        ends = {
            kind: (
                one.tried, one.clear, one.accepted, one.hung, one.tracebacks, one.wrong_codes,
                one.left + one.leaks, one.too_large,
            )
            for kind, one in sorted(self.inputs.items())
        }  # fmt: skip
        longest = max(one.longest for one in self.inputs.values())
        return [
            *format_header("bad input", "tried", *heads, "left", "2 GB and more"),
            *format_rows(ends, "all bad input"),
            "",
            f"The longest of these took {longest:.1f} s.",
        ]

    def format_claim(self) -> str:
        """The sentence of the README."""
        rows = self.faults.values()
        injected, survived, frames, lost = (
            sum(getattr(one, name) for one in rows)
            for name in ("injected", "survived", "frames", "lost")
        )
        equal = "all" if lost == 0 else f"{frames - lost:,} of"
        return (
            f"Of {injected} injected faults (killed processes, full disks, hanging decoders) it "
            f"survived {survived}: {equal} {frames:,} compared frames equal those of an "
            "uninterrupted run"
        )

    def format_tables(self) -> list[str]:
        """The lines of the tables that have rows."""
        faults = self.format_faults() if self.faults else []
        inputs = self.format_inputs() if self.inputs else []
        return [*faults, *([""] if faults and inputs else []), *inputs]

    def write_documents(self, root: Path, summary: str) -> None:
        """Write the tables into docs/reliability.md, with a ``summary`` of the run, and the
        README's sentence.
        """
        page, readme = root / "docs" / "reliability.md", root / "README.md"
        replace_marked(page, "faults", "\n".join(["", summary, "", *self.format_faults(), ""]))
        replace_marked(page, "bad input", "\n".join(["", *self.format_inputs(), ""]))
        lines = textwrap.wrap(self.format_claim(), 100, break_on_hyphens=False)
        replace_marked(readme, "reliability", "\n  ".join(["", *lines, ""]))


def replace_marked(page: Path, name: str, text: str) -> None:
    """Replace what stands between a page's two comments with this name."""
    before, begins, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, ends, after = rest.partition(f"<!-- /{name} -->")
    if not begins or not ends:
        raise ValueError(f"{page} has no <!-- {name} --> … <!-- /{name} -->")
    page.write_text("".join([before, begins, text.lstrip("\n"), ends, after]), encoding="utf-8")


def format_header(*heads: str) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def format_rows(counts: dict[str, tuple[int, ...]], name: str) -> list[str]:
    """The lines of a table, the last one their sum under ``name``."""
    sums = tuple(sum(column) for column in zip(*counts.values()))
    rows = {**counts, f"**{name}**": sums}
    return [f"| {kind} | {' | '.join(f'{n:,}' for n in one)} |" for kind, one in rows.items()]


TALLY = Tally()
