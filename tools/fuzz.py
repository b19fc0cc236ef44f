"""Feeds the command line with randomly changed files and checks how each command ends.

    python tools/fuzz.py --seconds 1200 --seed today --keep findings
    python tools/fuzz.py --shrink findings/20261129-17 tests/corpus/NAME

Each case is a good file (a video, a picture, a mask, painted frames, a y4m stream, a score, a batch
file, a style, a project of the page, the manifest or state of an interrupted job) changed in a few
places, and a command that reads it. A case passes if the command ends with exit code 0, 1 or 2,
with one line of error unless it is 0, within 20 seconds (not counting the time in which other
programs had the CPU), 40 seconds of CPU time, 200 open files and 2 GB, and leaves neither files nor
open files nor threads. Failing cases are kept with their command; `--shrink` makes such a case's
files as small as the fault allows. The same seed makes the same cases; ``today`` is the date.

The cases run in one separate process, which is restarted when it hangs or dies.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also where it is imported as tools.fuzz
from fuzz_cases import KINDS, TINT, WEIGHTS, Case, SeedFolder
from fuzz_counts import LEAK_LIMIT, MEMORY_LIMIT, BadInputCounts, Ending
from fuzz_files import make_seeds
from fuzz_worker import Worker

from vst.checkpoint.store import get_chunk_folder

COMMAND = "command.json"
"""The file of a kept case that names its kind, its command and what was wrong."""
SHRINK_SECONDS = 120.0


def get_error_lines(kind: str) -> tuple[int, ...]:
    """How many lines of error a failing case may have: the table of a batch reports failures."""
    return (0, 1) if kind == "batch" else (1,)


def clean_up(folder: Path, before: set[str], kind: str) -> set[str]:
    """Delete the files that a case made; return those that it should not have left."""
    made = {path.name for path in folder.iterdir()} - before
    allowed = {"out.mp4", "out.mkv", *(name for name in made if name.startswith("bad."))}
    if kind == "manifest":
        allowed.add("out.mp4.vst")
    if kind == "batch":
        allowed |= {name for name in made if not name.endswith(".part")}
    for name in made:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return made - allowed


def prepare_folder(folder: Path, seed: str) -> SeedFolder:
    """Make the good files, an interrupted job and a project."""
    (folder / "home" / "styles").mkdir(parents=True)
    make_seeds(folder)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    command = [sys.executable, "-m", "vst", "stylize", "long.mp4", "-s", "p.png", *TINT]
    subprocess.run([*command, "--keep-chunks"], cwd=folder, check=True, capture_output=True)
    (folder / "out.mp4").unlink()
    chunks = get_chunk_folder(folder / "out.mp4")
    kept = {path.name: path.read_bytes() for path in chunks.iterdir() if "00002" not in path.name}
    shutil.rmtree(chunks)
    write_project(folder)
    return SeedFolder(
        folder,
        random.Random(seed),
        films=[name for name in names if name[0] in "abcdefghi"],
        pictures=[name for name in names if name[0] in "pqrstuvwx" or name == "y.tif"],
        frames=[name for name in names if name[0] == "z"],
        streams=[name for name in names if name.endswith(".y4m")],
        interrupted=kept,
    )


def write_project(folder: Path) -> None:
    """Write a project of the page, zz.zip: a video, a frame of it, a picture, and a form."""
    from vst.schedule.score import StyleSource
    from vst.web.limits import VisitorLimits
    from vst.web.project import pack_project
    from vst.web.sessions import PageStyle, Sessions

    with tempfile.TemporaryDirectory(prefix="vst-fuzz-page-") as place:
        sessions = Sessions(Path(place) / "state", VisitorLimits())
        session = sessions.open()
        found = []
        for name, role in (("a.mp4", "content"), ("d.avi", "style"), ("p.png", "style")):
            kept = session.reserve_file(name, role)
            kept.path.write_bytes((folder / name).read_bytes())
            found.append(session.add(kept))
        session.keep_style(PageStyle("f", "frame", StyleSource(found[1].path.name, 0.5), "", 0.5))
        session.keep_style(PageStyle("p", "picture", StyleSource(found[2].path.name)))
        keys = [
            {"style": "f", "at": 0.2},
            {"style": "p", "at": 0.6},
            {"style": "@ink-wash", "at": 1},
        ]
        form = {"content": found[0].id, "keys": keys, "settings": {"strength": 0.5}}
        packed = pack_project(session, form)
        (folder / "zz.zip").write_bytes(packed.path.read_bytes())
        sessions.close()


@dataclass(frozen=True)
class Finding:
    """A case that failed: its ``name``, ``kind``, command, ending, what is ``wrong``, and the
    changed files.
    """

    name: str
    kind: str
    case: Case
    ending: Ending
    wrong: list[str]
    files: dict[str, bytes]

    def report(self) -> None:
        """Print it."""
        wrong, words = "; ".join(self.wrong), " ".join(self.case.words)
        print(f"{self.name}: {wrong}: {words}: {self.ending.err.strip()[-400:]}", file=sys.stderr)

    def keep(self, folder: Path) -> None:
        """Write its command and its files into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        about = {"kind": self.kind, "words": self.case.words, "stdin": self.case.stdin}
        about |= {"wrong": self.wrong, "said": self.ending.err.strip().splitlines()[-1:]}
        (folder / COMMAND).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        write_files(folder, self.files)


def read_changed(folder: Path) -> dict[str, bytes]:
    """The files of a case by their names relative to ``folder``."""
    found = {}
    for path in folder.glob("bad.*"):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            found[str(file.relative_to(folder))] = file.read_bytes()
    chunks = get_chunk_folder(folder / "out.mp4")
    for file in chunks.iterdir() if chunks.is_dir() else []:
        found[str(file.relative_to(folder))] = file.read_bytes()
    mine = folder / "home" / "styles" / "mine.json"
    if mine.exists():
        found[str(mine.relative_to(folder))] = mine.read_bytes()
    return found


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files, with their folders."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def run_fuzzing(
    seconds: float, seed: str, kinds: list[str], keep: Path | None
) -> dict[str, BadInputCounts]:
    """Run cases for ``seconds``; return how they ended, by kind."""
    counts = {kind: BadInputCounts() for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="vst-fuzz-") as place:
        seeds = prepare_folder(Path(place), seed)
        before = {path.name for path in seeds.folder.iterdir()}
        worker = Worker(seeds.folder)
        until, number = time.monotonic() + seconds, 0
        try:
            while time.monotonic() < until:
                number += 1
                seeds.rng.seed(f"{seed} {number}")
                kind = seeds.rng.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
                case = KINDS[kind](seeds)
                files = read_changed(seeds.folder)
                ending = worker.run(case)
                if ends_worker(ending):
                    worker.stop()
                    worker = Worker(seeds.folder)
                ending = replace(ending, left=clean_up(seeds.folder, before, kind))
                wrong = counts[kind].record(ending, get_error_lines(kind))
                if wrong:
                    finding = Finding(f"{seed}-{number}", kind, case, ending, wrong, files)
                    finding.report()
                    if keep is not None:
                        finding.keep(keep / finding.name)
        finally:
            worker.stop()
    return counts


def ends_worker(ending: Ending) -> bool:
    """Whether the process in which a case ended so has to be replaced."""
    is_large = ending.peak > MEMORY_LIMIT or ending.leaked > LEAK_LIMIT
    return ending.code in (None, -1) or is_large


def shrink(kept: Path, target: Path) -> None:
    """Remove all parts of a kept case's files without which it still fails, and keep the rest."""
    about = json.loads((kept / COMMAND).read_text(encoding="utf-8"))
    case = Case(about["words"], about["stdin"])
    names = [path for path in sorted(kept.rglob("*")) if path.is_file() and path.name != COMMAND]
    files = {str(path.relative_to(kept)): path.read_bytes() for path in names}
    with tempfile.TemporaryDirectory(prefix="vst-fuzz-") as place:
        folder = prepare_folder(Path(place), "").folder
        before = {path.name for path in folder.iterdir()}
        until = time.monotonic() + SHRINK_SECONDS

        def fail(tried: dict[str, bytes]) -> Finding | None:
            write_files(folder, tried)
            worker = Worker(folder)
            ending = worker.run(case)
            worker.stop()
            ending = replace(ending, left=clean_up(folder, before, about["kind"]))
            faults = ending.find_faults(get_error_lines(about["kind"]))
            found = Finding(target.name, about["kind"], case, ending, [*faults.values()], tried)
            return found if faults else None

        finding = fail(files)
        if finding is None:
            raise SystemExit(f"{kept} does not fail any more. Give a case that does")
        for name in sorted(files, key=lambda one: -len(files[one])):
            part = len(files[name]) // 2
            while part and time.monotonic() < until:
                at = 0
                while at < len(files[name]) and time.monotonic() < until:
                    data = files[name]
                    smaller = fail({**files, name: data[:at] + data[at + part :]})
                    if smaller is None:
                        at += part
                    else:
                        finding, files = smaller, smaller.files
                part //= 2
        finding.report()
        finding.keep(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default="0", help="a text, or today: a new one each day")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="default: all")
    parser.add_argument("--keep", type=Path, help="folder for failing cases")
    parser.add_argument("--shrink", type=Path, nargs=2, metavar=("CASE", "TARGET"))
    given = parser.parse_args()
    if given.shrink:
        shrink(*given.shrink)
        return
    seed = given.seed
    if seed == "today":
        seed = datetime.now(timezone.utc).strftime("%Y%m%d")
    print(f"seed {seed}", file=sys.stderr)
    counts = run_fuzzing(given.seconds, seed, given.kind or list(KINDS), given.keep)
    print(json.dumps({kind: one.as_dict() for kind, one in counts.items()}, indent=1))
    sys.exit(any(one.wrong for one in counts.values()))


if __name__ == "__main__":
    main()
