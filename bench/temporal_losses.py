"""Trains networks with and without the losses between frames, and measures them on films whose
flow is known exactly: the table of docs/methods-fast.md beside the report's.

    python bench/temporal_losses.py --shared ../shared --work DIR --json temporal.json [--steps 300]

The films are drawn (`vst.samples.motion`) in MPI Sintel's layout, for training from one half of the
photographs and with seeds below 500, held out from the other half and with seeds from 1000 on. All
networks see the same samples in the same order. A training that was interrupted resumes; what is
trained is kept in DIR.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np
from harness import describe_machine, write_json
from peer_table import format_rows

from vst.core.types import Picture, Progress
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training.sintel import write_flow
from vst.research.training.style_plans import TemporalPlan
from vst.research.training.style_training import read_record
from vst.samples import draw_pattern
from vst.samples.motion.clips import KINDS, MotionClip, draw_clips, find_photographs

STYLE = "stained-glass"
NETWORK = FeedForwardPlan(width=16, blocks=3)
PLAN = TemporalPlan(
    minutes=100_000, steps=300, side=128, style_size=256, optimizer="adam", rate=1e-3,
    rate_falls=(), backbone="vgg16", every=1000, luminance="animated",
)  # fmt: skip
WAYS = {
    "without": replace(PLAN, short_weight=0.0, long_weight=0.0),
    "with": PLAN,
    "strong": replace(PLAN, short_weight=1e4, long_weight=1e3),
}
"""Without the losses between frames, with the report's weights, and with a hundred times those:
next to VGG's style loss, the report's add less than one percent to the sum."""
LOSSES = ("held style", "held content", "held short", "held long")
HELD_FRAMES, HELD_SIZE = 24, (256, 448)
FIRST_HELD = 1000


def draw_training_films(folder: Path, photographs: Sequence[Path]) -> Path:
    """Write 24 films of 16 frames in Sintel's layout, unless they are there."""
    done = folder / "done"
    if done.exists():
        return folder
    for clip in draw_clips(24, 0, photographs, size=(160, 200), frames=16):
        write_sintel_scene(folder / "training", clip)
    done.touch()
    return folder


def write_sintel_scene(root: Path, clip: MotionClip) -> None:
    """Write a film's frames, its flow from each frame to the next, and what the next one hides."""
    for kind in ("clean", "flow", "occlusions"):
        (root / kind / clip.name).mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(clip.frames):
        name = f"frame_{index + 1:04d}"
        cv2.imwrite(str(root / "clean" / clip.name / f"{name}.png"), frame[..., ::-1])
        if index < len(clip.forward):
            write_flow(root / "flow" / clip.name / f"{name}.flo", clip.forward[index])
            hidden = np.where(clip.seen_forward[index], 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / "occlusions" / clip.name / f"{name}.png"), hidden)


def train(name: str, films: Path, work: Path, shared: Path, steps: int) -> None:
    """Train one network, or resume it."""
    from vst.research.training.films import FilmSet
    from vst.research.training.temporal import TemporalTraining

    plan = replace(WAYS[name], steps=steps, backbone_weights=str(shared / "judge" / "vgg16.npz"))
    training = TemporalTraining(
        draw_pattern(STYLE, 512, 512), FilmSet.read([films], plan.side), work / name, plan,
        NETWORK, {"style": STYLE},
    )  # fmt: skip

    def report(progress: Progress) -> None:
        if progress.done % 20 == 0:
            print(f"{name}: step {progress.done} of {progress.total}", flush=True)

    training.run(report)


def read_held_losses(work: Path) -> dict[str, dict[str, float]]:
    """The steps and the held-out losses of each network, unweighted, at the end."""
    found = {}
    for name in WAYS:
        if (work / name / "training.json").is_file():
            last = read_record(work / name)["curves"][-1]
            found[name] = {key: last[key] for key in ("steps", *LOSSES)}
    return found


def format_losses(found: dict[str, dict[str, float]]) -> str:
    """The held-out losses as Markdown."""
    lines = ["| losses between frames | steps | " + " | ".join(LOSSES) + " |"]
    lines.append("|---" * (len(LOSSES) + 2) + "|")
    for name, row in found.items():
        cells = [f"{row[key]:.3g}" for key in ("steps", *LOSSES)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw_held_films(photographs: Sequence[Path]) -> Iterator[MotionClip]:
    """One held-out film of each kind."""
    return draw_clips(len(KINDS), FIRST_HELD, photographs, size=HELD_SIZE, frames=HELD_FRAMES)


def measure_change(clip: MotionClip, painted: Sequence[Picture]) -> float:
    """The report's E(V) = √(1/(T−1) Σ_t (1/D) M ‖y_t − W(y_{t−1})‖²) in [0,1], D = H·W·3, with the
    true flow and the true occlusions.
    """
    height, width = clip.frames.shape[1:3]
    grid = np.dstack(np.meshgrid(np.arange(width, dtype="f4"), np.arange(height, dtype="f4")))
    errors = []
    for before, now, flow, seen in zip(painted, painted[1:], clip.backward, clip.seen_backward):
        moved = cv2.remap(before, grid + flow, None, cv2.INTER_LINEAR)
        difference = (now.astype(np.float64) - moved) / 255
        errors.append(float((seen[..., None] * difference**2).mean()))
    return math.sqrt(float(np.mean(errors)))


def open_painters(work: Path) -> dict[str, Any]:
    """Name -> painter of (T,H,W,3) uint8: the content itself, both networks, and the embedded
    model without its stabilizer.
    """
    from vst.engines.embedded import EmbeddedEngine
    from vst.engines.fast import FastEngine
    from vst.schedule.timeline import Mix

    def open_network(name: str) -> Any:
        engine = FastEngine()
        engine.prepare({"style": np.fromfile(work / name / "style.keras", np.uint8)})
        mix = Mix({"style": 1.0})
        return lambda frames: [engine.paint(frame[None], [mix])[0] for frame in frames]

    embedded = EmbeddedEngine()
    numbers = embedded.embed(draw_pattern(STYLE, 512, 512))[None]
    return {
        "the content itself": list,
        "network without losses between frames": open_network("without"),
        "network with them, weights 100 and 10": open_network("with"),
        "network with them, weights 10,000 and 1,000": open_network("strong"),
        "the embedded model": lambda frames: [
            embedded.stylize(frame[None], numbers)[0] for frame in frames
        ],
    }


def measure(work: Path, shared: Path, photographs: Sequence[Path]) -> dict[str, dict[str, float]]:
    """For each painter the means over the held-out films: E(V), the distance to the style by
    AlexNet, on which nothing was trained, and SSIM to the content; and E(V) of each film.
    """
    from vst.metrics.ssim import compute_ssim
    from vst.nets.judges import compare_styles, measure_style, open_judge

    alexnet = open_judge(shared / "judge" / "alexnet.npz").alexnet
    wanted = measure_style(alexnet, draw_pattern(STYLE, 256, 256))
    clips = list(draw_held_films(photographs))
    rows: dict[str, dict[str, float]] = {}
    for name, paint in open_painters(work).items():
        row: dict[str, float] = {}
        style, ssim = [], []
        for clip in clips:
            painted = paint(clip.frames)
            row[f"E(V), {clip.name}"] = measure_change(clip, painted)
            for content, one in list(zip(clip.frames, painted))[::8]:
                style.append(compare_styles(measure_style(alexnet, one), wanted))
                ssim.append(compute_ssim(content, one))
        films = list(row.values())
        rows[name] = {"E(V)": float(np.mean(films)), "lowest": min(films), "highest": max(films)}
        rows[name] |= {"AlexNet style": float(np.mean(style)), "SSIM": float(np.mean(ssim)), **row}
        print(name, {key: round(value, 4) for key, value in rows[name].items()}, flush=True)
    return rows


def format_table(rows: dict[str, dict[str, float]]) -> str:
    """The means as Markdown."""
    names = ("E(V)", "lowest", "highest", "AlexNet style", "SSIM")
    cells = [[name, *(f"{row[key]:.3g}" for key in names)] for name, row in rows.items()]
    return format_rows(("", *names), cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, required=True, help="keeps films and networks")
    parser.add_argument("--steps", type=int, default=PLAN.steps)
    parser.add_argument("--only", choices=[*WAYS, "losses", "measure"])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    photographs = given.shared / "training" / "content"
    films = draw_training_films(given.work / "films", find_photographs(photographs, 0, 2))
    for name in WAYS:
        if given.only in (None, name):
            train(name, films, given.work, given.shared, given.steps)
    found = {"machine": describe_machine(), "held out": read_held_losses(given.work)}
    print(format_losses(found["held out"]))
    if given.only in (None, "measure"):
        rows = measure(given.work, given.shared, find_photographs(photographs, 1, 2))
        print(format_table(rows))
        found["rows"] = rows
    write_json(given.json, found)


if __name__ == "__main__":
    main()
