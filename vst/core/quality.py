"""One word for how good the picture is to be, and what it sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """``size``: short side to paint at, pixels (None: as without the word); ``steadiness``: 0..1;
    ``preset``: x264's. None of them replaces what the user gives.
    """

    size: int | None
    steadiness: float
    preset: str


NORMAL = "normal"
QUALITIES = {
    "draft": Quality(256, 0.25, "ultrafast"),
    NORMAL: Quality(None, 0.5, "veryfast"),
    # Not a larger size, nor the painter `fine`: both are another look.
    "best": Quality(None, 1.0, "medium"),
}
"""Word -> what it sets."""
