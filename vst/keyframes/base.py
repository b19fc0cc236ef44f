"""The interface of keyframe pickers: they choose frames of a style video, in order of time.

To add one: a file in this folder with a class that derives from `Picker`, and one line in the table
of `vst.keyframes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vst.core.types import Embedding, Picture
from vst.errors import UsageError
from vst.video.sources.base import FrameReader

Embed = Callable[[Picture], Embedding]
"""Computes the embedding, float32 (dim,), of an RGB uint8 picture of any size."""


@dataclass(frozen=True)
class KeyframeSelection:
    """Keyframe times in seconds, rising, and notes for the user, one line each."""

    times: tuple[float, ...]
    notes: tuple[str, ...] = ()


class Picker(ABC):
    """Chooses the times; the caller reads the pictures shown at them.

    ``at``: times in seconds that the user names; only for a picker with `takes_times`.
    """

    takes_times = False

    def __init__(self, at: Sequence[float] = ()) -> None:
        if at and not self.takes_times:
            raise UsageError(
                f"at {at[0]:g} names a frame: only picker 'manual' takes times. Set "
                "picker='manual', or give no times"
            )
        self.at = tuple(sorted(set(at)))

    @abstractmethod
    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        """Choose at most ``count`` times; fewer where the video has fewer usable frames.

        ``embed``: computes the embeddings by which some pickers compare styles; None: they compare
        colors and texture.
        """
