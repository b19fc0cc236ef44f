"""Draw docs/pictures/regions.jpg, people.jpg and masks-drawn.jpg, and measure `--mask person` and
`--mask drawn:` on drawn figures for docs/masks.md. The former needs `vst models pull person`.

python tools/draw_finishing.py [FOLDER] [regions|people|drawn …]
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.mask_measures import frames_of, overlap, own_flicker  # noqa: E402
from vst.api import stylize  # noqa: E402
from vst.core.types import Picture  # noqa: E402
from vst.masks.base import Alpha  # noqa: E402
from vst.masks.drawn import DrawnMask  # noqa: E402
from vst.masks.person import PersonMask  # noqa: E402
from vst.masks.seen_background import SeenBackground  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.samples import write_clip  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402
from vst.video.sources import open_source  # noqa: E402

CHOSEN_ON, HELD_OUT = range(0, 8, 2), range(1, 24, 2)
"""Seeds of the figures that the settings were chosen on, and of those they are reported on."""
SHOWN = (2, 9, 17)
FOLLOWED, EVERY, RATE = 51, 25, 25
"""Frames of the clips whose masks are drawn, frames from one to the next, and frames a second."""


def make_figure(seed: int) -> FigureClip:
    """Make a clip whose size, pace, pan and grain follow from its seed."""
    chance = np.random.default_rng(1000 + seed)
    height = int(chance.choice([180, 270, 360]))
    pace = chance.uniform(0.006, 0.016) * height * chance.choice([-1, 1])
    pan = chance.uniform(-0.005, 0.005) * height
    grain = chance.uniform(1, 3)
    return FigureClip(height * 16 // 9, height, 20, float(pace), float(pan), float(grain), seed)


def find_people(clip: FigureClip) -> list[Alpha]:
    """Return the masks of a clip's frames."""
    return [alpha for _, alpha in PersonMask().apply(frames_of(clip))]


def measure_people(seeds: range) -> None:
    """Print overlap, and own flicker by the figure's motion, of some figures."""
    rows, start = [], time.process_time()
    for seed in seeds:
        clip = make_figure(seed)
        true = [clip.layers(n).alpha for n in range(clip.count)]
        found = find_people(clip)
        own, moved = own_flicker(found, true)
        rows.append((np.mean([overlap(a, b) for a, b in zip(found, true)]), own / moved))
    spent = (time.process_time() - start) / len(rows) / 20 * 1000
    overlaps, flickers = np.array(rows).T
    print(
        f"{len(rows)} figures: overlap {overlaps.mean():.3f} ({overlaps.min():.3f} at least), "
        f"own flicker {flickers.mean():.2f} of the motion ({flickers.min():.2f} to "
        f"{flickers.max():.2f}), {spent:.0f} ms a frame with the drawing"
    )


def show(picture: Picture, alpha: Alpha) -> Picture:
    """Show a mask: what is outside is dark, and the outline is drawn."""
    dark = np.where(alpha[..., None] > 127, picture, picture // 3)
    lines, _ = cv2.findContours((alpha > 127).astype(np.uint8), cv2.RETR_LIST, 2)
    return cv2.resize(cv2.drawContours(dark, lines, -1, (255, 90, 0), 2), (320, 180))


def draw_people(folder: Path) -> None:
    """Draw the masks of a figure with and without what was seen behind it; print the figures."""
    clip = make_figure(2)
    pictures = [clip.layers(n).picture for n in range(clip.count)]
    rows = [find_people(clip)]
    exclude = SeenBackground.exclude
    SeenBackground.exclude = lambda self, share, *_: share  # type: ignore[method-assign]
    rows.insert(0, find_people(clip))
    SeenBackground.exclude = exclude  # type: ignore[method-assign]
    cells = [[show(pictures[n], row[n]) for n in (3, 7, 8, 12)] for row in rows]
    labels = [f"frame {n}" for n in (3, 7, 8, 12)]
    sheet = draw_grid(cells, ["the segmenter's", "with what was seen"], labels)
    save_picture(folder / "people.jpg", sheet, 84)
    measure_people(CHOSEN_ON)
    measure_people(HELD_OUT)


def draw_labels(clip: FigureClip, index: int) -> Picture:
    """Draw a label picture: the figure 200, the sky above the mountains' feet 80, the rest 0."""
    labels = np.zeros((clip.height, clip.width), np.uint8)
    labels[: clip.height * 2 // 5] = 80
    labels[clip.layers(index).alpha > 127] = 200
    return np.asarray(cv2.cvtColor(labels, cv2.COLOR_GRAY2RGB), np.uint8)


def draw_regions(folder: Path) -> None:
    """Draw a clip, its label pictures, and the clip with a style for each of three regions."""
    clip = FigureClip(640, 360, 20, 4.8, 1.2)
    content = [clip.layers(n).picture for n in range(clip.count)]
    labels = [draw_labels(clip, n) for n in range(clip.count)]
    with tempfile.TemporaryDirectory() as place:
        file = write_clip(Path(place) / "clip.mp4", content, 640, 360, 25, None)
        (Path(place) / "labels").mkdir()
        for n, picture in enumerate(labels):
            save_picture(Path(place) / "labels" / f"{n:03}.png", picture)
        out = Path(place) / "painted"
        stylize(
            file, ["@indigo-waves", "@fire-impasto"], out,
            mask_regions=Path(place) / "labels", mask_background="@ink-wash",
        )  # fmt: skip
        with open_source(out) as source:
            painted = [frame.picture for frame in source.frames()]
    rows = [[cv2.resize(row[n], (320, 180)) for n in SHOWN] for row in (content, labels, painted)]
    sheet = draw_grid(rows, ["content", "labels", "painted"], [f"frame {n}" for n in SHOWN])
    save_picture(folder / "regions.jpg", sheet, 84)


def follow_drawn(clip: FigureClip, drawn: list[int], folder: Path) -> list[Alpha]:
    """Return the masks of a clip's frames, of which those of the frames ``drawn`` are given."""
    content = [clip.layers(n).picture for n in range(clip.count)]
    file = write_clip(folder / "clip.mp4", content, clip.width, clip.height, RATE, None)
    masks = folder / f"masks-{len(drawn)}"
    masks.mkdir()
    for n in drawn:
        alpha = cv2.cvtColor(clip.layers(n).alpha, cv2.COLOR_GRAY2RGB)
        save_picture(masks / f"{n / RATE:g}.png", np.asarray(alpha, np.uint8))
    with open_source(file) as source, DrawnMask(str(masks), str(file)) as mask:
        return [alpha for _, alpha in mask.apply(source.frames())]


def measure_drawn(seeds: range) -> None:
    """Print the overlap of figures with a drawn mask each second, and with the first alone."""
    drawn = list(range(0, FOLLOWED, EVERY))
    rows, start = [], time.process_time()
    for seed in seeds:
        clip = replace(make_figure(seed), count=FOLLOWED)
        true = [clip.layers(n).alpha for n in range(FOLLOWED)]
        row = []
        for given in (drawn, drawn[:1]):
            with tempfile.TemporaryDirectory() as place:
                found = follow_drawn(clip, given, Path(place))
            between = [n for n in range(FOLLOWED) if n not in drawn and true[n].any()]
            overlaps = [overlap(found[n], true[n]) for n in between]
            row += [np.mean(overlaps), np.min(overlaps)]
        rows.append(row)
        print(seed, np.round(row, 3), flush=True)
    spent = (time.process_time() - start) / len(rows) / FOLLOWED / 2 * 1000
    each, least, one, _ = np.array(rows).T
    print(
        f"{len(rows)} figures: overlap {each.mean():.3f} ({each.min():.3f} at least, one frame "
        f"{least.min():.3f}); with the first mask alone {one.mean():.3f} ({one.min():.3f} at "
        f"least); {spent:.0f} ms a frame with drawing, encoding and decoding"
    )


def draw_followed(folder: Path) -> None:
    """Draw a figure followed from its first mask alone, and with another one; print figures."""
    clip = make_figure(2)
    pictures = [clip.layers(n).picture for n in range(clip.count)]
    rows = []
    for given in ([0], [0, 12]):
        with tempfile.TemporaryDirectory() as place:
            rows.append(follow_drawn(clip, given, Path(place)))
    cells = [[show(pictures[n], row[n]) for n in (0, 4, 8, 12, 16)] for row in rows]
    labels = [f"frame {n}" for n in (0, 4, 8, 12, 16)]
    sheet = draw_grid(cells, ["frame 0 drawn", "frame 12 too"], labels)
    save_picture(folder / "masks-drawn.jpg", sheet, 84)
    measure_drawn(HELD_OUT)


PARTS = {"regions": draw_regions, "people": draw_people, "drawn": draw_followed}


def main(folder: Path, parts: list[str]) -> None:
    """Draw the parts."""
    for part in parts or PARTS:
        PARTS[part](folder)


if __name__ == "__main__":
    words = sys.argv[1:]
    target = Path(words.pop(0)) if words and words[0] not in PARTS else ROOT / "docs" / "pictures"
    main(target, words)
