"""Draw docs/pictures/gallery-*.jpg: the built-in styles on the project's own pictures, transitions
from one style to another, and the effect of strength, brush and colors.

python tools/draw_gallery.py [FOLDER]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines.base import EmbeddingEngine  # noqa: E402
from vst.imaging.color import COLORS, recolor_painting  # noqa: E402
from vst.imaging.resize import resize  # noqa: E402
from vst.pipeline.parts import open_engine  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.preview import paint_still  # noqa: E402
from vst.samples import Landscape  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402
from vst.styles.library import load_builtin_styles  # noqa: E402

CELL = (264, 176)
PAINTED = (480, 320)
"""Width and height of the paintings."""
PER_SHEET = 7
"""Styles on one sheet: each picture of the documents is smaller than 400 kB."""
LARGEST = 300_000
WALKS = (
    ("ink-wash", "sea-print"),
    ("red-chalk", "blue-curls"),
    ("pale-glass", "neon-lines"),
)
STEPS = 5
BRUSHES = (0.25, 0.5, 1.0, 2.0, 4.0)
TOUCHED = ("blue-swirls", "stained-glass", "soft-watercolour")


def draw_contents() -> dict[str, Picture]:
    """Draw the whole scene, its boat, and its shore, large enough that all are sharp."""
    scene = Landscape(1152, 768, grain=0.006).frame(2.6)
    high, wide = scene.shape[:2]

    def part(left: float, top: float, width: float) -> Picture:
        x, y = round(left * wide), round(top * high)
        cut = scene[y : y + round(width * high), x : x + round(width * wide)]
        # All of one size: an engine compiles a function for each size.
        return resize(cut, *PAINTED)

    return {"lake": part(0, 0, 1), "boat": part(0.08, 0.36, 0.45), "shore": part(0.5, 0.12, 0.5)}


def make_painter(engine: EmbeddingEngine) -> Callable[[Picture, Mix], Picture]:
    """Return a function that paints a content in a mix, at its own size."""

    def paint(content: Picture, mix: Mix) -> Picture:
        return paint_still(engine, content, mix, min(PAINTED))

    return paint


def save_sheet(folder: Path, name: str, sheet: Picture) -> None:
    """Write a sheet in the best quality that fits the size limit."""
    target = folder / f"gallery-{name}.jpg"
    for quality in range(88, 40, -6):
        save_picture(target, sheet, quality)
        if target.stat().st_size <= LARGEST:
            break
    print(f"{target}: {sheet.shape[1]}x{sheet.shape[0]}, {target.stat().st_size} bytes")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine("embedded")
    assert isinstance(engine, EmbeddingEngine)
    styles = load_builtin_styles()
    engine.prepare({name: np.asarray(style.embedding) for name, style in styles.items()})
    paint, scenes = make_painter(engine), draw_contents()
    names = list(styles)
    for number, first in enumerate(range(0, len(names), PER_SHEET), 1):
        some = names[first : first + PER_SHEET]
        rows = [[paint(one, Mix({name: 1.0})) for one in scenes.values()] for name in some]
        save_sheet(folder, f"styles-{number}", draw_grid(rows, some, list(scenes), cell=CELL))
    lake = scenes["lake"]
    shares = [step / (STEPS - 1) for step in range(STEPS)]
    rows = [[paint(lake, Mix({a: 1 - share, b: share})) for share in shares] for a, b in WALKS]
    labels = [f"{a} to {b}" for a, b in WALKS]
    save_sheet(
        folder, "walks", draw_grid(rows, labels, [f"{share:.0%}" for share in shares], cell=CELL)
    )
    strengths = (0.15, 0.3, 0.5, 0.75, 1.0)
    rows = [[paint(lake, Mix({n: 1.0}, strength=s)) for s in strengths] for n in TOUCHED]
    save_sheet(
        folder,
        "strength",
        draw_grid(rows, TOUCHED, [f"strength {s:g}" for s in strengths], cell=CELL),
    )
    draw_brushes(folder, paint, lake)
    rows = [
        [recolor_painting(way, lake, paint(lake, Mix({name: 1.0}))) for way in COLORS]
        for name in TOUCHED
    ]
    save_sheet(folder, "colors", draw_grid(rows, TOUCHED, list(COLORS), cell=CELL))


def draw_brushes(folder: Path, paint: Callable[[Picture, Mix], Picture], content: Picture) -> None:
    """Paint with brushes over the whole range, from the largest strokes to the smallest."""
    # An engine compiles a function for each size: all styles of one size together.
    columns = [[paint(content, Mix({n: 1.0}, brush=b)) for n in TOUCHED] for b in BRUSHES]
    rows = [list(row) for row in zip(*columns)]
    labels = [f"brush {brush:g}" for brush in BRUSHES]
    save_sheet(folder, "brush", draw_grid(rows, TOUCHED, labels, cell=CELL))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
