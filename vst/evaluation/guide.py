"""What each figure means, when it is good, and what was measured on films.

A metric's own ``good`` and ``meaning`` win; this table serves the metrics whose good range depends
on the film.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guide:
    """``good`` and ``meaning``: words for the reader; ``measured``: least and most total of
    stabilized, and of unstabilized paintings.
    """

    good: str
    meaning: str
    measured: tuple[tuple[float, float], tuple[float, float]] | None = None


MEASURED_ON = (
    "Measured on: four paintings of three real clips (60 frames at "
    "256 pixels, built-in styles, default settings); in brackets the same without a stabilizer."
)
GUIDES = {
    "warp": Guide(
        "0.5 × unstabilized or less", "Flicker from one frame to the next, along the motion.",
        ((0.0001, 0.0033), (0.0004, 0.0074)),
    ),
    "warp-5": Guide(
        "0.7 × unstabilized or less", "The same over five frames: slow changes of the paint.",
        ((0.0005, 0.0094), (0.0008, 0.0147)),
    ),
    "warp-10": Guide(
        "0.8 × unstabilized or less", "The same over ten frames.",
        ((0.0008, 0.0155), (0.0010, 0.0206)),
    ),
    "structure": Guide("", "", ((0.936, 0.968), (1.0, 1.0))),
    "tile-drift": Guide("", "", ((0.87, 1.22), (0.0, 0.0))),
    "trail": Guide("", "", ((2.58, 5.27), (0.0, 0.0))),
    "style": Guide(
        "as unstabilized", "Distance from the style that was asked for: lower is nearer.",
        ((1.30, 6.04), (1.27, 6.07)),
    ),
    "sharpness": Guide(
        "0.9 to 1.05 × unstabilized", "Energy of the edges: a lower figure means a softer picture.",
        ((0.0026, 0.0098), (0.0027, 0.0104)),
    ),
    "content-ssim": Guide(
        "depends on the style", "How much of the content is left: strong styles keep less.",
        ((0.267, 0.701), (0.264, 0.697)),
    ),
    "adjacent-ssim": Guide(
        "above unstabilized", "How alike neighbors are; fast motion lowers it without any flicker.",
        ((0.596, 0.888), (0.570, 0.881)),
    ),
    "adjacent-ssim-100": Guide(
        "above unstabilized", "The same in the middle of the frame.",
        ((0.613, 0.892), (0.578, 0.885)),
    ),
    "variation": Guide(
        "as unstabilized", "Amount of texture in the picture.", ((0.110, 0.269), (0.110, 0.277)),
    ),
}  # fmt: skip
"""Measure -> its guide."""


def format_measured(name: str) -> str:
    """Format what was measured for a figure, as in ``0.0001–0.0033 (0.0004–0.0074)``."""
    guide = GUIDES.get(name)
    if guide is None or guide.measured is None:
        return "–"
    (low, high), (raw_low, raw_high) = guide.measured
    return f"{low:g}–{high:g} ({raw_low:g}–{raw_high:g})"
