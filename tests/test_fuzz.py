"""The fuzzing target, for a bounded time: nothing hangs, dies or leaves anything behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tally import TALLY

TOOL = Path(__file__).parent.parent / "tools" / "fuzz.py"
SECONDS = 60


def fuzzed(seconds: float, seed: int, *more: str) -> dict[str, dict[str, float]]:
    """How the cases ended, by kind; what ended wrongly fails the test, with its command."""
    command = [sys.executable, str(TOOL), "--seconds", str(seconds), "--seed", str(seed), *more]
    done = subprocess.run(command, capture_output=True, text=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    for kind, counts in found.items():
        row = TALLY.bad_input(f"changed at random: {kind}")
        for name in ("tried", "clear", "accepted", "hung", "tracebacks", "wrong_codes"):
            setattr(row, name, getattr(row, name) + int(counts[name]))
        row.longest = max(row.longest, counts["longest"])
    assert done.returncode == 0, done.stderr
    return found


@pytest.mark.slow
def test_files_changed_at_random(request: pytest.FixtureRequest) -> None:
    found = fuzzed(SECONDS, 0)
    assert sum(counts["tried"] for counts in found.values()) > 20
    print({kind: counts["tried"] for kind, counts in found.items()})


def test_the_same_seed_makes_the_same_cases() -> None:
    import random

    from tools import fuzz

    first, second, third = (
        fuzz.changed_text(fuzz.BATCH, random.Random(seed)) for seed in (1, 1, 2)
    )
    assert first == second != third
    data = bytes(range(256)) * 4
    assert fuzz.changed_bytes(data, data, random.Random(3)) != data


def test_what_ends_wrongly_is_seen() -> None:
    from tools import fuzz

    good = {"code": 1, "err": "vst: 'x' is empty\n", "seconds": 0.1, "peak": 1000}
    for answer, left, wrong in (
        (good, set(), ""),
        ({**good, "code": 0, "err": "warning: cut off\n"}, set(), ""),
        ({**good, "err": "vst: unexpected KeyError: 'a'\n"}, set(), "traceback"),
        ({**good, "err": "one\ntwo\n"}, set(), "2 lines"),
        ({**good, "code": 3}, set(), "code 3"),
        ({**good, "code": None}, set(), "hung"),
        ({**good, "code": -1}, set(), "traceback"),
        ({**good, "peak": 3_000_000}, set(), "MB"),
        (good, {".out.mp4.part"}, "left"),
    ):
        said = fuzz.judged(fuzz.Counts(), "content", answer, left)
        assert bool(said) == bool(wrong) and wrong in "; ".join(said), answer
