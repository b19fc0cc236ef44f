"""Whose colors a painting has: its style's, the content's, or a mix of both.

Pure functions on pictures (RGB uint8, height x width x 3). Keeping the content's colors by taking
only the painting's luminance, and matching the style picture's colors before it is embedded, are
the two methods of Gatys et al., "Preserving color in neural artistic style transfer" (2016).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.registry import make_unknown_error
from vst.core.types import Picture
from vst.errors import UsageError
from vst.imaging.palette import recolor_by_palette

COLORS = {
    "style": "the painting's own",
    "content": "the content's: only the brightness is painted",
    "blend": "half-way between, and style pictures take the content's palette first",
    "only": "the painting's, without its strokes: the content in the painting's palette",
}
"""Name of a color mode -> its description."""
ONLY = "only"

COLOR_SPACES: dict[str, tuple[int, int]] = {
    "ycrcb": (cv2.COLOR_RGB2YCrCb, cv2.COLOR_YCrCb2RGB),
    "lab": (cv2.COLOR_RGB2Lab, cv2.COLOR_Lab2RGB),
}
"""Color spaces whose first channel is brightness -> OpenCV's codes from and to RGB. Video uses
YCrCb, which is also twice as fast; the brightness of Lab is closer to perception.
"""

CONTENT_SHARES = {"style": 0.0, "content": 1.0, "blend": 0.5, "only": 0.0}
"""Color mode -> the share of the content in the two color channels."""

HISTOGRAM_SIDE = 256
"""Longer side, in pixels, of the small picture whose colors are counted."""


def recolor_painting(mode: str, content: Picture, painting: Picture, space: str = "lab") -> Picture:
    """Return the painting in the colors of ``mode`` (a name in `COLORS`); both are of one size.

    ``space``: a name in `COLOR_SPACES`. The mode ``style`` returns the painting itself.
    """
    if mode not in COLORS:
        raise make_unknown_error("colors", mode, COLORS)
    if mode == ONLY:
        return recolor_by_palette(content, painting)
    share = CONTENT_SHARES[mode]
    return painting if share == 0 else mix_content_color(content, painting, space, share)


def mix_content_color(
    content: Picture, painting: Picture, space: str = "lab", share: float = 1.0
) -> Picture:
    """Keep the painting's brightness, and mix ``share`` (0..1) of the content into its color."""
    if space not in COLOR_SPACES:
        raise make_unknown_error("color space", space, COLOR_SPACES)
    if content.shape != painting.shape:
        raise UsageError(
            f"a painting of {painting.shape} for a content of {content.shape}. Resize one of them"
        )
    from_rgb, to_rgb = COLOR_SPACES[space]
    painted: Any = cv2.cvtColor(painting, from_rgb)
    filmed: Any = cv2.cvtColor(content, from_rgb)
    if share < 1:
        mixed = cv2.addWeighted(filmed, share, painted, 1 - share, 0)
    else:
        mixed = filmed
    cv2.mixChannels([painted], [mixed], [0, 0])
    return np.asarray(cv2.cvtColor(mixed, to_rgb), np.uint8)


def prepare_style(mode: str, style: Picture, content: Picture) -> Picture:
    """Return the style picture to embed for a color mode: ``blend`` gives it the content's colors,
    the others leave it unchanged.
    """
    if mode not in COLORS:
        raise make_unknown_error("colors", mode, COLORS)
    return match_histograms(style, content) if mode == "blend" else style


def match_histograms(style: Picture, content: Picture, space: str = "lab") -> Picture:
    """Give the style picture the content's histogram, channel by channel; sizes may differ.

    The default is Lab because matching RGB channels would turn brightness into hue.
    """
    if space not in COLOR_SPACES:
        raise make_unknown_error("color space", space, COLOR_SPACES)
    from_rgb, to_rgb = COLOR_SPACES[space]
    source: Any = cv2.cvtColor(style, from_rgb)
    target: Any = cv2.cvtColor(_shrink_for_histogram(content), from_rgb)
    counted: Any = cv2.cvtColor(_shrink_for_histogram(style), from_rgb)
    tables = [build_matching_table(counted[..., i], target[..., i]) for i in range(3)]
    return np.asarray(cv2.cvtColor(cv2.LUT(source, np.stack(tables, -1)[None]), to_rgb), np.uint8)


def build_matching_table(source: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8]) -> Any:
    """Build the table, (256,) uint8, that maps each value of one channel of ``source`` to the value
    of ``target`` with the same rank.
    """
    ranks = []
    for channel in (source, target):
        counts = np.bincount(channel.ravel(), minlength=256).astype(np.float64)
        total = counts.sum()
        # To the middle of each value's step, so that a picture matched to itself is unchanged.
        ranks.append((np.cumsum(counts) - counts / 2) / total)
    values = np.arange(256, dtype=np.float64)
    present = np.bincount(target.ravel(), minlength=256) > 0
    table = np.interp(ranks[0], ranks[1][present], values[present])
    return np.rint(table).clip(0, 255).astype(np.uint8)


def _shrink_for_histogram(picture: Picture) -> Picture:
    """Shrink to `HISTOGRAM_SIDE` by picking pixels: averaging would invent colors."""
    longer = max(picture.shape[:2])
    if longer <= HISTOGRAM_SIDE:
        return picture
    height, width = (max(1, round(side * HISTOGRAM_SIDE / longer)) for side in picture.shape[:2])
    picked = cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(picked, np.uint8)
