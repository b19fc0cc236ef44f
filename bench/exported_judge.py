"""Judges paintings of exported files in int8 beside those in float32, by networks that nothing was
trained on.

    python bench/exported_judge.py --shared ../shared [--count 24] [--json FILE]

Paints photographs kept aside in the styles of paintings kept aside, 256 x 256, predictor and
painter of one format and precision together. ``--shared`` has training/ and judge/.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from harness import write_json
from judging import judge_painting
from runtimes import psnr

from vst.export.plan import ExportPlan
from vst.export.write import FORMATS, export_networks
from vst.nets import judges
from vst.research.training.picture_data import PicturePool, crop_randomly, resize_square

FORMS = (("onnx", "float32"), ("onnx", "int8"), ("tflite", "float32"), ("tflite", "int8"))
"""Format and precision; the first is the reference."""
Stylize = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A content and a style, uint8 (256, 256, 3), to the painting."""


def open_pair(folder: Path, format_name: str, precision: str) -> Stylize:
    """Export painter and predictor, and return what paints with them."""
    files = export_networks(format_name, ExportPlan(precision=precision), folder)
    painter, predictor = (FORMATS[format_name].open_file(file.path) for file in files)

    def stylize(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        frames, pictures = content[None] / np.float32(255), style[None] / np.float32(255)
        styles = predictor({"pictures": pictures})
        painted = painter({"frames": frames, "styles": styles})[0]
        return np.rint(255 * painted.clip(0, 1)).astype(np.uint8)

    return stylize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--count", type=int, default=24, help="number of photographs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pool = PicturePool.read(options.shared / "training", "kept")
    judge = judges.open_judge(options.shared / "judge")
    rng = np.random.default_rng(5)
    contents = [crop_randomly(one, rng, zoom=1.0) for one in pool.photographs[: options.count]]
    rows: dict[str, list[dict[str, float]]] = {" ".join(form): [] for form in FORMS}
    with tempfile.TemporaryDirectory(prefix="vst-bench-") as name:
        pairs = {" ".join(form): open_pair(Path(name) / "-".join(form), *form) for form in FORMS}
        for index, content in enumerate(contents):
            style = resize_square(pool.paintings[index % len(pool.paintings)])
            reference = pairs[" ".join(FORMS[0])](content, style)
            for form, stylize in pairs.items():
                painted = stylize(content, style)
                row = judge_painting(judge, painted, content, style)
                row["LPIPS to float32"] = judge.lpips(painted, reference)
                row["PSNR to float32"] = psnr(painted, reference)
                rows[form].append(row)
    found: dict[str, Any] = {}
    for form, measured in rows.items():
        means = {key: float(np.mean([row[key] for row in measured])) for key in measured[0]}
        lowest = min(row["PSNR to float32"] for row in measured)
        found[form] = {**means, "lowest PSNR": lowest}
        print(form, *(f"{key} {value:.4f}" for key, value in found[form].items()), sep=" | ")
    write_json(options.json, {"photographs": len(contents), "forms": found})


if __name__ == "__main__":
    sys.exit(main())
