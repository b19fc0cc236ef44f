"""Draw docs/pictures/masks.jpg: one masked frame with each edge treatment, whole and close up;
prints the figures of docs/masks.md.

python tools/draw_masks.py [OUTPUT]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.mask_measures import frames_of, halos, overlap, own_flicker, spreading  # noqa: E402
from vst.core.types import Picture  # noqa: E402
from vst.engines.embedded import EmbeddedEngine  # noqa: E402
from vst.masks import EDGES  # noqa: E402
from vst.masks.auto import AutoMask  # noqa: E402
from vst.masks.base import BACKGROUND, FOREGROUND, Paint  # noqa: E402
from vst.plotting import draw_sheet, save_picture  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402
from vst.styles.library import get_style  # noqa: E402

STYLES = {FOREGROUND: "@fire-impasto", BACKGROUND: "@indigo-waves"}
LARGEST = 500_000


def make_painter(styles: dict[str, str] = STYLES) -> Paint:
    """Return a function that paints each side with the embedded engine in its built-in style."""
    engine = EmbeddedEngine()
    engine.prepare({part: get_style(name).embedding for part, name in styles.items()})

    def paint(picture: Picture, which: str) -> Picture:
        return engine.paint(picture[None], [Mix({which: 1.0})])[0]

    return paint


def main(output: Path) -> None:
    """Measure both tables, paint, and write the sheet."""
    clip = FigureClip(count=12)
    paint = make_painter()
    sides = "background, foreground"
    print(f"| way | reference painter: {sides} | embedded: {sides} | ms |")
    for name, edge in EDGES.items():
        began = time.perf_counter()
        known = halos(edge(), clip, spreading)
        took = (time.perf_counter() - began) / clip.count * 1000
        embedded = halos(edge(), clip, paint, 2)
        numbers = " | ".join(f"{ground:.1f}, {figure:.1f}" for ground, figure in (known, embedded))
        print(f"| `{name}` | {numbers} | {took:.0f} |")
    for width, height, pace in ((320, 180, 2.4), (640, 360, 4.8)):
        walk = FigureClip(width, height, pace=pace)
        true = [walk.layers(n).alpha for n in range(walk.count)]
        found = [alpha for _, alpha in AutoMask().apply(frames_of(walk))]
        shares = [overlap(a, b) for a, b in zip(found, true)]
        own, moved = own_flicker(found, true)
        low, mean = min(shares), np.mean(shares)
        print(f"auto {width}x{height}: IoU {mean:.3f} (least {low:.3f}), {own:.4f} of {moved:.4f}")
    draw_edges(FigureClip(480, 270, 10), paint, output)


def draw_edges(clip: FigureClip, paint: Paint, output: Path) -> None:
    """Draw the last frame with each edge treatment, whole and close up."""
    pictures: dict[str, Picture] = {"as filmed": clip.layers(clip.count - 1).picture}
    for name, edge in EDGES.items():
        way = edge()
        for index in range(clip.count):
            layers = clip.layers(index)
            if index < clip.count - 1:
                way.parts(layers.picture, layers.alpha)
            else:
                pictures[name] = way.composite(layers.picture, layers.alpha, paint)
    rows, labels = [], []
    for chosen in (list(pictures)[:3], list(pictures)[3:]):
        rows.append([pictures[name] for name in chosen])
        labels.append(chosen)
    rows.append([crop_close_up(picture) for picture in pictures.values()])
    labels.append(list(pictures))
    drawn = draw_sheet(rows, labels, title="Ways of treating a mask's edge", tallest=300)
    for quality in range(90, 40, -6):
        save_picture(output, drawn, quality)
        if output.stat().st_size <= LARGEST:
            break
    print(output)


def crop_close_up(picture: Picture) -> Picture:
    """Crop the head and shoulder, three times as large."""
    height, width = picture.shape[:2]
    part = picture[
        round(0.05 * height) : round(0.5 * height), round(0.34 * width) : round(0.54 * width)
    ]
    return np.repeat(np.repeat(part, 3, 0), 3, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures" / "masks.jpg")
