"""Draws sheets for visual inspection: ours beside Magenta's, and the most error-prone frames.

    python bench/embedded_sheet.py --teacher ../shared/magenta --out docs/pictures [--model DIR]

This project draws all contents and styles, so the sheets can be published.
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
from vst.research.training.picture_data import resize_square
from vst.research.training.teacher import Teacher
from vst.samples import draw_pattern, draw_photo

STYLES = ("blue-swirls", "indigo-waves", "stained-glass", "ink-wash", "fire-impasto", "sea-mosaic")
SIZES = ((256, 144), (426, 240), (640, 360), (1280, 720), (1920, 1080), (333, 187), (97, 211))
BESIDE = ("ramp", "1280 x 720", "1920 x 1080")
TILE = (384, 216)
WHITE = 255


def add_caption(picture: np.ndarray, text: str) -> np.ndarray:
    """Put a line of text above a picture."""
    head = np.full((22, picture.shape[1], 3), WHITE, np.uint8)
    where, font = (4, 16), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(head, text, where, font, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([head, picture])


def tile_pictures(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Arrange pictures of one size in rows."""
    blank = np.full_like(pictures[0], WHITE)
    pictures = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)


def crop_corner(picture: np.ndarray) -> np.ndarray:
    """Crop the upper left corner at full scale, where borders and grids show; smaller pictures are
    placed on white.
    """
    width, height = TILE
    tile = np.full((height, width, 3), WHITE, np.uint8)
    part = picture[:height, :width]
    tile[: part.shape[0], : part.shape[1]] = part
    return tile


def draw_comparison(engine: EmbeddedEngine, teacher: Teacher) -> np.ndarray:
    """Draw style, Magenta's picture and ours, 256 x 256 each."""
    content = resize_square(draw_photo(512, 512))
    rows = []
    for name in STYLES:
        style = resize_square(draw_pattern(name, 512, 512))
        theirs = teacher.paint(content, teacher.embed(style))
        ours = engine.stylize(content[None], engine.embed(style)[None])[0]
        rows += [
            add_caption(content, "content"),
            add_caption(style, f"style: {name}"),
            add_caption(theirs, "teacher: Magenta, TFLite"),
            add_caption(ours, "student: embedded"),
        ]
    return tile_pictures(rows, 4)


def draw_edge_cases(engine: EmbeddedEngine, teacher: Teacher) -> np.ndarray:
    """Draw uniform frames, noise, and the sample photo from 144p to 1080p and in odd sizes; the
    largest by Magenta too, to compare what it leaves on smooth areas.
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
    frames += [(f"{width} x {height}", draw_photo(width, height)) for width, height in SIZES]
    tiles = [
        add_caption(crop_corner(engine.stylize(frame[None], numbers[None])[0]), text)
        for text, frame in frames
    ]
    given = teacher.embed(resize_square(draw_pattern("blue-swirls", 512, 512)))
    tiles += [
        add_caption(crop_corner(teacher.paint(frame, given)), f"Magenta: {text}")
        for text, frame in frames
        if text in BESIDE
    ]
    return tile_pictures(tiles, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, default=Path("../shared/magenta"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--model", help="a folder of weights; the package's own if not given")
    options = parser.parse_args()
    engine, teacher = EmbeddedEngine(model=options.model), Teacher(options.teacher)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, sheet in (
        ("embedded-grid.jpg", draw_comparison(engine, teacher)),
        ("embedded-edges.jpg", draw_edge_cases(engine, teacher)),
    ):
        cv2.imwrite(str(options.out / name), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
        print(options.out / name)


if __name__ == "__main__":
    main()
