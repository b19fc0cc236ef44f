"""Draw docs/pictures/models.jpg: the embedded model and Magenta's, on the same frames and styles.

python tools/draw_models_picture.py [--model MODEL] [OUTPUT]

MODEL is whatever ``--engine magenta --model`` accepts; by default, the TFLite pair that
`vst models pull magenta-lite` downloads. Each engine embeds the style pictures with its own
predictor. Prints the similarity of the two predictors' embeddings, and the time per frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines import ENGINES  # noqa: E402
from vst.engines.base import EmbeddingEngine  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.samples import Landscape, draw_pattern, draw_photo  # noqa: E402

STYLES = ("blue-swirls", "stained-glass", "indigo-waves", "fire-impasto", "pen-hatching")
SIZE = (576, 384)
LARGEST = 600_000  # bytes: every clone downloads the pictures of the documents


def main() -> None:
    """Paint every frame in every style with both engines, and write the table of paintings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="magenta-lite")
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "docs/pictures/models.jpg")
    options = parser.parse_args()
    frames = [draw_photo(*SIZE), Landscape(*SIZE).frame(7.0)]
    styles = {name: draw_pattern(name) for name in STYLES}
    engines: dict[str, EmbeddingEngine] = {
        "embedded": ENGINES["embedded"](),
        "Magenta": ENGINES["magenta"](model=options.model),
    }
    rows, labels = [], []
    for frame in frames:
        for name, engine in engines.items():
            rows.append([paint_frame(engine, frame, style) for style in styles.values()])
            labels.append(name)
    corner = [frame for frame in frames for _ in engines]
    sheet = draw_grid(
        rows, labels, list(styles), corner=corner, heads=list(styles.values()), cell=(240, 160),
    )  # fmt: skip
    write_sheet(options.output, sheet)
    print_comparison(engines, frames[0], list(styles.values()))


def paint_frame(engine: EmbeddingEngine, frame: Picture, style: Picture) -> Picture:
    """Paint one frame in one style."""
    return engine.stylize(frame[None], engine.embed(style)[None])[0]


def write_sheet(output: Path, sheet: Picture) -> None:
    """Save the sheet in the best quality that fits the size limit."""
    output.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(90, 40, -6):
        save_picture(output, sheet, quality)
        if output.stat().st_size <= LARGEST:
            break
    print(f"{output}: {sheet.shape[1]}x{sheet.shape[0]}, {output.stat().st_size} bytes")


def print_comparison(
    engines: dict[str, EmbeddingEngine], frame: Picture, styles: list[Picture]
) -> None:
    """Print the embeddings' similarity if they share a space, and the times, measured in turn."""
    one, other = engines.values()
    if one.space == other.space:
        pairs = [(one.embed(style), other.embed(style)) for style in styles]
        cosines = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in pairs]
        print(f"cosine of the predictors' embeddings: {min(cosines):.4f} to {max(cosines):.4f}")
    times = []
    for _ in range(7):
        row = []
        for engine in engines.values():
            numbers = np.zeros((1, engine.dim), np.float32)
            began = time.perf_counter()
            engine.stylize(frame[None], numbers)
            row.append(time.perf_counter() - began)
        times.append(row)
    ratio = median(row[1] / row[0] for row in times)
    print(f"{SIZE[0]}x{SIZE[1]}: Magenta takes {ratio:.1f} times the embedded model's time")


if __name__ == "__main__":
    main()
