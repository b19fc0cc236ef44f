"""Draw docs/pictures/painter-fast.jpg and painter-fine.jpg: 24 pictures by each of the package's
painters, of the same contents in the same styles, all drawn by this project.

    python tools/draw_painters.py [--shared ../shared]

With `--shared` (the folder of Magenta's models) also painter-magenta.jpg, by Magenta's pair.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from draw_models_picture import paint_frame, write_sheet

from vst.core.data_folder import PAINTERS
from vst.core.types import Picture
from vst.engines import ENGINES
from vst.plotting import draw_grid
from vst.samples import Landscape, draw_pattern, draw_photo
from vst.samples.motion.clips import TALK, ClipRecipe, draw_clip

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
STYLES = (
    "blue-swirls", "stained-glass", "indigo-waves", "fire-impasto", "pen-hatching", "sea-mosaic",
)  # fmt: skip
SIZE, CELL = (576, 384), (216, 144)


def main() -> None:
    """Paint every content in every style, one sheet for each painter."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, help="the folder of Magenta's models")
    options = parser.parse_args()
    models = {name: ("embedded", name) for name in PAINTERS}
    if options.shared:
        models["magenta"] = ("magenta", str(options.shared / "magenta"))
    contents, styles = draw_contents(), [draw_pattern(name) for name in STYLES]
    for name, (engine, model) in models.items():
        with ENGINES[engine](model=model) as painter:
            rows = [[paint_frame(painter, one, style) for style in styles] for one in contents]
        sheet = draw_grid(
            rows, [""] * len(rows), list(STYLES), corner=contents, heads=styles, cell=CELL
        )
        write_sheet(PICTURES / f"painter-{name}.jpg", sheet)


def draw_contents() -> list[Picture]:
    """Draw two landscapes, a face and figures that pass."""
    width, height = SIZE
    drawn = [
        draw_clip(ClipRecipe(kind, seed, height, width, 8)).frames[-1]
        for kind, seed in ((TALK, 1002), ("cross", 1007))
    ]
    return [draw_photo(*SIZE), Landscape(*SIZE).frame(7.0), *drawn]


if __name__ == "__main__":
    main()
