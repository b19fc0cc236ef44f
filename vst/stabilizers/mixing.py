"""How fast the mix of styles changes, for stabilisers that are told of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vst.schedule.timeline import Mix

Shares = Mapping[str, float]
"""What of a mix the painter sees: parts of the styles, and the brush."""


def shares(mix: Mix) -> dict[str, float]:
    """The mix as plain numbers, which a state can carry; those of a ground of its own as well."""
    found = {f"style {name}": float(part) for name, part in mix.weights.items()}
    found["brush"] = 2 * math.log2(mix.brush)  # half a double brush is half another style
    if mix.ground is not None:
        found |= {f"ground {name}": part for name, part in shares(mix.ground).items()}
    return found


def change(before: Shares, now: Shares) -> float:
    """0 for the same mix, 1 for another style altogether."""
    names = before.keys() | now.keys()
    return 0.5 * sum(abs(now.get(name, 0.0) - before.get(name, 0.0)) for name in names)
