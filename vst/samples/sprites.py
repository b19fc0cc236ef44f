"""The moving things of the content clip: a sailing boat, a balloon, birds, the meadow in front.

Sprites are RGBA as float32 in 0..1, their colors already multiplied by their coverage.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.samples.noise import Colors, Plane, draw_clouds, make_generator, make_grid, parse_color
from vst.samples.shapes import draw_line, fill_disc

Sprite = npt.NDArray[Any]
"""(height, width, 4), float32 in 0..1, colors multiplied by coverage."""

SUPERSAMPLING = 4  # sprites are drawn at this many times their size


class _Canvas:
    """A transparent RGBA canvas for antialiased shapes in coordinates of 0..1."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.sheet = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING, 4), np.float32)

    def mask(self, points: list[tuple[float, float]]) -> Plane:
        height, width = self.sheet.shape[:2]
        corners = np.round(np.array(points) * (width, height)).astype(np.int32)
        covered = np.zeros((height, width), np.uint8)
        cv2.fillPoly(covered, [corners], 255, cv2.LINE_AA)
        return covered.astype(np.float32) / 255

    def paint(self, mask: Plane, colors: Colors) -> None:
        part = mask[..., None]
        self.sheet *= 1 - part
        self.sheet[..., :3] += part * colors
        self.sheet[..., 3:] += part

    def line(self, points: list[tuple[float, float]], color: str, thickness: float) -> None:
        height, width = self.sheet.shape[:2]
        corners = np.round(np.array(points) * (width, height)).astype(np.int32)
        covered = np.zeros((height, width), np.uint8)
        cv2.polylines(
            covered, [corners], False, 255, max(1, round(thickness * SUPERSAMPLING)), cv2.LINE_AA
        )
        self.paint(
            covered.astype(np.float32) / 255, parse_color(color) + np.zeros((1, 1, 3), np.float32)
        )

    def sprite(self) -> Sprite:
        return cv2.resize(self.sheet, self.size, interpolation=cv2.INTER_AREA)


def _build_curve(*points: tuple[float, float]) -> list[tuple[float, float]]:
    """A quadratic Bezier curve through its three control points, as 16 short lines."""
    start, bend, end = (np.array(point) for point in points)
    part = np.linspace(0, 1, 16)[:, None]
    curve = (1 - part) ** 2 * start + 2 * part * (1 - part) * bend + part**2 * end
    return [(float(x), float(y)) for x, y in curve]


def draw_boat(size: int) -> Sprite:
    """A sailing boat, ``size`` x ``size`` pixels; its waterline is at 0.93 of its height."""
    canvas = _Canvas(size, size)
    x, y = make_grid(size * SUPERSAMPLING, size * SUPERSAMPLING)
    x, y = x / (size * SUPERSAMPLING), y / (size * SUPERSAMPLING)
    seams = (np.abs((y * 9) % 1 - 0.5) < 0.035)[..., None] * np.float32(0.10)

    main = _build_curve((0.475, 0.03), (0.30, 0.42), (0.10, 0.775)) + _build_curve(
        (0.10, 0.775), (0.28, 0.80), (0.47, 0.765)
    )
    shade = (0.80 + 0.75 * (x - 0.10) + 0.10 * np.sin(7 * (x + y)))[..., None]
    canvas.paint(canvas.mask(main), parse_color("#fff3dc") * shade - seams)
    jib = _build_curve((0.505, 0.10), (0.72, 0.46), (0.93, 0.79)) + _build_curve(
        (0.93, 0.79), (0.70, 0.81), (0.51, 0.765)
    )
    shade = (1.02 - 0.60 * (x - 0.50) + 0.06 * np.sin(9 * (x - y)))[..., None]
    canvas.paint(canvas.mask(jib), parse_color("#d8502f") * shade - seams)
    canvas.line([(0.49, 0.015), (0.49, 0.84)], "#4a3527", 1.3 * size / 90)
    canvas.line([(0.09, 0.782), (0.49, 0.775)], "#5d432f", 1.1 * size / 90)

    hull = [(0.05, 0.825), *_build_curve((0.96, 0.805), (0.90, 0.95), (0.74, 0.965))]
    hull += [*_build_curve((0.74, 0.965), (0.30, 0.985), (0.12, 0.94)), (0.05, 0.825)]
    shade = (1.25 - 2.6 * (y - 0.82))[..., None]
    canvas.paint(canvas.mask(hull), parse_color("#7c4a2a") * shade)
    canvas.line([(0.05, 0.835), (0.955, 0.817)], "#f3e6cf", 1.8 * size / 90)
    canvas.paint(
        canvas.mask(_build_curve((0.30, 0.825), (0.325, 0.70), (0.35, 0.825))),
        parse_color("#243b5c") * np.ones_like(shade),
    )
    canvas.paint(
        canvas.mask(_build_curve((0.305, 0.755), (0.325, 0.70), (0.345, 0.755))),
        parse_color("#e2b48c") * np.ones_like(shade),
    )
    return canvas.sprite()


def draw_balloon(size: int) -> Sprite:
    """A hot-air balloon with colored gores, ``size`` pixels high and 0.8 ``size`` wide."""
    width = round(0.8 * size)
    canvas = _Canvas(width, size)
    height, wide = canvas.sheet.shape[:2]
    x, y = make_grid(height, wide)
    x, y = (x / wide - 0.5) * 0.8, y / height  # in units of the balloon's height
    radius = np.float32(0.375)
    top, waist, foot = 0.385, 0.52, 0.80
    part = np.clip((y - waist) / (foot - waist), 0, 1)
    round_half = np.sqrt(np.clip(radius**2 - (y - top) ** 2, 0, None))
    at_waist = np.sqrt(radius**2 - (waist - top) ** 2)
    tapered = at_waist + (0.055 - at_waist) * (1.35 * part - 0.35 * part**2)
    half = np.where(y < waist, round_half, tapered).astype(np.float32)
    inside = np.clip((half - np.abs(x)) * height / 1.5, 0, 1) * (y < foot)
    turn = np.arcsin(np.clip(x / np.maximum(half, 1e-3), -1, 1))
    gore = np.floor((turn / np.pi + 0.5) * 9).astype(np.int32) % 3
    table = np.stack([parse_color("#e4572e"), parse_color("#f6c445"), parse_color("#2f6f9f")])
    colors = table[gore]
    band = (np.abs(y - 0.47) < 0.035)[..., None]
    colors = np.where(band, parse_color("#fbf1dc"), colors)
    light = 0.62 + 0.50 * np.cos(turn + 0.75) - 0.18 * np.clip(y - 0.3, 0, 1)
    crease = 1 - 0.16 * np.abs(np.sin(turn * 9)) ** 6
    canvas.paint(
        inside.astype(np.float32), (colors * (light * crease)[..., None]).astype(np.float32)
    )
    for side in (-1, 1):
        canvas.line([(0.5 + side * 0.065, 0.80), (0.5 + side * 0.045, 0.91)], "#4d3b2c", 0.8)
    wicker = [(0.445, 0.905), (0.555, 0.905), (0.545, 0.985), (0.455, 0.985)]
    weave = 0.85 + 0.25 * np.sin(x * 500)[..., None]
    canvas.paint(canvas.mask(wicker), parse_color("#8a5a2e") * weave)
    return canvas.sprite()


def draw_bird(size: int, flap: float) -> Sprite:
    """A gull, ``size`` x ``size`` pixels; ``flap`` goes from -1 (wings down) to 1 (wings up)."""
    canvas = _Canvas(size, size)
    lift = 0.24 * flap
    for side in (-1, 1):
        tip = (0.5 + side * 0.46, 0.5 - lift + 0.05)
        outer = _build_curve((0.5, 0.50), (0.5 + side * 0.24, 0.36 - lift), tip)
        inner = _build_curve(tip, (0.5 + side * 0.22, 0.45 - lift), (0.5, 0.59))
        shade = np.full((1, 1, 1), 0.95 if side < 0 else 0.72, np.float32)
        canvas.paint(canvas.mask(outer + inner), parse_color("#55555f") * shade)
    body = _build_curve((0.38, 0.56), (0.52, 0.44), (0.66, 0.55)) + _build_curve(
        (0.66, 0.55), (0.52, 0.63), (0.38, 0.56)
    )
    canvas.paint(canvas.mask(body), parse_color("#3d3d47") * np.ones((1, 1, 1), np.float32))
    return canvas.sprite()


def draw_meadow(width: int, height: int, seed: int) -> Sprite:
    """The bank in front: grass and flowers from the lower edge up, higher at both ends."""
    chance = make_generator(seed)
    wide, high = width * 2, height * 2  # drawn at twice the size, for smooth edges
    along = np.linspace(0, 1, wide, dtype=np.float32)
    bumps = draw_clouds(chance, 2, wide, wide / 6, 3)[0] - 0.5
    top = high * (0.81 - 0.50 * (2 * np.abs(along - 0.46)) ** 1.8 - 0.10 * bumps)
    sheet = np.zeros((high, wide, 4), np.float32)
    _, y = make_grid(high, wide)
    ground = np.clip((y - top[None] - 8) / 12, 0, 1)[..., None]
    shade = draw_clouds(chance, high, wide, 30, 4)[..., None] - 0.5
    sheet[..., :3] = ground * (parse_color("#2c3a1c") + shade * parse_color("#3a4a20"))
    sheet[..., 3:] = ground
    for depth in np.sort(chance.random(2600)):  # from behind to the front: brighter and longer
        x = float(chance.random() * wide)
        edge = float(top[min(wide - 1, int(x))])
        _blade(sheet, chance, x, edge + high / 40 + depth * (high - edge), float(depth))
    small = cv2.resize(np.clip(sheet, 0, 1), (width, height), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.5)


GREENS = ("#31451f", "#46602a", "#5f7a31", "#86963f", "#b3ae55")
FLOWERS = ("#d9402f", "#f4efe2", "#f0c43c", "#8d6fc4")


def _blade(sheet: Sprite, chance: np.random.Generator, x: float, y: float, depth: float) -> None:
    """One blade of grass with its root at (x, y), and now and then a flower at its tip."""
    scale = sheet.shape[0] / 240
    length = (20 + 34 * depth + 22 * chance.random()) * scale
    lean = (chance.random() - 0.4) * 0.75 * length
    tip = (x + lean, y - length)
    green = GREENS[min(4, int(chance.random() * 3 + 2.2 * depth * chance.random()))]
    color = (parse_color(green) * (0.7 + 0.5 * depth)).tolist()
    blade = _build_curve((x, y), (x + 0.2 * lean, y - 0.7 * length), tip)
    draw_line(sheet, blade, (*color, 1.0), (1.2 + 1.6 * depth) * scale)
    if chance.random() < 0.10:
        petal = parse_color(FLOWERS[int(chance.random() * 4)]) * (0.75 + 0.35 * depth)
        fill_disc(sheet, tip, (2.2 + 3.2 * depth) * scale, (*petal.tolist(), 1.0), flat=0.75)
