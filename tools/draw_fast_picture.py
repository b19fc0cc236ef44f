"""Draw docs/pictures/fast.jpg: frames of a clip that the project draws, painted by two small
networks trained here in one built-in style: without temporal losses, and with them.

python tools/draw_fast_picture.py [--steps N] [--keep DIR]

With --keep the networks are stored in a folder, and existing ones are reused.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture, Progress  # noqa: E402
from vst.engines.fast import FastEngine  # noqa: E402
from vst.nets.feedforward_plan import FeedForwardPlan  # noqa: E402
from vst.plotting import draw_sheet, save_picture  # noqa: E402
from vst.research.training.style_plans import TemporalPlan  # noqa: E402
from vst.samples import Landscape, draw_pattern  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402

STYLE = "stained-glass"
RATE = 12
FRAMES = 48
SHOWN = (8, 24, 40)
PICTURE = ROOT / "docs" / "pictures" / "fast.jpg"
NETWORK = FeedForwardPlan(width=8, blocks=2)
PLAN = TemporalPlan(
    minutes=600, steps=200, side=64, optimizer="adam", rate=3e-3, rate_falls=(0.7,), every=600
)
WAYS = {
    "without": replace(PLAN, short_weight=0.0, long_weight=0.0),
    "with": PLAN,
}


def main() -> None:
    """Train missing networks, paint, and write the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=PLAN.steps)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    large = Landscape(240, 144)
    contents = [large.frame(index / RATE) for index in SHOWN]
    style = draw_pattern(STYLE, 240, 144)
    rows = [[*contents, style]]
    labels = [[*(f"frame {index}" for index in SHOWN), STYLE]]
    with tempfile.TemporaryDirectory(prefix="vst-") as scratch:
        for name, plan in WAYS.items():
            network = train_network(
                given.keep or Path(scratch), name, replace(plan, steps=given.steps)
            )
            rows.append(paint_frames(network, [*contents, style]))
            labels.append([f"{name} temporal losses"] * len(rows[-1]))
    drawn = draw_sheet(rows, labels, width=1200)
    save_picture(PICTURE, drawn)
    print(f"{PICTURE}: {drawn.shape[1]}x{drawn.shape[0]}")


def train_network(folder: Path, name: str, plan: TemporalPlan) -> Path:
    """Train a network on the drawn clip, unless it exists; return its file."""
    network = folder / name / "style.keras"
    if network.is_file():
        return network
    from vst.research.training.films import FilmScene, FilmSet
    from vst.research.training.temporal import TemporalTraining

    scene = Landscape(160, 96)
    films = FilmSet([FilmScene("lake", [scene.frame(index / RATE) for index in range(FRAMES)])])

    def report(progress: Progress) -> None:
        if progress.done % 50 == 0:
            print(f"{name}: step {progress.done} of {progress.total}", flush=True)

    style = draw_pattern(STYLE, 160, 120)
    TemporalTraining(style, films, folder / name, plan, NETWORK, {"style": STYLE}).run(report)
    return network


def paint_frames(network: Path, contents: list[Picture]) -> list[Picture]:
    """Paint the frames with engine `fast`."""
    with FastEngine() as engine:
        engine.prepare({"style": np.fromfile(network, np.uint8)})
        return list(engine.paint(np.stack(contents), [Mix({"style": 1.0})] * len(contents)))


if __name__ == "__main__":
    main()
