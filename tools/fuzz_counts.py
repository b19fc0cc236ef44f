"""How commands that were given bad input ended: one judgment, for the fuzzer and for the tests."""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any

HANG_SECONDS = 20.0
"""Seconds after which a program that reads bad input counts as hung."""
MEMORY_LIMIT = 2_000_000
"""Kilobytes that it may use."""
LEAK_LIMIT = 10
"""Open files and threads that all cases of a process may leave in it together."""
WARNING = "warning: "
"""Begins the lines of stderr that are not errors."""


@dataclass(frozen=True)
class Ending:
    """How a command ended. ``code``: its exit code, None if it hung, -1 if its process died;
    ``seconds``: how long it took; ``peak``: kilobytes that it used; ``leaked``: open files and
    threads that are left; ``left``: files that are left.
    """

    code: int | None
    err: str
    seconds: float = 0.0
    peak: int = 0
    leaked: int = 0
    left: Collection[str] = ()

    def find_faults(self, error_lines: tuple[int, ...] = (1,)) -> dict[str, str]:
        """What is wrong, by the name of the count; ``error_lines``: how many lines of error are
        allowed where the command fails.
        """
        if self.code is None or self.seconds > HANG_SECONDS:
            return {"hung": f"hung: {self.err[-200:]}"}
        found = {}
        if self.code == -1 or "Traceback" in self.err or "vst: unexpected " in self.err:
            found["tracebacks"] = "traceback"
        lines = self.err.strip().splitlines()
        count = sum(not line.startswith(WARNING) for line in lines)
        is_known = self.code == 0 or (self.code in (1, 2) and count in error_lines)
        if self.code != -1 and not is_known:
            found["wrong_codes"] = f"code {self.code}, {count} lines"
        if self.left:
            found["left"] = f"left: {sorted(self.left)}"
        if self.peak > MEMORY_LIMIT:
            found["too_large"] = f"{self.peak / 1000:.0f} MB"
        if self.leaked > LEAK_LIMIT:
            found["leaks"] = f"{self.leaked} files and threads more than at the start"
        return found


@dataclass
class BadInputCounts:
    """Bad inputs of one kind, by how they ended. ``clear``: with a line of error and exit code 1
    or 2; ``accepted``: with exit code 0; ``longest``: seconds.
    """

    tried: int = 0
    clear: int = 0
    accepted: int = 0
    hung: int = 0
    tracebacks: int = 0
    wrong_codes: int = 0
    left: int = 0
    too_large: int = 0
    leaks: int = 0
    longest: float = 0.0

    def record(self, ending: Ending, error_lines: tuple[int, ...] = (1,)) -> list[str]:
        """Count an ending; returns what is wrong with it."""
        found = ending.find_faults(error_lines)
        self.tried += 1
        self.longest = max(self.longest, ending.seconds)
        self.accepted += ending.code == 0
        self.clear += ending.code in (1, 2) and not found
        for name in found:
            setattr(self, name, getattr(self, name) + 1)
        return list(found.values())

    @property
    def wrong(self) -> int:
        """How many faults there were."""
        names = ("hung", "tracebacks", "wrong_codes", "left", "too_large", "leaks")
        return sum(getattr(self, name) for name in names)

    def add(self, counts: dict[str, Any]) -> None:
        """Add the counts of another process, in the form of `as_dict`."""
        for each in fields(self):
            join = max if each.name == "longest" else operator.add
            setattr(self, each.name, join(getattr(self, each.name), counts[each.name]))

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
