"""Style distance: how far a painted frame's style numbers are from those it should have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vst.core.types import Embedding, Picture
from vst.metrics.base import Metric

Predictor = Callable[[Picture], Embedding]
"""A picture's style numbers: an engine's ``embed``."""


class StyleDistance(Metric):
    """Euclidean distance between the numbers of the painted frame and those of the mixed style.

    ``predict`` is a named engine's predictor: distances by two predictors cannot be compared.
    ``wanted`` gives the mixed style's numbers for each frame, counted from 0. ``every``: only each
    so many frames are looked at, the others have no value.
    """

    unit = "distance of style numbers"

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
