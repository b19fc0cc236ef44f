"""A clip of a walking figure whose mask is known: for tests and pictures of masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.samples.landscape import Landscape
from vst.samples.noise import draw_clouds, make_generator, make_grid

SUPERSAMPLING = 4  # the outline is drawn at this many times its size


@dataclass(frozen=True)
class FigureFrame:
    """One frame and what it is made of.

    ``figure`` and ``background`` are whole pictures, each as if the other were not there;
    ``alpha`` is uint8, (height, width), 255 where the figure is. ``picture`` is one laid over the
    other.
    """

    picture: Picture
    figure: Picture
    background: Picture
    alpha: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FigureClip:
    """``count`` frames of somebody in a striped shirt who walks through the landscape, seen by a
    camera that pans the other way.

    ``pace`` and ``pan`` are in pixels a frame; ``grain`` is the spread of the film's grain in
    0..255.
    """

    width: int = 320
    height: int = 180
    count: int = 24
    pace: float = 2.4
    pan: float = 0.6
    grain: float = 2.0
    seed: int = 5

    def layers(self, index: int) -> FigureFrame:
        """Frame ``index``, counted from 0."""
        shift = np.array([[1, 0, -self.pan * index], [0, 1, 0]], np.float32)
        size = (self.width, self.height)
        ground = cv2.warpAffine(self._wide, shift, size, flags=cv2.INTER_CUBIC)
        step = 2 * np.pi * index / 16
        left = self.width * 0.28 + self.pace * index
        top = self.height * 0.12 + 1.5 * np.cos(2 * step)
        place = np.array([[1, 0, left], [0, 1, top]], np.float32)
        figure = cv2.warpAffine(
            self._cloth, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        alpha = self._outline(left, top, step)
        share = alpha[..., None].astype(np.float32) / 255
        rng = np.random.default_rng(self.seed + index)
        grain = rng.normal(0, self.grain, (self.height, self.width, 1))
        layers = [figure, ground, figure * share + ground * (1 - share)]
        figure, ground, picture = (
            np.rint(layer + grain).clip(0, 255).astype(np.uint8) for layer in layers
        )
        return FigureFrame(picture, figure, ground, alpha)

    @cached_property
    def _wide(self) -> Picture:
        """The landscape, as wide as the camera sees of it."""
        width = self.width + int(abs(self.pan) * self.count) + 2
        return Landscape(width, self.height, grain=0.0).frame(2.0)

    @cached_property
    def _cloth(self) -> Picture:
        """The figure's surface, going on beyond its outline: hair, skin, shirt and trousers."""
        tall = self.height
        x, y = make_grid(tall, tall)
        x, y = x / tall, y / tall
        folds = draw_clouds(make_generator(self.seed), tall, tall, tall / 10, 4)[..., None] - 0.5
        stripes = (((y + 0.02 * np.sin(x * 9)) * 22) % 1 < 0.5)[..., None]
        shirt = np.where(stripes, np.array([196, 48, 40]), np.array([240, 196, 90]))
        cloth = np.where((y < 0.42)[..., None], shirt, np.array([110, 34, 74]))
        cloth = np.where((y < 0.165)[..., None], np.array([226, 170, 134]), cloth)
        cloth = np.where((y < 0.05)[..., None], np.array([84, 44, 30]), cloth)
        return (cloth * (1 + 0.5 * folds)).clip(0, 255).astype(np.uint8)

    def _outline(self, left: float, top: float, step: float) -> npt.NDArray[np.uint8]:
        """The figure's coverage: head, trunk, arms and legs that swing."""
        scale = self.height * 0.8 * SUPERSAMPLING
        canvas = np.zeros((self.height * SUPERSAMPLING, self.width * SUPERSAMPLING), np.uint8)
        origin = np.array([left * SUPERSAMPLING + 0.28 * scale, top * SUPERSAMPLING])

        def at(*points: tuple[float, float]) -> Any:
            return np.round(origin + np.array(points) * scale).astype(np.int32)

        def limb(points: Any, thick: float) -> None:
            cv2.polylines(canvas, [points], False, 255, round(thick * scale), cv2.LINE_AA)

        cv2.circle(canvas, [int(v) for v in at((0, 0.1))[0]], round(0.088 * scale), 255, -1)
        trunk = [(-0.13, 0.22), (0.13, 0.22), (0.11, 0.58), (-0.11, 0.58)]
        cv2.fillPoly(canvas, [at(*trunk)], 255, cv2.LINE_AA)
        limb(at((0, 0.15), (0, 0.3)), 0.1)
        for side in (-1, 1):
            swing = 0.12 * side * np.sin(step)
            limb(at((0.11 * side, 0.25), (0.17 * side, 0.4), (0.15 * side + swing, 0.54)), 0.075)
            limb(
                at((0.05 * side, 0.56), (0.06 * side - swing, 0.77), (0.07 * side - swing, 0.97)),
                0.1,
            )
        size = (self.width, self.height)
        return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)
