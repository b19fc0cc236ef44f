"""What the tests of reliability did, counted as they do it, for the table at the end of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HANG = 20.0
"""Seconds after which a program that reads bad input counts as hung."""


@dataclass
class Faults:
    """Faults of one kind. ``lost``: frames that differ from those of a run that was left alone, or
    are not there; ``left``: files, threads and processes.
    """

    injected: int = 0
    survived: int = 0
    frames: int = 0
    lost: int = 0
    left: int = 0

    def compare(self, wanted: Iterable[np.ndarray], found: Iterable[np.ndarray]) -> None:
        """Count the frames of a run that was broken off and gone on with."""
        for first, second in zip(wanted, found, strict=True):
            self.frames += 1
            self.lost += not np.array_equal(first, second)

    def leftovers(self, folder: Path, *allowed: str) -> None:
        """Count what lies in ``folder`` beside what is allowed."""
        self.left += len({path.name for path in folder.iterdir()} - set(allowed))


@dataclass
class BadInput:
    """Bad inputs of one kind, by how they ended."""

    tried: int = 0
    clear: int = 0
    accepted: int = 0
    hung: int = 0
    tracebacks: int = 0
    wrong_codes: int = 0
    longest: float = 0.0

    def ended(self, code: int, err: str, seconds: float) -> None:
        """Count one: ``clear`` is one line of error and the exit code 1 or 2."""
        self.tried += 1
        self.longest = max(self.longest, seconds)
        self.hung += seconds > HANG
        self.tracebacks += "Traceback" in err or "vst: unexpected " in err
        lines = len(err.strip().splitlines())
        self.accepted += code == 0
        self.clear += code in (1, 2) and lines == 1 and "vst: unexpected " not in err
        self.wrong_codes += code not in (0, 1, 2)


@dataclass
class Tally:
    """Everything of one run of the suite."""

    faults: dict[str, Faults] = field(default_factory=dict)
    inputs: dict[str, BadInput] = field(default_factory=dict)

    def row(self, kind: str) -> Faults:
        """The row of a kind of fault."""
        return self.faults.setdefault(kind, Faults())

    @contextlib.contextmanager
    def fault(self, kind: str) -> Iterator[Faults]:
        """A fault of this kind is injected within; it is survived where nothing fails."""
        row = self.row(kind)
        row.injected += 1
        yield row
        row.survived += 1

    def bad_input(self, kind: str) -> BadInput:
        """The row of a kind of bad input."""
        return self.inputs.setdefault(kind, BadInput())

    def lines(self) -> list[str]:
        """The two tables, in Markdown."""
        found: list[str] = []
        if self.faults:
            found += row("fault", "injected", "survived", "frames compared", "frames lost", "left")
            counts = {
                kind: (one.injected, one.survived, one.frames, one.lost, one.left)
                for kind, one in self.faults.items()
            }
            found += body(counts, "all faults")
        if self.inputs:
            heads = ("clear errors", "usable after all", "hangs", "tracebacks", "wrong exit codes")
            found += ["", *row("bad input", "tried", *heads)]
            ends = {
                kind: (
                    one.tried, one.clear, one.accepted, one.hung, one.tracebacks, one.wrong_codes
                )
                for kind, one in self.inputs.items()
            }  # fmt: skip
            found += body(ends, "all bad input")
            found += ["", f"longest: {max(v.longest for v in self.inputs.values()):.1f} s"]
        return found


def row(*heads: str) -> list[str]:
    """The head of a table."""
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def body(counts: dict[str, tuple[int, ...]], name: str) -> list[str]:
    """The lines of a table, and their sum under ``name``."""
    sums = tuple(sum(column) for column in zip(*counts.values()))
    rows = {**counts, f"**{name}**": sums}
    return [f"| {kind} | {' | '.join(f'{n:,}' for n in one)} |" for kind, one in rows.items()]


TALLY = Tally()
