"""Track an outline from one frame to the next, by flow, colors and what moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.optical_flow import Gray, RecentFlows, find_consistent, warp
from vst.masks.background import Part
from vst.masks.grabcut import (
    ColorModels,
    SoftMask,
    correct_marks,
    doubt_unsupported,
    drop_unsupported,
    is_foreground,
    mark_outline,
    run_grabcut,
    soften,
)
from vst.masks.motion import classify_motion

LEAST, MOST = 0.004, 0.75
"""Smallest and largest share of the picture that a foreground may cover."""
REMEMBERED = 0.55
"""Weight of the previous outline, warped along the flow, where the flow is consistent."""
SUPPORTED = 0.12
"""Share of a piece that must have moved at some time: the rest of it may be even."""


@dataclass(frozen=True)
class WorkingFrame:
    """A frame at the working size, without the bars of a letterbox."""

    picture: Picture
    gray: Gray


class Step:
    """The way from one frame to the next: the frames and the flows between them."""

    def __init__(
        self,
        estimate_flow: RecentFlows,
        here: WorkingFrame,
        before: WorkingFrame,
        later: list[WorkingFrame],
    ) -> None:
        self.here, self.before = here, before
        self.backward = estimate_flow(here.gray, before.gray)
        self.forward = estimate_flow(before.gray, here.gray)
        self.others = [(before.picture, self.backward)]
        self.others += [(one.picture, estimate_flow(here.gray, one.gray)) for one in later]


@dataclass(frozen=True)
class Evidence:
    """Pixels that show the known background, that move unlike it, and that stay while the
    foreground moves; and how surely each has ever moved (None: that does not matter).
    """

    same: Part
    moving: Part
    still: Part
    support: SoftMask | None


def cut_again(
    share: SoftMask, step: Step, colors: ColorModels, evidence: Evidence | None = None
) -> SoftMask | None:
    """Warp the outline of the frame before along the flow and segment a band around it again.

    ``colors``: of the frame before; updated. Returns None where the foreground is lost.
    """
    came: SoftMask = warp(share, step.backward)
    background, own = classify_motion(step.here.picture, step.others, came > 0.5)
    marks = mark_outline(came, background, own)
    if evidence is not None:
        marks[evidence.still & is_foreground(marks)] = cv2.GC_PR_BGD
        correct_marks(marks, evidence.same, evidence.moving & ~background, step.here.gray)
        if evidence.support is not None:
            doubt_unsupported(marks, evidence.support)
    cut = run_grabcut(step.here.picture, marks, rounds=1, models=colors)
    if evidence is not None and evidence.support is not None:
        cut = drop_unsupported(cut, evidence.support, SUPPORTED)
    size, now = float(came.mean()), float(cut.mean())
    if now < LEAST / 2 or now > MOST or not size / 2.5 < now < max(size * 2.5, 0.05):
        return None  # it left the picture, or GrabCut failed: detect it again
    # Where forward and backward flow agree, the old outline is as good as the new one and does
    # not flicker.
    steady = find_consistent(step.backward, step.forward).astype(np.float32)
    trusted = cv2.blur(steady, (3, 3)) * REMEMBERED
    trusted[background | own] *= 0.5
    if evidence is not None:
        trusted[evidence.same | evidence.moving | evidence.still] *= 0.5
    return np.asarray(trusted * came + (1 - trusted) * soften(cut), np.float32)
