"""No stabiliser: each frame as it was painted."""

from __future__ import annotations

from vst.core.types import Picture
from vst.stabilizers.base import Stabiliser


class Off(Stabiliser):
    """Hands the painting through."""

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        return [painted]
