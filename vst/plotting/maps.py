"""Draw heat tables of pairwise distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import Color, measure_text, shorten
from vst.plotting.charts import Look, make_figure, paint_color, render_figure
from vst.plotting.sheets import crop_to_fill

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAT: tuple[Color, ...] = ((248, 232, 190), (222, 120, 60), (88, 24, 92))
"""Colors from near over middle to far."""
MARGIN = 28
LARGEST = 84
"""Largest side of a cell, in pixels."""


def draw_heat_table(
    values: npt.ArrayLike,
    labels: Sequence[str],
    *,
    heads: Sequence[Picture] | None = None,
    title: str = "",
    width: int = 1280,
) -> Picture:
    """Draw `plot_heat_table` as a picture, ``width`` pixels wide."""
    return render_figure(plot_heat_table(values, labels, heads=heads, title=title, width=width))


def plot_heat_table(
    values: npt.ArrayLike,
    labels: Sequence[str],
    *,
    heads: Sequence[Picture] | None = None,
    title: str = "",
    width: int = 1280,
) -> Figure:
    """Plot a square table of numbers, (N, N), as colored cells: pale is near, dark is far.

    ``labels``: N names, at the left and, as numbers, on top. ``heads``: N pictures next to the
    names.
    """
    table = np.asarray(values, np.float64)
    count = len(labels)
    if not count or table.shape != (count, count):
        raise UsageError(
            f"a table of {table.shape} does not fit {count} labels. Give one row and one column "
            "for each"
        )
    room = width - 2 * MARGIN
    names = min(300, max(measure_text(name, 15)[0] for name in labels) + 52, room // 2)
    cell = max(4, min(LARGEST, (room - names) // count))
    head = round(cell * 1.5) if heads is not None and cell >= 16 else 0
    cell = max(4, min(cell, (room - names - head) // count))
    side, top = cell * count, MARGIN + (30 if title else 0) + 24
    look = Look(title, width, max(160, top + side + MARGIN))
    figure = make_figure(look)
    figure.set_layout_engine("none")
    left, bottom = MARGIN + names + head, look.height - top - side
    axes: Any = figure.add_axes(
        (left / width, bottom / look.height, side / width, side / look.height)
    )
    _fill_table(axes, table, cell, look)
    texts = [shorten(f"{row + 1}  {name}", 15, names - 12) for row, name in enumerate(labels)]
    axes.set_yticks(range(count), texts if cell >= 9 else [], parse_math=False)
    axes.tick_params(
        axis="y", pad=8 + head * 72 / figure.dpi, labelcolor=paint_color(look.theme.ink)
    )
    if head and heads is not None:
        for row, picture in enumerate(heads):
            thumbnail = crop_to_fill(picture, head - 6, cell - 2)
            figure.figimage(thumbnail, left - head, bottom + side - (row + 1) * cell + 2)
    return figure


def _fill_table(axes: Any, table: npt.NDArray[np.float64], cell: int, look: Look) -> None:
    """Color the cells, ``cell`` pixels wide, with numbers where they fit."""
    from matplotlib.colors import LinearSegmentedColormap

    count = len(table)
    most = float(np.nanmax(table)) if np.isfinite(table).any() else 0.0
    colors = LinearSegmentedColormap.from_list("heat", [paint_color(color) for color in HEAT])
    shown = np.nan_to_num(table, nan=0.0)
    axes.imshow(shown, cmap=colors, vmin=0, vmax=most or 1.0, interpolation="nearest")
    numbers = [str(number + 1) for number in range(count)] if cell >= 16 else []
    axes.xaxis.tick_top()
    axes.set_xticks(range(count) if numbers else [], numbers)
    axes.tick_params(length=0, labelsize=10, labelcolor=paint_color(look.theme.faint))
    for spine in axes.spines.values():
        spine.set_visible(False)
    if cell >= 12:
        edges = np.arange(1, count) - 0.5
        background = paint_color(look.theme.background)
        axes.vlines(edges, -0.5, count - 0.5, color=background, linewidth=1.5)
        axes.hlines(edges, -0.5, count - 0.5, color=background, linewidth=1.5)
    if cell < 40:
        return
    for row, column in zip(*np.nonzero(~np.eye(count, dtype=bool))):
        value = table[row, column]
        text = f"{value:.3g}" if value < 100 else f"{value:.0f}"
        ink = "white" if value > 0.55 * most else "#281e1e"
        size = 10 if cell >= 52 else 8
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=ink)
