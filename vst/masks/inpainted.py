"""``inpainted``, the default: the ground is painted as if the figure were not there, and the figure
as if it went on; neither style ever sees the other's side, so there is no halo.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import MEDIUM, FlowEstimator, FlowSettings, Gray
from vst.masks.base import Alpha, Edge, Parts, check_alpha, layered, short_side
from vst.masks.motion import carried, ground_motion, scaled_matrix

LOOKING = 192
"""Short side, in pixels, at which the ground's motion is looked for."""
FILLING = 144
"""Short side, in pixels, at which a ground that was never seen is made up."""
RADIUS = 4
"""Pixels, at that size, from which the inpainting takes its colours."""
EDGE = 2
"""Pixels beside the mask's outline that are a mixture of both sides, and taken for neither."""
REACH = 0.1
"""How far the figure's colours go on around it, of the picture's short side; in twice that they
have faded into the content.
"""
FRESH = 0.15
"""How fast a ground that is made up follows what lies around it."""

Part = npt.NDArray[np.bool_]


class InpaintedEdge(Edge):
    """Remembers the ground: what was seen of it before the figure hid it comes along with the
    ground's motion, the rest is made up (Telea, "An image inpainting technique based on the fast
    marching method", 2004) and kept.
    """

    def __init__(self) -> None:
        self._look = FlowEstimator(FlowSettings(limit=LOOKING, finest=MEDIUM.finest))
        self.reset()

    def reset(self) -> None:
        self._gray: Gray | None = None
        self._hidden_small: Part | None = None
        self._ground: Picture | None = None
        self._seen: Any = None

    def state(self) -> dict[str, Any]:
        known = {
            "gray": self._gray,
            "hidden": self._hidden_small,
            "ground": self._ground,
            "seen": self._seen,
        }
        return {name: np.copy(part) for name, part in known.items() if part is not None}

    def restore(self, state: dict[str, Any]) -> None:
        self._gray, self._hidden_small = state.get("gray"), state.get("hidden")
        self._ground, self._seen = state.get("ground"), state.get("seen")

    def parts(self, content: Picture, alpha: Alpha) -> Parts:
        check_alpha(content, alpha)
        brush = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
        hidden = cv2.dilate(alpha, brush) > 12
        inside = cv2.erode(alpha, brush) > 243
        ground = self._whole_ground(content, hidden)
        return Parts(gone_on(content, inside), ground)

    def join(self, parts: Parts, alpha: Alpha, figure: Picture, ground: Picture) -> Picture:
        return layered(figure, ground, alpha)

    def _whole_ground(self, content: Picture, hidden: Part) -> Picture:
        """The content with what it hides of the ground put in its place."""
        earlier, seen = self._earlier(content, hidden)
        made = made_up(content, hidden)
        ground = content.copy()
        if earlier is None:
            ground[hidden] = made[hidden]
            seen = ~hidden
        else:
            steady = np.asarray(cv2.addWeighted(earlier, 1 - FRESH, made, FRESH, 0), np.uint8)
            never = hidden & ~seen
            # What came in over the frame's edge, hidden from the start, was not even made up yet.
            blank = never & (earlier.max(2) == 0)
            ground[never] = steady[never]
            ground[blank] = made[blank]
            known = hidden & seen
            ground[known] = earlier[known]
            seen = seen | ~hidden
        self._ground, self._seen = ground, seen
        return ground

    def _earlier(self, content: Picture, hidden: Part) -> tuple[Picture | None, Part]:
        """The remembered ground where the camera has it now, and where it was truly seen."""
        gray = self._look.gray(content)
        rows, columns = gray.shape
        small = cv2.resize(hidden.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_AREA)
        before, hidden_before = self._gray, self._hidden_small
        self._gray, self._hidden_small = gray, small > 0
        if before is None or before.shape != gray.shape or self._ground is None:
            return None, ~hidden
        if self._ground.shape != content.shape:
            return None, ~hidden
        apart = (small > 0) | (hidden_before if hidden_before is not None else small > 0)
        apart = cv2.dilate(apart.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        motion = ground_motion(self._look(gray, before), apart)
        motion = scaled_matrix(motion, content.shape[1] / columns)
        earlier = np.asarray(carried(self._ground, motion, cv2.INTER_CUBIC), np.uint8)
        # By the nearest pixel: else its border would lose a pixel in each frame.
        seen = carried(self._seen.astype(np.uint8), motion, cv2.INTER_NEAREST)
        return earlier, np.asarray(seen > 0)


def gone_on(content: Picture, inside: Part) -> Picture:
    """The content with the figure's colours going on around it, as far as strokes reach.

    Farther away the content is as it was filmed: a painter that normalises by the whole picture
    would else paint a figure among its own colours in others.
    """
    if not inside.any():
        return content
    reach = max(8.0, REACH * short_side(inside))
    around = box(inside, round(2 * reach) + 1)
    own, known = content[around], inside[around]
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.asarray((2 - distance / reach).clip(0, 1), np.float32)
    figure = content.copy()
    figure[around] = cv2.blendLinear(spread(own, known), own, share, 1 - share)
    return figure


def box(part: Part, margin: int) -> tuple[slice, slice]:
    """Rows and columns of a part that is not empty, with so many pixels around it."""
    height, width = part.shape
    x, y, wide, high = cv2.boundingRect(part.astype(np.uint8))
    rows = slice(max(0, y - margin), min(height, y + high + margin))
    return rows, slice(max(0, x - margin), min(width, x + wide + margin))


def made_up(content: Picture, hidden: Part) -> Picture:
    """The content with ``hidden`` inpainted at a reduced size."""
    if not hidden.any():
        return content
    height, width = hidden.shape
    scale = min(1.0, FILLING / short_side(hidden))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    known = (~hidden).astype(np.uint8)
    kept = cv2.bitwise_and(content, content, mask=known)
    sums = cv2.resize(kept, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = sums / np.maximum(weight, 1e-3)[..., None]
    # A pixel of which a quarter is known has a colour of its own.
    hole = (weight < 0.25).astype(np.uint8)
    view = np.rint(small).clip(0, 255).astype(np.uint8)
    filled = cv2.inpaint(view, hole, RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def spread(content: Picture, known: Part) -> Picture:
    """The content where it is ``known``, and beyond it the colours of its edge, softer the farther.

    A pyramid: each level's holes are filled from the next smaller one (Gortler et al., "The
    Lumigraph", 1996: push and pull).
    """
    weight = known.astype(np.float32)
    filled = _filled(content.astype(np.float32) * weight[..., None], weight)
    result = content.copy()
    result[~known] = np.rint(filled[~known]).clip(0, 255)
    return result


def _filled(sums: Any, weight: Any) -> Any:
    """Colours of sums / weight, where the weight is none those of a level half the size."""
    height, width = weight.shape
    if min(height, width) > 1 and float(weight.min()) < 1:
        size = (-(-width // 2), -(-height // 2))
        smaller = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (sums, weight)]
        # Half a pixel that is known tells as much of the level below as a whole one.
        share = np.minimum(1.0, smaller[1] * 2) / np.maximum(smaller[1], 1e-6)
        below = _filled(smaller[0] * share[..., None], smaller[1] * share)
        below = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        below = sums / np.maximum(weight, 1e-6)[..., None]
    return sums + (1 - weight)[..., None] * below
