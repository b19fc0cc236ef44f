"""An engine without a network, which tints the frames: for tests of the pipeline and of timing."""

from __future__ import annotations

import numpy as np

from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import EmbeddingEngine, EngineMemory


class TintEngine(EmbeddingEngine):
    """A style is its mean color, 3 numbers in 0..1; painting moves every pixel halfway to it."""

    name = "tint"
    space = "tint-3"
    dim = 3
    memory = EngineMemory(250.0, 30.0)

    def __init__(self, *, model: str | None = None, threads: int | None = None) -> None:
        super().__init__()

    def embed(self, image: Picture) -> Embedding:
        return (image.reshape(-1, 3).mean(0) / 255).astype(np.float32)

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        tint = (np.asarray(embeddings, np.float32) * 255 + 0.5).clip(0, 255).astype(np.uint16)
        # 16 bits hold the sum of two bytes: the frames need no float copy.
        return ((frames + tint[:, None, None, :]) >> 1).astype(np.uint8)
