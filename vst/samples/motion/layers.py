"""Layers of a drawn film whose motion is known exactly: a picture, where it shows, how it moves.

A layer has coordinates of its own, in pixels of its picture. `Layer.to_layer` says where a pixel
of the frame lies in the layer, `Layer.to_frame` where a point of the layer lies in the frame. The
flow of a pixel is found by going down into the layer at one time and up again at the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
"""(3, 3): layer to frame, homogeneous."""

WAVE_STEPS = 12
"""Fixed-point steps that undo a wave: the error falls tenfold at each."""
REACH = 8.0
"""Pixels beyond the frame up to which a layer's border still mirrors its picture smoothly."""


@dataclass(frozen=True)
class Wave:
    """A surface of water: layer coordinates swing by ``height`` pixels.

    ``length``: pixels from crest to crest; ``period``: frames from crest to crest.
    """

    height: float
    length: float
    period: float

    def shift(self, points: Flow, time: float) -> Flow:
        """The displacement at frame coordinates ``points``, (height, width, 2), in pixels."""
        turn = 2 * np.pi * time / self.period
        x, y = points[..., 0], points[..., 1]
        pace = 2 * np.pi / self.length
        across = np.sin(pace * (0.4 * x + y) + turn) + 0.5 * np.sin(1.7 * pace * y - 1.3 * turn)
        down = np.cos(pace * (0.5 * y - 0.6 * x) - 0.8 * turn)
        return np.stack([across, 0.6 * down], -1).astype(np.float32) * np.float32(self.height)


@dataclass(frozen=True)
class Layer:
    """One thing in a film.

    ``motion``: time in frames -> matrix from the layer to the frame. ``shows``: points of the
    layer, (height, width, 2), and time -> how opaque it is there, 0..1; None: everywhere.
    """

    picture: Picture
    motion: Callable[[float], Matrix]
    shows: Callable[[Flow, float], Plane] | None = None
    wave: Wave | None = None

    def to_layer(self, points: Flow, time: float) -> Flow:
        """Where points of the frame lie in the layer."""
        if self.wave is not None:
            points = points + self.wave.shift(points, time)
        return transform(points, np.asarray(np.linalg.inv(self.motion(time)), np.float64))

    def to_frame(self, places: Flow, time: float) -> Flow:
        """Where points of the layer lie in the frame: `to_layer` undone."""
        flat = transform(places, self.motion(time))
        if self.wave is None:
            return flat
        points = flat
        for _ in range(WAVE_STEPS):
            points = flat - self.wave.shift(points, time)
        return points

    def opacity(self, places: Flow, time: float) -> Plane:
        """How opaque the layer is at its own points, 0..1."""
        if self.shows is None:
            return np.ones(places.shape[:2], np.float32)
        return self.shows(places, time)


def transform(points: Flow, matrix: Matrix) -> Flow:
    """Points (height, width, 2) under an affine (3, 3) matrix."""
    return np.asarray(cv2.transform(points, matrix[:2]), np.float32)


def place_layer(
    scale: float = 1.0,
    turn: float = 0.0,
    shear: float = 0.0,
    at: tuple[float, float] = (0.0, 0.0),
    about: tuple[float, float] = (0.0, 0.0),
) -> Matrix:
    """The matrix that scales, shears and turns (radians) about a point, then moves it to ``at``."""
    cosine, sine = np.cos(turn), np.sin(turn)
    linear = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.asarray(at) - linear @ np.asarray(about)
    return matrix


def show_ellipse(
    center: tuple[float, float], radii: Callable[[float], tuple[float, float]]
) -> Callable[[Flow, float], Plane]:
    """An ellipse with a soft edge of a pixel or two; its radii may change over time."""

    def show(places: Flow, time: float) -> Plane:
        across, down = (max(0.01, radius) for radius in radii(time))
        x, y = (places[..., 0] - center[0]) / across, (places[..., 1] - center[1]) / down
        away = np.sqrt(x * x + y * y)
        return np.clip((1 - away) * min(across, down) + 0.5, 0, 1).astype(np.float32)

    return show


def show_mask(mask: Plane) -> Callable[[Flow, float], Plane]:
    """A mask of the layer's size, 0..1; nothing beyond its edge."""

    def show(places: Flow, time: float) -> Plane:
        return np.asarray(
            cv2.remap(mask, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT),
            np.float32,
        )

    return show


def draw_frame(
    layers: list[Layer], grid: Flow, time: float
) -> tuple[Picture, npt.NDArray[np.int8]]:
    """The frame at a time, layers from back to front, and which of them each pixel shows."""
    shown = np.zeros((*grid.shape[:2], 3), np.float32)
    top = np.zeros(grid.shape[:2], np.int8)
    for number, layer in enumerate(layers):
        places = layer.to_layer(grid, time)
        opacity = layer.opacity(places, time)
        texture = cv2.remap(
            layer.picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        shown += opacity[..., None] * (texture - shown)
        top[opacity > 0.5] = number
    return np.asarray(shown + 0.5, np.uint8), top


def find_flow(
    layers: list[Layer], grid: Flow, top: npt.NDArray[np.int8], time: float, other: float
) -> Flow:
    """Where each pixel of the frame at ``time`` lies in the frame at ``other``, minus its place."""
    flow = np.zeros_like(grid)
    for number, layer in enumerate(layers):
        mine = top == number
        if mine.any():
            there = layer.to_frame(layer.to_layer(grid, time), other)
            flow[mine] = (there - grid)[mine]
    return flow


def find_visibility(
    flow: Flow, grid: Flow, top: npt.NDArray[np.int8], other: npt.NDArray[np.int8]
) -> npt.NDArray[np.bool_]:
    """Pixels that the other frame shows too: within it, with the same layer on top all around."""
    height, width = top.shape
    there = grid + flow
    x, y = there[..., 0], there[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    left = np.clip(np.floor(x), 0, width - 2).astype(np.int64)
    above = np.clip(np.floor(y), 0, height - 2).astype(np.int64)
    same = inside
    for down in (0, 1):
        for right in (0, 1):
            same = same & (other[above + down, left + right] == top)
    return np.asarray(same, np.bool_)
