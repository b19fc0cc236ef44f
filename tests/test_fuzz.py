"""The fuzzing tool, for a bounded time: no command hangs, crashes or leaves files behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault_tally import TALLY

TOOL = Path(__file__).parent.parent / "tools" / "fuzz.py"
SECONDS = 60


def run_fuzzer(seconds: float, seed: int, *more: str) -> dict[str, dict[str, float]]:
    """Run `tools/fuzz.py`; return how the cases ended, by kind. A failing case fails the test."""
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
def test_no_randomly_changed_file_breaks_a_command(request: pytest.FixtureRequest) -> None:
    found = run_fuzzer(SECONDS, 0)
    assert sum(counts["tried"] for counts in found.values()) > 20
    print({kind: counts["tried"] for kind, counts in found.items()})


def test_the_same_seed_makes_the_same_cases() -> None:
    import random

    from tools import fuzz

    first, second, third = (fuzz.change_text(fuzz.BATCH, random.Random(seed)) for seed in (1, 1, 2))
    assert first == second != third
    data = bytes(range(256)) * 4
    assert fuzz.change_bytes(data, data, random.Random(3)) != data


def test_each_wrong_ending_is_detected() -> None:
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
        reasons = fuzz.judge_case(fuzz.Counts(), "content", answer, left)
        assert bool(reasons) == bool(wrong) and wrong in "; ".join(reasons), answer
