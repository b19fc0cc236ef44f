"""Draw heat tables of pairwise distances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import (
    DARK,
    LIGHT,
    Color,
    Theme,
    make_canvas,
    measure_text,
    shorten,
    write_text,
)
from vst.plotting.sheets import crop_to_fill

NEAR: Color = (248, 232, 190)
MIDDLE: Color = (222, 120, 60)
FAR: Color = (88, 24, 92)
MARGIN = 28


def draw_heat_table(
    values: npt.ArrayLike,
    labels: Sequence[str],
    *,
    heads: Sequence[Picture] | None = None,
    title: str = "",
    width: int = 1280,
    largest: int = 84,
    dark: bool = False,
) -> Picture:
    """Draw a square table of numbers, (N, N), as colored cells: pale is near, dark is far.

    ``labels``: N names, at the left and, as numbers, on top. ``heads``: N pictures next to the
    names. ``width``: of the whole picture; ``largest``: largest side of a cell; both in pixels.
    """
    table = np.asarray(values, np.float64)
    count = len(labels)
    if not count or table.shape != (count, count):
        raise UsageError(
            f"a table of {table.shape} does not fit {count} labels. Give one row and one column "
            "for each"
        )
    theme = DARK if dark else LIGHT
    room = width - 2 * MARGIN
    names = min(300, max(measure_text(name, 15)[0] for name in labels) + 52, room // 2)
    cell = max(4, min(largest, (room - names) // count))
    head = round(cell * 1.5) if heads is not None and cell >= 16 else 0
    cell = max(4, min(cell, (room - names - head) // count))
    top = MARGIN + (46 if title else 0) + 24
    canvas = make_canvas(top + cell * count + MARGIN, width, theme)
    write_text(canvas, shorten(title, 26, room), MARGIN, MARGIN - 6, 26, theme.ink)
    left = MARGIN + names + head
    for row, name in enumerate(labels):
        y = top + row * cell
        _draw_name(canvas, row, name, names, y + cell / 2, cell, theme)
        if head and heads is not None:
            canvas[y : y + cell - 2, left - head : left - 6] = crop_to_fill(
                heads[row], head - 6, cell - 2
            )
        if cell >= 16:
            write_text(
                canvas, str(row + 1), left + (row + 0.5) * cell, top - 22, 14, theme.faint, "ma"
            )
    _draw_cells(canvas, table, left, top, cell)
    return canvas


def _draw_name(
    canvas: Picture, row: int, name: str, wide: int, middle: float, cell: int, theme: Theme
) -> None:
    size = 15 if cell >= 20 else 9
    if cell >= 9:
        text = shorten(f"{row + 1}  {name}", size, wide - 12)
        write_text(canvas, text, MARGIN, middle, size, theme.ink, "lm")


def _draw_cells(
    canvas: Picture, table: npt.NDArray[np.float64], left: int, top: int, cell: int
) -> None:
    """Draw the cells, with numbers where they fit."""
    most = float(np.nanmax(table)) if np.isfinite(table).any() else 0.0
    gap = 2 if cell >= 12 else 0
    for row, values in enumerate(table):
        for column, value in enumerate(values):
            x, y = left + column * cell, top + row * cell
            color = choose_heat_color(value / most if most > 0 else 0.0)
            canvas[y : y + cell - gap, x : x + cell - gap] = color
            if cell >= 40 and row != column:
                ink: Color = (255, 255, 255) if sum(color) < 400 else (40, 30, 30)
                text = f"{value:.3g}" if value < 100 else f"{value:.0f}"
                size = 15 if cell >= 52 else 12
                write_text(canvas, text, x + cell / 2, y + cell / 2, size, ink, "mm")


def choose_heat_color(part: float) -> Color:
    """Return the color for 0 (near) to 1 (far)."""
    part = min(1.0, max(0.0, part)) if np.isfinite(part) else 0.0
    low, high, share = (NEAR, MIDDLE, part * 2) if part < 0.5 else (MIDDLE, FAR, part * 2 - 1)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(low, high))
    return red, green, blue
