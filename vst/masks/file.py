"""``file``: the mask is a picture, a video or a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from vst.core.timecode import format_time
from vst.core.types import Frame, Picture
from vst.imaging.exr_file import decode_mask
from vst.masks.base import Alpha, Mask
from vst.video.sources.base import FrameReader


class FileMask(Mask):
    """Reads the mask from a source: white is the foreground, black the background; ``inverted``
    swaps them.

    Each frame gets the mask shown at its time; one picture is the mask of all frames. Masks are
    resized to the content's size.
    """

    def __init__(self, source: FrameReader, inverted: bool = False) -> None:
        super().__init__()
        self.source = source
        self.inverted = inverted

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        masks = self.source.frames()
        shown = next(masks, None)
        following = next(masks, None)
        many = following is not None
        step = 1 / float(self.source.info.rate)
        said = False
        made: tuple[int, Alpha] | None = None
        for frame in frames:
            while following is not None and following.time <= frame.time + 1e-6:
                shown, following = following, next(masks, None)
            if shown is None:
                yield frame, np.zeros(frame.picture.shape[:2], np.uint8)
                continue
            if many and following is None and frame.time > shown.time + 1.5 * step and not said:
                said = True
                self.warnings.append(
                    f"mask: {self.source.info.path.name} ends at {format_time(shown.time + step)}; "
                    "its last picture is the mask of all later frames"
                )
            if made is None or made[0] != shown.index or made[1].shape != frame.picture.shape[:2]:
                made = shown.index, self.convert(shown.picture, frame.picture)
            yield frame, made[1]
        if shown is None:
            self.warnings.append(f"mask: {self.source.info.path.name} has no readable picture")

    def convert(self, mask: Picture, picture: Picture) -> Alpha:
        """Convert a picture of the mask to an alpha of the size of ``picture``."""
        if self.source.info.codec == "exr":  # which holds the mask's values, not light
            mask = decode_mask(mask)
        return convert_to_alpha(mask, picture, self.inverted)

    def close(self) -> None:
        close = getattr(self.source, "close", None)
        if close is not None:
            close()


def convert_to_alpha(mask: Picture, picture: Picture, inverted: bool) -> Alpha:
    """Convert a mask's brightness to an alpha of the size of ``picture``."""
    gray: Any = cv2.cvtColor(mask, cv2.COLOR_RGB2GRAY)
    alpha: Any = resize_alpha(gray, picture)
    # Stretch the levels: an encoder turns pure black and white into nearly black and white.
    levels = (np.arange(256, dtype=np.float32) - 8) * (255 / 239)
    alpha = cv2.LUT(alpha, np.rint(levels.clip(0, 255)).astype(np.uint8))
    return np.asarray(255 - alpha if inverted else alpha, np.uint8)


def resize_alpha(alpha: Alpha, picture: Picture) -> Alpha:
    """Bring an alpha to the size of ``picture``."""
    height, width = picture.shape[:2]
    if alpha.shape == (height, width):
        return alpha
    way = cv2.INTER_AREA if width * height < alpha.size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(alpha, (width, height), interpolation=way), np.uint8)
