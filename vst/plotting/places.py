"""The picture of a map: named places, with thumbnails beside them and ways between them."""

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
"""Room around the outermost thumbnails, and height of their names, pixels."""
ROUNDS = 300
"""Of pushing thumbnails apart: each is a few thousandths of a second."""


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

    ``thumbnails``: name -> picture, laid as near to its place as the others leave room, with a
    line to it. ``routes``: name -> (M, 2) points joined by a line.
    """
    points = np.asarray(places, np.float64).reshape(-1, 2)
    if len(points) != len(names) or not len(points):
        raise UsageError(f"{len(points)} places for {len(names)} names; give one for each")
    if width < 320 or height < 240:
        raise UsageError(f"a map of {width}x{height}; the least is 320x240")
    look, pictures, ways = DARK if dark else LIGHT, thumbnails or {}, routes or {}
    canvas = make_canvas(height, width, look)
    write_text(canvas, shorten(title, 22, width - 48), 24, 14, 22, look.ink)
    top = 52 if title else 0
    top += _draw_legend(canvas, list(ways), top + 12, look)
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
    # A bare name begins above its place, a picture upon it.
    lifted = [(0, 0) if name in pictures else (0, -TEXT) for name in names]
    centres = push_apart(spots + lifted, rooms, bounds)
    for number, line in enumerate(lines.values()):
        corners = np.round(on_canvas(line) * 8).astype(np.int32)
        cv2.polylines(canvas, [corners], False, PALETTE[number % 8], 3, cv2.LINE_AA, 3)
    for spot, centre in zip(spots, centres):
        ends = [tuple(int(v) for v in np.round(end)) for end in (spot, centre)]
        if np.abs(spot - centre).max() > 2 * TEXT:
            cv2.line(canvas, ends[0], ends[1], look.faint, 1, cv2.LINE_AA)
        cv2.circle(canvas, ends[0], 4, look.ink, -1, cv2.LINE_AA)
    for name, centre in zip(names, centres):
        _draw_thumbnail(canvas, name, pictures.get(name), centre, thumbnail, look)
    return canvas


def push_apart(spots: Points, rooms: Points, bounds: tuple[Points, Points]) -> Points:
    """Centres near ``spots``, (N, 2), whose rectangles of the sizes ``rooms``, (N, 2), do not
    overlap, as far as there is space within ``bounds``.
    """
    room = (rooms[:, None] + rooms[None]) / 2
    centres = spots.copy()
    # Places that are the same would be pushed nowhere.
    centres += np.stack([np.arange(len(spots)) % 7, np.arange(len(spots)) % 5], 1) * 1e-3
    for _ in range(ROUNDS):
        gap = centres[:, None] - centres[None]
        lap = room - np.abs(gap)
        touching = (lap > 0).all(2)
        np.fill_diagonal(touching, False)
        if not touching.any():
            break
        # Along the axis on which less is to be moved, half by each of the two.
        flat = lap[..., 0] < lap[..., 1]
        way = np.stack([flat, ~flat], 2) * np.where(gap < 0, -1.0, 1.0)
        push = (way * np.minimum(lap, room / 6) * touching[..., None]).sum(1) / 2
        centres = np.clip(centres + push, *bounds)
    return centres


def _draw_legend(canvas: Picture, names: Sequence[str], top: int, look: Theme) -> int:
    """The names of the routes in one row; returns the height that it takes."""
    x = 24
    for number, name in enumerate(names):
        cv2.rectangle(canvas, (x, top + 8), (x + 22, top + 11), PALETTE[number % 8], -1)
        write_text(canvas, name, x + 28, top, 15, look.ink)
        x += measure_text(name, 15)[0] + 52
    return 30 if names else 0


def _draw_thumbnail(
    canvas: Picture,
    name: str,
    picture: Picture | None,
    centre: Points,
    size: tuple[int, int],
    look: Theme,
) -> None:
    wide, high = size
    left, top = round(centre[0] - wide / 2), round(centre[1] - (high + TEXT) / 2)
    if picture is None:
        write_text(canvas, name, centre[0], centre[1], TEXT, look.ink, "mm")
        return
    left = min(max(0, left), canvas.shape[1] - wide)
    top = min(max(0, top), canvas.shape[0] - high)
    canvas[top : top + high, left : left + wide] = crop_to_fill(picture, wide, high)
    text = shorten(name, TEXT, wide + 8)
    write_text(canvas, text, centre[0], top + high + 1, TEXT, look.ink, "ma")
