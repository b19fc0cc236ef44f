"""Baselines for the stabilizers: the exponential average and the warped blend.

They are not in the table of `vst.stabilizers`, because they are better at nothing but simplicity.
"""

from __future__ import annotations

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.optical_flow import FlowEstimator, compute_positions, find_non_occluded, sample
from vst.stabilizers.base import Stabilizer


class ExponentialAverage(Stabilizer):
    """Exponential average over time, without flow: ``memory`` of the last output."""

    warmup = None

    def __init__(self, memory: float = 0.8) -> None:
        self.memory = memory
        self.reset()

    def reset(self) -> None:
        self._mean: np.ndarray | None = None

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        fresh = painted.astype(np.float32)
        before = fresh if self._mean is None else self._mean
        self._mean = self.memory * before + (1 - self.memory) * fresh
        return [np.clip(self._mean + 0.5, 0, 255).astype(np.uint8)]


class WarpedBlend(Stabilizer):
    """Blend of the warped last output and the fresh painting, after Ruder et al. (2016).

    The weight is ``memory`` · confidence (not occluded, and exp(-(photometric error / 0.05)²),
    blurred by 1.5 pixels); bicubic warp. With ``raised`` > 1, detail above a Gaussian of 1.5 pixels
    is amplified, by at most that factor, to the fresh frame's energy in 6 pixels, and the amplified
    frame is carried on.
    """

    warmup = None

    def __init__(self, memory: float = 0.9, raised: float = 1.0) -> None:
        self.memory, self.raised = memory, raised
        self._look = FlowEstimator()
        self.reset()

    def reset(self) -> None:
        self._gray: np.ndarray | None = None
        self._last: np.ndarray | None = None

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        gray, before, last = self._look.gray(content), self._gray, self._last
        fresh = painted.astype(np.float32)
        self._gray = gray
        if before is None or last is None:
            self._last = fresh
            return [painted.copy()]
        backward = self._look(gray, before)
        where = compute_positions(backward)
        error = (gray.astype(np.float32) - sample(before, where)) / 255
        seen = find_non_occluded(backward, self._look(before, gray))
        weight = cv2.GaussianBlur(seen * np.exp(-((error / 0.05) ** 2)), (0, 0), 1.5)
        weight = (self.memory * weight)[..., None]
        blended = weight * sample(last, where, cv2.INTER_CUBIC) + (1 - weight) * fresh
        if self.raised > 1:
            fine, wanted = (x - cv2.GaussianBlur(x, (0, 0), 1.5) for x in (blended, fresh))
            has, need = (
                cv2.GaussianBlur(np.square(x).sum(2), (0, 0), 6) + 1 for x in (fine, wanted)
            )
            blended += (np.clip(np.sqrt(need / has), 1, self.raised)[..., None] - 1) * fine
        self._last = np.clip(blended, 0, 255)
        return [(self._last + 0.5).clip(0, 255).astype(np.uint8)]
