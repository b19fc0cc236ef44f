"""``strong``: flow at the painting's full size, to the last frame and to the anchor, for offline
work.
"""

from __future__ import annotations

from vst.stabilizers.anchored import Anchored, AnchoredSettings

STRONG = AnchoredSettings(corrected=0.2, detail=0.975)


class Strong(Anchored):
    """As steady as it gets: the flow that the measures use, and a way to the anchor that does not
    drift.
    """

    def __init__(self, settings: AnchoredSettings = STRONG) -> None:
        super().__init__(settings)
