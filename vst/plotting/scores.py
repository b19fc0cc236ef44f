"""Draw a timeline: its keyframe pictures above the curves of their weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import Color, Theme, make_canvas, shorten, write_text
from vst.plotting.charts import PALETTE, Look
from vst.plotting.sheets import crop_to_fill
from vst.schedule.timeline import NONE, Key, Mix, Timeline

FINE = 3  # antialiasing: curves are drawn at this multiple of their size
BARE: Color = (150, 150, 150)
"""The color of the content itself."""
LEFT, RIGHT = 92, 28
"""Margins of the curves, in pixels; the left one holds their names."""
BAND, LOW_BAND, GAP = 150, 54, 24
"""Heights of the weights, of another curve, and of the gap between them, in pixels."""

Curve = Callable[[Mix], float]


@dataclass(frozen=True)
class _Band:
    """Where curves are drawn: its top and height in pixels, and its name."""

    top: int
    high: int
    name: str


@dataclass(frozen=True)
class _KeyRow:
    """The row of the keys' pictures: what they show, the seconds that the width stands for, and its
    top and height in pixels.
    """

    thumbnails: Mapping[str, Picture]
    colors: Mapping[str, Color]
    start: float
    duration: float
    top: int
    side: int


def plot_score(
    timeline: Timeline,
    thumbnails: Mapping[str, Picture],
    duration: float,
    *,
    start: float = 0.0,
    look: Look | None = None,
) -> Picture:
    """Draw ``timeline`` from ``start`` on for ``duration`` seconds: the keys' pictures, below them
    the weights, those of the background, and strength and brush where they change.

    ``thumbnails``: a picture (RGB uint8, any size) for each name; a style without one is drawn as a
    patch of its curve's color. ``look``: its height is not used.
    """
    look = look or Look(width=1000)
    theme, title, width = look.theme, look.title, look.width
    if width < 320:
        raise UsageError(f"width {width} is too small for a score. Give at least 320 pixels")
    if not duration > 0:
        raise UsageError(f"duration {duration:g} s is not positive. Give a longer content")
    times = np.linspace(start, start + duration, 2 * (width - LEFT - RIGHT))
    mixes = [timeline.at(float(time)) for time in times]
    colors = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(timeline.names)}
    colors[NONE] = BARE
    low_bands = _collect_varying(mixes)
    backgrounds = [mix.background for mix in mixes if mix.background is not None]
    top = 14 + (40 if title else 0)
    pictures = max(36, min(84, (width - LEFT - RIGHT) // max(4, len(timeline.keys)) - 10))
    height = top + pictures + 34 + BAND + len(low_bands) * (LOW_BAND + GAP) + 44
    height += BAND // 2 + GAP if backgrounds else 0
    canvas = make_canvas(height, width, theme)
    write_text(canvas, shorten(title, 22, width - 48), (24, 14), 22, theme.ink)
    row = _KeyRow(thumbnails, colors, start, duration, top, pictures)
    _draw_keys(canvas, timeline, row, theme)
    y = top + pictures + 34
    _draw_weights(canvas, mixes, colors, _Band(y, BAND, "weights"), theme)
    y += BAND + GAP
    if backgrounds:
        _draw_weights(canvas, backgrounds, colors, _Band(y, BAND // 2, "background"), theme)
        y += BAND // 2 + GAP
    for name, values in low_bands.items():
        band = _Band(y, LOW_BAND, name)
        _draw_frame(canvas, band, theme)
        _draw_curve(canvas, np.asarray(values), band, theme.ink)
        y += LOW_BAND + GAP
    _draw_axis(canvas, start, duration, y - GAP, theme)
    return canvas


def _collect_varying(mixes: Sequence[Mix]) -> dict[str, list[float]]:
    """The curves beside the weights that are not the same all the time, as heights 0..1."""
    curves: dict[str, Curve] = {
        "strength": lambda mix: mix.strength,
        "brush 1/4..4": lambda mix: (float(np.log2(mix.brush)) + 2) / 4,
        "colors": lambda mix: 1 - mix.palette.get("style", 0.0 if mix.palette else 1.0),
    }
    found = {name: [curve(mix) for mix in mixes] for name, curve in curves.items()}
    still = {"strength": 1.0, "brush 1/4..4": 0.5, "colors": 0.0}
    return {
        name: values
        for name, values in found.items()
        if max(abs(value - still[name]) for value in values) > 1e-6
    }


def _draw_keys(
    canvas: Picture,
    timeline: Timeline,
    row: _KeyRow,
    theme: Theme,
) -> None:
    """Draw the keys' pictures with their names, each as near to its time as the others allow."""
    start, duration, top, side = row.start, row.duration, row.top, row.side
    shown = [key for key in timeline.keys if start - 1e-6 <= key.time <= start + duration + 1e-6]
    inner = canvas.shape[1] - LEFT - RIGHT
    wanted = [LEFT + inner * (key.time - start) / duration for key in shown]
    wide = min(side * 4 // 3, max(12, inner // max(1, len(shown)) - 6))
    for key, x, center in zip(shown, wanted, spread_centers(wanted, wide + 6, LEFT, LEFT + inner)):
        left = round(center - wide / 2)
        tile = _draw_tile(key, row.thumbnails, row.colors, wide, side)
        canvas[top : top + side, left : left + wide] = tile
        main = max(key.weights, key=lambda name: key.weights[name])
        color = row.colors.get(main, BARE)
        cv2.rectangle(canvas, (left, top + side), (left + wide - 1, top + side + 3), color, -1)
        label = shorten(" + ".join(key.weights), 12, wide + 4)
        write_text(canvas, label, (center, top + side + 6), 12, theme.faint, "ma")
        foot = top + side + 34
        cv2.line(
            canvas, (round(center), foot - 10), (round(x), foot - 1), theme.faint, 1, cv2.LINE_AA
        )


def spread_centers(wanted: Sequence[float], room: float, low: float, high: float) -> list[float]:
    """Find centers as near to the ``wanted`` ones (rising) as possible, ``room`` pixels apart,
    within ``low`` and ``high``.
    """
    low, high = low + room / 2, high - room / 2
    placed: list[float] = []
    for center in wanted:
        placed.append(max(center, low, placed[-1] + room if placed else low))
    limit = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = max(min(placed[index], limit), low)
        limit = placed[index] - room
    return placed


def _draw_tile(
    key: Key,
    thumbnails: Mapping[str, Picture],
    colors: Mapping[str, Color],
    wide: int,
    high: int,
) -> Picture:
    """Draw the key's pictures side by side, each as wide as its share."""
    total = sum(key.weights.values())
    tile = np.empty((high, wide, 3), np.uint8)
    left, share = 0, 0.0
    for name, weight in key.weights.items():
        share += weight / total
        right = round(wide * share)
        if right > left:
            part = tile[:, left:right]
            part[:] = (
                crop_to_fill(thumbnails[name], right - left, high)
                if name in thumbnails
                else np.array(colors.get(name, BARE), np.uint8)
            )
        left = right
    return tile


def _draw_weights(
    canvas: Picture,
    mixes: Sequence[Mix],
    colors: Mapping[str, Color],
    band: _Band,
    theme: Theme,
) -> None:
    """Draw the weights of every name over time, each curve faintly filled."""
    _draw_frame(canvas, band, theme)
    for name, color in colors.items():
        values = np.array([mix.weights.get(name, 0.0) for mix in mixes])
        if values.any():
            _draw_curve(canvas, values, band, color, filled=True)


def _draw_frame(canvas: Picture, band: _Band, theme: Theme) -> None:
    right = canvas.shape[1] - RIGHT
    for y in (band.top, band.top + band.high):
        cv2.line(canvas, (LEFT, y), (right, y), theme.line, 1)
    name, middle = shorten(band.name, 13, LEFT - 18), band.top + band.high / 2
    write_text(canvas, name, (LEFT - 10, middle), 13, theme.ink, "rm")


def _draw_curve(
    canvas: Picture,
    values: npt.NDArray[np.float64],
    band: _Band,
    color: Color,
    filled: bool = False,
) -> None:
    """Draw a curve of heights 0..1 (slightly beyond is drawn, too) between the margins."""
    spare, top, high = 20, band.top, band.high
    inner = canvas.shape[1] - LEFT - RIGHT
    shape = ((high + 2 * spare) * FINE, (inner + 8) * FINE)
    x = (4 + np.linspace(0, inner, len(values))) * FINE
    y = (spare + np.clip(high * (1 - values), -spare + 3, high + spare - 3)) * FINE
    points = np.round(np.stack([x, y], 1)).astype(np.int32)
    mask = np.zeros(shape, np.uint8)
    if filled:
        base = (spare + high) * FINE
        corners = np.concatenate([points, [[points[-1, 0], base], [points[0, 0], base]]])
        cv2.fillPoly(mask, [corners.astype(np.int32)], 34)
    cv2.polylines(mask, [points], False, 255, 2 * FINE, cv2.LINE_AA)
    size = (inner + 8, high + 2 * spare)
    part = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)[..., None] / np.float32(255)
    area = canvas[top - spare : top + high + spare, LEFT - 4 : LEFT + inner + 4]
    area[:] = np.round(area + part * (np.array(color, np.float32) - area)).astype(np.uint8)


def _draw_axis(canvas: Picture, start: float, duration: float, y: int, theme: Theme) -> None:
    """Draw the times along the bottom."""
    inner = canvas.shape[1] - LEFT - RIGHT
    step = round_step(duration / max(2, inner // 90))
    first = int(np.ceil(start / step - 1e-9))
    for number in range(first, int(np.floor((start + duration) / step + 1e-9)) + 1):
        x = round(LEFT + inner * (number * step - start) / duration)
        cv2.line(canvas, (x, y), (x, y + 5), theme.faint, 1)
        write_text(canvas, f"{format_number(number * step)} s", (x, y + 8), 13, theme.faint, "ma")


def round_step(rough: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * (1 - 1e-9))


def format_number(value: float) -> str:
    """Format a tick's number: 0, 0.05, 1500, 20k, 3M, 1e-05."""
    for limit, sign in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= limit and abs(value) < 1e12:
            return f"{value / (1e6 if sign == 'M' else 1e3):.4g}{sign}"
    return f"{value + 0.0:.4g}" if abs(value) > 1e-12 else "0"
