"""Pictures of things, for reports, notebooks and the page: labelled sheets, grids, swatches and
line charts.

Everything returns RGB uint8; `save_picture` writes it. Shapes are drawn by OpenCV, text by Pillow's
own scalable font: no plotting library is needed.
"""

from __future__ import annotations

from vst.plotting.basics import save_picture, text_size, write_text
from vst.plotting.charts import curves
from vst.plotting.fields import flow_picture, marked, number_cells
from vst.plotting.places import draw_places
from vst.plotting.scores import plot_score
from vst.plotting.sheets import covering, demo_sheet, grid, scaled, sheet, swatches

__all__ = [
    "covering",
    "curves",
    "demo_sheet",
    "draw_places",
    "flow_picture",
    "grid",
    "marked",
    "number_cells",
    "plot_score",
    "save_picture",
    "scaled",
    "sheet",
    "swatches",
    "text_size",
    "write_text",
]
