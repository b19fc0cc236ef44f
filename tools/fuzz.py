"""Feeds the command line with randomly changed files and checks how each command ends.

    python tools/fuzz.py --seconds 600 --seed 1 --keep findings

Each case is a good file (a video, a picture, a score, a batch file, a style, the manifest or state
of an interrupted job) changed in a few places, and a command that reads it. A case passes if the
command ends with exit code 0, 1 or 2, with one line of error unless it is 0, within 20 seconds (not
counting the time in which other programs had the CPU) and 2 GB, and leaves nothing in the folder.
Failing cases are kept with their command. The same seed makes the same cases.

The cases run in one separate process, which is restarted when it hangs or dies.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # also where it is imported as tools.fuzz
from fuzz_files import BATCH, SCORES, change_bytes, change_text, make_seeds

from vst.checkpoint.store import get_chunk_folder

TIME_LIMIT = 20.0
"""Seconds that a case may take."""
MEMORY_LIMIT = 2_000_000
"""Kilobytes that the process may use."""


@dataclass
class Counts:
    """How the cases of one kind ended."""

    tried: int = 0
    clear: int = 0
    accepted: int = 0
    hung: int = 0
    tracebacks: int = 0
    wrong_codes: int = 0
    left: int = 0
    too_large: int = 0
    longest: float = 0.0

    @property
    def wrong(self) -> int:
        """How many cases failed."""
        return self.hung + self.tracebacks + self.wrong_codes + self.left + self.too_large


# Cases: each writes its file into the folder and returns the command's arguments


@dataclass
class SeedFolder:
    """The folder of the good files, and the random generator of the changes."""

    folder: Path
    rng: random.Random
    films: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    interrupted: dict[str, bytes] = field(default_factory=dict)

    def changed_file(self, names: list[str]) -> str:
        """Write a changed copy of one of these files; return its name."""
        name = self.rng.choice(names)
        other = (self.folder / self.rng.choice([*self.films, *self.pictures])).read_bytes()
        bad = f"bad{Path(name).suffix}"
        data = change_bytes((self.folder / name).read_bytes(), other, self.rng)
        (self.folder / bad).write_bytes(data)
        return bad


TINT = ("-o", "out.mp4", "--engine", "tint", "--overwrite", "--progress", "none")


def make_content_case(seeds: SeedFolder) -> list[str]:
    """Make a content: a video or a picture."""
    name = seeds.changed_file(seeds.films if seeds.rng.random() < 0.8 else seeds.pictures)
    ways = ([], ["--fps", "7"], ["--speed", "0.5"], ["--start", "0.5"], ["--align", "beats"])
    return ["stylize", name, "-s", "p.png", *TINT, *seeds.rng.choice(ways)]


def make_style_case(seeds: SeedFolder) -> list[str]:
    """Make a style: a picture, or a video for keyframes."""
    name = seeds.changed_file(seeds.pictures if seeds.rng.random() < 0.6 else seeds.films)
    picker = seeds.rng.choice(("middle", "change", "scene"))
    return ["stylize", "a.mp4", "-s", name, *TINT, "--picker", picker]


def make_mask_case(seeds: SeedFolder) -> list[str]:
    """Make a mask."""
    name = seeds.changed_file(seeds.pictures + seeds.films)
    return ["stylize", "a.mp4", "-s", "p.png", *TINT, "--mask", name, "--mask-edge", "soft"]


def make_score_case(seeds: SeedFolder) -> list[str]:
    """Make a score."""
    (seeds.folder / "bad.yaml").write_bytes(change_text(seeds.rng.choice(SCORES), seeds.rng))
    return ["stylize", "a.mp4", "--score", "bad.yaml", *TINT]


def make_batch_case(seeds: SeedFolder) -> list[str]:
    """Make a batch file that still names engine `tint`: the default engine starts slowly."""
    data = b""
    while b"engine: tint" not in data:
        data = change_text(BATCH, seeds.rng)
    (seeds.folder / "bad.yaml").write_bytes(data)
    return ["batch", "bad.yaml", "--progress", "none"]


def make_manifest_case(seeds: SeedFolder) -> list[str]:
    """Make the chunk folder of an interrupted job."""
    folder = get_chunk_folder(seeds.folder / "out.mp4")
    folder.mkdir()
    for name, data in seeds.interrupted.items():
        (folder / name).write_bytes(data)
    bad = seeds.rng.choice(["manifest.json"] * 3 + sorted(seeds.interrupted))
    data = seeds.interrupted[bad]
    text = bad.endswith(".json") and seeds.rng.random() < 0.7
    new = change_text(data.decode(), seeds.rng) if text else change_bytes(data, data, seeds.rng)
    (folder / bad).write_bytes(new)
    return ["resume", "out.mp4", "--progress", "none"]


def make_own_style_case(seeds: SeedFolder) -> list[str]:
    """Make a saved user style."""
    plain = {"version": 1, "name": "mine", "space": "tint-3", "embedding": [0.1, 0.2, 0.3]}
    text = json.dumps(plain, indent=1)
    (seeds.folder / "home" / "styles" / "mine.json").write_bytes(change_text(text, seeds.rng))
    return ["stylize", "a.mp4", "-s", "@mine", *TINT]


KINDS: dict[str, Callable[[SeedFolder], list[str]]] = {
    "content": make_content_case,
    "style": make_style_case,
    "mask": make_mask_case,
    "score": make_score_case,
    "batch": make_batch_case,
    "manifest": make_manifest_case,
    "own style": make_own_style_case,
}
WEIGHTS = (6, 3, 1, 3, 2, 2, 1)


# Running them


class Worker:
    """The process in which the cases run."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "VST_HOME": str(folder / "home")}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--worker"],
            cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer({"words": ["--version"]}, 120)

    def run(self, words: list[str]) -> dict[str, Any]:
        """Run a command; ``code`` is None if it hung, and -1 if the process died."""
        return self._answer({"words": words}, TIME_LIMIT)

    def _answer(self, case: dict[str, Any], patience: float) -> dict[str, Any]:
        began = time.monotonic()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(case).encode() + b"\n")
        self._process.stdin.flush()
        before = self._seconds_preempted()
        while not select.select([self._process.stdout], [], [], 1.0)[0]:
            seconds = time.monotonic() - began - self._seconds_preempted() + before
            if seconds > patience:
                return {"code": None, "err": "hung", "seconds": seconds, "peak": 0}
        line = self._process.stdout.readline()
        seconds = max(0.0, time.monotonic() - began - self._seconds_preempted() + before)
        if not line:
            return {"code": -1, "err": "the process died", "seconds": seconds, "peak": 0}
        return {**json.loads(line), "seconds": seconds}

    def _seconds_preempted(self) -> float:
        """Seconds during which it was ready to run and other programs had the CPU."""
        try:
            waits = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="utf-8").split()
            return int(waits[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()


def run_worker() -> None:
    """Run the commands that arrive on stdin, with stderr captured in a file."""
    from vst import cli as commands

    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    for line in sys.stdin:
        sys.argv = ["vst", *json.loads(line)["words"]]
        with tempfile.TemporaryFile() as captured:
            os.dup2(captured.fileno(), 2)
            try:
                commands.main()
            except SystemExit as end:
                code = end.code
            sys.stdout.flush()
            captured.seek(0)
            err = captured.read().decode(errors="replace")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"code": code, "err": err, "peak": peak}), file=answers, flush=True)


def judge_case(counts: Counts, kind: str, answer: dict[str, Any], left: set[str]) -> list[str]:
    """Count how a case ended; return what was wrong with it."""
    code, err = answer["code"], answer["err"]
    lines = [line for line in err.strip().splitlines() if not line.startswith("warning: ")]
    counts.tried += 1
    counts.longest = max(counts.longest, answer["seconds"])
    wrong = []
    if code is None:
        counts.hung += 1
        return ["hung"]
    if code == -1 or "Traceback" in err or "vst: unexpected " in err:
        counts.tracebacks += 1
        wrong.append("traceback")
    lines_wanted = (0, 1) if kind == "batch" else (1,)  # its table reports failures
    if code not in (0, 1, 2) or (code != 0 and len(lines) not in lines_wanted):
        counts.wrong_codes += code != -1
        wrong.append(f"code {code}, {len(lines)} lines")
    if left:
        counts.left += 1
        wrong.append(f"left: {sorted(left)}")
    if answer["peak"] > MEMORY_LIMIT:
        counts.too_large += 1
        wrong.append(f"{answer['peak'] / 1000:.0f} MB")
    counts.accepted += code == 0
    counts.clear += code in (1, 2) and not wrong
    return wrong


def clean_up(folder: Path, before: set[str], kind: str) -> set[str]:
    """Delete the files that a case made; return those that it should not have left."""
    made = {path.name for path in folder.iterdir()} - before
    allowed = {"out.mp4", *(name for name in made if name.startswith("bad."))}
    if kind == "manifest":
        allowed.add("out.mp4.vst")
    if kind == "batch":
        allowed |= {name for name in made if not name.endswith(".part")}
    for name in made:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return made - allowed


def prepare_folder(folder: Path, seed: int) -> SeedFolder:
    """Make the good files and an interrupted job."""
    (folder / "home" / "styles").mkdir(parents=True)
    make_seeds(folder)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    films = [name for name in names if name[0] in "abcdefghi"]
    pictures = [name for name in names if name[0] in "pqrstuvwxy"]
    command = [sys.executable, "-m", "vst", "stylize", "long.mp4", "-s", "p.png", *TINT]
    subprocess.run([*command, "--keep-chunks"], cwd=folder, check=True, capture_output=True)
    (folder / "out.mp4").unlink()
    chunks = get_chunk_folder(folder / "out.mp4")
    kept = {path.name: path.read_bytes() for path in chunks.iterdir() if "00002" not in path.name}
    shutil.rmtree(chunks)
    return SeedFolder(folder, random.Random(seed), films, pictures, kept)


def run_fuzzing(
    seconds: float, seed: int, kinds: list[str], keep: Path | None
) -> dict[str, Counts]:
    """Run cases for ``seconds``; return how they ended, by kind."""
    found = {kind: Counts() for kind in kinds}
    weights = [WEIGHTS[list(KINDS).index(kind)] for kind in kinds]
    with tempfile.TemporaryDirectory(prefix="vst-fuzz-") as name:
        seeds = prepare_folder(Path(name), seed)
        before = {path.name for path in seeds.folder.iterdir()}
        worker = Worker(seeds.folder)
        until, number = time.monotonic() + seconds, 0
        try:
            while time.monotonic() < until:
                number += 1
                seeds.rng.seed(f"{seed} {number}")
                kind = seeds.rng.choices(kinds, weights)[0]
                words = KINDS[kind](seeds)
                made = {path.name: path.read_bytes() for path in seeds.folder.glob("bad.*")}
                answer = worker.run(words)
                if answer["code"] in (None, -1) or answer["peak"] > MEMORY_LIMIT:
                    worker.stop()
                    worker = Worker(seeds.folder)
                wrong = judge_case(found[kind], kind, answer, clean_up(seeds.folder, before, kind))
                if wrong:
                    report_case(keep, f"{seed}-{number}", words, answer["err"], wrong, made)
        finally:
            worker.stop()
    return found


def report_case(
    keep: Path | None,
    name: str,
    words: list[str],
    err: str,
    wrong: list[str],
    made: dict[str, bytes],
) -> None:
    """Report a failing case, and keep its files."""
    print(f"{name}: {'; '.join(wrong)}: {' '.join(words)}: {err.strip()[-400:]}", file=sys.stderr)
    if keep is not None:
        (keep / name).mkdir(parents=True, exist_ok=True)
        (keep / name / "command.txt").write_text(
            f"{' '.join(words)}\n{wrong}\n{err}", encoding="utf-8"
        )
        for file, data in made.items():
            (keep / name / file).write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="default: all")
    parser.add_argument("--keep", type=Path, help="folder for failing cases")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        run_worker()
        return
    counts = run_fuzzing(given.seconds, given.seed, given.kind or list(KINDS), given.keep)
    print(json.dumps({kind: asdict(one) for kind, one in counts.items()}, indent=1))
    sys.exit(any(one.wrong for one in counts.values()))


if __name__ == "__main__":
    main()
