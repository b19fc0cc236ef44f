"""Draw docs/pictures/masks-auto.jpg, pickers.jpg and report.jpg: what `--mask auto` finds, what the
pickers take, and the page of `vst evaluate --report`, all on clips that the project draws.

python tools/draw_examples.py [FOLDER] [masks|pickers|report …]
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
from vst.keyframes import PICKERS  # noqa: E402
from vst.masks.auto import AutoMask  # noqa: E402
from vst.plotting import draw_grid, draw_sheet, save_picture, write_text  # noqa: E402
from vst.samples import write_content  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402
from vst.samples.film import StyleFilm, write_clip  # noqa: E402
from vst.samples.motion.clips import ClipRecipe, draw_clip  # noqa: E402
from vst.video.sources import open_source  # noqa: E402

CELL = (240, 135)
SHOWN = (0, 9, 19)
"""Frames of each clip on the sheet of masks."""
SHOT, FADE = 30, 6
"""Frames of one shot of the style films, and of a fade, at 12 frames a second."""
TAKEN = ("middle", "scene", "change", "diverse")
"""Pickers on the sheet."""
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


def draw_films() -> Iterator[tuple[str, list[Picture]]]:
    """Yield films with their names: with fades, with credits, and with blur and near twins."""
    scenes = ("blue-swirls", "warm-dots", "ink-wash", "fire-impasto")
    size = (320, 180)
    shots = [list(StyleFilm((name,), *size, SHOT / 12, 12).frames()) for name in scenes]
    fading = [
        (one * min(1.0, i / FADE, (SHOT - 1 - i) / FADE)).astype(np.uint8)
        for shot in shots
        for i, one in enumerate(shot)
    ]
    yield "fades through black", fading
    page = np.full((180, 320, 3), 12, np.uint8)
    for line in range(6):
        write_text(
            page, "Written, drawn and edited by", (160, 25 + 26 * line), 15, (230, 230, 230), "mm"
        )
    yield (
        "title and credits",
        [page] * SHOT + [one for shot in shots for one in shot] + [page] * 2 * SHOT,
    )
    swung = [
        np.roll(cv2.blur(one, (41, 1)), 12 * i, 1) if 10 <= i < 18 else one
        for shot in shots
        for i, one in enumerate(shot)
    ]
    yield "blur and a shot shown twice", [*swung, *shots[0], *shots[0]]


def draw_pickers(folder: Path) -> None:
    """Draw what each picker takes from three films, below the frames at even distances."""
    sheets = []
    with tempfile.TemporaryDirectory() as temporary:
        for name, pictures in draw_films():
            path = Path(temporary) / "film.mp4"
            write_clip(path, pictures, 320, 180, 12, None)
            with open_source(path) as film:
                even = np.linspace(0, film.info.duration - 0.1, 8)
                rows = [[film.at(float(time)) for time in even]]
                labels = [[f"{time:.1f} s" for time in even]]
                for picker in TAKEN:
                    times = PICKERS[picker]().pick(film, 4).times
                    rows.append([film.at(time) for time in times])
                    labels.append([f"{time:.1f} s" for time in times])
            captions = [f"{name}: eight frames at even distances"]
            captions += [f"--picker {picker} -n 4" for picker in TAKEN]
            sheets.append(draw_sheet(rows, labels, captions=captions, width=640, tallest=78))
    height = min(len(sheet) for sheet in sheets)  # a picker may find fewer pictures, drawn larger
    save_sheet(folder / "pickers.jpg", np.concatenate([sheet[:height] for sheet in sheets], 1))


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
            browser.visit((place / "report.html").as_uri())
            browser.resize(1200, 1500)
            shot = browser.shot(place / "shot.png")
        finally:
            browser.close()
        save_sheet(folder / "report.jpg", cv2.cvtColor(cv2.imread(str(shot)), cv2.COLOR_BGR2RGB))


PARTS = {"masks": draw_masks, "pickers": draw_pickers, "report": draw_report}


def main(folder: Path, parts: list[str]) -> None:
    """Draw the parts that are named, or all."""
    for part in parts or PARTS:
        PARTS[part](folder)


if __name__ == "__main__":
    words = sys.argv[1:]
    given = words and words[0] not in PARTS
    main(Path(words[0]) if given else ROOT / "docs" / "pictures", words[1 if given else 0 :])
