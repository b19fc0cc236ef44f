"""Feeds the command line with files that were changed at random, and looks at how it ends.

    python tools/fuzz.py --seconds 600 --seed 1 --keep findings

Each case is a good file (a video, a picture, a score, a batch file, a style, the manifest or state
of a broken-off job) changed in a few places, and a command that reads it. Right is: an exit code of
0, 1 or 2, with one line of error unless it is 0; within 20 seconds (without those in which others
had the processor) and 2 GB; nothing left in the folder. What is wrong is kept with its command. The
same seed makes the same cases.

The cases run in one other process, which is started anew where it hangs or dies.
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
from fuzz_files import BATCH, SCORES, changed_bytes, changed_text, make_seeds

from vst.checkpoint.store import get_chunk_folder

LONGEST = 20.0
"""Seconds that a case may take."""
LARGEST = 2_000_000
"""Kilobytes that the process may grow to."""


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
        """How many did not end as they should."""
        return self.hung + self.tracebacks + self.wrong_codes + self.left + self.too_large


# Cases: each writes its file into the folder and returns the command


@dataclass
class Desk:
    """The folder of the good files, and the changes."""

    folder: Path
    rng: random.Random
    films: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    broken_off: dict[str, bytes] = field(default_factory=dict)

    def changed_file(self, names: list[str]) -> str:
        """Write a changed copy of one of these files; its name."""
        name = self.rng.choice(names)
        other = (self.folder / self.rng.choice([*self.films, *self.pictures])).read_bytes()
        bad = f"bad{Path(name).suffix}"
        data = changed_bytes((self.folder / name).read_bytes(), other, self.rng)
        (self.folder / bad).write_bytes(data)
        return bad


TINT = ("-o", "out.mp4", "--engine", "tint", "--overwrite", "--progress", "none")


def content(desk: Desk) -> list[str]:
    """A content: a film or a picture."""
    name = desk.changed_file(desk.films if desk.rng.random() < 0.8 else desk.pictures)
    ways = ([], ["--fps", "7"], ["--speed", "0.5"], ["--start", "0.5"], ["--align", "beats"])
    return ["stylize", name, "-s", "p.png", *TINT, *desk.rng.choice(ways)]


def style(desk: Desk) -> list[str]:
    """A style: a picture, or a film of which keyframes are taken."""
    name = desk.changed_file(desk.pictures if desk.rng.random() < 0.6 else desk.films)
    picker = desk.rng.choice(("middle", "change", "scene"))
    return ["stylize", "a.mp4", "-s", name, *TINT, "--picker", picker]


def mask(desk: Desk) -> list[str]:
    """A mask."""
    name = desk.changed_file(desk.pictures + desk.films)
    return ["stylize", "a.mp4", "-s", "p.png", *TINT, "--mask", name, "--mask-edge", "soft"]


def score(desk: Desk) -> list[str]:
    """A score."""
    (desk.folder / "bad.yaml").write_bytes(changed_text(desk.rng.choice(SCORES), desk.rng))
    return ["stylize", "a.mp4", "--score", "bad.yaml", *TINT]


def batch(desk: Desk) -> list[str]:
    """A batch file that still names the engine of tests: the default one takes long to start."""
    data = b""
    while b"engine: tint" not in data:
        data = changed_text(BATCH, desk.rng)
    (desk.folder / "bad.yaml").write_bytes(data)
    return ["batch", "bad.yaml", "--progress", "none"]


def manifest(desk: Desk) -> list[str]:
    """What a broken-off job has left."""
    folder = get_chunk_folder(desk.folder / "out.mp4")
    folder.mkdir()
    for name, data in desk.broken_off.items():
        (folder / name).write_bytes(data)
    bad = desk.rng.choice(["manifest.json"] * 3 + sorted(desk.broken_off))
    data = desk.broken_off[bad]
    text = bad.endswith(".json") and desk.rng.random() < 0.7
    new = changed_text(data.decode(), desk.rng) if text else changed_bytes(data, data, desk.rng)
    (folder / bad).write_bytes(new)
    return ["resume", "out.mp4", "--progress", "none"]


def own_style(desk: Desk) -> list[str]:
    """A style that the user has kept."""
    plain = {"version": 1, "name": "mine", "space": "tint-3", "embedding": [0.1, 0.2, 0.3]}
    text = json.dumps(plain, indent=1)
    (desk.folder / "home" / "styles" / "mine.json").write_bytes(changed_text(text, desk.rng))
    return ["stylize", "a.mp4", "-s", "@mine", *TINT]


KINDS: dict[str, Callable[[Desk], list[str]]] = {
    "content": content,
    "style": style,
    "mask": mask,
    "score": score,
    "batch": batch,
    "manifest": manifest,
    "own style": own_style,
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
        """How a command ended; ``code`` is None where it hung, and -1 where the process died."""
        return self._answer({"words": words}, LONGEST)

    def _answer(self, case: dict[str, Any], patience: float) -> dict[str, Any]:
        began = time.monotonic()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(case).encode() + b"\n")
        self._process.stdin.flush()
        before = self._kept_waiting()
        while not select.select([self._process.stdout], [], [], 1.0)[0]:
            seconds = time.monotonic() - began - self._kept_waiting() + before
            if seconds > patience:
                return {"code": None, "err": "hung", "seconds": seconds, "peak": 0}
        line = self._process.stdout.readline()
        seconds = max(0.0, time.monotonic() - began - self._kept_waiting() + before)
        if not line:
            return {"code": -1, "err": "the process died", "seconds": seconds, "peak": 0}
        return {**json.loads(line), "seconds": seconds}

    def _kept_waiting(self) -> float:
        """Seconds in which it could have computed and other programs had the processor."""
        try:
            waits = Path(f"/proc/{self._process.pid}/schedstat").read_text().split()
            return int(waits[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def work() -> None:
    """Run the commands that come on stdin; what they say on stderr goes into a file."""
    from vst import cli as commands

    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    for line in sys.stdin:
        sys.argv = ["vst", *json.loads(line)["words"]]
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                commands.main()
            except SystemExit as end:
                code = end.code
            sys.stdout.flush()
            said.seek(0)
            err = said.read().decode(errors="replace")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"code": code, "err": err, "peak": peak}), file=answers, flush=True)


def judged(counts: Counts, kind: str, answer: dict[str, Any], left: set[str]) -> list[str]:
    """Count how a case ended; what was wrong with it."""
    code, said = answer["code"], answer["err"]
    lines = [line for line in said.strip().splitlines() if not line.startswith("warning: ")]
    counts.tried += 1
    counts.longest = max(counts.longest, answer["seconds"])
    wrong = []
    if code is None:
        counts.hung += 1
        return ["hung"]
    if code == -1 or "Traceback" in said or "vst: unexpected " in said:
        counts.tracebacks += 1
        wrong.append("traceback")
    lines_wanted = (0, 1) if kind == "batch" else (1,)  # its table tells what failed
    if code not in (0, 1, 2) or (code != 0 and len(lines) not in lines_wanted):
        counts.wrong_codes += code != -1
        wrong.append(f"code {code}, {len(lines)} lines")
    if left:
        counts.left += 1
        wrong.append(f"left: {sorted(left)}")
    if answer["peak"] > LARGEST:
        counts.too_large += 1
        wrong.append(f"{answer['peak'] / 1000:.0f} MB")
    counts.accepted += code == 0
    counts.clear += code in (1, 2) and not wrong
    return wrong


def tidy(folder: Path, before: set[str], kind: str) -> set[str]:
    """Remove what a case has made; what it should not have left."""
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


def desk_in(folder: Path, seed: int) -> Desk:
    """The good files, and a broken-off job."""
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
    return Desk(folder, random.Random(seed), films, pictures, kept)


def fuzz(seconds: float, seed: int, kinds: list[str], keep: Path | None) -> dict[str, Counts]:
    """Run cases for so long; how they ended, by kind."""
    found = {kind: Counts() for kind in kinds}
    weights = [WEIGHTS[list(KINDS).index(kind)] for kind in kinds]
    with tempfile.TemporaryDirectory(prefix="vst-fuzz-") as name:
        desk = desk_in(Path(name), seed)
        before = {path.name for path in desk.folder.iterdir()}
        worker = Worker(desk.folder)
        until, number = time.monotonic() + seconds, 0
        try:
            while time.monotonic() < until:
                number += 1
                desk.rng.seed(f"{seed} {number}")
                kind = desk.rng.choices(kinds, weights)[0]
                words = KINDS[kind](desk)
                made = {path.name: path.read_bytes() for path in desk.folder.glob("bad.*")}
                answer = worker.run(words)
                if answer["code"] in (None, -1) or answer["peak"] > LARGEST:
                    worker.stop()
                    worker = Worker(desk.folder)
                wrong = judged(found[kind], kind, answer, tidy(desk.folder, before, kind))
                if wrong:
                    report(keep, f"{seed}-{number}", words, answer["err"], wrong, made)
        finally:
            worker.stop()
    return found


def report(
    keep: Path | None,
    name: str,
    words: list[str],
    err: str,
    wrong: list[str],
    made: dict[str, bytes],
) -> None:
    """Say what was wrong, and keep the files."""
    print(f"{name}: {'; '.join(wrong)}: {' '.join(words)}: {err.strip()[-400:]}", file=sys.stderr)
    if keep is not None:
        (keep / name).mkdir(parents=True, exist_ok=True)
        (keep / name / "command.txt").write_text(f"{' '.join(words)}\n{wrong}\n{err}")
        for file, data in made.items():
            (keep / name / file).write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="default: all")
    parser.add_argument("--keep", type=Path, help="a folder for what ended wrongly")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work()
        return
    counts = fuzz(given.seconds, given.seed, given.kind or list(KINDS), given.keep)
    print(json.dumps({kind: asdict(one) for kind, one in counts.items()}, indent=1))
    sys.exit(any(one.wrong for one in counts.values()))


if __name__ == "__main__":
    main()
