"""What engine `embedded` asks of a library that computes its networks."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from vst.core.types import Embedding, Picture, Pictures
from vst.nets.embedded_plan import BLOCK, SMALLEST

CONTRAST_NONE, CONTRAST_STEP = 2.0, 8.0
"""Levels between the darkest and the brightest pixel: up to which a frame is flat, and over how
many more it fades to its painting."""


class Runtime(ABC):
    """Computes predictor and painter. ``paints_batches``: whether it paints several frames in one
    call; else one, but in as many threads at once as there are cores.
    """

    paints_batches = False

    @abstractmethod
    def embed(self, picture: Picture) -> Embedding:
        """Embed a uint8 picture of `PREDICTOR_SIDE` squared."""

    @abstractmethod
    def prepare_size(self, height: int, width: int) -> None:
        """Compile the painter for frames of a size. Only the last size is kept: a job has one, and
        functions for others would add up.
        """

    @abstractmethod
    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint uint8 frames (B,H,W,3) of the prepared size in the styles of embeddings (B,100)."""

    @abstractmethod
    def close(self) -> None:
        """Release the networks."""


def count_missing_pixels(side: int) -> int:
    """Count the pixels that a side of a frame lacks for the painter."""
    return max(-side % BLOCK, SMALLEST - side + -SMALLEST % BLOCK)


def reflect_indices(length: int, before: int, after: int) -> np.ndarray:
    """Return the indices of a side of ``length`` pixels with its reflection at both ends; a border
    may be longer than the side, NumPy then reflects again.
    """
    return np.pad(np.arange(length, dtype=np.int32), (before, after), mode="reflect")
