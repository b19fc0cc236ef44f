"""The cases of `tools/fuzz.py`: each writes changed files and names the command that reads them."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_files import BATCH, HOSTILE_VALUES, REGIONS, SCORES, change_bytes, change_text

from vst.checkpoint.store import get_chunk_folder

PROJECT = "open-project"
"""Stands for a command: the worker opens a project as the page does."""
TINT = ("-o", "out.mp4", "--engine", "tint", "--overwrite", "--progress", "none")
LIVE = ("--engine", "tint", "--size", "24", "-o", "out.mkv", "--overwrite")


@dataclass(frozen=True)
class Case:
    """A command's ``words``, and the file that it gets as standard input (None: nothing)."""

    words: list[str]
    stdin: str | None = None


@dataclass
class SeedFolder:
    """The folder of the good files, and the random generator of the changes."""

    folder: Path
    rng: random.Random
    films: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    interrupted: dict[str, bytes] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """The bytes of a good file."""
        return (self.folder / name).read_bytes()

    def write_changed(self, names: list[str], target: str | None = None) -> str:
        """Write a changed copy of one of these files, as ``target``; return its name."""
        name = self.rng.choice(names)
        other = self.read(self.rng.choice([*self.films, *self.pictures]))
        bad = target or f"bad{Path(name).suffix}"
        (self.folder / bad).write_bytes(change_bytes(self.read(name), other, self.rng))
        return bad

    def write_folder(self, name: str) -> str:
        """Write a folder of frames, some of them changed, of other sizes or missing."""
        (self.folder / name).mkdir()
        numbers = list(range(8))
        if self.rng.random() < 0.3:
            numbers = self.rng.sample(range(12), 6)
        for number in numbers:
            chosen = self.rng.choice(self.frames)
            target = f"{name}/{number:03d}{Path(chosen).suffix}"
            if self.rng.random() < 0.3:
                self.write_changed([*self.frames, *self.pictures], target)
            else:
                (self.folder / target).write_bytes(self.read(chosen))
        return name

    def write_changed_text(self, name: str, text: str) -> str:
        """Write a changed text; return its name."""
        (self.folder / name).write_bytes(change_text(text, self.rng))
        return name


def make_content_case(seeds: SeedFolder) -> Case:
    """Make a content: a video or a picture."""
    name = seeds.write_changed(seeds.films if seeds.rng.random() < 0.8 else seeds.pictures)
    ways = ([], ["--fps", "7"], ["--speed", "0.5"], ["--start", "0.5"], ["--align", "beats"])
    return Case(["stylize", name, "-s", "p.png", *TINT, *seeds.rng.choice(ways)])


def make_style_case(seeds: SeedFolder) -> Case:
    """Make a style: a picture, or a video for keyframes."""
    name = seeds.write_changed(seeds.pictures if seeds.rng.random() < 0.6 else seeds.films)
    picker = seeds.rng.choice(("middle", "change", "scene"))
    return Case(["stylize", "a.mp4", "-s", name, *TINT, "--picker", picker])


def make_mask_case(seeds: SeedFolder) -> Case:
    """Make a mask: a file, a folder of pictures, or regions."""
    start = ["stylize", "a.mp4", "-s", "p.png", *TINT]
    way = seeds.rng.randrange(4)
    if way == 0:
        name = seeds.write_changed(seeds.pictures + seeds.films)
    elif way == 1:
        name = seeds.write_folder("bad.masks")
    elif way == 2:
        return Case([*start, "--mask-regions", seeds.write_folder("bad.labels")])
    else:
        name = seeds.write_changed_text("bad.yaml", REGIONS)
        return Case(["stylize", "a.mp4", *TINT, "--mask-regions", name])
    return Case([*start, "--mask", name, "--mask-edge", seeds.rng.choice(("soft", "hard"))])


def make_painted_case(seeds: SeedFolder) -> Case:
    """Make painted keyframes: a changed picture, or a changed time."""
    times = ["0", "0.5", "1.2", "0:01", *HOSTILE_VALUES[:12]]
    name = seeds.write_changed(seeds.frames)
    words = ["stylize", "a.mp4", "-s", "p.png", *TINT, "--painted", f"0.7={name}"]
    if seeds.rng.random() < 0.5:
        other = seeds.rng.choice(seeds.frames)
        words += ["--painted", f"{seeds.rng.choice(times)}={other}"]
    return Case(words)


def make_stream_case(seeds: SeedFolder) -> Case:
    """Make y4m on standard input."""
    name = seeds.write_changed(seeds.streams)
    ways = ([], ["--end", "0.5"], ["--fps", "7"], ["--speed", "2"], ["--align", "beats"])
    return Case(["stylize", "-", "-s", "p.png", *TINT, *seeds.rng.choice(ways)], name)


def make_live_case(seeds: SeedFolder) -> Case:
    """Make a live stream: y4m or raw frames, and sometimes a score."""
    words = ["live", "-", *LIVE, "--steadiness", seeds.rng.choice(("0", "0.5"))]
    name = seeds.write_changed(seeds.streams)
    if seeds.rng.random() < 0.3:
        forms = ("64x48@10", "8x8@1/0", "0x9@25", "99999x99999@25", "65x47@30000/1001", "7x@")
        words += ["--raw", seeds.rng.choice(forms)]
    if seeds.rng.random() < 0.2:
        return Case(
            [*words, "--score", seeds.write_changed_text("bad.yaml", seeds.rng.choice(SCORES))],
            name,
        )
    return Case([*words, "-s", "p.png"], name)


def make_score_case(seeds: SeedFolder) -> Case:
    """Make a score."""
    name = seeds.write_changed_text("bad.yaml", seeds.rng.choice(SCORES))
    return Case(["stylize", "a.mp4", "--score", name, *TINT])


def make_batch_case(seeds: SeedFolder) -> Case:
    """Make a batch file that still names engine `tint`: the default engine starts slowly."""
    data = b""
    while b"engine: tint" not in data:
        data = change_text(BATCH, seeds.rng)
    (seeds.folder / "bad.yaml").write_bytes(data)
    return Case(["batch", "bad.yaml", "--progress", "none"])


def make_manifest_case(seeds: SeedFolder) -> Case:
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
    return Case(["resume", "out.mp4", "--progress", "none"])


def make_own_style_case(seeds: SeedFolder) -> Case:
    """Make a saved user style."""
    plain = {"version": 1, "name": "mine", "space": "tint-3", "embedding": [0.1, 0.2, 0.3]}
    seeds.write_changed_text("home/styles/mine.json", json.dumps(plain, indent=1))
    return Case(["stylize", "a.mp4", "-s", "@mine", *TINT])


def make_project_case(seeds: SeedFolder) -> Case:
    """Make a project of the page: its bytes changed, or those of a member before it is packed."""
    if seeds.rng.random() < 0.4:
        return Case([PROJECT, seeds.write_changed(["zz.zip"])])
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seeds.read("zz.zip"))) as old:
        names = old.namelist()
        bad = seeds.rng.choice(["project.json"] * 3 + names)
        with zipfile.ZipFile(packed, "w") as new:
            for name in names:
                data = old.read(name)
                if name == bad and name.endswith((".json", ".yaml")):
                    data = change_text(data.decode(), seeds.rng)
                elif name == bad:
                    data = change_bytes(data, data, seeds.rng)
                shown = name if seeds.rng.random() < 0.98 else seeds.rng.choice(HOSTILE_VALUES)
                new.writestr(zipfile.ZipInfo(shown), data)
    (seeds.folder / "bad.zip").write_bytes(packed.getvalue())
    return Case([PROJECT, "bad.zip"])


KINDS: dict[str, Callable[[SeedFolder], Case]] = {
    "content": make_content_case,
    "style": make_style_case,
    "mask": make_mask_case,
    "score": make_score_case,
    "batch": make_batch_case,
    "manifest": make_manifest_case,
    "own style": make_own_style_case,
    "painted frame": make_painted_case,
    "y4m": make_stream_case,
    "live stream": make_live_case,
    "project": make_project_case,
}
WEIGHTS = dict(zip(KINDS, (6, 3, 3, 3, 2, 2, 1, 2, 2, 2, 2), strict=True))
