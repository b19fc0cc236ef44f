"""Patterns painted with strokes that follow a flow: swirls, fire, meadow, marble, dots."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vst.samples.noise import (
    Colors,
    Plane,
    clip_to_unit,
    draw_clouds,
    draw_paper,
    light_relief,
    make_grid,
    map_to_colors,
    normalize_flow,
    parse_color,
    smear_along,
    smoothstep,
)


def paint_strokes(
    rng: np.random.Generator,
    target: Colors,
    flow: tuple[Plane, Plane],
    layers: Sequence[tuple[int, float, float]],
    jitter: float,
) -> Colors:
    """Paint ``target`` with strokes along ``flow``; each layer is (how many, length, thickness), in
    pixels.

    ``jitter``: how far the color of a stroke strays from the color under it, 0..1.
    """
    height, width = target.shape[:2]
    canvas = target.copy()
    for count, length, thickness in layers:
        points = np.empty((count, 7, 2), np.float32)
        points[:, 0] = rng.random((count, 2), np.float32) * (width, height)
        for step in range(6):
            x = np.clip(points[:, step, 0], 0, width - 1).astype(np.int32)
            y = np.clip(points[:, step, 1], 0, height - 1).astype(np.int32)
            way = np.stack([flow[0][y, x], flow[1][y, x]], 1)
            points[:, step + 1] = points[:, step] + way * np.float32(length / 6)
        middle = np.clip(points[:, 3], 0, (width - 1, height - 1)).astype(np.int32)
        colors = target[middle[:, 1], middle[:, 0]]
        light = rng.standard_normal((count, 1), np.float32) * jitter
        colors = np.clip(
            colors + light + rng.standard_normal((count, 3), np.float32) * jitter * 0.45, 0, 1
        )
        thick = np.maximum(1, thickness * (0.6 + 0.8 * rng.random(count))).astype(np.int32)
        corners = np.round(points * 8).astype(np.int32)
        for one, color, pen in zip(corners, colors.tolist(), thick.tolist()):
            cv2.polylines(canvas, [one], False, color, pen, cv2.LINE_AA, 3)
    return clip_to_unit(canvas)


def add_bristles(
    rng: np.random.Generator,
    colors: Colors,
    flow: tuple[Plane, Plane],
    length: int,
    depth: float,
) -> Colors:
    """Give a painting thickness: bristle marks along ``flow``, and the light that catches on
    them.
    """
    height, width = colors.shape[:2]
    grain = rng.random((height, width), np.float32)
    marks = smear_along(cv2.GaussianBlur(grain, (0, 0), 0.8), *flow, length)
    marks = np.clip((marks - marks.mean()) / (4 * marks.std() + 1e-6) + 0.5, 0, 1)
    bumps = 0.75 * marks + 0.5 * cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    return light_relief(colors * (0.82 + 0.36 * marks)[..., None], bumps, depth)


def _build_whirl_flow(
    x: Plane, y: Plane, eyes: Sequence[tuple[float, float, float, float]], wind: tuple[float, float]
) -> tuple[Plane, Plane]:
    """The flow of a wind with whirls in it; each eye is (x, y, reach, strength), x and y as the
    grids are.
    """
    flow_x, flow_y = np.full_like(x, wind[0]), np.full_like(y, wind[1])
    for center_x, center_y, reach, strength in eyes:
        away_x, away_y = x - center_x, y - center_y
        turn = strength * np.exp(-(away_x**2 + away_y**2) / (2 * reach**2)) / reach
        flow_x += -away_y * turn
        flow_y += away_x * turn
    return flow_x, flow_y


def blue_swirls(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A night wind in thick strokes: whirls of blue around glowing yellow lights, above dark
    hills.
    """
    x, y = make_grid(height, width)
    x, y = x / height, y / height
    ratio = width / height
    eyes = [
        (0.36 * ratio, 0.40, 0.16, 3.4),
        (0.64 * ratio, 0.52, 0.13, -3.2),
        (0.86 * ratio, 0.20, 0.11, 2.6),
        (0.12 * ratio, 0.17, 0.10, 2.4),
        (0.62 * ratio, 0.12, 0.07, 2.0),
        (0.09 * ratio, 0.62, 0.08, -2.2),
    ]
    flow_x, flow_y = _build_whirl_flow(x, y, eyes, (0.75, 0.12))
    hill = 0.80 + 0.07 * np.sin(4.2 * x) + 0.03 * np.sin(9 * x + 1)
    land = smoothstep(-0.01, 0.01, y - hill)
    flow_x, flow_y = flow_x + land * 2, flow_y + land * (0.55 * np.cos(4.2 * x) - flow_y)
    flow = normalize_flow(flow_x, flow_y)
    bands = draw_clouds(rng, height, width, height / 4, 4)
    for center_x, center_y, reach, strength in eyes:
        away = np.hypot(x - center_x, y - center_y)
        ring = np.sin(
            away / reach * 7.0 + 1.6 * np.arctan2(y - center_y, x - center_x) * np.sign(strength)
        )
        bands = bands + 0.30 * ring * np.exp(-((away / (1.5 * reach)) ** 2))
    target = map_to_colors(
        np.clip(bands, 0, 1), ["#0b1a4a", "#12357e", "#2358ae", "#4a88c6", "#93c3cf"]
    )
    for center_x, center_y, reach, _ in eyes:
        away = np.hypot(x - center_x, y - center_y) / reach
        glow = 1.25 * np.exp(-((away / 0.66) ** 2)) + 0.55 * np.exp(-(((away - 1.05) / 0.16) ** 2))
        target += np.clip(glow, 0, 1)[..., None] * (
            map_to_colors(np.clip(1.3 - away, 0, 1), ["#d98e12", "#f5bb22", "#ffe04a"]) - target
        )
    hills = map_to_colors(
        np.clip(bands * 0.8 + 0.3 * np.sin(24 * (y - hill)), 0, 1),
        ["#0a1230", "#16315c", "#21506a", "#4b7a4a"],
    )
    target += land[..., None] * (hills - target)
    size = height / 360
    layers = [(1500, 44 * size, 9 * size), (2600, 30 * size, 5 * size), (2600, 20 * size, 3 * size)]
    painted = paint_strokes(rng, target.astype(np.float32), flow, layers, 0.065)
    return add_bristles(rng, painted, flow, round(16 * size), 1.15)


def fire_impasto(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Flames laid on with a knife: thick red, orange and yellow rising out of black."""
    x, y = make_grid(height, width)
    wander = draw_clouds(rng, height, width, height / 3, 4) - 0.5
    angle = -np.pi / 2 + 2.6 * wander + 0.7 * np.sin(3 * np.pi * x / width)
    flow = normalize_flow(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32))
    tongues = smear_along(draw_clouds(rng, height, width, height / 9, 3), *flow, round(height / 5))
    tongues = (tongues - tongues.mean()) / (tongues.std() * 4.2) + 0.5
    heat = np.clip(tongues * 1.15 + 0.62 * (y / height - 0.58), 0, 1)
    target = map_to_colors(
        heat, ["#0d0708", "#3d0a0c", "#9c1a12", "#e2471a", "#f88f20", "#ffd24a", "#fff3b8"]
    )
    size = height / 360
    layers = [(900, 60 * size, 13 * size), (1700, 40 * size, 7 * size), (900, 24 * size, 4 * size)]
    painted = paint_strokes(rng, target, flow, layers, 0.075)
    return add_bristles(rng, painted, flow, round(22 * size), 1.7)


def green_meadow(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A spring field in short, upright dabs: many greens, with poppies and cornflowers."""
    _, y = make_grid(height, width)
    lean = draw_clouds(rng, height, width, height / 2, 3) - 0.5
    angle = -np.pi / 2 + 2.2 * lean
    flow = normalize_flow(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32))
    shade = draw_clouds(rng, height, width, height / 5, 5)
    target = map_to_colors(
        np.clip(shade, 0, 1), ["#1f4d2b", "#3f7d33", "#7fae3c", "#c3d45a", "#eef0a0"]
    )
    sky = smoothstep(0.34, 0.26, y / height + 0.10 * lean)[..., None]
    target += sky * (
        map_to_colors(np.clip(shade, 0, 1), ["#7db4dd", "#bfdcea", "#f7ead2"]) - target
    )
    size = height / 360
    painted = paint_strokes(
        rng, target, flow, [(2500, 22 * size, 6 * size), (5000, 13 * size, 3 * size)], 0.075
    )
    for color, count in (("#d8322a", 130), ("#f3ede0", 110), ("#3f58b8", 90), ("#f2b632", 80)):
        rgb = parse_color(color)
        for spot_x, spot_y, big in rng.random((count, 3)):
            row = 0.34 + 0.66 * spot_y
            petal = (rgb * (0.8 + 0.3 * rng.random())).tolist()
            center = (round(spot_x * width), round(row * height))
            radius = max(1, round((1.5 + 5.0 * big * row) * size))
            cv2.ellipse(
                painted,
                center,
                (radius, max(1, round(radius * 0.75))),
                360 * big,
                0,
                360,
                petal,
                -1,
                cv2.LINE_AA,
            )
    return add_bristles(rng, np.clip(painted, 0, 1), flow, round(8 * size), 1.6)


def marbled_paper(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Inks combed on water: folded veins of crimson, cream, teal and gold."""
    x, y = make_grid(height, width)
    unit_length = np.float32(height)
    fold_x = draw_clouds(rng, height, width, height / 2.2, 4) - 0.5
    fold_y = draw_clouds(rng, height, width, height / 2.2, 4) - 0.5
    comb = np.sin(2 * np.pi * (y / unit_length * 5 + 1.5 * fold_y))
    across = x / unit_length * 4.2 + 3.2 * fold_x + 0.35 * comb + 1.2 * fold_y
    vein = (across % 1).astype(np.float32)
    bands = ["#7c1a2b", "#b83a3a", "#f1e3c8", "#d9a441", "#1e5a63", "#123740", "#f1e3c8", "#7c1a2b"]
    colors = map_to_colors(vein, bands)
    edge = np.abs(np.sin(np.pi * 7 * vein)) ** 0.35
    speckle = draw_clouds(rng, height, width, 3.0, 1)
    colors = colors * (0.80 + 0.20 * edge)[..., None]
    colors += ((speckle > 0.80) * np.float32(0.20))[..., None]
    return clip_to_unit(colors * draw_paper(rng, height, width, 0.06))


def draw_sunset(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A tree on the bank of a sea into which the sun sets, in smooth colors."""
    x, y = make_grid(height, width)
    u, v = x / width, y / height
    target = map_to_colors(
        np.clip(v / 0.62, 0, 1), ["#7c5aa8", "#c9688f", "#f18a5c", "#fbc05e", "#ffe9a0"]
    )
    water = smoothstep(0.60, 0.62, v)[..., None]
    wave = 0.5 + 0.5 * np.sin(70 * v**1.5 + 5 * np.sin(6 * u))
    sea = map_to_colors(
        np.clip(0.9 - 1.6 * (v - 0.62) + 0.25 * wave, 0, 1),
        ["#3a3f86", "#6f5aa6", "#e08a6c", "#ffd98a"],
    )
    target += water * (sea - target)
    sun = np.exp(-((np.hypot((x - 0.66 * width) / height, v - 0.47) / 0.105) ** 6))[..., None]
    target += sun * (parse_color("#fff2b5") - target)
    path = (
        np.exp(-(((u - 0.66) / (0.03 + 0.10 * (v - 0.6))) ** 2))[..., None]
        * water
        * wave[..., None]
    )
    target += 0.8 * path * (parse_color("#ffe08a") - target)
    crowns = draw_clouds(rng, height, width, height / 5, 3)
    tree = smoothstep(
        0.02, -0.02, np.hypot((u - 0.17) / 0.23, (v - 0.30) / 0.27) - 0.80 - 0.5 * (crowns - 0.5)
    )
    trunk = (
        smoothstep(0.022, 0.012, np.abs(u - 0.17 - 0.02 * np.sin(9 * v))) * (v > 0.4) * (v < 0.84)
    )
    bank = smoothstep(-0.01, 0.01, v - 0.80 - 0.07 * u - 0.015 * np.sin(18 * u))
    for shape, colors in (
        (trunk, ["#4a2b4f", "#7a4a4a"]),
        (tree, ["#24505a", "#4c8a55", "#c9b24a"]),
        (bank, ["#2d4a63", "#5c8a4e", "#d9b04a"]),
    ):
        target += shape[..., None] * (map_to_colors(np.clip(crowns, 0, 1), colors) - target)
    return target


def warm_dots(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A sunset by the water put together of countless dots in oranges, pinks and their violet
    shadows.
    """
    target = draw_sunset(rng, height, width)
    canvas = np.empty_like(target)
    canvas[:] = parse_color("#f4ead6")
    size = height / 360
    for count, radius, spread in ((5200, 4.2, 0.10), (7500, 3.0, 0.13), (6500, 2.1, 0.16)):
        spots = rng.random((count, 2)) * (width, height)
        colors = target[spots[:, 1].astype(int), spots[:, 0].astype(int)]
        tint = rng.standard_normal((count, 3), np.float32) * spread
        colors = np.clip(colors + tint - tint.mean(1, keepdims=True) * 0.4, 0, 1).tolist()
        for (spot_x, spot_y), color in zip(np.round(spots * 8).astype(int).tolist(), colors):
            cv2.circle(
                canvas, (spot_x, spot_y), round(radius * size * 8), color, -1, cv2.LINE_AA, 3
            )
    return clip_to_unit(canvas * draw_paper(rng, height, width, 0.05))
