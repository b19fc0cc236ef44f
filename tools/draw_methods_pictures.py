"""Draw docs/pictures/methods-*.jpg and write docs/methods.json: the studies of `vst study`, on a
clip, a picture and a style that the project draws.

python tools/draw_methods_pictures.py --out FOLDER [--size N] [--seconds S] [--steps N]
    [--minutes M] [--magenta MODEL] [--vgg16 FILE] [--only video]

Results are stored in FOLDER, and a second run resumes there. Prints the tables of the page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.nets.backbones import BACKBONES, RANDOM  # noqa: E402
from vst.plotting import draw_sheet, save_picture  # noqa: E402
from vst.preview import read_first_picture  # noqa: E402
from vst.research.study.backbones import plan_backbones  # noqa: E402
from vst.research.study.base import Study, StudyTable, run_study  # noqa: E402
from vst.research.study.content import StillJudge, Subject  # noqa: E402
from vst.research.study.figures import FIGURES  # noqa: E402
from vst.research.study.networks import Training  # noqa: E402
from vst.research.study.optimizers import plan_optimizers  # noqa: E402
from vst.research.study.page import build_page, format_cells  # noqa: E402
from vst.research.study.video import VideoMethods, plan_video  # noqa: E402
from vst.samples import Landscape, draw_pattern, draw_photo, write_clip  # noqa: E402
from vst.video.sources import open_source  # noqa: E402

STYLE = "indigo-waves"
SIZE, RATE, LENGTH = (384, 256), 24, 8
SHOWN = 4
"""Frames of each clip on the sheet."""
PICTURES = ROOT / "docs" / "pictures"
FIGURES_FILE = ROOT / "docs" / "methods.json"


def main() -> None:
    """Run the studies or what is missing of them; draw and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--magenta")
    parser.add_argument("--vgg16", help="ImageNet's weights; without them, random ones")
    parser.add_argument("--only", nargs="*", default=["backbones", "optimizers", "video"])
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    inputs = draw_inputs(given.out)
    for name in given.only:
        table = run_one_study(name, inputs, given)
        known = (
            json.loads(FIGURES_FILE.read_text(encoding="utf-8")) if FIGURES_FILE.is_file() else {}
        )
        known[name] = collect_figures(table, given)
        FIGURES_FILE.write_text(
            json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        if name == "video":
            save_picture(PICTURES / "methods-video.jpg", draw_strips(table), 86)
        else:
            stills = draw_pictures(table, inputs)
            save_picture(PICTURES / f"methods-{name}.jpg", stills, 88)
        print_table(table)


def draw_inputs(folder: Path) -> dict[str, Path]:
    """Draw the clip, the picture and the style as files."""
    found = {name: folder / f"{name}.png" for name in ("photo", "style")}
    save_picture(found["photo"], draw_photo(*SIZE))
    save_picture(found["style"], draw_pattern(STYLE))
    found["clip"] = folder / "clip.mp4"
    if not found["clip"].is_file():
        scene = Landscape(*SIZE)
        frames = (scene.frame(4 + index / RATE) for index in range(LENGTH * RATE))
        write_clip(found["clip"], frames, *SIZE, RATE, None)
    return found


def run_one_study(name: str, inputs: dict[str, Path], given: argparse.Namespace) -> StudyTable:
    """Run one of the studies."""
    content = inputs["clip" if name == "video" else "photo"]
    styles = (str(inputs["style"]),)
    subject = Subject(str(content), styles, given.size, seconds=given.seconds)
    judge = StillJudge(subject)
    study: Study
    if name == "video":
        training, steps = Training(minutes=given.minutes), {"steps": given.steps}
        study = plan_video(subject, given.out, VideoMethods(training, {}, given.magenta, steps))
    elif name == "optimizers":
        study = plan_optimizers(subject, given.out, judge)
    else:
        weights = {one: RANDOM for one in BACKBONES if one != "embedded"}
        if given.vgg16:
            weights["vgg16"] = given.vgg16
        # Adam: with large networks, L-BFGS takes several times as long.
        options = {"steps": given.steps, "optimizer": "adam"}
        study = plan_backbones(subject, given.out, judge, weights=weights, options=options)
    table = run_study(study, given.out, page=build_page)
    judge.close()
    return table


def draw_pictures(table: StudyTable, inputs: dict[str, Path]) -> Picture:
    """Draw each case's painting with its name, in two rows after the content and the style."""
    done = [row for row in table.rows if row.pictures]
    painted = [read_first_picture(str(table.folder / r.folder / r.pictures[""])) for r in done]
    names = [row.name for row in done]
    half = (len(done) + 1) // 2
    rows = [
        [read_first_picture(str(inputs["photo"])), *painted[:half]],
        [read_first_picture(str(inputs["style"])), *painted[half:]],
    ]
    return draw_sheet(
        rows, [["content", *names[:half]], ["style", *names[half:]]], width=1100, tallest=164
    )


def draw_strips(table: StudyTable) -> Picture:
    """Draw frames of every painted clip."""
    rows, names = [], []
    for row in table.rows:
        if row.video:
            with open_source(table.folder / row.video) as source:
                count = source.info.frames
                at = {(2 * place + 1) * count // (2 * SHOWN) for place in range(SHOWN)}
                rows.append([f.picture for f in source.frames() if f.index in at])
            names.append(row.name)
    return draw_sheet(rows, captions=names, width=760, tallest=120)


def collect_figures(table: StudyTable, given: argparse.Namespace) -> dict[str, Any]:
    """Collect the figures for docs/methods.json."""
    settings = {name: getattr(given, name) for name in ("size", "seconds", "steps", "minutes")}
    rows = [
        {
            "name": row.name,
            "figures": row.figures,
            "reason": row.reason,
            "load": row.machine.get("load"),
        }
        for row in table.rows
    ]
    return {"settings": settings, "style": STYLE, "rows": rows}


def print_table(table: StudyTable) -> None:
    """Print the table in the documents' format."""
    names = [name for name in FIGURES if any(name in row.figures for row in table.rows)]
    print("| " + " | ".join(["", *(FIGURES[name].head for name in names)]) + " |")
    print("|---" * (len(names) + 1) + "|")
    for row in table.rows:
        print("| " + " | ".join([row.name, *format_cells(row, names)]) + f" | {row.reason}")


if __name__ == "__main__":
    main()
