"""Draw a map: named points with thumbnails, and routes between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import measure_text, shorten
from vst.plotting.charts import Look, choose_color, make_figure, paint_color, render_figure
from vst.plotting.sheets import crop_to_fill

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = npt.NDArray[np.float64]
EDGE, TEXT = 26, 12
"""Margin around the outermost thumbnails, and height of their names, in pixels."""
THUMBNAIL = (66, 44)
"""Width and height of a thumbnail, in pixels."""
ROOM = np.array([THUMBNAIL[0], THUMBNAIL[1] + TEXT + 4], np.float64)
ROUNDS = 300
"""Iterations of pushing thumbnails apart, a few milliseconds each."""


def draw_places(
    names: Sequence[str],
    places: npt.ArrayLike,
    thumbnails: Mapping[str, Picture] | None = None,
    *,
    routes: Mapping[str, npt.ArrayLike] | None = None,
    look: Look | None = None,
) -> Picture:
    """Draw `plot_places` as a picture."""
    return render_figure(plot_places(names, places, thumbnails, routes=routes, look=look))


def plot_places(
    names: Sequence[str],
    places: npt.ArrayLike,
    thumbnails: Mapping[str, Picture] | None = None,
    *,
    routes: Mapping[str, npt.ArrayLike] | None = None,
    look: Look | None = None,
) -> Figure:
    """Plot ``places``, (N, 2), both axes at one scale, with their names.

    ``thumbnails``: name -> picture, drawn as near to its point as the others allow, with a line to
    it. ``routes``: name -> (M, 2) points joined by a line.
    """
    points = np.asarray(places, np.float64).reshape(-1, 2)
    if len(points) != len(names) or not len(points):
        raise UsageError(f"{len(points)} places for {len(names)} names. Give one for each")
    look, pictures = look or Look(width=1100, height=760), thumbnails or {}
    lines = {
        name: np.asarray(line, np.float64).reshape(-1, 2) for name, line in (routes or {}).items()
    }
    figure = make_figure(look)
    figure.set_layout_engine("none")
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, look.width), ylim=(look.height, 0))  # in pixels, from the top left
    axes.axis("off")
    top = (44 if look.title else 0) + (30 if lines else 0)
    on_canvas = _fit_to_canvas(np.concatenate([points, *lines.values()]), look, top)
    for number, (name, line) in enumerate(lines.items()):
        axes.plot(
            *on_canvas(line).T, color=choose_color(number, look.dark), linewidth=2, label=name
        )
    if lines:
        axes.legend(
            loc="upper left", bbox_to_anchor=(0.01, 1 - (top - 30) / look.height), frameon=False,
            ncols=len(lines), fontsize=10, labelcolor=paint_color(look.theme.ink),
        )  # fmt: skip
    spots = on_canvas(points)
    centers = _place_names(names, pictures, spots, top, look)
    for spot, center in zip(spots, centers):
        if np.abs(spot - center).max() > 2 * TEXT:
            ends = np.stack([spot, center])
            axes.plot(*ends.T, color=paint_color(look.theme.faint), linewidth=0.8)
    axes.plot(*spots.T, "o", color=paint_color(look.theme.ink), markersize=6)
    for name, center in zip(names, centers):
        _add_thumbnail(axes, name, pictures.get(name), center, look)
    return figure


def _fit_to_canvas(points: Points, look: Look, top: int) -> Callable[[Points], Points]:
    """Return the function from coordinates to pixels, between the margins below ``top``."""
    corner = np.array([0.0, top]) + ROOM / 2 + EDGE
    opposite = np.array([look.width, look.height], np.float64) - ROOM / 2 - EDGE
    low, high = points.min(0), points.max(0)
    scale = float(np.min((opposite - corner) / np.maximum(high - low, 1e-9)))
    middle = (corner + opposite) / 2
    return lambda found: middle + (found - (low + high) / 2) * scale * np.array([1.0, -1.0])


def _place_names(
    names: Sequence[str], pictures: Mapping[str, Picture], spots: Points, top: int, look: Look
) -> Points:
    """Find the centers of names and thumbnails, in pixels."""
    rooms = np.array([ROOM if name in pictures else measure_text(name, TEXT) for name in names]) + 4
    bounds = (np.array([0.0, top]) + rooms / 2, np.array([look.width, look.height]) - rooms / 2)
    # A name without a picture starts above its point, a picture on it.
    lifted = [(0, 0) if name in pictures else (0, -TEXT) for name in names]
    return push_apart(spots + lifted, rooms, bounds)


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


def _add_thumbnail(
    axes: Any, name: str, picture: Picture | None, center: Points, look: Look
) -> None:
    (wide, high), ink = THUMBNAIL, paint_color(look.theme.ink)
    style = {"ha": "center", "va": "center", "fontsize": 9, "color": ink, "parse_math": False}
    if picture is None:
        axes.text(*center, name, **style)
        return
    left = min(max(0, round(center[0] - wide / 2)), look.width - wide)
    top = min(max(0, round(center[1] - (high + TEXT) / 2)), look.height - high)
    thumbnail = crop_to_fill(picture, wide, high)
    axes.figure.figimage(thumbnail, left, look.height - top - high, zorder=3)
    axes.text(center[0], top + high + 8, shorten(name, TEXT, wide + 8), **style)
