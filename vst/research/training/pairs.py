"""Making what is learnt from, once, and keeping it in a folder: arrays that are read from disk as
they are needed.

`Store` is a folder of ``.npy`` files with one row per example, filled from the front, so that a
stopped run goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.types import OnProgress, Progress
from vst.research.training.data import (
    DIM,
    SIDE,
    Numbers,
    NumbersDrawer,
    Picture,
    Pool,
    crop,
    plain_content,
    recolour,
    squeeze,
    stretched_crop,
    vary,
)

Shapes = Mapping[str, tuple[tuple[int, ...], str]]
Row = dict[str, Any]


class Store:
    """A folder of equally long arrays. ``shapes``: name -> (shape of a row, type)."""

    def __init__(self, folder: Path, count: int, shapes: Shapes):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.count = folder, count
        self.note = folder / "filled.json"
        whole = self.note.is_file() and json.loads(self.note.read_text())["count"] == count
        self.filled = json.loads(self.note.read_text())["filled"] if whole else 0
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
        """Calls ``make`` for every row that is missing."""
        while self.filled < self.count:
            for name, value in make().items():
                self.arrays[name][self.filled] = value
            self.filled += 1
            if self.filled % 100 == 0 or self.filled == self.count:
                self._note_down()
                on_progress(Progress(stage, self.filled, self.count))

    def draw(self, rng: np.random.Generator, batch: int) -> Row:
        """A random batch, copied."""
        rows = rng.integers(0, self.filled, batch)
        return {name: np.stack([array[row] for row in rows]) for name, array in self.arrays.items()}

    def first(self, count: int) -> Row:
        """The first examples, copied."""
        return {n: np.array(array[: min(count, self.filled)]) for n, array in self.arrays.items()}

    def _note_down(self) -> None:
        for array in self.arrays.values():
            array.flush()
        draft = self.note.with_suffix(".part")
        draft.write_text(json.dumps({"count": self.count, "filled": self.filled}))
        draft.replace(self.note)


def pair_shapes(side: int) -> Shapes:
    """Content, numbers, the teacher's picture and its own numbers."""
    return {
        "content": ((side, side, 3), "u1"),
        "numbers": ((DIM,), "f4"),
        "painted": ((side, side, 3), "u1"),
        "painted_numbers": ((DIM,), "f4"),
    }


LABEL_SHAPES: Shapes = {"picture": ((SIDE, SIDE, 3), "u1"), "numbers": ((DIM,), "f4")}


CLOSE = 0.25
WIDE_ZOOM, CLOSE_ZOOM = 1.8, 8.0
"""Contents are enlarged by so much at most, and ``CLOSE`` of them by more: what a frame of 1080
lines shows in 256 pixels is smooth, and on smooth grounds a grid is seen first.
"""
FLAT, TRIES = 6.0, 20
"""Spread, in levels of 255, below which a crop is drawn anew: the variance of next to nothing blows
up the gradients, and what it teaches the painter knows by its build.
"""


class PairMaker:
    """Makes one pair per call. ``teacher`` embeds squares of 256 and paints; ``varied``: numbers of
    varied pictures (N,100), to paint in as well.
    """

    def __init__(
        self,
        pool: Pool,
        teacher: Any,
        rng: np.random.Generator,
        side: int = SIDE,
        varied: Numbers | None = None,
    ):
        self.pool, self.teacher, self.rng, self.side = pool, teacher, rng, side
        self.drawer = NumbersDrawer(self._paintings(), self._photographs(), varied=varied)

    def _paintings(self, variants: int = 12) -> Numbers:
        pictures = self.pool.paintings
        whole = [self.teacher.embed(squeeze(picture)) for picture in pictures]
        parts = [
            self.teacher.embed(stretched_crop(p, self.rng))
            for p in pictures
            for _ in range(variants)
        ]
        varied = [
            self.teacher.embed(vary(p, self._any(pictures), self.rng))
            for p in pictures
            for _ in range(variants)
        ]
        return np.array(whole + parts + varied, np.float32)

    def _photographs(self) -> Numbers:
        return np.array([self.teacher.embed(squeeze(p)) for p in self.pool.photographs], np.float32)

    def _any(self, pictures: list[Picture]) -> Picture:
        return pictures[self.rng.integers(len(pictures))]

    def content(self) -> Picture:
        """Mostly photographs; some paintings, video frames and plain fields."""
        kind = self.rng.random()
        if kind < 0.03:
            return plain_content(self.rng, self.side)
        source = self.pool.photographs
        if kind < 0.08 and self.pool.frames:
            source = self.pool.frames
        elif kind < 0.15:
            source = self.pool.paintings
        for _ in range(TRIES):
            zoom = CLOSE_ZOOM if self.rng.random() < CLOSE else WIDE_ZOOM
            cut = crop(self._any(source), self.rng, self.side, zoom)
            if cut.std((0, 1)).max() >= FLAT:
                break
        return recolour(cut, self.rng) if self.rng.random() < 0.15 else cut

    def __call__(self) -> Row:
        content = self.content()
        own = self.teacher.embed(squeeze(content)) if self.rng.random() < 0.2 else None
        numbers = self.drawer.draw(self.rng, own)
        painted = self.teacher.paint(content, numbers)
        return {
            "content": content,
            "numbers": numbers,
            "painted": painted,
            "painted_numbers": self.teacher.embed(squeeze(painted)),
        }


class LabelMaker:
    """Makes one label per call: a picture, varied, and the teacher's numbers."""

    def __init__(self, pool: Pool, teacher: Any, rng: np.random.Generator):
        self.pool, self.teacher, self.rng = pool, teacher, rng

    def _any(self) -> Picture:
        pictures = self.pool.paintings if self.rng.random() < 0.5 else self.pool.photographs
        return pictures[self.rng.integers(len(pictures))]

    def __call__(self) -> Row:
        picture = self._any()
        whole = self.rng.random() < 0.12
        square = squeeze(picture) if whole else vary(picture, self._any(), self.rng)
        return {"picture": square, "numbers": self.teacher.embed(square)}
