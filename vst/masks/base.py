"""The interfaces of masks and their edges.

A mask locates the foreground; an edge splits a frame into the two pictures to paint and joins the
two paintings. To add one: a file in this folder with a class that derives from `Mask` or `Edge`,
and one line in the table of `vst.masks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.closable import Closable
from vst.core.types import Frame, Picture
from vst.errors import UsageError

Alpha = npt.NDArray[np.uint8]
"""Opacity of the foreground: (height, width), uint8, from 0 (background) to 255 (foreground); of
several regions (height, width, count).
"""

FOREGROUND, BACKGROUND = "foreground", "background"
"""The two parts of a masked picture."""

Paint = Callable[[Picture, str], Picture]
"""Paints a picture as `FOREGROUND` or as `BACKGROUND`, at the same size."""


class Mask(Closable, ABC):
    """Locates the foreground in each frame; ``warnings`` grows while it runs."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        """Yield each frame with its alpha, of the same size, in order; buffer few frames."""

    def close(self) -> None:
        """Close the file that the mask reads, if any."""


@dataclass(frozen=True)
class MaskParts:
    """The two pictures to paint, RGB uint8 of the content's size; ``extra`` is private to the
    edge.
    """

    foreground: Picture
    background: Picture
    extra: dict[str, Any] = field(default_factory=dict)


class Edge(ABC):
    """Splits a frame into foreground and background, and joins their paintings.

    Frames come in order; an edge may keep state between them, until `reset`.
    """

    @abstractmethod
    def parts(self, content: Picture, alpha: Alpha) -> MaskParts:
        """Return the pictures to paint as the foreground and as the background."""

    def cut(self, content: Picture, alpha: Alpha) -> MaskParts:
        """Return the picture to paint as one of several foregrounds; keeps no state."""
        return self.parts(content, alpha)

    @abstractmethod
    def join(
        self, parts: MaskParts, alpha: Alpha, foreground: Picture, background: Picture
    ) -> Picture:
        """Join the two paintings of ``parts`` into one picture."""

    def composite(self, content: Picture, alpha: Alpha, paint: Paint) -> Picture:
        """Split, paint and join one frame."""
        parts = self.parts(content, alpha)
        painted = (paint(parts.foreground, FOREGROUND), paint(parts.background, BACKGROUND))
        return self.join(parts, alpha, *painted)

    def reset(self) -> None:
        """Drop all state: the next frame starts another shot."""

    def state(self) -> dict[str, Any]:
        """Return the state of the shot, as arrays and numbers, for the next chunk."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""


def check_alpha(picture: Picture, alpha: Alpha) -> None:
    """Raise `UsageError` unless the mask is uint8 of the picture's size."""
    if alpha.shape != picture.shape[:2] or alpha.dtype != np.uint8:
        raise UsageError(
            f"mask: {alpha.dtype} of {alpha.shape} for a picture of {picture.shape[:2]}. "
            "Give uint8 of the picture's size"
        )


def blend(over: Picture, under: Picture, alpha: Alpha) -> Picture:
    """Return ``over`` where alpha is 255, ``under`` where it is 0, and a mix between."""
    share = alpha.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.blendLinear(over, under, share, 1 - share), np.uint8)


def get_short_side(picture: npt.NDArray[Any]) -> int:
    """Return the smaller of height and width, in pixels."""
    return int(min(picture.shape[:2]))
