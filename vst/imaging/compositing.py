"""Combines a painting with its content: at the content's size, faded by a low strength."""

from __future__ import annotations

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.resize import resize


def compute_painting_share(painted: float, fades_below: float) -> float:
    """Compute the share of the painting in the output, 0..1, for a mix with ``painted`` of style.

    From ``fades_below`` on the painting alone is shown. Below it the share falls linearly to 0,
    the content itself, so that the output does not jump.
    """
    return min(1.0, painted / fades_below) if fades_below > 0 else 1.0


def fade_to_content(content: Picture, painting: Picture, share: float) -> Picture:
    """Resize ``painting`` to the size of ``content`` and cross-fade: ``share`` 1 is the painting, 0
    the content.
    """
    if share <= 0:
        return content
    whole = resize(painting, content.shape[1], content.shape[0])
    if share >= 1:
        return whole
    return np.asarray(cv2.addWeighted(whole, share, content, 1 - share, 0), np.uint8)
