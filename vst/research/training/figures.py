"""The pictures of a distillation: curves, and a grid of content, teacher and student."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from keras import ops

from vst.plotting import save_picture
from vst.plotting.charts import plot_panels, render_figure
from vst.research.training.picture_data import Picture
from vst.research.training.validation import to_bytes

INK = (40, 40, 40)


def write_picture(path: Path, picture: Picture) -> None:
    """Write an RGB picture as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[:, :, ::-1])


def draw_label(sheet: Picture, text: str, where: tuple[int, int], size: float = 0.42) -> None:
    cv2.putText(sheet, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)


def draw_curves(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw every measure of every part over the minutes, one panel each."""
    panels = {
        f"{part}, {name}": [(point["seconds"] / 60, point[name]) for point in points]
        for part, points in curves.items()
        if points
        for name in points[-1]
        if name not in ("steps", "seconds")
    }
    if panels:
        save_picture(path, render_figure(plot_panels(panels, "minutes")))


def draw_grid(painter: Any, kept: dict[str, Any], path: Path, rows: int = 8) -> None:
    """Draw rows of content, the teacher's picture and the student's picture."""
    content = kept["content"][:rows]
    painted = painter(
        ops.convert_to_tensor(content.astype(np.float32) / 255), kept["numbers"][:rows]
    )
    ours = to_bytes(ops.convert_to_numpy(painted))
    strips = [np.concatenate(row, 1) for row in zip(content, kept["painted"][:rows], ours)]
    head = np.full((30, strips[0].shape[1], 3), 255, np.uint8)
    side = content.shape[2]
    for index, text in enumerate(("content", "teacher (Magenta)", "student (embedded)")):
        draw_label(head, text, (index * side + 8, 20))
    write_picture(path, np.concatenate([head, *strips]))
