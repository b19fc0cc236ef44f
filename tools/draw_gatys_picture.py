"""Draw docs/pictures/gatys.jpg: a sample picture painted by optimization, in three styles, in a
mix, and by both optimizers.

python tools/draw_gatys_picture.py [--steps N] [OUTPUT]

Prints for each painting: steps, loss before and after.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines.gatys import GatysEngine  # noqa: E402
from vst.engines.gatys_options import GatysOptions  # noqa: E402
from vst.plotting import draw_sheet, save_picture  # noqa: E402
from vst.samples import draw_pattern, draw_photo  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402

STYLES = ("blue-swirls", "stained-glass", "indigo-waves")
SIZE = (240, 160)


def main() -> None:
    """Paint, print the losses, and write the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "docs/pictures/gatys.jpg")
    options = parser.parse_args()
    content = draw_photo(*SIZE)
    pictures: list[Picture] = [content]
    labels = ["content"]
    for name in STYLES:
        pictures.append(paint_picture(name, content, {name: 1.0}, options.steps))
        labels.append(name)
    mixed = {"blue-swirls": 0.5, "stained-glass": 0.5}
    pictures.append(paint_picture("mix", content, mixed, options.steps))
    labels.append("half swirls, half glass")
    adam = {"optimizer": "adam"}
    steps = options.steps * 4  # a step of L-BFGS evaluates all four phases
    pictures.append(paint_picture("adam", content, {"stained-glass": 1.0}, steps, adam))
    labels.append(f"stained-glass, Adam, {steps} steps")
    rows = [pictures[:3], pictures[3:]]
    save_picture(options.output, draw_sheet(rows, [labels[:3], labels[3:]], width=1100), 88)
    print(f"{options.output}: {options.output.stat().st_size} bytes")


def paint_picture(
    name: str,
    content: Picture,
    weights: Mapping[str, float],
    steps: int,
    options: Mapping[str, Any] | None = None,
) -> Picture:
    """Optimize one painting, and print its steps and losses."""
    given = {"steps": steps, "early_stop": False, **(options or {})}
    with GatysEngine(options=GatysOptions(**given)) as engine:
        engine.prepare({style: draw_pattern(style) for style in weights})
        painting = engine.paint(content[None], [Mix(dict(weights))])[0]
        last = engine.last
    assert last is not None
    print(f"{name}: {last.steps} steps, loss {last.first:.1f} to {last.cost:.2f}", flush=True)
    return painting


if __name__ == "__main__":
    main()
