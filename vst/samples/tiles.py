"""Patterns put together of pieces: stained glass, facets, mosaic, gold leaf, woven thread, washes of watercolour."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vst.samples.noise import Colours, Plane, as_colour, clouds, grid_of, paper, ramp, relief, smoothstep

Labels = npt.NDArray[np.int32]
"""The number of the piece that each pixel belongs to, (height, width)."""


def pieces(seeds: npt.NDArray[np.float32], height: int, width: int) -> tuple[Labels, Plane]:
    """Divide the sheet among ``seeds`` ((n, 2), x and y in pixels): labels, and each pixel's distance to an edge.

    OpenCV's labelled distance transform gives the nearest seed in one pass.
    """
    marks = np.ones((height, width), np.uint8)
    at = np.clip(np.round(seeds), 0, (width - 1, height - 1)).astype(np.int32)
    marks[at[:, 1], at[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.asarray(labels, np.int32)
    edge = np.ones((height, width), np.uint8)
    edge[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    edge[1:][labels[1:] != labels[:-1]] = 0
    return labels, cv2.distanceTransform(edge, cv2.DIST_L2, 5).astype(np.float32)


def mean_of_pieces(values: Colours, labels: Labels) -> npt.NDArray[np.float32]:
    """The mean colour of each piece, (largest label + 1, 3)."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    means = [np.bincount(flat, values[..., c].ravel()) / count for c in range(3)]
    return np.stack(means, 1).astype(np.float32)


def stained_glass(chance: np.random.Generator, height: int, width: int) -> Colours:
    """A window of glowing glass in dark leading: a sun, its rays, blue sky and green ground."""
    x, y = grid_of(height, width)
    centre_x, centre_y = 0.5 * width, 0.42 * height
    seeds = []
    for ring in range(1, 13):
        count = 5 + 4 * ring
        radius = ring * height * 0.072
        turn = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.5 * (ring % 2) * 2 * np.pi / count
        turn += chance.normal(0, 0.05, count)
        seeds.append(np.stack([centre_x + radius * np.cos(turn), centre_y + radius * np.sin(turn)], 1))
    spots = np.concatenate([[[centre_x, centre_y]], *seeds]).astype(np.float32)
    spots = spots[(spots[:, 0] > -20) & (spots[:, 0] < width + 20) & (spots[:, 1] > -20) & (spots[:, 1] < height + 20)]
    labels, edge = pieces(spots, height, width)
    away = np.hypot(x - centre_x, y - centre_y) / height
    angle = np.arctan2(y - centre_y, x - centre_x)
    ground = ramp(np.clip(away / 0.62, 0, 1), ["#fff0a8", "#ffc13a", "#f0702a", "#c22a4a", "#4a3aa0", "#1e5cb8", "#1b8fae"])
    rays = smoothstep(0.2, 0.6, np.sin(angle * 8))[..., None] * smoothstep(0.12, 0.3, away)[..., None]
    ground += 0.65 * rays * (ramp(np.clip(away / 0.7, 0, 1), ["#ffdf6a", "#f58a2e", "#e0a030", "#2aa0b0"]) - ground)
    grass = smoothstep(-0.02, 0.02, y / height - 0.80 - 0.05 * np.sin(5 * x / height))[..., None]
    ground += grass * (ramp(np.clip(x / width, 0, 1), ["#1c7a4a", "#5aa83a", "#1a8a6a", "#2f9a4a"]) - ground)
    means = mean_of_pieces(ground, labels)
    means = np.clip(means * (1 + chance.normal(0, 0.16, (len(means), 1))) + chance.normal(0, 0.035, means.shape), 0, 1)
    glass = means.astype(np.float32)[labels]
    swirl = clouds(chance, height, width, height / 14, 4)
    glow = smoothstep(0, 16 * height / 360, edge)
    glass = glass * (0.72 + 0.36 * glow + 0.34 * (swirl - 0.5))[..., None]
    lead = smoothstep(3.6 * height / 360, 2.2 * height / 360, edge)[..., None]
    leaded = glass * (1 - lead) + lead * as_colour("#17141a")
    rounded = np.minimum(edge / (3.0 * height / 360), 1).astype(np.float32)
    return relief(np.clip(leaded, 0, 1), cv2.GaussianBlur(rounded, (0, 0), 1.0) * 0.25 + 0.2 * swirl, 0.9)


def ochre_facets(chance: np.random.Generator, height: int, width: int) -> Colours:
    """A still life broken into facets: planes of ochre, grey-blue and brown, each shaded to one side."""
    x, y = grid_of(height, width)
    labels = np.zeros((height, width), np.int32)
    shade = np.zeros((height, width), np.float32)
    lines = 13
    for number in range(lines):
        angle = chance.choice([0.35, 1.05, 1.9, 2.6]) + chance.normal(0, 0.22)
        spot = (0.12 + 0.76 * chance.random(2)) * (width, height)
        side = (x - spot[0]) * np.float32(np.cos(angle)) + (y - spot[1]) * np.float32(np.sin(angle))
        reach = np.hypot(x - spot[0], y - spot[1]) < (0.35 + 0.5 * chance.random()) * height
        labels = np.where(reach, labels * 2 + (side > 0), labels * 2) % 100003
        shade += np.where(reach, np.exp(-np.abs(side) / (0.10 * height)) * np.sign(side), 0).astype(np.float32)
    for centre_x, centre_y, radius in ((0.36, 0.42, 0.20), (0.60, 0.60, 0.15), (0.66, 0.28, 0.11)):
        away = np.hypot(x - centre_x * width, y - centre_y * height) / height
        labels = np.where(away < radius, labels + 50021, labels)
        shade += (0.9 * np.exp(-np.abs(away - radius) / 0.03) * np.sign(radius - away)).astype(np.float32)
    _, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(height, width).astype(np.int32)
    table = np.stack([as_colour(c) for c in ("#b98a4a", "#8c6a3c", "#d8b878", "#5f6f78", "#8a98a0", "#4a3a2c", "#a8552f", "#e6d6b0", "#3c4a4a", "#6f7a4c")])
    picked = table[chance.integers(0, len(table), labels.max() + 1)]
    colours = picked[labels] * (1 + 0.30 * np.clip(shade, -1.6, 1.6))[..., None]
    edge = np.zeros((height, width), np.float32)
    edge[:, 1:] += labels[:, 1:] != labels[:, :-1]
    edge[1:] += labels[1:] != labels[:-1]
    line = np.clip(cv2.GaussianBlur(np.clip(edge, 0, 1), (0, 0), 0.9 * height / 360) * 1.5, 0, 1)[..., None]
    colours = colours * (1 - 0.8 * line) + 0.8 * line * as_colour("#2a2018")
    dabs = cv2.blur(chance.random((height, width), np.float32), (round(13 * height / 360), round(3 * height / 360)))
    dabs = (dabs - dabs.mean()) / (dabs.std() * 4) + 0.5
    return relief(np.clip(colours, 0, 1).astype(np.float32), dabs * 0.8, 0.9, 0.05)


def sea_mosaic(chance: np.random.Generator, height: int, width: int) -> Colours:
    """Small stone tiles laid in curves: fish-blue, turquoise and gold in pale mortar."""
    x, y = grid_of(height, width)
    size = 11.5 * height / 360
    wave = np.sin(x / height * 5.5) * 0.09 * height + np.sin(x / height * 13 + 1) * 0.02 * height
    rows = np.arange(-4, height / size + 5)
    columns = np.arange(-1, width / size + 2)
    seeds_x, seeds_y = np.meshgrid(columns * size, rows * size)
    seeds_x = seeds_x + (np.arange(len(rows)) % 2)[:, None] * size / 2 + chance.normal(0, 0.08 * size, seeds_x.shape)
    bend = np.sin(seeds_x / height * 5.5) * 0.09 * height + np.sin(seeds_x / height * 13 + 1) * 0.02 * height
    seeds_y = seeds_y + bend + chance.normal(0, 0.05 * size, seeds_y.shape)
    spots = np.stack([seeds_x.ravel(), seeds_y.ravel()], 1).astype(np.float32)
    inside = (spots[:, 0] >= 0) & (spots[:, 0] < width) & (spots[:, 1] >= 0) & (spots[:, 1] < height)
    labels, edge = pieces(spots[inside], height, width)
    band = 0.5 + 0.5 * np.sin((y - wave) / height * 22)
    colours = ramp(np.clip(band, 0, 1), ["#0d3b66", "#1f6f9f", "#3fb5b5", "#a8dcc8", "#f2e6c0"])
    spiral_x, spiral_y = x - 0.62 * width, y - 0.44 * height
    away = np.hypot(spiral_x, spiral_y) / height
    arm = 0.5 + 0.5 * np.sin(away * 60 - 2 * np.arctan2(spiral_y, spiral_x))
    disc = smoothstep(0.26, 0.24, away)[..., None]
    colours += disc * (ramp(arm.astype(np.float32), ["#b5442c", "#e0902e", "#f2c84c", "#fff0b8"]) - colours)
    means = mean_of_pieces(colours, labels)
    means = np.clip(means * (1 + chance.normal(0, 0.13, (len(means), 1))), 0, 1).astype(np.float32)
    mortar = smoothstep(1.9 * height / 360, 0.9 * height / 360, edge)[..., None]
    laid = means[labels] * (1 - mortar) + mortar * as_colour("#d9d0bd")
    rounded = np.clip(edge / (3 * height / 360), 0, 1)
    return relief(laid.astype(np.float32), rounded * 0.35, 0.8, 0.2)


def gold_spirals(chance: np.random.Generator, height: int, width: int) -> Colours:
    """Gold leaf with curls, eyes and little squares, as on a festive robe."""
    x, y = grid_of(height, width)
    leaf = clouds(chance, height, width, height / 10, 5)
    canvas = np.ascontiguousarray(ramp(np.clip(leaf, 0, 1), ["#8a5a14", "#c8922a", "#e6b942", "#f7dc7a"]))
    inks = [as_colour(c).tolist() for c in ("#1c1712", "#f6edd2", "#8c2f1f", "#24506b", "#3f7a4a", "#f2c94c")]
    unit = height / 360
    taken: list[tuple[float, float, float]] = []
    for _ in range(900):
        spot_x, spot_y = chance.random(2) * (width, height)
        radius = (7 + 34 * chance.random() ** 2) * unit
        if any(np.hypot(spot_x - a, spot_y - b) < radius + r + 2 * unit for a, b, r in taken):
            continue
        taken.append((float(spot_x), float(spot_y), float(radius)))
        kind, ink = int(chance.integers(0, 3)), inks[int(chance.integers(0, 6))]
        centre = (round(spot_x * 8), round(spot_y * 8))
        if kind == 0:
            turn = np.linspace(0.3, 6 * np.pi, 120)
            curl = np.stack([spot_x + radius * turn / (6 * np.pi) * np.cos(turn), spot_y + radius * turn / (6 * np.pi) * np.sin(turn)], 1)
            cv2.polylines(canvas, [np.round(curl * 8).astype(np.int32)], False, inks[0], max(1, round(radius * 0.10)), cv2.LINE_AA, 3)
        elif kind == 1:
            for share, colour in ((1.0, inks[0]), (0.86, ink), (0.55, inks[1]), (0.30, inks[0])):
                cv2.ellipse(canvas, centre, (round(radius * share * 8), round(radius * share * 5)), 25, 0, 360, colour, -1, cv2.LINE_AA, 3)
        else:
            half = round(radius * 0.7)
            corner = (round(spot_x) - half, round(spot_y) - half)
            opposite = (round(spot_x) + half, round(spot_y) + half)
            cv2.rectangle(canvas, corner, opposite, ink, -1)
            cv2.rectangle(canvas, corner, opposite, inks[0], max(1, round(2 * unit)))
    bumps = cv2.GaussianBlur(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), (0, 0), 1.2) + 0.35 * clouds(chance, height, width, 5, 2)
    return relief(np.clip(canvas, 0, 1), bumps, 0.45, 0.25)


def woven_wool(chance: np.random.Generator, height: int, width: int) -> Colours:
    """A hand-woven rug: stepped diamonds in madder, indigo, saffron and undyed wool."""
    x, y = grid_of(height, width)
    stitch = 6.0 * height / 360
    column, row = np.floor(x / stitch), np.floor(y / (stitch * 0.8))
    across = np.abs((column % 30) - 15)
    along = np.abs((row % 26) - 13)
    step = (across + along).astype(np.int32)
    stripe = ((row // 26) % 2).astype(np.int32)
    table = np.stack([as_colour(c) for c in ("#8c2b22", "#e9dfc6", "#22355c", "#d69a2d", "#5c1f1a", "#3f6b5c", "#b8452f")])
    colours = table[(step // 3 + 2 * stripe) % 7]
    uneven = chance.normal(1, 0.09, (int(row.max()) + 1, int(column.max()) + 1)).astype(np.float32)
    colours = colours * uneven[row.astype(int), column.astype(int)][..., None]
    loop_x, loop_y = (x / stitch) % 1 - 0.5, (y / (stitch * 0.8)) % 1 - 0.5
    loop_y = loop_y + np.where(loop_x > 0, 0.5, -0.5) * loop_x * 1.2
    bump = np.clip(1 - (loop_x**2 * 2.2 + loop_y**2 * 2.6), 0, 1)
    fuzz = clouds(chance, height, width, 2.6, 2, 0.9)
    return relief(np.clip(colours * (0.55 + 0.5 * bump)[..., None], 0, 1).astype(np.float32), bump * 0.45 + 0.25 * fuzz, 0.9, 0.0)


def soft_watercolour(chance: np.random.Generator, height: int, width: int) -> Colours:
    """Wet washes that run into one another: rose, sky, lemon and lilac with hard dried rims on white paper."""
    canvas = np.ones((height, width, 3), np.float32) * as_colour("#fbf8f1")
    x, y = grid_of(height, width)
    tints = ["#e58aa5", "#6fb4dd", "#f4cf5e", "#9a86cf", "#76c2a0", "#f0996a"]
    for number in range(20):
        centre_x, centre_y = chance.random(2) * (width, height)
        radius = (0.13 + 0.22 * chance.random()) * height
        ragged = clouds(chance, height, width, radius * 0.9, 5, 0.55) - 0.5
        away = np.hypot(x - centre_x, y - centre_y) / np.float32(radius) + 0.65 * ragged
        wet = smoothstep(1.02, 0.96, away)
        rim = np.exp(-(((away - 0.95) / 0.035) ** 2))
        pool = 0.34 + 0.38 * clouds(chance, height, width, radius * 0.7, 4)
        amount = np.clip(wet * pool + 0.30 * rim, 0, 0.9)[..., None]
        canvas *= 1 - amount * (1 - as_colour(tints[number % 6]))
    return np.clip(canvas * paper(chance, height, width, 0.07), 0, 1)


def neon_lines(chance: np.random.Generator, height: int, width: int) -> Colours:
    """Tubes of light at night: glowing magenta, cyan and amber curves on near black."""
    x, y = grid_of(height, width)
    canvas = np.zeros((height, width, 3), np.float32) + as_colour("#0b0a18")
    land = clouds(chance, height, width, height / 2, 3)
    slope = np.hypot(cv2.Sobel(land, cv2.CV_32F, 1, 0), cv2.Sobel(land, cv2.CV_32F, 0, 1)) / 8 + 1e-5
    for number, level in enumerate(np.linspace(0.05, 0.95, 12)):
        away = np.abs(land - level) / np.maximum(slope, 1e-3) / (height / 360)
        tint = as_colour(("#ff3d9a", "#28d7ff", "#ffb02e", "#8a5cff")[number % 4])
        canvas += np.exp(-((away / 9) ** 1.2))[..., None] * tint * 0.42
        canvas += smoothstep(2.6, 1.2, away)[..., None] * (0.55 * tint + 0.45)
    return np.clip(canvas, 0, 1)
