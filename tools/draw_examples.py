"""Draw docs/pictures/masks-auto.jpg and report.jpg: what `--mask auto` finds, and the page of
`vst evaluate --report`, both on clips that the project draws.

python tools/draw_examples.py [FOLDER] [masks|report …]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


from vst.core.types import Frame, Picture  # noqa: E402
from vst.masks.auto import AutoMask  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.samples import write_content  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402
from vst.samples.motion.clips import ClipRecipe, draw_clip  # noqa: E402

CELL = (240, 135)
SHOWN = (0, 9, 19)
"""Frames of each clip on the sheet of masks."""
LARGEST = 290_000


def save_sheet(target: Path, sheet: Picture) -> None:
    """Write a sheet in the best quality that fits the size limit."""
    for quality in range(88, 40, -6):
        save_picture(target, sheet, quality)
        if target.stat().st_size <= LARGEST:
            break
    print(f"{target}: {sheet.shape[1]}x{sheet.shape[0]}, {target.stat().st_size} bytes")


def draw_mask_clips() -> Iterator[tuple[str, list[Picture]]]:
    """Yield clips with their names: a walk, two who pass each other, a figure in a pan."""
    walk = FigureClip(480, 270, 20, pace=3.6)
    yield "a walk", [walk.layers(index).picture for index in range(walk.count)]
    for name, kind in (("two figures", "cross"), ("camera pans", "pan")):
        drawn = draw_clip(ClipRecipe(kind, 3, 270, 480, 20))
        yield name, list(drawn.frames)


def outline(picture: Picture, alpha: np.ndarray) -> Picture:
    """Return the picture, grayed where the mask is not, with the mask's outline."""
    gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) // 2
    shown = np.where(alpha[..., None] > 127, picture, gray)
    lines = cv2.findContours(
        (alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )[0]
    return np.asarray(cv2.drawContours(shown.copy(), lines, -1, (255, 220, 40), 2), np.uint8)


def draw_masks(folder: Path) -> None:
    """Draw the masks of three clips."""
    rows, names = [], []
    for name, pictures in draw_mask_clips():
        frames = [Frame(index, index / 25, one) for index, one in enumerate(pictures)]
        found = [alpha for _, alpha in AutoMask().apply(frames)]
        rows.append([outline(pictures[n], found[n]) for n in SHOWN])
        names.append(name)
    labels = [f"frame {n}" for n in SHOWN]
    save_sheet(folder / "masks-auto.jpg", draw_grid(rows, names, labels, cell=CELL))


def draw_report(folder: Path) -> None:
    """Paint a clip steadily and not, measure both, and draw the page's first screens."""
    from tests.browser import Browser
    from vst import stylize
    from vst.evaluation.measure import EvaluationOptions, evaluate
    from vst.evaluation.report import build_report

    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_content(place / "lake.mp4", duration=1.2)
        common = {"size": 180, "audio": False}
        stylize(place / "lake.mp4", "@fire-impasto", place / "steady.mp4", **common)
        stylize(place / "lake.mp4", "@fire-impasto", place / "raw.mp4", stabilize="off", **common)
        raw = str(place / "raw.mp4")
        options = EvaluationOptions(styles=["@fire-impasto"], against=[raw], fresh=raw)
        found = evaluate(str(place / "steady.mp4"), str(place / "lake.mp4"), options)
        build_report(found).save(place / "report.html")
        browser = Browser(place)
        try:
            browser.driver.get((place / "report.html").as_uri())
            browser.resize(1200, 1500)
            shot = browser.shot(place / "shot.png")
        finally:
            browser.close()
        save_sheet(folder / "report.jpg", cv2.cvtColor(cv2.imread(str(shot)), cv2.COLOR_BGR2RGB))


PARTS = {"masks": draw_masks, "report": draw_report}


def main(folder: Path, parts: list[str]) -> None:
    """Draw the parts that are named, or all."""
    for part in parts or PARTS:
        PARTS[part](folder)


if __name__ == "__main__":
    words = sys.argv[1:]
    given = words and words[0] not in PARTS
    main(Path(words[0]) if given else ROOT / "docs" / "pictures", words[1 if given else 0 :])
