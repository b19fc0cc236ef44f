"""The parameters of `steady`, and how one number, the steadiness, chooses them."""

from __future__ import annotations

from dataclasses import dataclass

from vst.errors import UsageError
from vst.imaging.optical_flow import FlowSettings

QUICK = FlowSettings(limit=128, finest=0, stride=3, descents=6, refinements=2)
"""The flow of the pyramid's second level of 256 pixels, taken as it is: the estimate is the same,
and paths, which are joined and checked at this size, cost a quarter. 96 pixels cost a tenth more
warp error, for strokes show every half pixel; patches 4 pixels apart, a fifteenth.
"""
CAREFUL = FlowSettings(limit=128, finest=0, stride=3, descents=16, refinements=5)
MOST_ANCHORS = 32
"""Frames between anchors at a steadiness of 1."""
LIVE_ANCHORS = 12
"""Frames between anchors, at most, where strokes come from the past alone."""


@dataclass(frozen=True)
class SteadySettings:
    """Parameters of `Steady`: distances and times in frames, levels of 255.

    ``anchors``: frames from one anchor to the next; 0: each frame as it was painted. ``passes``:
    how far the neighbors of each pass over the coarse picture lie. ``tolerance``: difference of
    brightness, 0..1, at which a neighbor counts 1/e. ``agrees_from``, ``agrees_fully``: agreement
    of the coarse picture's structure with the fresh one's at which it counts nothing, and fully.
    ``restores_below``, ``restores_not``: the same for the steady painting with its strokes.
    ``contrast``: the strokes' contrast is raised to so much of the fresh painting's, by at most
    ``raised``. ``mix_change``: a neighbor counts nothing once the mix has changed by 1 / this.
    ``latency``: None: anchors on both sides; else live, with so many frames of look-ahead, 0 or 1.
    """

    anchors: int = 16
    passes: tuple[int, ...] = (1,)
    flow: FlowSettings = QUICK
    tolerance: float = 0.12
    agrees_from: float = 0.9
    agrees_fully: float = 0.98
    restores_below: float = 0.88
    restores_not: float = 0.97
    stretch: float = 1.0
    contrast: float = 1.0
    raised: float = 1.6
    mix_change: float = 2.0
    latency: int | None = None

    def __post_init__(self) -> None:
        if self.anchors < 0 or (self.latency is not None and self.latency not in (0, 1)):
            raise UsageError(
                f"{self.anchors} frames between anchors, latency {self.latency}; give 0 frames or "
                "more, and a latency of 0 or 1 frame"
            )

    @property
    def ahead(self) -> tuple[int, ...]:
        """For each pass, how far ahead its neighbor lies; 0: that side is left out."""
        if self.latency is None:
            return self.passes
        found, left = [], self.latency
        for distance in self.passes:
            found.append(distance if distance <= left else 0)
            left -= found[-1]
        return tuple(found)


def choose_settings(steadiness: float = 0.5, latency: int | None = None) -> SteadySettings:
    """The settings for a steadiness of 0 (off) to 1 (as steady as can be)."""
    if not 0 <= steadiness <= 1:
        raise UsageError(f"steadiness {steadiness:g}: it goes from 0 (off) to 1. Give one of these")
    live = latency is not None
    anchors = min(round(MOST_ANCHORS * steadiness), LIVE_ANCHORS if live else MOST_ANCHORS)
    return SteadySettings(
        anchors=anchors,
        passes=(1, 3) if steadiness > 0.75 else (1,),
        flow=CAREFUL if steadiness > 0.75 else QUICK,
        agrees_from=0.9 - 0.2 * max(0.0, steadiness - 0.5),
        agrees_fully=0.98 - 0.06 * max(0.0, steadiness - 0.5),
        restores_below=0.82 if live else 0.88 - 0.12 * max(0.0, steadiness - 0.5),
        restores_not=0.95 if live else 0.97 - 0.04 * max(0.0, steadiness - 0.5),
        mix_change=6.0 if live else 2.0,
        latency=latency,
    )
