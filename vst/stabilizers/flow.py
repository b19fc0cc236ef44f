"""``flow``: the default. Steady, in a part of the time that the embedded painter takes."""

from __future__ import annotations

from vst.imaging.optical_flow import FlowSettings
from vst.stabilizers.anchored import Anchored, AnchoredSettings

FLOW = AnchoredSettings(
    flow=FlowSettings(scale=0.5, limit=192, finest=0, stride=3, descents=6, refinements=2),
    steepest=1.0,
    step_tolerance=0.05,
    anchor_tolerance=0.1,
    detail=0.978,
    renewal=7,
)


class FlowGuided(Anchored):
    """Flow to the last frame alone, at half the painting's size or less."""

    def __init__(self, settings: AnchoredSettings = FLOW) -> None:
        super().__init__(settings)
