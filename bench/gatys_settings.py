"""Pictures by optimization in the reports' settings, with VGG16 and with the embedded backbone: the
table and the picture of docs/methods-gatys.md.

    python bench/gatys_settings.py --shared ../shared --work DIR --json docs/gatys.json \\
        --picture docs/pictures/gatys-vgg16.jpg --page docs/methods-gatys.md

300 steps from the content, style in the first layer of each of VGG16's five blocks, by L-BFGS and
by Adam. AlexNet, by which none of the rows was optimized, measures the distance from the style.
Each row is kept in DIR when it is done, and not painted again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np
from harness import describe_machine, write_json
from peer_table import fill_page, format_rows

from vst.engines.gatys import GatysEngine
from vst.engines.gatys_options import GatysOptions
from vst.imaging.resize import resize
from vst.metrics.ssim import compute_ssim
from vst.nets.judges import compare_styles, measure_style, open_judge
from vst.plotting import draw_sheet, save_picture
from vst.samples import draw_pattern, draw_photo
from vst.schedule.timeline import Mix

STYLE = "stained-glass"
SMALL, LARGE = 128, 512
ALONE = GatysOptions(
    init="content", temporal_weight=0, long_term_weight=0, steps=300, early_stop=False
)
REPORTS = replace(
    ALONE, backbone="vgg16", style_layers=tuple(f"block{number}_conv1" for number in range(1, 6))
)
ROWS: dict[str, tuple[int, GatysOptions]] = {
    "embedded, L-BFGS": (SMALL, ALONE),
    "embedded, Adam": (SMALL, replace(ALONE, optimizer="adam")),
    "VGG16, block4_conv2, L-BFGS": (SMALL, replace(REPORTS, content_layers=("block4_conv2",))),
    "VGG16, block4_conv2, Adam": (
        SMALL, replace(REPORTS, content_layers=("block4_conv2",), optimizer="adam"),
    ),
    "VGG16, block5_conv2, L-BFGS": (SMALL, replace(REPORTS, content_layers=("block5_conv2",))),
    "VGG16, block4_conv2, L-BFGS, two levels": (
        LARGE, replace(REPORTS, content_layers=("block4_conv2",), levels=2),
    ),
    "VGG16, block4_conv2, L-BFGS, three levels": (
        LARGE, replace(REPORTS, content_layers=("block4_conv2",), levels=3),
    ),
}  # fmt: skip


def load_pictures(given: argparse.Namespace, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Content and style as squares: the drawn ones, or those of files."""
    content, style = draw_photo(LARGE, LARGE), draw_pattern(STYLE, LARGE, LARGE)
    if given.content and given.style:
        content, style = (cv2.imread(str(path))[..., ::-1] for path in (given.content, given.style))
    pair = []
    for picture in (content, style):
        least = min(picture.shape[:2])
        top, left = ((size - least) // 2 for size in picture.shape[:2])
        square = np.ascontiguousarray(picture[top : top + least, left : left + least])
        pair.append(resize(square, side, side))
    return pair[0], pair[1]


def paint(given: argparse.Namespace, name: str) -> dict[str, Any]:
    """Paint one row, and measure it."""
    side, options = ROWS[name]
    content, style = load_pictures(given, side)
    judge = open_judge(given.shared / "judge" / "alexnet.npz")
    began, used = time.perf_counter(), time.process_time()
    model = str(given.shared / "judge") if options.backbone == "vgg16" else None
    with GatysEngine(model=model, options=options) as engine:
        engine.prepare({"style": style})
        painted = engine.paint(content[None], [Mix({"style": 1.0})])[0]
        last = engine.last
    found = {
        "side": side,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "loss before, at this size": last.first if last else 0.0,
        "loss": last.cost if last else 0.0,
        "AlexNet style": compare_styles(
            measure_style(judge.alexnet, painted), measure_style(judge.alexnet, style)
        ),
        "content SSIM": compute_ssim(content, painted),
    }
    save_picture(given.work / f"{name}.png", painted)
    return found


def draw_rows(given: argparse.Namespace, out: Path) -> None:
    """Draw content, style and the rows that are done."""
    content, style = load_pictures(given, LARGE)
    done = [name for name in ROWS if (given.work / f"{name}.png").is_file()]
    pictures = [content, style]
    pictures += [cv2.imread(str(given.work / f"{name}.png"))[..., ::-1] for name in done]
    labels = ["content", "style", *done]
    wide = 5 if len(pictures) > 6 else 3
    starts = range(0, len(pictures), wide)
    rows = [pictures[at : at + wide] for at in starts]
    texts = [labels[at : at + wide] for at in starts]
    save_picture(out, draw_sheet(rows, texts, width=1280, tallest=400), 88)


def format_table(rows: dict[str, dict[str, float]]) -> str:
    """The rows as Markdown."""
    names = ("side", "cpu", "loss", "AlexNet style", "content SSIM")
    heads = ("side", "CPU, s", "loss at the end", "AlexNet style", "content SSIM")
    cells = [[name, *(f"{row[key]:.3g}" for key in names)] for name, row in rows.items()]
    return format_rows(("", *heads), cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--content", type=Path, help="a photograph instead of the drawn one")
    parser.add_argument("--style", type=Path, help="with --content: its style")
    parser.add_argument("--only", help="part of the names of the rows to paint")
    parser.add_argument("--page", type=Path, help="a page with a place for the table")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = {}
    for name in ROWS:
        kept = given.work / f"{name}.json"
        if not kept.is_file() and (not given.only or given.only in name):
            print(name, flush=True)
            write_json(kept, paint(given, name))
        if kept.is_file():
            rows[name] = json.loads(kept.read_text(encoding="utf-8"))
    draw_rows(given, given.picture or given.work / "sheet.jpg")
    write_json(given.json, {"machine": describe_machine(), "style": STYLE, "rows": rows})
    table = format_table(rows)
    if given.page:
        filled = fill_page(given.page.read_text(encoding="utf-8"), {"gatys": table})
        given.page.write_text(filled, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
