"""Patterns as printers and draughtsmen make them: woodcut, cut paper, ink wash, hatching, halftone
dots, chalk.
"""

from __future__ import annotations

import cv2
import numpy as np

from vst.samples.noise import (
    Colors,
    Plane,
    clip_to_unit,
    draw_clouds,
    draw_paper,
    make_grid,
    map_to_colors,
    parse_color,
    smear_along,
    smoothstep,
)
from vst.samples.shapes import Points, draw_line, fill_disc, fill_shape


def indigo_waves(rng: np.random.Generator, height: int, width: int) -> Colors:
    """A woodcut sea: rows of curling waves in flat indigo and pale blue, foam like claws, a cream
    sky.
    """
    x, y = make_grid(height, width)
    unit = height / 360
    sky = map_to_colors(np.clip(y / height / 0.55, 0, 1), ["#c9b48c", "#e6d8b4", "#f3ead0"])
    sun = smoothstep(1.0, 0.97, np.hypot(x - 0.76 * width, y - 0.23 * height) / (0.11 * height))[
        ..., None
    ]
    canvas = np.ascontiguousarray(sky + sun * (parse_color("#c8452e") - sky))
    ink, deep, pale, foam = ("#14213d", "#24467c", "#7fa8bf", "#f6efdb")
    for row in range(6):
        base = (0.44 + 0.115 * row) * height
        high = (46 + 13 * row) * unit
        period = (150 + 24 * row) * unit
        phase = rng.random() * period
        grow = 1.5 if row == 1 else 1.0
        for number in range(-1, int(width / period) + 2):
            left = number * period + phase - period / 2
            _draw_wave(
                canvas,
                left,
                base,
                period,
                high * grow * (0.8 + 0.4 * rng.random()),
                (ink, deep, pale, foam),
            )
    wood = smear_along(
        rng.random((height, width), np.float32),
        np.ones_like(x),
        0.06 * np.sin(y / (40 * unit)),
        24,
    )
    wood = (wood - wood.mean()) / (wood.std() * 6)
    return clip_to_unit(
        canvas * (1 + 0.16 * wood[..., None]) * draw_paper(rng, height, width, 0.05)
    )


def _draw_wave(
    canvas: Colors,
    left: float,
    base: float,
    period: float,
    high: float,
    inks: tuple[str, ...],
) -> None:
    """One curling wave: its body with stripes along the curl, an ink outline, and foam."""
    unit = canvas.shape[0] / 360
    ink, deep, pale, foam = (parse_color(color).tolist() for color in inks)
    back, hook, front = _outline_wave(left, base, period, high)
    below = base + 3 * high
    bottom = [
        [left + 1.3 * period, below],
        [left - 0.3 * period, below],
        [left - 0.2 * period, base],
    ]
    crest = np.concatenate([back, hook, front])
    fill_shape(canvas, np.concatenate([crest, np.array(bottom)]), deep)
    foot = np.array([left + 0.55 * period, base + 0.9 * high])
    for step in range(1, 7):
        line = foot + (np.concatenate([back[4:], hook[:9]]) - foot) * (1 - 0.135 * step)
        draw_line(canvas, line, *((pale, 4.2 * unit) if step % 2 else (ink, 2.0 * unit)))
    draw_line(canvas, crest, ink, 2.4 * unit)
    edge = np.concatenate([back[34:], hook])[::2]
    for rim, color in ((1.3 * unit, ink), (0.0, foam)):
        for number, (x, y) in enumerate(edge):
            size = (0.050 + 0.020 * (number % 3)) * high + 1.2 * unit
            fill_disc(canvas, (x, y + 0.1 * size), size + rim, color)
    radius = 0.30 * high
    for number in range(7):
        x = back[-1, 0] + radius * (1.1 + 0.35 * number)
        fill_disc(
            canvas,
            (x, back[-1, 1] + radius * (0.8 * np.sin(2.4 * number) - 0.5)),
            1.6 * unit,
            foam,
        )


def _outline_wave(
    left: float, base: float, period: float, high: float
) -> tuple[Points, Points, Points]:
    """A wave's back up to its crest, the hook that curls over, and the front down to the trough."""
    part = np.linspace(0, 1, 60)
    lean = 0.22 * period * np.sin(np.pi * np.clip(part * 1.15, 0, 1)) * part
    x, y = left + part * 0.62 * period + lean, base - high * np.sin(np.pi / 2 * part) ** 1.6
    back = np.stack([x, y], 1)
    curl, radius = np.linspace(-np.pi / 2, 0.62 * np.pi, 30), 0.30 * high
    hook = back[-1] + radius * np.stack([np.cos(curl), 1 + np.sin(curl)], 1)
    x = np.linspace(hook[-1, 0], left + 1.12 * period, 20)
    y = hook[-1, 1] + (base + 0.02 * high - hook[-1, 1]) * np.linspace(0, 1, 20) ** 0.55
    return back, hook, np.stack([x, y], 1)


def paper_cuts(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Leaves and suns cut out of colored paper, laid on blocks of flat color."""
    canvas = np.empty((height, width, 3), np.float32)
    blocks = [
        "#1f4e9c",
        "#f4efe4",
        "#e8a51c",
        "#d13b2a",
        "#2b8a5b",
        "#f2b8c0",
        "#5b2d82",
        "#f4efe4",
    ]
    columns, rows = 4, 3
    order = rng.permutation(12)
    for number in range(12):
        row, column = divmod(number, columns)
        top, bottom = round(row * height / rows), round((row + 1) * height / rows)
        left, right = round(column * width / columns), round((column + 1) * width / columns)
        ground = blocks[order[number] % 8]
        canvas[top:bottom, left:right] = parse_color(ground)
        choice = blocks[(order[number] + 3 + number % 2) % 8]
        color = choice if choice != ground else "#111111"
        center = np.array([(left + right) / 2, (top + bottom) / 2])
        reach = 0.46 * min(right - left, bottom - top)
        _draw_leaf(
            canvas,
            rng,
            center,
            reach,
            parse_color(color).tolist(),
            arms=int(5 + 3 * (number % 3)),
        )
    shade = draw_clouds(rng, height, width, 40, 4) - 0.5
    return clip_to_unit(
        canvas * (1 + 0.10 * shade[..., None]) * draw_paper(rng, height, width, 0.05)
    )


def _draw_leaf(
    canvas: Colors,
    rng: np.random.Generator,
    center: np.ndarray,
    reach: float,
    color: list[float],
    arms: int,
) -> None:
    angle = np.linspace(0, 2 * np.pi, 240)
    wave = (
        0.58
        + 0.40 * np.cos(arms * angle + rng.random() * 6)
        + 0.10 * np.cos(2 * angle + rng.random() * 6)
    )
    outline = center + reach * np.stack([wave * np.cos(angle), wave * np.sin(angle)], 1)
    fill_shape(canvas, outline + 0.05 * reach, [0.10, 0.08, 0.12])
    fill_shape(canvas, outline, color)


def ink_wash(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Mountains in mist, washed in gray ink on pale paper, with a branch brushed in black in
    front.
    """
    x, y = make_grid(height, width)
    u, v = x / width, y / height
    ink = np.zeros((height, width), np.float32)
    for depth in range(5):
        line = (
            0.22
            + 0.13 * depth
            + 0.20 * (draw_clouds(rng, 2, width, width / (2.2 + depth), 5)[0] - 0.5)
        )
        below = v - line[None]
        edge = smoothstep(0, 0.006, below)
        mist = np.exp(-np.clip(below, 0, 1) / (0.07 + 0.025 * depth))
        bleed = 0.65 + 0.7 * draw_clouds(rng, height, width, height / 6, 5)
        ink = np.maximum(ink * (1 - 0.75 * edge), edge * mist * bleed * (0.26 + 0.13 * depth))
    shapes = np.zeros((height, width), np.float32)
    _draw_branch(
        shapes,
        rng,
        np.array([1.02 * width, 0.06 * height]),
        np.pi * 0.93,
        (0.52 * height, 10 * height / 360),
        6,
    )
    dry = draw_clouds(rng, height, width, 4, 2, 0.8)
    soft = cv2.GaussianBlur(shapes, (0, 0), 0.7 * height / 360) * clip_to_unit(0.55 + dry * 0.8)
    ink = clip_to_unit(np.maximum(ink, soft * 0.95))
    sheet = parse_color("#efe8d8") * draw_paper(rng, height, width, 0.08)
    drawn = sheet + ink[..., None] * (parse_color("#1c1e22") - sheet)
    seal = (
        (np.abs(u - 0.09) < 0.022)
        & (np.abs(v - 0.86) < 0.034)
        & (draw_clouds(rng, height, width, 9, 2) < 0.62)
    )
    return clip_to_unit(np.where(seal[..., None], parse_color("#b3312c"), drawn))


def _draw_branch(
    sheet: Plane,
    rng: np.random.Generator,
    root: np.ndarray,
    way: float,
    size: tuple[float, float],
    depth: int,
) -> None:
    """Brush one branch of this length and thickness, smaller ones on it, and leaves."""
    length, pen = size
    point = root
    for step in range(9):
        way += float(rng.normal(0, 0.16)) + 0.015
        following = point + length / 9 * np.array([np.cos(way), np.sin(way)])
        ends = np.round(np.stack([point, following]) * 8).astype(np.int32)
        cv2.polylines(
            sheet, [ends], False, 0.92, max(1, round(pen * (1 - 0.07 * step))), cv2.LINE_AA, 3
        )
        if depth > 1 and step in (2, 4, 6, 8):
            side = float(rng.choice([-1, 1])) * (0.5 + 0.4 * rng.random())
            _draw_branch(sheet, rng, following, way + side, (length * 0.52, pen * 0.50), depth - 2)
        if depth <= 4:
            turn = way + float(rng.normal(0, 1.0))
            tip = following + 1.8 * pen**0.5 * 3 * np.array([np.cos(turn), np.sin(turn)])
            leaf = cv2.ellipse2Poly(
                tuple(np.round((following + tip) / 2).astype(int).tolist()),
                (
                    max(2, round(float(np.hypot(*(tip - following))) * 0.55)),
                    max(1, round(pen * 0.7)),
                ),
                int(np.degrees(turn)),
                0,
                360,
                20,
            )
            corners = np.asarray(leaf, np.int32)
            cv2.fillConvexPoly(sheet, corners, 0.55 + 0.4 * float(rng.random()), cv2.LINE_AA)
        point = following


def pen_hatching(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Rolling hills drawn with a pen: shadows of crossing lines in sepia on cream."""
    x, y = make_grid(height, width)
    land = draw_clouds(rng, height, width, height / 2.4, 4)
    slope = cv2.GaussianBlur(land, (0, 0), height / 60)
    dark = np.clip(1.05 - 1.15 * land + 0.25 * (y / height - 0.5), 0, 1)
    bend = 26 * (slope - 0.5) * height / 360
    ink = np.zeros((height, width), np.float32)
    spacing = 6.0 * height / 360
    for number, (angle, start) in enumerate(((0.6, 0.22), (-0.7, 0.45), (1.5, 0.62), (0.05, 0.76))):
        across = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + bend * (3 - number)
        wobble = 0.8 * (draw_clouds(rng, height, width, 24, 2) - 0.5)
        wave = np.abs((across / np.float32(spacing) + wobble) % 1 - 0.5) * 2
        thick = np.clip((dark - start) * 1.2, 0, 0.55)
        ink = np.maximum(ink, smoothstep(0.0, 0.22, thick + 0.10 - wave) * (thick > 0))
    contour = np.abs((land * 9) % 1 - 0.5)
    ink = np.maximum(ink, smoothstep(0.06, 0.02, contour) * 0.9)
    sheet = parse_color("#f3e8cf") * draw_paper(rng, height, width, 0.07)
    return clip_to_unit(sheet + ink[..., None] * (parse_color("#3b2415") - sheet))


def comic_dots(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Printed comic: hard black outlines and screens of red, yellow and blue dots."""
    x, y = make_grid(height, width)
    shape = draw_clouds(rng, height, width, height / 1.9, 3)
    layer = np.clip((shape * 6).astype(np.int32), 0, 5)
    flat = np.stack(
        [parse_color(c) for c in ("#f9dc3c", "#ffffff", "#e63328", "#ffffff", "#2f7fd1", "#f9dc3c")]
    )[layer]
    dots = np.stack(
        [parse_color(c) for c in ("#e63328", "#2f7fd1", "#f9dc3c", "#e63328", "#ffffff", "#2f7fd1")]
    )[layer]
    cell = 8.5 * height / 360
    across, along = (x + y) / np.float32(cell * 1.414), (x - y) / np.float32(cell * 1.414)
    away = np.hypot(across % 1 - 0.5, along % 1 - 0.5)
    radius = 0.20 + 0.26 * ((shape * 6) % 1)
    dotted = smoothstep(0.06, -0.06, away - radius)[..., None]
    colors = flat + dotted * (dots - flat)
    edge = np.abs((shape * 6) % 1)
    slope = (
        np.hypot(cv2.Sobel(shape, cv2.CV_32F, 1, 0), cv2.Sobel(shape, cv2.CV_32F, 0, 1)) / 8 * 6
        + 1e-6
    )
    line = smoothstep(3.2 * height / 360, 2.0 * height / 360, np.minimum(edge, 1 - edge) / slope)
    line *= (shape > 0.02) & (shape < 0.99)
    colors = colors * (1 - line[..., None]) + line[..., None] * parse_color("#14110f")
    return clip_to_unit(colors * draw_paper(rng, height, width, 0.05))


def chalk_board(rng: np.random.Generator, height: int, width: int) -> Colors:
    """Colored chalk on slate: rings and rays rubbed in soft white, rose and turquoise."""
    x, y = make_grid(height, width)
    board = parse_color("#22282c") * (
        1 + 0.5 * (draw_clouds(rng, height, width, height / 2, 5)[..., None] - 0.5)
    )
    rough = draw_clouds(rng, height, width, 2.6, 2, 0.9)
    canvas = board.astype(np.float32)
    tints = ["#f5f2e8", "#f08fa0", "#6fd0c8", "#f4d35e", "#a9c4f5"]
    for number in range(13):
        center_x, center_y = rng.random(2) * (width, height)
        radius = (0.10 + 0.16 * rng.random()) * height
        away = np.hypot(x - center_x, y - center_y) / np.float32(radius)
        angle = np.arctan2(y - center_y, x - center_x)
        ring = 0.5 + 0.5 * np.cos(2 * np.pi * away * 3.2)
        rays = 0.5 + 0.5 * np.cos(angle * (9 + number % 5) + 2 * away)
        mark = smoothstep(0.45, 0.9, ring if number % 2 else rays) * (away < 1)
        chalk = np.clip(mark * smoothstep(0.32, 0.66, rough + 0.08), 0, 1)[..., None]
        canvas += 0.9 * chalk * (parse_color(tints[number % 5]) - canvas)
    dust = cv2.GaussianBlur(canvas, (0, 0), 9 * height / 360)
    return clip_to_unit(0.86 * canvas + 0.22 * dust)
