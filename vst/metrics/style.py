"""Style distance: how far a painted frame's embedding is from the target embedding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vst.core.types import Embedding, Picture
from vst.metrics.base import Metric

Predictor = Callable[[Picture], Embedding]
"""Computes a picture's embedding: an engine's ``embed``."""


class StyleDistance(Metric):
    """Euclidean distance between the embeddings of the painted frame and of the mixed style.

    ``predict``: an engine's predictor; distances of different predictors are not comparable.
    ``wanted``: the mixed style's embedding for each frame, counted from 0. ``every``: measures only
    every n-th frame.
    """

    unit = "distance of embeddings"

    def __init__(
        self, predict: Predictor, wanted: Callable[[int], Embedding], every: int = 1
    ) -> None:
        self.predict = predict
        self.wanted = wanted
        self.every = every
        self._index = -1

    def add(self, content: Picture, painted: Picture) -> float:
        self._index += 1
        if self._index % self.every:
            return float("nan")
        return float(np.linalg.norm(self.predict(painted) - self.wanted(self._index)))
