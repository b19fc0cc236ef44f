"""The fuzzing tool, for a bounded time: no command hangs, crashes or leaves anything behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CommandResult
from tests.fault_tally import TALLY
from tools.fuzz_counts import BadInputCounts, Ending

ROOT = Path(__file__).parent.parent
CORPUS = Path(__file__).parent / "corpus"
SECONDS = float(os.environ.get("VST_FUZZ_SECONDS", "60"))


def run_fuzzer(seconds: float, seed: str, *more: str) -> dict[str, dict[str, float]]:
    """Run `tools/fuzz.py`; return how the cases ended, by kind. A failing case fails the test."""
    command = [sys.executable, str(ROOT / "tools" / "fuzz.py"), "--seconds", str(seconds)]
    done = subprocess.run([*command, "--seed", seed, *more], capture_output=True, text=True)
    assert done.stdout, done.stderr
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    for kind, counts in found.items():
        TALLY.bad_input(f"changed at random: {kind}").add(counts)
    assert done.returncode == 0, done.stderr
    print(done.stderr.splitlines()[0])  # the seed, with which the cases can be repeated
    return found


@pytest.mark.slow
def test_no_randomly_changed_file_breaks_a_command() -> None:
    found = run_fuzzer(SECONDS, "today")
    assert sum(counts["tried"] for counts in found.values()) > 20
    print({kind: counts["tried"] for kind, counts in found.items()})


def load_fuzzer() -> None:
    """The tool's modules import each other as its program does."""
    tools = str(ROOT / "tools")
    if tools not in sys.path:
        sys.path.append(tools)


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_what_the_fuzzer_has_found_stays_fixed(
    name: str,
    media: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., CommandResult],
) -> None:
    load_fuzzer()
    from tools import fuzz, fuzz_cases, fuzz_worker

    about = json.loads((CORPUS / name / fuzz.COMMAND).read_text(encoding="utf-8"))
    shutil.copytree(CORPUS / name, tmp_path, dirs_exist_ok=True)
    (tmp_path / fuzz.COMMAND).unlink()
    for good in ("a.mp4", "b.mkv"):
        shutil.copy(media / "clip.mp4", tmp_path / good)
    for good in ("p.png", "q.jpg"):
        shutil.copy(media / "red.png", tmp_path / good)
    (tmp_path / "home").mkdir(exist_ok=True)
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    words, stdin = about["words"], about["stdin"] or os.devnull
    with Path(stdin).open("rb") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        if words[0] == fuzz_cases.PROJECT:
            from vst.errors import VSTError

            with pytest.raises(VSTError):
                fuzz_worker.open_as_page(Path(words[1]))
            return
        done = run(*words)
    left = fuzz.clean_up(tmp_path, before, about["kind"])
    ending = Ending(done.code, done.err, left=left)
    assert not ending.find_faults(fuzz.get_error_lines(about["kind"])), done.err


def test_the_same_seed_makes_the_same_cases() -> None:
    load_fuzzer()
    from tools import fuzz_files as files

    first, second, third = (
        files.change_text(files.BATCH, random.Random(seed)) for seed in (1, 1, 2)
    )
    assert first == second != third
    data = bytes(range(256)) * 4
    assert files.change_bytes(data, data, random.Random(3)) != data


@pytest.mark.parametrize(
    ("ending", "wrong"),
    [
        (Ending(1, "vst: 'x' is empty\n"), None),
        (Ending(0, "warning: cut off\n"), None),
        (Ending(1, "vst: unexpected KeyError: 'a'\n"), "tracebacks"),
        (Ending(1, "one\ntwo\n"), "wrong_codes"),
        (Ending(3, "one\n"), "wrong_codes"),
        (Ending(None, "no end"), "hung"),
        (Ending(1, "one\n", seconds=21.0), "hung"),
        (Ending(-1, "the process died"), "tracebacks"),
        (Ending(1, "one\n", peak=3_000_000), "too_large"),
        (Ending(1, "one\n", leaked=11), "leaks"),
        (Ending(1, "one\n", left={".out.mp4.part"}), "left"),
    ],
)
def test_each_wrong_ending_is_counted(ending: Ending, wrong: str | None) -> None:
    counts = BadInputCounts()
    assert len(counts.record(ending)) == counts.wrong == int(wrong is not None)
    assert wrong is None or getattr(counts, wrong) == 1
