"""Draw docs/pictures/steadiness.jpg and steadiness-curves.png: what the stabilizers do, on a clip
and a style that the project draws.

python tools/draw_steadiness_pictures.py [--frames N]

The rows: a frame; one column of pixels over time, where flicker shows as grain and steady paint as
lines; a map of the flicker. The chart has the warp error of each frame.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines.embedded import EmbeddedEngine  # noqa: E402
from vst.metrics.warp import WarpError  # noqa: E402
from vst.plotting import draw_curves, draw_sheet, save_picture  # noqa: E402
from vst.plotting.report import draw_heat_map  # noqa: E402
from vst.samples import Landscape, draw_pattern  # noqa: E402
from vst.stabilizers import STABILIZERS  # noqa: E402

SIZE = (432, 288)
RATE = 24
STYLE = "indigo-waves"
PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """Paint once, apply each stabilizer, measure, and write both pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=72)
    count = parser.parse_args().frames
    scene = Landscape(*SIZE)
    contents = [scene.frame(4 + index / RATE) for index in range(count)]
    engine = EmbeddedEngine()
    style = engine.embed(draw_pattern(STYLE))[None]
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
    chart = draw_curves(lines, title="Warp error, frame by frame", x_label="frame", low=0)
    save_picture(PICTURES / "steadiness-curves.png", chart)
    means = {name: measures[name].total(found) for name, found in errors.items()}
    print({name: round(value / means["off"], 3) for name, value in means.items()})


def stabilize(name: str, contents: list[Picture], paintings: list[Picture]) -> list[Picture]:
    """Apply a stabilizer to the paintings."""
    stabilizer, found = STABILIZERS[name](), []
    for content, painted in zip(contents, paintings):
        found += stabilizer.step(content, painted)
    return found + stabilizer.flush()


def slice_columns(pictures: Iterable[Picture]) -> Picture:
    """Put the middle columns of the pictures side by side: time goes to the right."""
    columns = [picture[:, picture.shape[1] // 2] for picture in pictures]
    return cv2.resize(np.stack(columns, axis=1), SIZE, interpolation=cv2.INTER_NEAREST)


if __name__ == "__main__":
    main()
