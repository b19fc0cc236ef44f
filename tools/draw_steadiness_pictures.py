"""Draw docs/pictures/steadiness*: what the stabilizers do, on clips and styles that the project
draws.

python tools/draw_steadiness_pictures.py [--frames N] [--clips NAME ...]

steadiness.jpg: a frame; one column of pixels over time, where flicker shows as grain and steady
paint as lines; a map of the flicker. steadiness-curves.png: the warp error of each frame.
steadiness-NAME.jpg, for each of `CLIPS`: content, fresh painting and steady painting below each
other, every second frame; at the right a part of consecutive frames, enlarged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines.embedded import EmbeddedEngine  # noqa: E402
from vst.metrics.warp import WarpError  # noqa: E402
from vst.plotting import Look, Scales, draw_curves, draw_sheet, save_picture  # noqa: E402
from vst.plotting.report import draw_heat_map  # noqa: E402
from vst.samples import Landscape, draw_pattern  # noqa: E402
from vst.samples.motion.clips import ClipRecipe, draw_clip  # noqa: E402
from vst.stabilizers import STABILIZERS  # noqa: E402

SIZE = (432, 288)
RATE = 24
STYLE = "indigo-waves"
CLIPS = {
    "talk": ("talk", 7),
    "fast": ("pan", 3),
    "zoom": ("zoom", 5),
    "figure": ("cross", 2),
    "rain": ("rain", 4),
    "slow-pan": ("light", 6),
    "cut": ("cut", 0),
    "wall": ("wall", 8),
}
"""Clip -> kind and seed of what is drawn."""
SIDE = (256, 400)
"""Height and width of the clips."""
CLIP_FRAMES = 36
CROP = 110
CROPS = {"talk": (0.62, 0.5)}
"""Where the enlarged part is, row and column 0..1, if not in the middle."""
PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """Draw the comparison of the stabilizers, and the strips."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=72)
    parser.add_argument("--clips", nargs="*", choices=CLIPS, help="draw only these strips")
    options = parser.parse_args()
    engine = EmbeddedEngine()
    style = engine.embed(draw_pattern(STYLE))[None]
    if options.clips is None:
        draw_comparison(engine, style, options.frames)
    for name in CLIPS if options.clips is None else options.clips:
        save_picture(PICTURES / f"steadiness-{name}.jpg", draw_strip(name, engine, style), 80)


def draw_strip(name: str, engine: EmbeddedEngine, style: Any) -> Picture:
    """Content, fresh and steady painting of a clip below each other, with crops."""
    contents, middle = draw_contents(name), CLIP_FRAMES // 2
    paintings = [engine.stylize(content[None], style)[0] for content in contents]
    cut = middle if name == "cut" else None
    steady = stabilize("steady", contents, paintings, cut)
    places = [middle - 2 + 2 * number for number in range(3)]
    row, column = CROPS.get(name, (0.5, 0.5))
    top, left = int(row * (SIDE[0] - CROP)), int(column * (SIDE[1] - CROP))
    rows = []
    for film in (contents, paintings, steady):
        crops = [film[middle - 1 + number] for number in range(4)]
        parts = [np.ascontiguousarray(x[top : top + CROP, left : left + CROP]) for x in crops]
        rows.append([*(film[place] for place in places), *parts])
    return draw_sheet(rows, captions=["Content", "Fresh", "Steady"], width=1500, tallest=180)


def draw_contents(name: str) -> list[Picture]:
    """The frames of a clip: one of a kind, or the ends of two at a cut."""
    if name == "cut":
        half = CLIP_FRAMES // 2
        return draw_contents("figure")[:half] + draw_contents("zoom")[half:]
    kind, seed = CLIPS[name]
    return list(draw_clip(ClipRecipe(kind, seed, *SIDE, CLIP_FRAMES)).frames)


def draw_comparison(engine: EmbeddedEngine, style: Any, count: int) -> None:
    """Paint once, apply each stabilizer, measure, and write both pictures."""
    scene = Landscape(*SIZE)
    contents = [scene.frame(4 + index / RATE) for index in range(count)]
    paintings = [engine.stylize(content[None], style)[0] for content in contents]
    steady = {name: stabilize(name, contents, paintings) for name in STABILIZERS}
    measures = {name: WarpError() for name in steady}
    errors = {
        name: [measures[name].add(*pair) for pair in zip(contents, pictures)]
        for name, pictures in steady.items()
    }
    maps = {name: measure.flicker_map() for name, measure in measures.items()}
    hottest = float(np.percentile(maps["off"], 99.5))
    rows = [
        [pictures[count // 2] for pictures in steady.values()],
        [slice_columns(pictures) for pictures in steady.values()],
        [draw_heat_map(maps[name], hottest) for name in steady],
    ]
    drawn = draw_sheet(
        rows,
        [list(steady), [""] * len(steady), [f"mean {maps[name].mean():.4f}" for name in steady]],
        captions=["One frame", "One column of pixels over time", "Where it flickers"],
    )
    save_picture(PICTURES / "steadiness.jpg", drawn, 88)
    lines = {name: list(enumerate(found)) for name, found in errors.items()}
    chart = draw_curves(lines, Look("Warp error, frame by frame"), Scales("frame", low=0))
    save_picture(PICTURES / "steadiness-curves.png", chart)
    means = {name: measures[name].total(found) for name, found in errors.items()}
    print({name: round(value / means["off"], 3) for name, value in means.items()})


def stabilize(
    name: str, contents: list[Picture], paintings: list[Picture], cut: int | None = None
) -> list[Picture]:
    """Apply a stabilizer to the paintings; ``cut``: where the second shot begins."""
    stabilizer, found = STABILIZERS[name](), []
    for index, (content, painted) in enumerate(zip(contents, paintings)):
        if index == cut:
            found += stabilizer.flush()
            stabilizer.reset()
        found += stabilizer.step(content, painted)
    return found + stabilizer.flush()


def slice_columns(pictures: Iterable[Picture]) -> Picture:
    """Put the middle columns of the pictures side by side: time goes to the right."""
    columns = [picture[:, picture.shape[1] // 2] for picture in pictures]
    return cv2.resize(np.stack(columns, axis=1), SIZE, interpolation=cv2.INTER_NEAREST)


if __name__ == "__main__":
    main()
