"""The tools of all samples: noise, brush streaks, relief light, color ramps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture

Plane = npt.NDArray[Any]
"""One number per pixel, float32, (height, width)."""

Colors = npt.NDArray[Any]
"""RGB per pixel as float32 in 0..1, (height, width, 3)."""


def make_generator(seed: int) -> np.random.Generator:
    """The source of rng of one drawing: the same seed draws the same picture on every
    machine.
    """
    return np.random.Generator(np.random.PCG64(seed))


def parse_color(text: str) -> npt.NDArray[np.float32]:
    """Parse '#4a90d9' to RGB float32 in 0..1, (3,)."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def to_picture(colors: Colors) -> Picture:
    """Convert colors in 0..1 (clipped) to RGB uint8."""
    return np.clip(colors * 255 + 0.5, 0, 255).astype(np.uint8)


def clip_to_unit(values: Colors) -> Colors:
    """Clip ``values`` to 0..1, as float32."""
    return np.asarray(np.clip(values, 0, 1), np.float32)


def make_grid(height: int, width: int) -> tuple[Plane, Plane]:
    """The x and y of each pixel, in pixels."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x, y


def draw_clouds(
    rng: np.random.Generator,
    height: int,
    width: int,
    cell: float,
    octaves: int = 5,
    gain: float = 0.5,
) -> Plane:
    """Draw fractal noise with a mean of 0.5, mostly within 0..1; ``cell`` is the size of its
    largest blobs in pixels.
    """
    return _sum_octaves(rng, (height, width), cell, octaves, gain, _enlarge)


def draw_cloud_tile(
    rng: np.random.Generator, side: int, cell: float, octaves: int, gain: float
) -> Plane:
    """Draw a square of the noise of `draw_clouds` that repeats without a seam."""
    return _sum_octaves(rng, (side, side), cell, octaves, gain, _enlarge_tile)


def _sum_octaves(
    rng: np.random.Generator,
    size: tuple[int, int],
    cell: float,
    octaves: int,
    gain: float,
    enlarge: Callable[[Plane, int, int], Plane],
) -> Plane:
    height, width = size
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for _ in range(octaves):
        rows, columns = max(2, round(height / cell)), max(2, round(width / cell))
        values = rng.random((rows, columns), np.float32)
        total += weight * enlarge(values, height, width)
        weight, cell = weight * gain, cell / 2
        if cell < 1:
            break
    even: Plane = (total - total.mean()) / np.float32(3.2 * total.std() + 1e-6)
    return np.asarray(even + np.float32(0.5))


def _enlarge(values: Plane, height: int, width: int) -> Plane:
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)


def _enlarge_tile(values: Plane, height: int, width: int) -> Plane:
    rows, columns = values.shape
    x, y = (
        np.arange(width, dtype=np.float32) * columns / width,
        np.arange(height, dtype=np.float32) * rows / height,
    )
    padded = np.pad(values, 3, mode="wrap")
    map_x, map_y = np.meshgrid(x + 3, y + 3)
    return cv2.remap(padded, map_x, map_y, cv2.INTER_CUBIC)


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below ``low``, 1 above ``high``, a soft S between."""
    part = clip_to_unit((values - np.float32(low)) / np.float32(high - low))
    return np.asarray(part * part * (3 - 2 * part))


def map_to_colors(values: Plane, colors: Sequence[str]) -> Colors:
    """Values 0..1 -> colors that go evenly through ``colors`` ('#rrggbb')."""
    table = np.stack([parse_color(color) for color in colors])
    steps = np.linspace(0, 1, len(colors))
    lookup = np.stack([np.interp(np.linspace(0, 1, 1024), steps, table[:, c]) for c in range(3)], 1)
    index = np.clip(values * 1023, 0, 1023).astype(np.int32)
    return np.asarray(lookup.astype(np.float32)[index])


def smear_along(noise: Plane, along_x: Plane, along_y: Plane, length: int) -> Plane:
    """Smear ``noise`` along a flow (unit vectors per pixel) by ``length`` pixels to each side: the
    bristles of a brush.

    This is line integral convolution, stepping two pixels at a time, which is as good to the eye
    and half the work.
    """
    height, width = noise.shape
    x, y = make_grid(height, width)
    total, count = noise.copy(), 1
    for way in (2.0, -2.0):
        at_x, at_y = x.copy(), y.copy()
        for _ in range(max(1, length // 2)):
            step_x = cv2.remap(
                along_x, at_x, at_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
            )
            step_y = cv2.remap(
                along_y, at_x, at_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
            )
            at_x += np.float32(way) * step_x
            at_y += np.float32(way) * step_y
            total += cv2.remap(
                noise, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
            count += 1
    return np.asarray(total / np.float32(count))


def light_relief(colors: Colors, bumps: Plane, strength: float, gloss: float = 0.15) -> Colors:
    """Light ``colors`` from the upper left as if ``bumps`` (0..1) were the thickness of the
    paint.
    """
    bumps = np.asarray(bumps, np.float32)
    slope_x = cv2.Sobel(bumps, cv2.CV_32F, 1, 0, ksize=3) * np.float32(strength)
    slope_y = cv2.Sobel(bumps, cv2.CV_32F, 0, 1, ksize=3) * np.float32(strength)
    light = (0.55 - 0.5 * slope_x - 0.6 * slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2)
    shade = np.clip(0.45 + light, 0.35, 1.5)[..., None]
    shine = np.clip(light - 0.75, 0, 1)[..., None] * np.float32(gloss * 4)
    return clip_to_unit(colors * shade + shine)


def draw_paper(rng: np.random.Generator, height: int, width: int, amount: float) -> Plane:
    """The light and dark of a paper's fibres, around 1, to multiply with: (height, width, 1)."""
    fibres = draw_clouds(rng, height, width, 3.0, 2, 0.8) - 0.5
    stains = draw_clouds(rng, height, width, height / 3, 3) - 0.5
    return np.asarray(1 + np.float32(amount) * (fibres + 0.7 * stains))[..., None]


def normalize_flow(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """The flow (x, y) with all vectors brought to length 1."""
    length = np.sqrt(x * x + y * y) + np.float32(1e-6)
    return x / length, y / length
