"""``inpainted``, the default: removes the foreground from the background, and extends the
foreground's colors beyond its outline.

Neither style sees the other part, so there is no halo.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.extend_colors import extend_colors
from vst.imaging.optical_flow import MEDIUM, FlowEstimator, FlowSettings, Gray
from vst.masks.base import Alpha, Edge, MaskParts, blend, check_alpha, get_short_side
from vst.masks.motion import estimate_background_motion, scale_matrix, warp_affine

LOOKING = 192
"""Short side, in pixels, at which the background's motion is estimated."""
FILLING = 144
"""Short side, in pixels, at which a background that was never visible is inpainted."""
RADIUS = 4
"""Radius, in pixels at that size, from which the inpainting takes its colors."""
EDGE = 2
"""Pixels beside the mask's outline that mix both sides and count as neither."""
BRUSH = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
REACH = 0.1
"""How far the foreground's colors extend beyond it, as a share of the short side; at twice that
distance they have faded into the content.
"""
FRESH = 0.15
"""How fast an inpainted background follows its surroundings: weight of the newest inpainting."""

Part = npt.NDArray[np.bool_]


class InpaintedEdge(Edge):
    """Remembers the background: warps what was visible before the foreground hid it along the
    background's motion, and inpaints the rest (Telea, "An image inpainting technique based on the
    fast marching method", 2004).
    """

    def __init__(self) -> None:
        self._estimate_flow = FlowEstimator(FlowSettings(limit=LOOKING, finest=MEDIUM.finest))
        self.reset()

    def reset(self) -> None:
        self._gray: Gray | None = None
        self._hidden_small: Part | None = None
        self._background: Picture | None = None
        self._seen: Any = None

    def state(self) -> dict[str, Any]:
        known = {
            "gray": self._gray,
            "hidden": self._hidden_small,
            "background": self._background,
            "seen": self._seen,
        }
        return {name: np.copy(part) for name, part in known.items() if part is not None}

    def restore(self, state: dict[str, Any]) -> None:
        self._gray, self._hidden_small = state.get("gray"), state.get("hidden")
        # Older checkpoints name it "ground".
        self._background = state.get("background", state.get("ground"))
        self._seen = state.get("seen")

    def parts(self, content: Picture, alpha: Alpha) -> MaskParts:
        foreground = self.cut(content, alpha).foreground
        hidden = cv2.dilate(alpha, BRUSH) > 12
        return MaskParts(foreground, self._complete_background(content, hidden))

    def cut(self, content: Picture, alpha: Alpha) -> MaskParts:
        check_alpha(content, alpha)
        inside = cv2.erode(alpha, BRUSH) > 243
        return MaskParts(extend_foreground(content, inside), content)

    def join(
        self, parts: MaskParts, alpha: Alpha, foreground: Picture, background: Picture
    ) -> Picture:
        return blend(foreground, background, alpha)

    def _complete_background(self, content: Picture, hidden: Part) -> Picture:
        """Return the content with the foreground replaced by the background behind it."""
        earlier, seen = self._warp_remembered(content, hidden)
        made = inpaint_background(content, hidden)
        background = content.copy()
        if earlier is None:
            background[hidden] = made[hidden]
            seen = ~hidden
        else:
            steady = np.asarray(cv2.addWeighted(earlier, 1 - FRESH, made, FRESH, 0), np.uint8)
            never = hidden & ~seen
            # Pixels that entered at the frame's edge while hidden have not been inpainted yet.
            blank = never & (earlier.max(2) == 0)
            background[never] = steady[never]
            background[blank] = made[blank]
            known = hidden & seen
            background[known] = earlier[known]
            seen = seen | ~hidden
        self._background, self._seen = background, seen
        return background

    def _warp_remembered(self, content: Picture, hidden: Part) -> tuple[Picture | None, Part]:
        """Warp the remembered background to the camera's present position; also return where it was
        visible.
        """
        gray = self._estimate_flow.gray(content)
        rows, columns = gray.shape
        small = cv2.resize(hidden.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_AREA)
        before, hidden_before = self._gray, self._hidden_small
        self._gray, self._hidden_small = gray, small > 0
        if before is None or before.shape != gray.shape or self._background is None:
            return None, ~hidden
        if self._background.shape != content.shape:
            return None, ~hidden
        apart = (small > 0) | (hidden_before if hidden_before is not None else small > 0)
        apart = cv2.dilate(apart.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        motion = estimate_background_motion(self._estimate_flow(gray, before), apart)
        motion = scale_matrix(motion, content.shape[1] / columns)
        earlier = np.asarray(warp_affine(self._background, motion, cv2.INTER_CUBIC), np.uint8)
        # Nearest neighbor: interpolation would erode its border by a pixel each frame.
        seen = warp_affine(self._seen.astype(np.uint8), motion, cv2.INTER_NEAREST)
        return earlier, np.asarray(seen > 0)


def extend_foreground(content: Picture, inside: Part) -> Picture:
    """Extend the foreground's colors beyond its outline, as far as brush strokes reach.

    Farther away the content stays as filmed: an engine that normalizes by the whole picture would
    otherwise shift the foreground's colors.
    """
    if not inside.any():
        return content
    reach = max(8.0, REACH * get_short_side(inside))
    around = get_bounding_box(inside, round(2 * reach) + 1)
    own, known = content[around], inside[around]
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.asarray((2 - distance / reach).clip(0, 1), np.float32)
    foreground = content.copy()
    foreground[around] = cv2.blendLinear(extend_colors(own, known), own, share, 1 - share)
    return foreground


def get_bounding_box(part: Part, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a non-empty part, with a margin in pixels."""
    height, width = part.shape
    x, y, wide, high = cv2.boundingRect(part.astype(np.uint8))
    rows = slice(max(0, y - margin), min(height, y + high + margin))
    return rows, slice(max(0, x - margin), min(width, x + wide + margin))


def inpaint_background(content: Picture, hidden: Part) -> Picture:
    """Inpaint ``hidden`` at a reduced size."""
    if not hidden.any():
        return content
    height, width = hidden.shape
    scale = min(1.0, FILLING / get_short_side(hidden))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    known = (~hidden).astype(np.uint8)
    kept = cv2.bitwise_and(content, content, mask=known)
    sums = cv2.resize(kept, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = sums / np.maximum(weight, 1e-3)[..., None]
    # A pixel of which at least a quarter is known has a color of its own.
    hole = (weight < 0.25).astype(np.uint8)
    view = np.rint(small).clip(0, 255).astype(np.uint8)
    filled = cv2.inpaint(view, hole, RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
