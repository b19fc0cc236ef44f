"""What a keyframe picker promises: some pictures of a style video, in order of time.

To add one: a file in this folder with a class that derives from `Picker`, and one line in the table
of `vst.keyframes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Protocol

from vst.frames import Frame, VideoInfo


class Film(Protocol):
    """What a picker sees of the style video (every source is one)."""

    info: VideoInfo

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]: ...


class Picker(ABC):
    """Chooses the times; the caller takes the pictures that are shown at them."""

    @abstractmethod
    def times(self, film: Film, count: int) -> list[float]:
        """At most ``count`` times in seconds, rising; fewer where the video has fewer frames."""
