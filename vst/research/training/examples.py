"""Makes the training examples once and stores them as arrays that are memory-mapped.

`ExampleStore` is a folder of ``.npy`` files with one row per example, filled from the front, so
that a stopped run resumes where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.files import atomic_write
from vst.core.types import OnProgress, Progress
from vst.research.training.picture_data import (
    DIM,
    SIDE,
    Embeddings,
    EmbeddingSampler,
    Picture,
    PicturePool,
    augment_style,
    crop_randomly,
    crop_stretched,
    draw_plain_content,
    recolor,
    resize_square,
)

Shapes = Mapping[str, tuple[tuple[int, ...], str]]
Row = dict[str, Any]


class ExampleStore:
    """A folder of equally long arrays. ``shapes``: name -> (shape of a row, type)."""

    def __init__(self, folder: Path, count: int, shapes: Shapes):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.count = folder, count
        self.note = folder / "filled.json"
        whole = (
            self.note.is_file()
            and json.loads(self.note.read_text(encoding="utf-8"))["count"] == count
        )
        self.filled = json.loads(self.note.read_text(encoding="utf-8"))["filled"] if whole else 0
        self.arrays = {
            name: np.lib.format.open_memmap(
                folder / f"{name}.npy",
                mode="r+" if whole else "w+",
                dtype=kind,
                shape=(count, *shape),
            )
            for name, (shape, kind) in shapes.items()
        }

    def fill(self, make: Callable[[], Row], stage: str, on_progress: OnProgress) -> None:
        """Call ``make`` for every missing row."""
        while self.filled < self.count:
            for name, value in make().items():
                self.arrays[name][self.filled] = value
            self.filled += 1
            if self.filled % 100 == 0 or self.filled == self.count:
                self._flush()
                on_progress(Progress(stage, self.filled, self.count))

    def draw(self, rng: np.random.Generator, batch: int) -> Row:
        """Copy a random batch."""
        rows = rng.integers(0, self.filled, batch)
        return {name: np.stack([array[row] for row in rows]) for name, array in self.arrays.items()}

    def first(self, count: int) -> Row:
        """Copy the first examples."""
        return {n: np.array(array[: min(count, self.filled)]) for n, array in self.arrays.items()}

    def _flush(self) -> None:
        for array in self.arrays.values():
            array.flush()
        with atomic_write(self.note) as draft:
            draft.write_text(
                json.dumps({"count": self.count, "filled": self.filled}), encoding="utf-8"
            )


def build_pair_shapes(side: int) -> Shapes:
    """Return the shapes of a pair: content, embedding, the teacher's picture and its embedding."""
    return {
        "content": ((side, side, 3), "u1"),
        "numbers": ((DIM,), "f4"),
        "painted": ((side, side, 3), "u1"),
        "painted_numbers": ((DIM,), "f4"),
    }


LABEL_SHAPES: Shapes = {"picture": ((SIDE, SIDE, 3), "u1"), "numbers": ((DIM,), "f4")}


CLOSE_SHARE = 0.25
WIDE_ZOOM, CLOSE_ZOOM = 1.8, 8.0
"""Largest zoom of contents, and of ``CLOSE_SHARE`` of them: 256 pixels of a 1080p frame are
smooth, and a grid shows first on smooth areas.
"""
MIN_SPREAD, MAX_TRIES = 6.0, 20
"""Standard deviation, in levels of 255, below which a crop is drawn again: almost flat crops make
the gradients explode, and the painter handles them by design.
"""


class PairMaker:
    """Makes one pair per call. ``teacher`` embeds squares of 256 pixels and paints; ``varied``:
    embeddings of augmented pictures (N,100), used as styles too.
    """

    def __init__(
        self,
        pool: PicturePool,
        teacher: Any,
        rng: np.random.Generator,
        side: int = SIDE,
        varied: Embeddings | None = None,
    ):
        self.pool, self.teacher, self.rng, self.side = pool, teacher, rng, side
        self.drawer = EmbeddingSampler(
            self._embed_paintings(), self._embed_photographs(), varied=varied
        )

    def _embed_paintings(self, variants: int = 12) -> Embeddings:
        pictures = self.pool.paintings
        whole = [self.teacher.embed(resize_square(picture)) for picture in pictures]
        parts = [
            self.teacher.embed(crop_stretched(p, self.rng))
            for p in pictures
            for _ in range(variants)
        ]
        varied = [
            self.teacher.embed(augment_style(p, self._pick(pictures), self.rng))
            for p in pictures
            for _ in range(variants)
        ]
        return np.array(whole + parts + varied, np.float32)

    def _embed_photographs(self) -> Embeddings:
        return np.array(
            [self.teacher.embed(resize_square(p)) for p in self.pool.photographs], np.float32
        )

    def _pick(self, pictures: list[Picture]) -> Picture:
        return pictures[self.rng.integers(len(pictures))]

    def draw_content(self) -> Picture:
        """Draw a content crop: mostly photographs, some paintings, frames and gradients."""
        kind = self.rng.random()
        if kind < 0.03:
            return draw_plain_content(self.rng, self.side)
        source = self.pool.photographs
        if kind < 0.08 and self.pool.frames:
            source = self.pool.frames
        elif kind < 0.15:
            source = self.pool.paintings
        for _ in range(MAX_TRIES):
            zoom = CLOSE_ZOOM if self.rng.random() < CLOSE_SHARE else WIDE_ZOOM
            cut = crop_randomly(self._pick(source), self.rng, self.side, zoom)
            if cut.std((0, 1)).max() >= MIN_SPREAD:
                break
        return recolor(cut, self.rng) if self.rng.random() < 0.15 else cut

    def __call__(self) -> Row:
        content = self.draw_content()
        own = self.teacher.embed(resize_square(content)) if self.rng.random() < 0.2 else None
        numbers = self.drawer.draw(self.rng, own)
        painted = self.teacher.paint(content, numbers)
        return {
            "content": content,
            "numbers": numbers,
            "painted": painted,
            "painted_numbers": self.teacher.embed(resize_square(painted)),
        }


class LabelMaker:
    """Makes one label per call: an augmented picture and the teacher's embedding of it."""

    def __init__(self, pool: PicturePool, teacher: Any, rng: np.random.Generator):
        self.pool, self.teacher, self.rng = pool, teacher, rng

    def _pick(self) -> Picture:
        pictures = self.pool.paintings if self.rng.random() < 0.5 else self.pool.photographs
        return pictures[self.rng.integers(len(pictures))]

    def __call__(self) -> Row:
        picture = self._pick()
        whole = self.rng.random() < 0.12
        square = resize_square(picture) if whole else augment_style(picture, self._pick(), self.rng)
        return {"picture": square, "numbers": self.teacher.embed(square)}
