"""What masks and their edges promise.

A mask says where the figure is; an edge makes the two pictures that are painted, and one of the two
paintings. To add one: a file in this folder with a class that derives from `Mask` or `Edge`, and
one line in the table of `vst.masks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError

Alpha = npt.NDArray[np.uint8]
"""How much of each pixel is the figure: (height, width), uint8, 0 the ground to 255 the figure."""

FIGURE, GROUND = "figure", "ground"
"""The two parts of a masked picture."""

Paint = Callable[[Picture, str], Picture]
"""Paints a picture as `FIGURE` or as `GROUND`; the same size comes back."""


class Film(Protocol):
    """What a mask is read from (every source is one)."""

    info: VideoInfo

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]: ...


class Mask(ABC):
    """Where the figure is in each frame. ``warnings`` grows while it runs."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def over(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        """Each frame with its alpha, of the frame's size, in order; few frames are held."""

    def close(self) -> None:
        """Let go of a file that it reads."""


@dataclass(frozen=True)
class Parts:
    """The two pictures to be painted, both of the content's size, RGB uint8; ``about`` is the
    edge's own.
    """

    figure: Picture
    ground: Picture
    about: dict[str, Any] = field(default_factory=dict)


class Edge(ABC):
    """How figure and ground are parted before they are painted, and joined afterwards.

    Frames come in order; an edge may remember what it saw, until `reset`.
    """

    @abstractmethod
    def parts(self, content: Picture, alpha: Alpha) -> Parts:
        """What to paint as the figure, and what as the ground."""

    @abstractmethod
    def join(self, parts: Parts, alpha: Alpha, figure: Picture, ground: Picture) -> Picture:
        """One picture of the two paintings of ``parts``."""

    def composite(self, content: Picture, alpha: Alpha, paint: Paint) -> Picture:
        """Part, paint and join one frame."""
        parts = self.parts(content, alpha)
        painted = (paint(parts.figure, FIGURE), paint(parts.ground, GROUND))
        return self.join(parts, alpha, *painted)

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""

    def state(self) -> dict[str, Any]:
        """What it remembers of the scene, as plain arrays and numbers, to be carried over the end
        of a chunk.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""


def check_alpha(picture: Picture, alpha: Alpha) -> None:
    """Refuse a mask of another size than its picture."""
    if alpha.shape != picture.shape[:2] or alpha.dtype != np.uint8:
        raise UsageError(
            f"a mask of {alpha.shape} {alpha.dtype} for a picture of {picture.shape[:2]}; "
            "give uint8 of the picture's size"
        )


def layered(over: Picture, under: Picture, alpha: Alpha) -> Picture:
    """``over`` where alpha is 255, ``under`` where it is 0, mixed between."""
    share = alpha.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.blendLinear(over, under, share, 1 - share), np.uint8)


def short_side(picture: npt.NDArray[Any]) -> int:
    """The smaller of height and width, in pixels."""
    return int(min(picture.shape[:2]))
