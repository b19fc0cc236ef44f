"""The pictures of a distillation: curves, and a grid of content, teacher and student."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from keras import ops

from vst.research.training.picture_data import Picture
from vst.research.training.validation import to_bytes

INK, GRID, WIDE, TALL, EDGE = (40, 40, 40), (225, 225, 225), 420, 260, 46
COLORS = ((178, 92, 32), (40, 120, 200), (60, 150, 60), (150, 60, 150))


def write_picture(path: Path, picture: Picture) -> None:
    """Write an RGB picture as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[:, :, ::-1])


def draw_label(sheet: Picture, text: str, where: tuple[int, int], size: float = 0.42) -> None:
    cv2.putText(sheet, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)


def draw_curve(
    title: str, times: list[float], values: list[float], colour: tuple[int, ...]
) -> Picture:
    """Draw one curve over minutes, with its range and its last value."""
    sheet = np.full((TALL, WIDE, 3), 255, np.uint8)
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    across = [EDGE + (WIDE - 2 * EDGE) * t / (times[-1] or 1) for t in times]
    down = [TALL - EDGE - (TALL - 2 * EDGE) * (v - low) / span for v in values]
    cv2.rectangle(sheet, (EDGE, EDGE), (WIDE - EDGE, TALL - EDGE), GRID, 1)
    points = np.round(np.stack([across, down], 1)).astype(np.int32)
    cv2.polylines(sheet, [points], False, colour, 2, cv2.LINE_AA)
    draw_label(sheet, title, (EDGE, 28), 0.5)
    draw_label(sheet, f"{high:.4g}", (4, EDGE + 4), 0.36)
    draw_label(sheet, f"{low:.4g}", (4, TALL - EDGE + 4), 0.36)
    draw_label(sheet, f"last {values[-1]:.4g}", (WIDE - EDGE - 90, 28))
    draw_label(sheet, f"{times[-1]:.1f} min", (WIDE - EDGE - 60, TALL - EDGE + 20), 0.36)
    return sheet


def draw_curves(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw every measure of every part, one panel each, a row per part."""
    rows = []
    for part, points in curves.items():
        if not points:
            continue
        times = [point["seconds"] / 60 for point in points]
        names = [n for n in points[-1] if n not in ("steps", "seconds")]
        panels = [
            draw_curve(f"{part}: {name}", times, [p[name] for p in points], COLORS[i % 4])
            for i, name in enumerate(names)
        ]
        rows.append(np.concatenate(panels, 1))
    if not rows:
        return
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    write_picture(path, np.concatenate(padded))


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
