"""Detail: how much of the energy of the gradient a slight blur takes away."""

from __future__ import annotations

import cv2

from vst.core.types import Picture
from vst.metrics.base import NO_VALUE, Metric
from vst.metrics.sharpness import measure_gradient

SIGMA = 1.5
"""Standard deviation of the blur, in pixels."""
LEAST = 1e-7
"""Energy of the gradient below which a picture has no detail to lose."""


class Detail(Metric):
    """Energy of the gradient relative to that of the picture, blurred by `SIGMA`.

    A crisp picture loses most of it; one that is blurred already keeps it. Of the built-in styles,
    freshly painted from six clips at a short side of 160 pixels, the softest has 2.2, and the
    crispest, blurred by three pixels, 1.4.
    """

    better = "higher"
    unit = "energy of the gradient, relative to the same picture blurred by 1.5 pixels"
    good = (1.7, float("inf"))
    meaning = "Below, the picture is blurred, or was enlarged."

    def add(self, content: Picture, painted: Picture) -> float:
        blurred = measure_gradient(cv2.GaussianBlur(painted, (0, 0), SIGMA))
        return measure_gradient(painted) / blurred if blurred > LEAST else NO_VALUE
