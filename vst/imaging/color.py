"""Whose colours a painting has: its style's, the content's, or something between.

Pure functions on pictures (RGB uint8, height x width x 3). Keeping the content's colours by taking
only the painting's luminance, and matching the style picture's colours before it is embedded, are
the two ways of Gatys et al., "Preserving color in neural artistic style transfer" (2016).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.registry import unknown
from vst.core.types import Picture
from vst.errors import UsageError

COLOURS = {
    "style": "the painting's own",
    "content": "the content's: only the brightness is painted",
    "blend": "half-way between, and style pictures take the content's palette first",
}
"""Names of the ways -> what each does."""

SPACES: dict[str, tuple[int, int]] = {
    "ycrcb": (cv2.COLOR_RGB2YCrCb, cv2.COLOR_YCrCb2RGB),
    "lab": (cv2.COLOR_RGB2Lab, cv2.COLOR_Lab2RGB),
}
"""Colour spaces whose first channel is brightness -> OpenCV's codes there and back. YCrCb is the
video's own and twice as fast; Lab's brightness is nearer to the eye's.
"""

SHARE = {"style": 0.0, "content": 1.0, "blend": 0.5}
"""How much of the colour differences comes from the content."""

SAMPLE = 256
"""Longer side, in pixels, of the small picture whose colours are counted."""


def recoloured(way: str, content: Picture, painting: Picture, space: str = "lab") -> Picture:
    """The painting of a content of the same size in the colours of ``way`` (a name in `COLOURS`).

    ``space``: in which brightness and colour are told apart, a name in `SPACES`. ``style`` returns
    the painting itself.
    """
    if way not in COLOURS:
        raise unknown("colours", way, COLOURS)
    share = SHARE[way]
    return painting if share == 0 else luminance_only(content, painting, space, share)


def luminance_only(
    content: Picture, painting: Picture, space: str = "lab", share: float = 1.0
) -> Picture:
    """The painting's brightness with ``share`` (0..1) of the content's colour, the rest its own."""
    if space not in SPACES:
        raise unknown("colour space", space, SPACES)
    if content.shape != painting.shape:
        raise UsageError(
            f"a painting of {painting.shape} for a content of {content.shape}; "
            "bring both to one size first"
        )
    there, back = SPACES[space]
    painted: Any = cv2.cvtColor(painting, there)
    filmed: Any = cv2.cvtColor(content, there)
    if share < 1:
        mixed = cv2.addWeighted(filmed, share, painted, 1 - share, 0)
    else:
        mixed = filmed
    cv2.mixChannels([painted], [mixed], [0, 0])
    return np.asarray(cv2.cvtColor(mixed, back), np.uint8)


def prepared_style(way: str, style: Picture, content: Picture) -> Picture:
    """The style picture as it is to be embedded for ``way``: only ``blend`` changes it."""
    if way not in COLOURS:
        raise unknown("colours", way, COLOURS)
    return matched(style, content) if way == "blend" else style


def matched(style: Picture, content: Picture, space: str = "lab") -> Picture:
    """The style picture (any size) with the histograms of the content, channel by channel.

    Matched in Lab, so that a brightness is not turned into a hue.
    """
    if space not in SPACES:
        raise unknown("colour space", space, SPACES)
    there, back = SPACES[space]
    own: Any = cv2.cvtColor(style, there)
    wanted: Any = cv2.cvtColor(small(content), there)
    counted: Any = cv2.cvtColor(small(style), there)
    tables = [matching_table(counted[..., channel], wanted[..., channel]) for channel in range(3)]
    return np.asarray(cv2.cvtColor(cv2.LUT(own, np.stack(tables, -1)[None]), back), np.uint8)


def matching_table(own: npt.NDArray[np.uint8], wanted: npt.NDArray[np.uint8]) -> Any:
    """For each value 0..255 of one channel, the value that as large a part of ``wanted`` is below:
    (256,) uint8.
    """
    shares = []
    for channel in (own, wanted):
        counts = np.bincount(channel.ravel(), minlength=256).astype(np.float64)
        total = counts.sum()
        # To the middle of each value's own step, so that a picture matched to itself stays.
        shares.append((np.cumsum(counts) - counts / 2) / total)
    values = np.arange(256, dtype=np.float64)
    present = np.bincount(wanted.ravel(), minlength=256) > 0
    table = np.interp(shares[0], shares[1][present], values[present])
    return np.rint(table).clip(0, 255).astype(np.uint8)


def small(picture: Picture) -> Picture:
    """The picture at `SAMPLE` pixels at most; colours are picked, not averaged."""
    longer = max(picture.shape[:2])
    if longer <= SAMPLE:
        return picture
    size = [max(1, round(side * SAMPLE / longer)) for side in (picture.shape[1], picture.shape[0])]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
