"""Draw line charts: training curves, weights over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
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

PALETTE: tuple[Color, ...] = (
    (31, 99, 176),
    (222, 120, 20),
    (36, 139, 97),
    (188, 60, 120),
    (110, 84, 190),
    (0, 150, 175),
    (150, 110, 60),
    (110, 112, 118),
)
"""Colors of the lines, in order, repeating."""

FINE = 4  # antialiasing: lines are drawn at this multiple of their size


@dataclass(frozen=True)
class _Axis:
    """One axis: its range, whether it is logarithmic, and its pixels from first to last."""

    low: float
    high: float
    log: bool
    first: float
    last: float

    def place(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Convert values to pixels."""
        if self.log:
            part = (np.log10(np.maximum(values, self.low)) - math.log10(self.low)) / math.log10(
                self.high / self.low
            )
        else:
            part = (values - self.low) / (self.high - self.low)
        return self.first + part * (self.last - self.first)

    def ticks(self) -> list[float]:
        """List round numbers within the axis."""
        if self.log:
            powers = range(
                math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1
            )
            steps = (1, 2, 5) if len(powers) < 4 else (1,)
            found = [
                step * 10.0**power
                for power in range(powers.start - 1, powers.stop)
                for step in steps
            ]
        else:
            step = round_step((self.high - self.low) / 6.5)
            first = math.ceil(self.low / step - 1e-9)
            found = [
                number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)
            ]
        slack = 1e-9 * (self.high - self.low)
        return [value for value in found if self.low - slack <= value <= self.high + slack]


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


def draw_curves(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log: bool = False,
    width: int = 960,
    height: int = 480,
    low: float | None = None,
    high: float | None = None,
    dark: bool = False,
) -> Picture:
    """Draw a line chart of ``series``: name -> (x, y) points, joined in the given order.

    ``log``: logarithmic y axis, without values of 0 and below. ``low``, ``high``: ends of the y
    axis (None: from the points). Points that are not finite leave a gap.
    """
    if width < 240 or height < 160:
        raise UsageError(f"a chart of {width}x{height} is too small. Give at least 240x160")
    lines = {
        name: np.asarray(list(points), np.float64).reshape(-1, 2) for name, points in series.items()
    }
    theme = DARK if dark else LIGHT
    canvas = make_canvas(height, width, theme)
    write_text(canvas, shorten(title, 22, width - 48), 24, 14, 22, theme.ink)
    top = 24 + (34 if title else 0)
    top += _draw_legend(canvas, list(lines), top, theme)
    x_low, x_high, y_low, y_high = _choose_axis_ends(lines, log, low, high)
    bottom = height - 40 - (22 if x_label else 0)
    upright = _Axis(y_low, y_high, log, bottom, top + 10)
    ticks = upright.ticks()
    left = (
        34
        + max((measure_text(format_number(tick), 14)[0] for tick in ticks), default=0)
        + (24 if y_label else 0)
    )
    along = _Axis(x_low, x_high, False, left, width - 30)
    _draw_axes(canvas, along, upright, theme)
    write_text(canvas, x_label, (along.first + along.last) / 2, height - 30, 15, theme.ink, "ma")
    write_text(
        canvas, y_label, 22, (upright.first + upright.last) / 2, 15, theme.ink, "mm", turned=True
    )
    for number, points in enumerate(lines.values()):
        _draw_line(canvas, points, along, upright, _choose_color(number, theme))
    return canvas


def _choose_color(number: int, theme: Theme) -> Color:
    """Return the color of line ``number``, lighter on a dark background."""
    red, green, blue = PALETTE[number % len(PALETTE)]
    if theme is not DARK:
        return red, green, blue
    return (red * 3 + 255 * 2) // 5, (green * 3 + 255 * 2) // 5, (blue * 3 + 255 * 2) // 5


def _choose_axis_ends(
    lines: Mapping[str, npt.NDArray[np.float64]], log: bool, low: float | None, high: float | None
) -> tuple[float, float, float, float]:
    """Choose the ends of both axes, a little wider than the points."""
    points = np.concatenate([np.empty((0, 2)), *lines.values()])
    points = points[np.isfinite(points).all(1)]
    if log:
        points = points[points[:, 1] > 0]
    if not len(points):
        points = np.array([[0.0, 1.0], [1.0, 10.0]])
    x_low, y_low = (float(value) for value in points.min(0))
    x_high, y_high = (float(value) for value in points.max(0))
    if log:
        y_low, y_high = y_low / 1.12, y_high * 1.12
    else:
        margin = 0.05 * (y_high - y_low) or 0.05 * abs(y_high) or 1.0
        # Non-negative values near 0 start the axis at 0, so that heights are comparable.
        y_low = 0.0 if 0 <= y_low < 0.35 * y_high else y_low - margin
        y_high += margin
    y_low = low if low is not None else y_low
    y_high = high if high is not None else y_high
    if not y_low < y_high or (log and y_low <= 0):
        raise UsageError(
            f"an axis from {y_low:g} to {y_high:g} is impossible. Give low below high, and above 0 "
            "if log is set"
        )
    if x_high <= x_low:
        x_low, x_high = x_low - 0.5, x_high + 0.5
    return x_low, x_high, y_low, y_high


def _draw_legend(canvas: Picture, names: Sequence[str], top: int, theme: Theme) -> int:
    """Draw the names with their colors, in as many rows as needed; return their height."""
    if not any(names):
        return 0
    x, y, right = 24, top, canvas.shape[1] - 24
    for number, name in enumerate(names):
        wide = measure_text(name, 15)[0] + 52
        if x > 24 and x + wide > right:
            x, y = 24, y + 24
        cv2.rectangle(canvas, (x, y + 8), (x + 22, y + 11), _choose_color(number, theme), -1)
        write_text(canvas, shorten(name, 15, right - x - 30), x + 28, y, 15, theme.ink)
        x += wide
    return y + 28 - top


def _draw_axes(canvas: Picture, along: _Axis, upright: _Axis, theme: Theme) -> None:
    left, right = round(along.first), round(along.last)
    for tick, place in zip(upright.ticks(), upright.place(np.array(upright.ticks(), np.float64))):
        cv2.line(canvas, (left, round(place)), (right, round(place)), theme.line, 1)
        write_text(canvas, format_number(tick), left - 9, float(place), 14, theme.faint, "rm")
    base = round(upright.first)
    cv2.line(canvas, (left, base), (right, base), theme.faint, 1)
    for tick, place in zip(along.ticks(), along.place(np.array(along.ticks(), np.float64))):
        cv2.line(canvas, (round(place), base), (round(place), base + 5), theme.faint, 1)
        write_text(canvas, format_number(tick), float(place), base + 8, 14, theme.faint, "ma")


def _draw_line(
    canvas: Picture, points: npt.NDArray[np.float64], along: _Axis, upright: _Axis, color: Color
) -> None:
    """Draw one antialiased line within the axes, with gaps where points are not finite."""
    high, wide = canvas.shape[:2]
    drawn = np.isfinite(points).all(1) & ((points[:, 1] > 0) | (not upright.log))
    mask = np.zeros((high * FINE, wide * FINE), np.uint8)
    breaks = np.flatnonzero(np.diff(drawn.astype(np.int8))) + 1
    for piece in np.split(np.arange(len(points)), breaks):
        if not len(piece) or not drawn[piece[0]]:
            continue
        x, y = along.place(points[piece, 0]), upright.place(points[piece, 1])
        corners = np.round(np.stack([x, np.clip(y, -high, 2 * high)], 1) * FINE).astype(np.int32)
        if len(piece) == 1:
            cv2.circle(mask, (int(corners[0, 0]), int(corners[0, 1])), 3 * FINE, 255, -1)
        else:
            cv2.polylines(mask, [corners], False, 255, round(2.2 * FINE), cv2.LINE_AA)
    mask[: round((upright.last - 3) * FINE)] = 0
    mask[round((upright.first + 3) * FINE) :] = 0
    part = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_AREA)[..., None] / np.float32(255)
    canvas[:] = np.round(canvas + part * (np.array(color, np.float32) - canvas)).astype(np.uint8)
