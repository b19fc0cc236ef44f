"""Draw a map: named points with thumbnails, and routes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import DARK, LIGHT, Theme, make_canvas, measure_text, shorten, write_text
from vst.plotting.charts import PALETTE
from vst.plotting.sheets import crop_to_fill

Points = npt.NDArray[np.float64]
EDGE, TEXT = 26, 12
"""Margin around the outermost thumbnails, and height of their names, in pixels."""
ROUNDS = 300
"""Iterations of pushing thumbnails apart, a few milliseconds each."""


def draw_places(
    names: Sequence[str],
    places: npt.ArrayLike,
    thumbnails: Mapping[str, Picture] | None = None,
    *,
    routes: Mapping[str, npt.ArrayLike] | None = None,
    title: str = "",
    width: int = 1100,
    height: int = 760,
    thumbnail: tuple[int, int] = (66, 44),
    dark: bool = False,
) -> Picture:
    """Draw ``places``, (N, 2), both axes at one scale, with their names.

    ``thumbnails``: name -> picture, drawn as near to its point as the others allow, with a line to
    it. ``routes``: name -> (M, 2) points joined by a line.
    """
    points = np.asarray(places, np.float64).reshape(-1, 2)
    if len(points) != len(names) or not len(points):
        raise UsageError(f"{len(points)} places for {len(names)} names. Give one for each")
    if width < 320 or height < 240:
        raise UsageError(f"a map of {width}x{height} is too small. Give at least 320x240")
    theme, pictures, ways = DARK if dark else LIGHT, thumbnails or {}, routes or {}
    canvas = make_canvas(height, width, theme)
    write_text(canvas, shorten(title, 22, width - 48), 24, 14, 22, theme.ink)
    top = 52 if title else 0
    top += _draw_legend(canvas, list(ways), top + 12, theme)
    lines = {name: np.asarray(line, np.float64).reshape(-1, 2) for name, line in ways.items()}
    room = np.array([thumbnail[0], thumbnail[1] + TEXT + 4], np.float64)
    corner = np.array([0.0, top]) + room / 2 + EDGE
    opposite = np.array([width, height], np.float64) - room / 2 - EDGE
    low = np.concatenate([points, *lines.values()]).min(0)
    high = np.concatenate([points, *lines.values()]).max(0)
    scale = float(np.min((opposite - corner) / np.maximum(high - low, 1e-9)))
    middle = (corner + opposite) / 2

    def on_canvas(found: Points) -> Points:
        return middle + (found - (low + high) / 2) * scale * np.array([1.0, -1.0])

    spots = on_canvas(points)
    rooms = np.array([room if name in pictures else measure_text(name, TEXT) for name in names]) + 4
    bounds = (np.array([0.0, top]) + rooms / 2, np.array([width, height]) - rooms / 2)
    # A name without a picture starts above its point, a picture on it.
    lifted = [(0, 0) if name in pictures else (0, -TEXT) for name in names]
    centers = push_apart(spots + lifted, rooms, bounds)
    for number, line in enumerate(lines.values()):
        corners = np.round(on_canvas(line) * 8).astype(np.int32)
        cv2.polylines(canvas, [corners], False, PALETTE[number % 8], 3, cv2.LINE_AA, 3)
    for spot, center in zip(spots, centers):
        ends = [tuple(int(v) for v in np.round(end)) for end in (spot, center)]
        if np.abs(spot - center).max() > 2 * TEXT:
            cv2.line(canvas, ends[0], ends[1], theme.faint, 1, cv2.LINE_AA)
        cv2.circle(canvas, ends[0], 4, theme.ink, -1, cv2.LINE_AA)
    for name, center in zip(names, centers):
        _draw_thumbnail(canvas, name, pictures.get(name), center, thumbnail, theme)
    return canvas


def push_apart(spots: Points, rooms: Points, bounds: tuple[Points, Points]) -> Points:
    """Find centers near ``spots``, (N, 2), whose rectangles of the sizes ``rooms``, (N, 2), do not
    overlap, as far as ``bounds`` leave space.
    """
    room = (rooms[:, None] + rooms[None]) / 2
    centers = spots.copy()
    # Break ties: identical points would not be pushed apart.
    centers += np.stack([np.arange(len(spots)) % 7, np.arange(len(spots)) % 5], 1) * 1e-3
    for _ in range(ROUNDS):
        gap = centers[:, None] - centers[None]
        lap = room - np.abs(gap)
        touching = (lap > 0).all(2)
        np.fill_diagonal(touching, False)
        if not touching.any():
            break
        # Along the axis with the smaller overlap, half by each of the two.
        flat = lap[..., 0] < lap[..., 1]
        way = np.stack([flat, ~flat], 2) * np.where(gap < 0, -1.0, 1.0)
        push = (way * np.minimum(lap, room / 6) * touching[..., None]).sum(1) / 2
        centers = np.clip(centers + push, *bounds)
    return centers


def _draw_legend(canvas: Picture, names: Sequence[str], top: int, theme: Theme) -> int:
    """Draw the names of the routes in one row; return its height."""
    x = 24
    for number, name in enumerate(names):
        cv2.rectangle(canvas, (x, top + 8), (x + 22, top + 11), PALETTE[number % 8], -1)
        write_text(canvas, name, x + 28, top, 15, theme.ink)
        x += measure_text(name, 15)[0] + 52
    return 30 if names else 0


def _draw_thumbnail(
    canvas: Picture,
    name: str,
    picture: Picture | None,
    center: Points,
    size: tuple[int, int],
    theme: Theme,
) -> None:
    wide, high = size
    left, top = round(center[0] - wide / 2), round(center[1] - (high + TEXT) / 2)
    if picture is None:
        write_text(canvas, name, center[0], center[1], TEXT, theme.ink, "mm")
        return
    left = min(max(0, left), canvas.shape[1] - wide)
    top = min(max(0, top), canvas.shape[0] - high)
    canvas[top : top + high, left : left + wide] = crop_to_fill(picture, wide, high)
    text = shorten(name, TEXT, wide + 8)
    write_text(canvas, text, center[0], top + high + 1, TEXT, theme.ink, "ma")
