"""Note where a mask is probably wrong, and say so once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.timecode import format_time

LARGE = 0.6
"""Share of the picture from which a foreground seems to be background."""
CORNERS = 0.35
"""Share from which it does if it fills two corners at the top as well."""
NAMED = 3
"""Spans of time that one warning names."""


class Doubts:
    """Collects the frames without a foreground, and those whose foreground is unlikely one.

    ``what``: is looked for; ``doubts_large``: whether it is unlikely to fill most of the picture.
    """

    def __init__(self, what: str = "foreground", doubts_large: bool = True) -> None:
        self._what, self._doubts_large = what, doubts_large
        self._missing: list[list[float | None]] = []
        self._large: list[list[float | None]] = []
        self._shares: list[float] = []
        self._frames = self._without = 0

    def record(self, time: float, share: npt.NDArray[np.float32] | None) -> None:
        """Record one frame's mask, 0..1; None: no foreground was found."""
        self._frames += 1
        self._without += share is None
        _extend(self._missing, time, share is None)
        doubtful = self._doubts_large and share is not None and seems_background(share)
        _extend(self._large, time, doubtful)
        if doubtful and share is not None:
            self._shares.append(float(share.mean()))

    def format_warnings(self, other: str) -> list[str]:
        """Return a line for each kind of doubt; none where there is no doubt. ``other``: what to
        try instead.
        """
        found = []
        if self._missing:
            found.append(
                f"mask: no {self._what} was found in {self._without} of {self._frames} frames "
                f"({_format_spans(self._missing)}), so nothing is masked there. "
                f"Give {other}, or a mask file"
            )
        if self._shares:
            found.append(
                f"mask: what was found in {len(self._shares)} of {self._frames} frames "
                f"({_format_spans(self._large)}) covers {np.mean(self._shares):.0%} of the picture "
                "and seems to be background. Look at it with `vst preview --mask auto`; give "
                f"{other}, or a mask file"
            )
        return found


def seems_background(share: npt.NDArray[np.float32]) -> bool:
    """Return whether a foreground is so large, or so placed, that it is probably background."""
    size = float(share.mean())
    height, width = share.shape
    part = max(1, round(0.06 * min(height, width)))
    top = [share[:part, :part], share[:part, -part:]]
    return size > LARGE or (size > CORNERS and all(float(one.mean()) > 0.5 for one in top))


def _extend(spans: list[list[float | None]], time: float, holds: bool) -> None:
    """Open a span where ``holds`` becomes true, and close it at ``time`` where it ends."""
    is_open = bool(spans) and spans[-1][1] is None
    if holds and not is_open:
        spans.append([time, None])
    elif is_open and not holds:
        spans[-1][1] = time


def _format_spans(spans: list[list[float | None]]) -> str:
    parts = [_format_span(*span) for span in spans[:NAMED]]
    if len(spans) > NAMED:
        parts.append(f"{len(spans) - NAMED} more times")
    return ", ".join(parts)


def _format_span(start: Any, end: Any) -> str:
    until = f"to {format_time(end)}" if end is not None else "to the end"
    return f"from {format_time(start)} {until}"
