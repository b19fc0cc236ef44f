"""The last touch on a painted frame: back to the content's size, and the cross-fade of a weak
strength.
"""

from __future__ import annotations

import cv2
import numpy as np

from vst.core.types import Picture


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """The picture at another size: means of areas when it shrinks, cubic when it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    grows = width * height > picture.shape[0] * picture.shape[1]
    return np.asarray(
        cv2.resize(
            picture, (width, height), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA
        ),
        np.uint8,
    )


def painted_share(painted: float, fades_below: float) -> float:
    """How much of the picture is the painting, 0..1, for a mix that is ``painted`` (0..1) of the
    way to its style.

    Above ``fades_below`` the painting alone is shown; below, it fades to the content in proportion,
    so that the curve has no jump and 0 is the content itself.
    """
    return min(1.0, painted / fades_below) if fades_below > 0 else 1.0


def finish(content: Picture, painting: Picture, share: float) -> Picture:
    """Bring ``painting`` to the size of ``content`` and cross-fade: ``share`` 1 is the painting, 0
    the content.
    """
    if share <= 0:
        return content
    whole = scaled(painting, content.shape[1], content.shape[0])
    if share >= 1:
        return whole
    return np.asarray(cv2.addWeighted(whole, share, content, 1 - share, 0), np.uint8)
