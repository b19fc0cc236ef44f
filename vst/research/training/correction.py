"""Moves a painter's style space by what the painter misses, without a step of training.

Pictures painted in an embedding carry another one, which the teacher's predictor reads. The
difference, fitted over thousands of styles and mixes of two, is added to every embedding that the
painter is given. The space stays linear in it: a mix of styles is still a mix of their scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vst.nets.weight_files import Arrays
from vst.research.training.examples import Row, Shapes
from vst.research.training.picture_data import (
    DIM,
    Embeddings,
    EmbeddingSampler,
    Picture,
    resize_square,
)

READINGS: Shapes = {"given": ((DIM,), "f4"), "read": ((DIM,), "f4")}
"""A reading: the embedding that a painter was given, and the mean of those read in its pictures."""
CONTENTS = 4
"""Pictures painted for a reading."""
SHARE = 0.8
"""Share of the difference that is added: painting a little beyond a style raises contrast."""
RIDGE = 1000.0
"""Keeps the linear part of the fit small in directions in which styles hardly differ."""


class Reader:
    """Makes one reading per call. ``engine`` paints ``photographs`` in embeddings of ``sampler``,
    and ``teacher`` reads what comes out.
    """

    def __init__(
        self,
        engine: Any,
        teacher: Any,
        photographs: Sequence[Picture],
        sampler: EmbeddingSampler,
        rng: np.random.Generator,
    ):
        self.engine, self.teacher, self.photographs = engine, teacher, photographs
        self.sampler, self.rng = sampler, rng

    def __call__(self) -> Row:
        given = self.sampler.draw(self.rng)
        places = self.rng.integers(len(self.photographs), size=CONTENTS)
        frames = np.stack([resize_square(self.photographs[place]) for place in places])
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
