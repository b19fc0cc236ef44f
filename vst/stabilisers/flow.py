"""``flow``: the default. Steady, in less time than the embedded painter takes."""

from __future__ import annotations

from vst.flow import FlowSettings
from vst.stabilisers.anchored import Anchored, AnchoredSettings

FLOW = AnchoredSettings(
    flow=FlowSettings(scale=0.5, limit=256, finest=0, stride=3, descents=12, refinements=2),
    both_ways=False,
    renewal=8,
    step_tolerance=0.05,
    anchor_tolerance=0.1,
    detail=0.995,
)


class FlowGuided(Anchored):
    """Backward flow alone, at half the painting's size; tears in it stand for occlusions."""

    def __init__(self, settings: AnchoredSettings = FLOW) -> None:
        super().__init__(settings)
