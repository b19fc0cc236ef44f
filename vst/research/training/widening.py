"""Gives a trained painter more channels and blocks without changing what it paints: the new numbers
begin where nothing reads them, so that a training can start from a good painter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vst.nets.embedded import Painter, PainterPlan
from vst.nets.weight_files import Arrays, export_arrays

FIXED = ("stem", "stem_bias", "centre", "basis")
"""Weights whose shapes no plan of the same stem changes."""


def widen(arrays: Mapping[str, np.ndarray], plan: PainterPlan) -> Arrays:
    """Return the weights of a painter of ``plan`` that paints as the one of ``arrays`` does.

    ``plan`` must have the same stem and reach, and at least as many of everything else. New
    channels of a convolution begin at random, but no channel of the old painter reads them; new
    blocks add nothing.
    """
    before = PainterPlan.read(arrays)
    wide = export_arrays(Painter(plan))
    for name, start in wide.items():
        old = arrays.get(name)
        if name in FIXED:
            wide[name] = np.array(arrays[name])
        elif start.ndim == 4:
            wide[name] = _widen_kernel(name, np.array(start), old, before, plan)
        else:
            wide[name] = _widen_numbers(name, np.array(start), old)
    return wide


def _widen_kernel(
    name: str, start: np.ndarray, old: np.ndarray | None, before: PainterPlan, plan: PainterPlan
) -> np.ndarray:
    """Put an old kernel (h,w,in,out) into a new one, whose other inputs it does not read."""
    if old is None:
        return start
    if name == "spread":  # four phases, each of which got more channels
        phases = start.reshape(*start.shape[:3], 4, plan.phases)
        phases[..., : before.phases] = 0
        inner = old.reshape(*old.shape[:3], 4, before.phases)
        phases[:, :, : old.shape[2], :, : before.phases] = inner
        return phases.reshape(start.shape)
    start[..., : old.shape[3]] = 0
    start[:, :, : old.shape[2], : old.shape[3]] = old
    return start


def _widen_numbers(name: str, start: np.ndarray, old: np.ndarray | None) -> np.ndarray:
    """Widen scales, shifts and biases. What a block adds is scaled by 0 in new channels."""
    if name.endswith(("_scale", "_shift")):
        start = np.zeros_like(start)
    elif name.startswith("block") and name.endswith("b_scale_bias"):
        start = np.zeros_like(start)
    if old is not None:
        start[..., : old.shape[-1]] = old
    return start
