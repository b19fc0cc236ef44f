"""Moves a painter's style space by what the painter misses, without a step of training.

Painted in an embedding, pictures carry another one, which the teacher's predictor reads. Fitted
over thousands of made-up embeddings, the difference is added to those that the painter is given.
The space stays linear in the embedding, so that a mix of styles is still a mix of their scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vst.nets.weight_files import Arrays
from vst.research.training.examples import Row, Shapes
from vst.research.training.picture_data import DIM, Embeddings, Picture

READINGS: Shapes = {"given": ((DIM,), "f4"), "read": ((DIM,), "f4")}
"""A reading: the embedding that a painter was given, and the mean of those read in its pictures."""
CONTENTS = 4
"""Pictures painted for a reading."""
NEAR, FAR = 0.2, 0.3
"""Standard deviations of the noise around a style and around a mix, in those of all styles."""
BEYOND = 1.1
"""The largest share of one style in a mix of two."""
SHARE = 0.8
"""Share of the difference that is added: painting a little beyond a style raises contrast."""
RIDGE = 1000.0
"""Keeps the linear part of the fit small in directions in which styles hardly differ."""


class EmbeddingMaker:
    """Makes embeddings like those of styles: of their normal distribution, of mixes of two, and
    around single ones. ``known``: (N,100).
    """

    def __init__(self, known: Embeddings, rng: np.random.Generator):
        self.known, self.rng = known, rng
        self.mean = known.mean(0)
        self.spread = np.linalg.cholesky(np.cov(known.T) + 1e-5 * np.eye(known.shape[1]))

    def __call__(self) -> Embeddings:
        """Make one, (100,)."""
        kind = self.rng.random()
        if kind < 0.3:
            return np.float32(self.mean + self._noise(1.0))
        if kind < 0.65:
            share = self.rng.uniform(0, BEYOND)
            return np.float32(share * self._pick() + (1 - share) * self._pick() + self._noise(FAR))
        return np.float32(self._pick() + self._noise(NEAR))

    def _pick(self) -> Embeddings:
        return self.known[int(self.rng.integers(len(self.known)))]

    def _noise(self, size: float) -> np.ndarray:
        return size * (self.spread @ self.rng.normal(size=len(self.mean)))


class Reader:
    """Makes one reading per call. ``engine`` paints, ``teacher`` reads ``contents``, squares."""

    def __init__(
        self, engine: Any, teacher: Any, contents: Sequence[Picture], make: EmbeddingMaker
    ):
        self.engine, self.teacher, self.contents, self.make = engine, teacher, contents, make

    def __call__(self) -> Row:
        given = self.make()
        places = self.make.rng.integers(len(self.contents), size=CONTENTS)
        frames = np.stack([self.contents[place] for place in places])
        painted = self.engine.stylize(frames, np.repeat(given[None], CONTENTS, 0))
        read = np.mean([self.teacher.embed(picture) for picture in painted], 0)
        return {"given": given, "read": read}


def correct(arrays: Arrays, given: Embeddings, read: Embeddings) -> Arrays:
    """Return a painter's weights, ``centre`` and ``basis`` moved by readings (N,100)."""
    own = (given - arrays["centre"]) @ arrays["basis"]
    inputs = np.hstack([own, np.ones((len(own), 1))])
    penalty = RIDGE * np.diag([1.0] * DIM + [0.0])
    fit = SHARE * np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (given - read))
    basis = arrays["basis"] @ (np.eye(DIM) + fit[:DIM] @ arrays["basis"])
    centre = arrays["centre"] - fit[DIM] @ arrays["basis"] @ np.linalg.inv(basis)
    return {**arrays, "centre": np.float32(centre), "basis": np.float32(basis)}
