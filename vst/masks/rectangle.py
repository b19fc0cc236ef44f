"""Rectangles around a foreground, as users write them."""

from __future__ import annotations

from collections.abc import Sequence

from vst.errors import UsageError

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height, each 0..1 of the picture."""


def parse_rectangle(text: str, example: str) -> list[float]:
    """Parse "0.3,0.1,0.4,0.8"; ``example``: what an error says to give. Raises `UsageError`."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"mask rectangle {text!r} is not a list of numbers. "
            f"Give left, top, width and height as shares of the picture: {example}"
        ) from None


def check_rectangle(rectangle: Sequence[float]) -> Rectangle:
    """Return left, top, width and height; raise `UsageError` outside the picture (0..1)."""
    values = [float(value) for value in rectangle]
    fits = len(values) == 4 and all(0 <= value <= 1 for value in values)
    if fits:
        x, y, wide, high = values
        if wide > 0 and high > 0 and x + wide <= 1 + 1e-6 and y + high <= 1 + 1e-6:
            return x, y, wide, high
    raise UsageError(
        f"mask rectangle {', '.join(f'{value:g}' for value in values)}: it must lie within the "
        "picture. Give left, top, width and height as shares of its size: 0.3,0.1,0.4,0.8"
    )
