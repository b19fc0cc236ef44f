"""Patterns put together of pieces: stained glass, facets, mosaic, gold leaf, woven thread, washes
of watercolour.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.samples.noise import (
    Colors,
    Plane,
    clip_to_unit,
    draw_clouds,
    draw_paper,
    light_relief,
    make_grid,
    map_to_colors,
    parse_color,
    smoothstep,
)
from vst.samples.shapes import draw_line, fill_disc

Labels = npt.NDArray[np.int32]
"""The number of the piece that each pixel belongs to, (height, width)."""


def divide_sheet(seeds: npt.NDArray[np.float32], height: int, width: int) -> tuple[Labels, Plane]:
    """Divide the sheet among ``seeds`` ((n, 2), x and y in pixels): labels, and each pixel's
    distance to an edge.

    OpenCV's labeled distance transform gives the nearest seed in one pass.
    """
    marks = np.ones((height, width), np.uint8)
    at = np.clip(np.round(seeds), 0, (width - 1, height - 1)).astype(np.int32)
    marks[at[:, 1], at[:, 0]] = 0
    _, numbers = cv2.distanceTransformWithLabels(
        marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = np.asarray(numbers, np.int32)
    edge = np.ones((height, width), np.uint8)
    edge[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    edge[1:][labels[1:] != labels[:-1]] = 0
    return labels, cv2.distanceTransform(edge, cv2.DIST_L2, 5).astype(np.float32)


def average_pieces(values: Colors, labels: Labels) -> npt.NDArray[np.float32]:
    """The mean color of each piece, (largest label + 1, 3)."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    means = [np.bincount(flat, values[..., c].ravel()) / count for c in range(3)]
    return np.stack(means, 1).astype(np.float32)


def stained_glass(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A window of glowing glass in dark leading: a sun, its rays, blue sky and green ground."""
    labels, edge = divide_sheet(_place_panes(rng, height, width), height, width)
    means = average_pieces(_color_window(height, width), labels)
    means *= 1 + rng.normal(0, 0.16, (len(means), 1)).astype(np.float32)
    means += rng.normal(0, 0.035, means.shape).astype(np.float32)
    swirl = draw_clouds(rng, height, width, height / 14, 4)
    glow = smoothstep(0, 16 * height / 360, edge)
    glass = clip_to_unit(means)[labels] * (0.92 + 0.36 * glow + 0.34 * (swirl - 0.5))[..., None]
    lead = smoothstep(2.9 * height / 360, 1.7 * height / 360, edge)[..., None]
    leaded = clip_to_unit(glass * (1 - lead) + lead * parse_color("#17141a"))
    rounded = cv2.GaussianBlur(np.minimum(edge / (3.0 * height / 360), 1), (0, 0), 1.0)
    return light_relief(leaded, rounded * 0.25 + 0.2 * swirl, 0.9)


def _place_panes(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float32]:
    """The middles of the panes: rings around the sun."""
    center = np.array([0.5 * width, 0.42 * height])
    seeds = [center[None]]
    for ring in range(1, 13):
        count = 5 + 4 * ring
        turn = 2 * np.pi * (np.arange(count) + 0.5 * (ring % 2)) / count
        turn += rng.normal(0, 0.05, count)
        seeds.append(center + ring * height * 0.072 * np.stack([np.cos(turn), np.sin(turn)], 1))
    spots = np.concatenate(seeds)
    near = ((spots > -20) & (spots < (width + 20, height + 20))).all(1)
    return spots[near].astype(np.float32)


def _color_window(height: int, width: int) -> Colors:
    """The colors of the window before it is cut into panes."""
    x, y = make_grid(height, width)
    away = np.hypot(x - 0.5 * width, y - 0.42 * height) / height
    angle = np.arctan2(y - 0.42 * height, x - 0.5 * width)
    night = ["#fff0a8", "#ffc13a", "#f0702a", "#c22a4a", "#4a3aa0", "#1e5cb8", "#1b8fae"]
    window = map_to_colors(clip_to_unit(away / 0.62), night)
    rays = (smoothstep(0.2, 0.6, np.sin(angle * 8)) * smoothstep(0.12, 0.3, away))[..., None]
    light = map_to_colors(clip_to_unit(away / 0.7), ["#ffdf6a", "#f58a2e", "#e0a030", "#2aa0b0"])
    window += 0.65 * rays * (light - window)
    grass = smoothstep(-0.02, 0.02, y / height - 0.80 - 0.05 * np.sin(5 * x / height))[..., None]
    meadow = map_to_colors(clip_to_unit(x / width), ["#1c7a4a", "#5aa83a", "#1a8a6a", "#2f9a4a"])
    window += grass * (meadow - window)
    return window


EARTH_COLORS = (
    *("#b98a4a", "#8c6a3c", "#d8b878", "#5f6f78", "#8a98a0"),
    *("#4a3a2c", "#a8552f", "#e6d6b0", "#3c4a4a", "#6f7a4c"),
)


def ochre_facets(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A still life broken into facets of ochre, gray-blue and brown, each shaded to one side."""
    labels, shade = _cut_facets(rng, height, width)
    table = np.stack([parse_color(color) for color in EARTH_COLORS])
    picked = table[rng.integers(0, len(table), labels.max() + 1)]
    colors = picked[labels] * (1 + 0.30 * np.clip(shade, -1.6, 1.6))[..., None]
    edge = np.zeros((height, width), np.float32)
    edge[:, 1:] += labels[:, 1:] != labels[:, :-1]
    edge[1:] += labels[1:] != labels[:-1]
    line = clip_to_unit(1.5 * cv2.GaussianBlur(clip_to_unit(edge), (0, 0), 0.9 * height / 360))[
        ..., None
    ]
    colors = colors * (1 - 0.8 * line) + 0.8 * line * parse_color("#2a2018")
    bristles = max(1, round(13 * height / 360)), max(1, round(3 * height / 360))
    dabs = cv2.blur(rng.random((height, width), np.float32), bristles)
    dabs = (dabs - dabs.mean()) / (dabs.std() * 4) + 0.5
    return light_relief(clip_to_unit(colors), dabs * 0.8, 0.9, 0.05)


def _cut_facets(rng: np.random.Generator, height: int, width: int) -> tuple[Labels, Plane]:
    """Cut the sheet by lines that end and by three discs: the facets, and their shading."""
    x, y = make_grid(height, width)
    labels: Labels = np.zeros((height, width), np.int32)
    shade = np.zeros((height, width), np.float32)
    for _ in range(13):
        angle = rng.choice([0.35, 1.05, 1.9, 2.6]) + rng.normal(0, 0.22)
        spot = (0.12 + 0.76 * rng.random(2)) * (width, height)
        side = (x - spot[0]) * np.float32(np.cos(angle)) + (y - spot[1]) * np.float32(np.sin(angle))
        reach = np.hypot(x - spot[0], y - spot[1]) < (0.35 + 0.5 * rng.random()) * height
        labels = (labels * 2 + (reach & (side > 0))) % 100003
        shade += reach * np.exp(-np.abs(side) / np.float32(0.10 * height)) * np.sign(side)
    for center_x, center_y, radius in ((0.36, 0.42, 0.20), (0.60, 0.60, 0.15), (0.66, 0.28, 0.11)):
        away = np.hypot(x - center_x * width, y - center_y * height) / height
        labels += np.int32(50021) * (away < radius)
        rim = np.exp(-np.abs(away - radius) / np.float32(0.03))
        shade += np.float32(0.9) * rim * np.sign(radius - away)
    numbers = np.unique(labels, return_inverse=True)[1]
    return numbers.reshape(height, width).astype(np.int32), shade


def sea_mosaic(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Small stone tiles laid in curves: fish-blue, turquoise and gold in pale mortar."""
    x, y = make_grid(height, width)
    size = 11.5 * height / 360
    wave = np.sin(x / height * 5.5) * 0.09 * height + np.sin(x / height * 13 + 1) * 0.02 * height
    rows = np.arange(-4, height / size + 5)
    columns = np.arange(-1, width / size + 2)
    seeds_x, seeds_y = np.meshgrid(columns * size, rows * size)
    seeds_x = (
        seeds_x
        + (np.arange(len(rows)) % 2)[:, None] * size / 2
        + rng.normal(0, 0.08 * size, seeds_x.shape)
    )
    bend = (
        np.sin(seeds_x / height * 5.5) * 0.09 * height
        + np.sin(seeds_x / height * 13 + 1) * 0.02 * height
    )
    seeds_y = seeds_y + bend + rng.normal(0, 0.05 * size, seeds_y.shape)
    spots = np.stack([seeds_x.ravel(), seeds_y.ravel()], 1).astype(np.float32)
    inside = (
        (spots[:, 0] >= 0) & (spots[:, 0] < width) & (spots[:, 1] >= 0) & (spots[:, 1] < height)
    )
    labels, edge = divide_sheet(spots[inside], height, width)
    band = 0.5 + 0.5 * np.sin((y - wave) / height * 22)
    colors = map_to_colors(
        np.clip(band, 0, 1), ["#0d3b66", "#1f6f9f", "#3fb5b5", "#a8dcc8", "#f2e6c0"]
    )
    spiral_x, spiral_y = x - 0.62 * width, y - 0.44 * height
    away = np.hypot(spiral_x, spiral_y) / height
    arm = 0.5 + 0.5 * np.sin(away * 60 - 2 * np.arctan2(spiral_y, spiral_x))
    disc = smoothstep(0.26, 0.24, away)[..., None]
    colors += disc * (
        map_to_colors(arm.astype(np.float32), ["#b5442c", "#e0902e", "#f2c84c", "#fff0b8"]) - colors
    )
    means = average_pieces(colors, labels)
    means = np.clip(means * (1 + rng.normal(0, 0.13, (len(means), 1))), 0, 1).astype(np.float32)
    mortar = smoothstep(1.9 * height / 360, 0.9 * height / 360, edge)[..., None]
    laid = means[labels] * (1 - mortar) + mortar * parse_color("#d9d0bd")
    rounded = np.clip(edge / (3 * height / 360), 0, 1)
    return light_relief(laid.astype(np.float32), rounded * 0.35, 0.8, 0.2)


def gold_spirals(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Gold leaf with curls, eyes and little squares, as on a festive robe."""
    leaf = draw_clouds(rng, height, width, height / 10, 5)
    canvas = map_to_colors(clip_to_unit(leaf), ["#8a5a14", "#c8922a", "#e6b942", "#f7dc7a"])
    inks = ["#1c1712", "#f6edd2", "#8c2f1f", "#24506b", "#3f7a4a", "#f2c94c"]
    unit = height / 360
    taken: list[tuple[float, float, float]] = []
    for _ in range(900):
        x, y = (rng.random(2) * (width, height)).tolist()
        radius = float(7 + 34 * rng.random() ** 2) * unit
        if all(np.hypot(x - a, y - b) >= radius + r + 2 * unit for a, b, r in taken):
            taken.append((x, y, radius))
            ornament = (_draw_curl, _draw_eye, _draw_square)[int(rng.integers(0, 3))]
            ornament(canvas, x, y, radius, inks[int(rng.integers(0, 6))])
    gray = cv2.GaussianBlur(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), (0, 0), 1.2)
    return light_relief(
        clip_to_unit(canvas), gray + 0.35 * draw_clouds(rng, height, width, 5, 2), 0.45, 0.25
    )


BLACK, CREAM = parse_color("#1c1712").tolist(), parse_color("#f6edd2").tolist()


def _draw_curl(canvas: Colors, x: float, y: float, radius: float, ink: str) -> None:
    turn = np.linspace(0.3, 6 * np.pi, 120)
    arm = (radius / (6 * np.pi) * turn)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    draw_line(canvas, arm + np.array([x, y]), BLACK, radius * 0.10)


def _draw_eye(canvas: Colors, x: float, y: float, radius: float, ink: str) -> None:
    for share, color in ((1.0, BLACK), (0.86, parse_color(ink)), (0.55, CREAM), (0.30, BLACK)):
        fill_disc(canvas, (x, y), radius * share, np.asarray(color).tolist(), flat=0.62, turn=25)


def _draw_square(canvas: Colors, x: float, y: float, radius: float, ink: str) -> None:
    half = round(radius * 0.7)
    first, last = (round(x) - half, round(y) - half), (round(x) + half, round(y) + half)
    cv2.rectangle(canvas, first, last, parse_color(ink).tolist(), -1)
    cv2.rectangle(canvas, first, last, BLACK, max(1, round(2 * canvas.shape[0] / 360)))


def woven_wool(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A hand-woven rug: stepped diamonds in madder, indigo, saffron and undyed wool."""
    x, y = make_grid(height, width)
    stitch = 6.0 * height / 360
    column, row = np.floor(x / stitch), np.floor(y / (stitch * 0.8))
    across = np.abs((column % 30) - 15)
    along = np.abs((row % 26) - 13)
    step = (across + along).astype(np.int32)
    stripe = ((row // 26) % 2).astype(np.int32)
    table = np.stack(
        [
            parse_color(c)
            for c in ("#8c2b22", "#e9dfc6", "#22355c", "#d69a2d", "#5c1f1a", "#3f6b5c", "#b8452f")
        ]
    )
    colors = table[(step // 3 + 2 * stripe) % 7]
    uneven = rng.normal(1, 0.09, (int(row.max()) + 1, int(column.max()) + 1)).astype(np.float32)
    colors = colors * uneven[row.astype(int), column.astype(int)][..., None]
    loop_x, loop_y = (x / stitch) % 1 - 0.5, (y / (stitch * 0.8)) % 1 - 0.5
    loop_y = loop_y + np.where(loop_x > 0, 0.5, -0.5) * loop_x * 1.2
    bump = np.clip(1 - (loop_x**2 * 2.2 + loop_y**2 * 2.6), 0, 1)
    fuzz = draw_clouds(rng, height, width, 2.6, 2, 0.9)
    return light_relief(
        np.clip(colors * (0.55 + 0.5 * bump)[..., None], 0, 1).astype(np.float32),
        bump * 0.45 + 0.25 * fuzz,
        0.9,
        0.0,
    )


def soft_watercolor(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Wet washes that run into one another: rose, sky, lemon and lilac with hard dried rims on
    white paper.
    """
    canvas = np.ones((height, width, 3), np.float32) * parse_color("#fbf8f1")
    x, y = make_grid(height, width)
    tints = ["#e58aa5", "#6fb4dd", "#f4cf5e", "#9a86cf", "#76c2a0", "#f0996a"]
    for number in range(20):
        center_x, center_y = rng.random(2) * (width, height)
        radius = (0.13 + 0.22 * rng.random()) * height
        ragged = draw_clouds(rng, height, width, radius * 0.9, 5, 0.55) - 0.5
        away = np.hypot(x - center_x, y - center_y) / np.float32(radius) + 0.65 * ragged
        wet = smoothstep(1.02, 0.96, away)
        rim = np.exp(-(((away - 0.95) / 0.035) ** 2))
        pool = 0.34 + 0.38 * draw_clouds(rng, height, width, radius * 0.7, 4)
        amount = np.clip(wet * pool + 0.30 * rim, 0, 0.9)[..., None]
        canvas *= 1 - amount * (1 - parse_color(tints[number % 6]))
    return clip_to_unit(canvas * draw_paper(rng, height, width, 0.07))


def neon_lines(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Tubes of light at night: glowing magenta, cyan and amber curves on near black."""
    canvas = np.zeros((height, width, 3), np.float32) + parse_color("#0b0a18")
    land = draw_clouds(rng, height, width, height / 2, 3)
    slope = (
        np.hypot(cv2.Sobel(land, cv2.CV_32F, 1, 0), cv2.Sobel(land, cv2.CV_32F, 0, 1)) / 8 + 1e-5
    )
    for number, level in enumerate(np.linspace(0.05, 0.95, 12)):
        away = np.abs(land - level) / np.maximum(slope, 1e-3) / (height / 360)
        tint = parse_color(("#ff3d9a", "#28d7ff", "#ffb02e", "#8a5cff")[number % 4])
        canvas += np.exp(-((away / 9) ** 1.2))[..., None] * tint * 0.42
        canvas += smoothstep(2.6, 1.2, away)[..., None] * (0.55 * tint + 0.45)
    return clip_to_unit(canvas)
