"""``file``: a mask that the user has: one picture, or a video or folder of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from vst.core.timecode import format_time
from vst.core.types import Frame, Picture
from vst.masks.base import Alpha, Film, Mask


class FileMask(Mask):
    """White is the figure, black the ground; ``inverted`` the other way round.

    ``film`` is the opened file: of a video or folder, each frame gets the mask that is shown at its
    time; one picture is the mask of all frames. Masks are brought to the content's size.
    """

    def __init__(self, film: Film, inverted: bool = False) -> None:
        super().__init__()
        self.film = film
        self.inverted = inverted

    def over(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        masks = self.film.frames()
        shown = next(masks, None)
        following = next(masks, None)
        many = following is not None
        step = 1 / float(self.film.info.rate)
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
                    f"mask: {self.film.info.path.name} ends at {format_time(shown.time + step)}; "
                    "its last picture is the mask of all frames after that"
                )
            if made is None or made[0] != shown.index or made[1].shape != frame.picture.shape[:2]:
                made = shown.index, alpha_of(shown.picture, frame.picture, self.inverted)
            yield frame, made[1]
        if shown is None:
            self.warnings.append(
                f"mask: {self.film.info.path.name} has no picture that can be read"
            )

    def close(self) -> None:
        close = getattr(self.film, "close", None)
        if close is not None:
            close()


def alpha_of(mask: Picture, picture: Picture, inverted: bool) -> Alpha:
    """A mask's brightness at the size of ``picture``."""
    height, width = picture.shape[:2]
    alpha: Any = cv2.cvtColor(mask, cv2.COLOR_RGB2GRAY)
    if alpha.shape != (height, width):
        smaller = width * height < alpha.size
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        alpha = cv2.resize(alpha, (width, height), interpolation=way)
    # What an encoder leaves of black and white is black and white again.
    levels = (np.arange(256, dtype=np.float32) - 8) * (255 / 239)
    alpha = cv2.LUT(alpha, np.rint(levels.clip(0, 255)).astype(np.uint8))
    return np.asarray(255 - alpha if inverted else alpha, np.uint8)
