"""The stabilizer that changes nothing."""

from __future__ import annotations

from vst.core.types import Picture
from vst.stabilizers.base import Stabilizer


class Off(Stabilizer):
    """Returns each painting unchanged."""

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        return [painted]
