"""Draw labeled sheets, grids, swatches, charts and maps for reports, notebooks and the page.

Everything returns RGB uint8; `save_picture` writes it. Sheets are drawn by
OpenCV, with text by Pillow; charts and maps by matplotlib.
"""

from __future__ import annotations

from vst.plotting.basics import measure_text, save_picture, write_text
from vst.plotting.charts import Look, Scales, draw_curves, plot_curves
from vst.plotting.fields import draw_flow, draw_numbers, highlight_hidden
from vst.plotting.places import draw_places, plot_places
from vst.plotting.scores import plot_score
from vst.plotting.sheets import (
    crop_to_fill,
    draw_demo_sheet,
    draw_grid,
    draw_sheet,
    draw_swatches,
)

__all__ = [
    "Look",
    "Scales",
    "crop_to_fill",
    "draw_curves",
    "draw_demo_sheet",
    "draw_flow",
    "draw_grid",
    "draw_numbers",
    "draw_places",
    "draw_sheet",
    "draw_swatches",
    "highlight_hidden",
    "measure_text",
    "plot_curves",
    "plot_places",
    "plot_score",
    "save_picture",
    "write_text",
]
