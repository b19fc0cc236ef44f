"""Draws what is to be looked at: ours beside Magenta's, and the frames that go wrong first.

    python bench/embedded_sheet.py --teacher ../shared/magenta --out docs/pictures [--model DIR]

All contents and styles are drawn by this project, so that the sheets may be shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np

from vst.engines.embedded import EmbeddedEngine
from vst.research.training.data import squeeze
from vst.research.training.teacher import Teacher
from vst.samples import draw_pattern, sample_photo

STYLES = ("blue-swirls", "indigo-waves", "stained-glass", "ink-wash", "fire-impasto", "sea-mosaic")
SIZES = ((256, 144), (426, 240), (640, 360), (1280, 720), (1920, 1080), (333, 187), (97, 211))
BESIDE = ("ramp", "1280 x 720", "1920 x 1080")
TILE = (384, 216)
WHITE = 255


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
    """The picture under a line of text."""
    head = np.full((22, picture.shape[1], 3), WHITE, np.uint8)
    where, font = (4, 16), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(head, text, where, font, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([head, picture])


def tiled(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size, in rows."""
    blank = np.full_like(pictures[0], WHITE)
    pictures = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)


def framed(picture: np.ndarray) -> np.ndarray:
    """The upper left corner at full scale, where borders and grids would show; smaller pictures
    whole, on white.
    """
    width, height = TILE
    tile = np.full((height, width, 3), WHITE, np.uint8)
    part = picture[:height, :width]
    tile[: part.shape[0], : part.shape[1]] = part
    return tile


def comparison(engine: EmbeddedEngine, teacher: Teacher) -> np.ndarray:
    """Style, Magenta's picture and ours, 256 x 256 each."""
    content = squeeze(sample_photo(512, 512))
    rows = []
    for name in STYLES:
        style = squeeze(draw_pattern(name, 512, 512))
        theirs = teacher.paint(content, teacher.embed(style))
        ours = engine.stylize(content[None], engine.embed(style)[None])[0]
        rows += [
            captioned(content, "content"),
            captioned(style, f"style: {name}"),
            captioned(theirs, "teacher: Magenta, TFLite"),
            captioned(ours, "student: embedded"),
        ]
    return tiled(rows, 4)


def edge_cases(engine: EmbeddedEngine, teacher: Teacher) -> np.ndarray:
    """Plain frames, noise, and the sample photo from 144p to 1080p and in odd sizes; the largest by
    Magenta, too: what it leaves on smooth grounds is no fault of the student.
    """
    numbers = engine.embed(draw_pattern("blue-swirls", 512, 512))
    rng = np.random.default_rng(0)
    frames: list[tuple[str, Any]] = [
        ("black", np.zeros((216, 384, 3), np.uint8)),
        ("white", np.full((216, 384, 3), 255, np.uint8)),
        ("grey", np.full((216, 384, 3), 128, np.uint8)),
        ("noise", rng.integers(0, 256, (216, 384, 3), dtype=np.uint8)),
        ("ramp", np.tile(np.linspace(0, 255, 384).astype(np.uint8)[None, :, None], (216, 1, 3))),
    ]
    frames += [(f"{width} x {height}", sample_photo(width, height)) for width, height in SIZES]
    tiles = [
        captioned(framed(engine.stylize(frame[None], numbers[None])[0]), text)
        for text, frame in frames
    ]
    given = teacher.embed(squeeze(draw_pattern("blue-swirls", 512, 512)))
    tiles += [
        captioned(framed(teacher.paint(frame, given)), f"Magenta: {text}")
        for text, frame in frames
        if text in BESIDE
    ]
    return tiled(tiles, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, default=Path("../shared/magenta"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--model", help="a folder of weights; the package's own if not given")
    options = parser.parse_args()
    engine, teacher = EmbeddedEngine(model=options.model), Teacher(options.teacher)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, sheet in (
        ("embedded-grid.jpg", comparison(engine, teacher)),
        ("embedded-edges.jpg", edge_cases(engine, teacher)),
    ):
        cv2.imwrite(str(options.out / name), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
        print(options.out / name)


if __name__ == "__main__":
    main()
