"""What each figure means, when it is good, and what was measured on each kind of film.

A metric's own ``good`` and ``meaning`` win; this table serves the metrics whose good range depends
on the film.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

TO = "\u2060–\u2060"
"""A dash at which a line is not broken."""
RANGES = Path(__file__).parent.parent / "data" / "evaluation_ranges.json"
"""Least and most total of each measure by kind of film; `bench/evaluation_ranges.py` writes it."""


@dataclass(frozen=True)
class Guide:
    """``good`` and ``meaning``: words for the reader."""

    good: str
    meaning: str


GUIDES = {
    "warp": Guide(
        "0.5 × unstabilized or less", "Flicker from one frame to the next, along the motion."
    ),
    "warp-5": Guide(
        "0.7 × unstabilized or less", "The same over five frames: slow changes of the paint."
    ),
    "warp-10": Guide("0.8 × unstabilized or less", "The same over ten frames."),
    "style": Guide(
        "as unstabilized", "Distance from the style that was asked for: lower is nearer."
    ),
    "sharpness": Guide(
        "0.9 to 1.05 × unstabilized", "Energy of the edges: a lower figure means a softer picture."
    ),
    "content-ssim": Guide(
        "depends on the style", "How much of the content is left: strong styles keep less."
    ),
    "adjacent-ssim": Guide(
        "above unstabilized", "How alike neighbors are; fast motion lowers it without any flicker."
    ),
    "adjacent-ssim-100": Guide("above unstabilized", "The same in the middle of the frame."),
    "variation": Guide("as unstabilized", "Amount of texture in the picture."),
}
"""Measure -> its guide."""


@lru_cache(maxsize=1)
def read_ranges() -> dict[str, Any]:
    """Read what was measured."""
    found: dict[str, Any] = json.loads(RANGES.read_text(encoding="utf-8"))
    return found


def list_kinds() -> list[str]:
    """List the kinds of film that were measured."""
    return list(read_ranges()["kinds"])


def describe_measured() -> str:
    """Describe in one sentence how the ranges were measured."""
    found = read_ranges()
    clips = sum(kind["clips"] for kind in found["kinds"].values())
    return (
        f"Measured on {clips} real clips ({found['seconds']:g} s at {found['side']} pixels, "
        f"{len(found['styles'])} styles, default settings), by kind of film; in brackets the same "
        "without a stabilizer. Compare with the kind that is most like yours."
    )


def format_measured(name: str, kind: str) -> str:
    """Format what was measured for a figure, as in ``0.0017–0.0029 (0.0058–0.0076)``; in
    brackets without a stabilizer."""
    found = read_ranges()["kinds"][kind]["ranges"].get(name)
    if found is None:
        return "–"
    steady, raw = (f"{low:.2g}{TO}{high:.2g}" for low, high in found)
    # Some compare with the unstabilized painting, which is then the reference itself.
    return steady if found[1] in ([0.0, 0.0], [1.0, 1.0]) else f"{steady} ({raw})"
