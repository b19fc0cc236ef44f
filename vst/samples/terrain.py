"""Mountains for the content clip: a height map, lit by a low sun and seen from the shore of a
lake.
"""

from __future__ import annotations

import cv2
import numpy as np

from vst.samples.noise import Colors, Plane, draw_clouds, make_generator, parse_color, smoothstep

CELLS = 768  # of the height map, each way
NEAR, FAR = 6.0, 60.0  # how far the rows of the height map lie, in units of the camera's own
EYE = 0.34  # the camera's height above the water, in the same units
HAZE_COLOR = parse_color("#c9d3e6")
SUNLIGHT = parse_color("#ffe2b0") * np.float32(1.25)
SKYLIGHT = parse_color("#8fa9d6") * np.float32(0.50)


def build_height_map(seed: int) -> tuple[Plane, Plane]:
    """Heights (rows: far is last; columns: across) and the distance of each row."""
    rng = make_generator(seed)
    ridges = np.zeros((CELLS, CELLS), np.float32)
    weight, cell, above = 1.0, CELLS / 3.2, np.ones((CELLS, CELLS), np.float32)
    for _ in range(7):
        layer = 1 - np.abs(2 * draw_clouds(rng, CELLS, CELLS, cell, 1) - 1)
        layer = (
            np.clip(layer, 0, 1) ** 2 * above
        )  # ridged noise: details grow where the ground is already high
        ridges += np.float32(weight) * layer
        above = np.clip(layer * 1.7, 0.15, 1)
        weight, cell = weight * 0.47, cell / 2.05
    row = np.linspace(0, 1, CELLS, dtype=np.float32)
    distance = (NEAR * (FAR / NEAR) ** row).astype(np.float32)
    bays = draw_clouds(rng, CELLS, CELLS, CELLS / 5, 3) * 5.5
    rise = (
        smoothstep(12.5, 18.5, distance[:, None] + bays) * 0.7
        + smoothstep(15, 46, distance[:, None]) * 10.5
    )
    valley = 1 - 0.60 * np.exp(-(((np.arange(CELLS) / CELLS - 0.42) / 0.10) ** 2)).astype(
        np.float32
    )
    hills = draw_clouds(rng, CELLS, CELLS, CELLS / 7, 4)
    heights = rise * (0.30 + 0.95 * ridges) * valley[None] + rise * 0.12 * hills
    return heights.astype(np.float32) - np.float32(0.02), distance


def color_ground(heights: Plane, distance: Plane, seed: int) -> tuple[Colors, Plane]:
    """The lit color of each cell, and the heights with the trees that stand on them."""
    rng = make_generator(seed + 1)
    patches = draw_clouds(rng, CELLS, CELLS, 60, 5)
    speckle = draw_clouds(rng, CELLS, CELLS, 3.0, 2, 0.9)
    across, along = np.gradient(heights)[::-1]
    steep = np.sqrt(across**2 + along**2) * np.float32(CELLS / 140)
    high = heights / np.float32(3.4) - 0.6 * (patches - 0.5)

    wooded = smoothstep(0.42, 0.56, patches + 0.12 - 0.10 * high) * (1 - smoothstep(0.8, 1.3, high))
    wooded *= smoothstep(0.0, 0.06, heights)  # no trees in the water
    snow = smoothstep(1.75, 2.25, high - 0.55 * steep) * np.float32(0.96)
    bare = smoothstep(0.85, 1.6, high + 0.3 * steep)

    meadow = _mix_colors("#7f8f3f", "#b3ad5c", patches + 0.5 * (speckle - 0.5))
    forest = _mix_colors("#1f3a22", "#4d6a34", speckle)
    rock = _mix_colors("#6f6660", "#a59a8c", 0.6 * speckle + 0.4 * patches)
    albedo = meadow + wooded[..., None] * (forest - meadow)
    albedo += bare[..., None] * (rock - albedo)
    albedo += snow[..., None] * (parse_color("#f4f6fb") - albedo)

    spikes = np.clip(draw_clouds(rng, CELLS, CELLS, 3.4, 1) - 0.35, 0, 1)
    with_trees = heights + wooded * spikes * np.float32(0.075) * (distance[:, None] / 14) ** 0.5
    lit = _light_cells(with_trees, distance)
    return np.asarray(albedo * (SKYLIGHT + lit[..., None] * SUNLIGHT)), with_trees


def _mix_colors(low: str, high: str, part: Plane) -> Colors:
    whole = parse_color(high) - parse_color(low)
    return np.asarray(parse_color(low) + np.clip(part, 0, 1)[..., None] * whole)


def _light_cells(heights: Plane, distance: Plane) -> Plane:
    """How much sun each cell gets, from the left and a little behind the camera; slopes that turn
    away are dark.
    """
    width = np.float32(2.2) * distance[:, None] / CELLS  # of one cell, across
    depth = np.gradient(distance)[:, None]
    slope_x = np.gradient(heights, axis=1) / width
    slope_y = np.gradient(heights, axis=0) / depth
    normal = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    facing = (0.85 * slope_x + 0.30 * slope_y + 0.52) * normal * np.float32(1.08)
    lit: Plane = np.clip(facing, 0, 1.2).astype(np.float32)
    return cv2.GaussianBlur(lit, (0, 0), 0.6)


def draw_panorama(width: int, height: int, horizon: float, seed: int) -> tuple[Colors, Plane]:
    """The land as seen: colors and coverage (height, width), the horizon ``horizon`` rows from the
    top.

    For each column the height map is looked through from near to far; what stands above all that is
    nearer is seen.
    """
    heights, distance = build_height_map(seed)
    colors, heights = color_ground(heights, distance, seed)
    away = 1 - np.exp(-((distance / 34) ** 1.6))
    colors = colors + away[:, None, None] * 0.72 * (HAZE_COLOR - colors)

    width2, height2, horizon2 = (
        2 * width,
        2 * height,
        2 * horizon,
    )  # drawn at twice the size, for smooth edges
    columns = cv2.resize(heights, (width2, CELLS), interpolation=cv2.INTER_LINEAR)
    focal = np.float32(0.95 * height2)
    row_of = horizon2 - (columns - np.float32(EYE)) / distance[:, None] * focal
    highest = np.minimum.accumulate(row_of, axis=0)
    rows = np.arange(height2, dtype=np.float32)
    seen = np.empty((height2, width2), np.float32)
    for x in range(width2):
        seen[:, x] = np.searchsorted(-highest[:, x], -rows)
    over_water = columns[np.clip(seen, 0, CELLS - 1).astype(np.int32), np.arange(width2)] > 0
    covered = ((seen < CELLS) & over_water).astype(np.float32)
    map_x = np.broadcast_to(np.arange(width2, dtype=np.float32) * (CELLS / width2), seen.shape)
    land: Colors = cv2.remap(
        colors.astype(np.float32), np.ascontiguousarray(map_x), seen, cv2.INTER_LINEAR
    )
    land *= covered[..., None]
    size = (width, height)
    land = cv2.resize(land, size, interpolation=cv2.INTER_AREA)
    return land, cv2.resize(covered, size, interpolation=cv2.INTER_AREA)
