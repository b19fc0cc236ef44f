"""How much the mix of styles changes from one frame to another, for stabilizers that look at it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vst.schedule.timeline import Mix

FlatMix = Mapping[str, float]
"""What the painter sees of a mix: the shares of its styles, and the brush."""


def flatten_mix(mix: Mix) -> dict[str, float]:
    """The mix as plain numbers, which a state can carry; those of its background and its regions
    as well.
    """
    flat = {f"style {name}": float(share) for name, share in mix.weights.items()}
    flat["brush"] = 2 * math.log2(mix.brush)  # half a double brush is half another style
    if mix.background is not None:
        behind = flatten_mix(mix.background)
        flat |= {f"background {name}": share for name, share in behind.items()}
    for number, region in enumerate(mix.regions):
        flat |= {f"region {number} {name}": share for name, share in flatten_mix(region).items()}
    return flat


def measure_mix_change(before: FlatMix, now: FlatMix) -> float:
    """0 for the same mix, 1 for another style altogether."""
    names = before.keys() | now.keys()
    return 0.5 * sum(abs(now.get(name, 0.0) - before.get(name, 0.0)) for name in names)
