"""One word for how good the picture is to be, and what it sets."""

from __future__ import annotations

from dataclasses import dataclass

from vst.core.data_folder import FINE


@dataclass(frozen=True)
class Quality:
    """``size``: short side to paint at, pixels (None: as without the word); ``steadiness``: 0..1;
    ``preset``: x264's; ``painter``: of engine ``embedded``. None of them replaces what the user
    gives.
    """

    size: int | None
    steadiness: float
    preset: str
    painter: str | None = None


NORMAL = "normal"
QUALITIES = {
    "draft": Quality(256, 0.25, "ultrafast"),
    NORMAL: Quality(None, 0.5, "veryfast"),
    # Not a larger size: strokes would be finer, which is another look.
    "best": Quality(None, 1.0, "medium", FINE),
}
"""Word -> what it sets."""
