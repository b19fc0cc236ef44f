"""``strong``: flow both ways at the painting's full size, for offline work."""

from __future__ import annotations

from vst.stabilisers.anchored import Anchored, AnchoredSettings

STRONG = AnchoredSettings(detail=0.96)


class Strong(Anchored):
    """As steady as it gets: the flow that the measures use, checked back and forth."""

    def __init__(self, settings: AnchoredSettings = STRONG) -> None:
        super().__init__(settings)
