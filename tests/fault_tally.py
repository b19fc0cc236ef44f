"""Counts what the reliability tests inject and how it ends, for the tables at the end of a run.

Under pytest-xdist each worker counts for itself; `Tally.add` joins the counts in the process that
prints them.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HANG_SECONDS = 20.0
"""Seconds after which a program that reads bad input counts as hung."""


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
class BadInputCounts:
    """Bad inputs of one kind, by how they ended. ``longest``: seconds."""

    tried: int = 0
    clear: int = 0
    accepted: int = 0
    hung: int = 0
    tracebacks: int = 0
    wrong_codes: int = 0
    longest: float = 0.0

    def record(self, code: int, err: str, seconds: float) -> None:
        """Count one input; a ``clear`` end is one line of error with exit code 1 or 2."""
        self.tried += 1
        self.longest = max(self.longest, seconds)
        self.hung += seconds > HANG_SECONDS
        self.tracebacks += "Traceback" in err or "vst: unexpected " in err
        lines = len(err.strip().splitlines())
        self.accepted += code == 0
        self.clear += code in (1, 2) and lines == 1 and "vst: unexpected " not in err
        self.wrong_codes += code not in (0, 1, 2)


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
            ends = self.bad_input(kind)
            for name, number in numbers.items():
                join = max if name == "longest" else operator.add
                setattr(ends, name, join(getattr(ends, name), number))

    def format_tables(self) -> list[str]:
        """The lines of both tables, in Markdown."""
        found: list[str] = []
        if self.faults:
            heads = ("fault", "injected", "survived", "frames compared", "frames lost", "left")
            counts = {
                kind: (one.injected, one.survived, one.frames, one.lost, one.left)
                for kind, one in sorted(self.faults.items())
            }
            found += [*format_header(*heads), *format_rows(counts, "all faults")]
        if self.inputs:
            heads = ("clear errors", "usable after all", "hangs", "tracebacks", "wrong exit codes")
            ends = {
                kind: (
                    one.tried, one.clear, one.accepted, one.hung, one.tracebacks, one.wrong_codes
                )
                for kind, one in sorted(self.inputs.items())
            }  # fmt: skip
            found += ["", *format_header("bad input", "tried", *heads)]
            found += format_rows(ends, "all bad input")
            found += ["", f"longest: {max(v.longest for v in self.inputs.values()):.1f} s"]
        return found


def format_header(*heads: str) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def format_rows(counts: dict[str, tuple[int, ...]], name: str) -> list[str]:
    """The lines of a table, the last one their sum under ``name``."""
    sums = tuple(sum(column) for column in zip(*counts.values()))
    rows = {**counts, f"**{name}**": sums}
    return [f"| {kind} | {' | '.join(f'{n:,}' for n in one)} |" for kind, one in rows.items()]


TALLY = Tally()
