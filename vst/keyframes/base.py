"""What a keyframe picker promises: some pictures of a style video, in order of time.

To add one: a file in this folder with a class that derives from `Picker`, and one line in the table
of `vst.keyframes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from vst.core.types import Embedding, Frame, Picture, VideoInfo
from vst.errors import UsageError

Embed = Callable[[Picture], Embedding]
"""The style of one RGB uint8 picture of any size as numbers, float32 (dim,)."""


class Film(Protocol):
    """What a picker sees of the style video (every source is one)."""

    info: VideoInfo

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]: ...


@dataclass(frozen=True)
class Picked:
    """Times in seconds, rising, and a line on each thing that the user should know of them."""

    times: tuple[float, ...]
    notes: tuple[str, ...] = ()


class Picker(ABC):
    """Chooses the times; the caller takes the pictures that are shown at them.

    ``at``: times in seconds that the user names; only a picker that `takes_times` is given some.
    """

    takes_times = False

    def __init__(self, at: Sequence[float] = ()) -> None:
        if at and not self.takes_times:
            raise UsageError("times were given, but only picker 'manual' takes them; leave at out")
        self.at = tuple(sorted(set(at)))

    @abstractmethod
    def pick(self, film: Film, count: int, embed: Embed | None = None) -> Picked:
        """At most ``count`` times; fewer where the film has fewer frames that are worth it.

        ``embed``: how styles are told apart, for the pickers that compare them; None: by colours
        and texture.
        """
