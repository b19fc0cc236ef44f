"""The content clip's scene: a lake below mountains, with clouds, a boat, a balloon, birds, and a
slow pan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vst.core.types import Picture
from vst.samples import sprites
from vst.samples.noise import (
    Colors,
    Plane,
    draw_cloud_tile,
    make_generator,
    make_grid,
    parse_color,
    smoothstep,
    to_picture,
)
from vst.samples.sprites import Sprite
from vst.samples.terrain import draw_panorama

WAVES = ((1.0, 9, 15), (1.9, -13, 21), (0.3, -6, 9), (0.08, 3, 4))
"""Kinds of waves on the lake: their fineness, and how far they run in a second (tile pixels)."""

TILE = 256  # side of the wave and cloud textures, in pixels


@dataclass(frozen=True)
class Landscape:
    """A landscape of ``width`` x ``height`` pixels; `frame` draws it at any time.

    The camera pans by ``pan`` (share of the width) in ``duration`` seconds. ``grain``: spread of
    the film's grain, in 0..1.
    """

    width: int = 640
    height: int = 360
    duration: float = 6.0
    pan: float = 0.22
    grain: float = 0.012
    seed: int = 11

    @property
    def shore(self) -> int:
        """The row at which the water begins."""
        return round(0.585 * self.height)

    @cached_property
    def _land(self) -> Sprite:
        wide = round(self.width * (1 + self.pan)) + 2
        land, covered = draw_panorama(
            wide, self.height, self.shore - 0.025 * self.height, self.seed
        )
        return np.dstack([land, covered])[: self.shore]

    @cached_property
    def _land_top(self) -> int:
        """The highest row that has land."""
        return max(0, int(np.argmax(self._land[..., 3].max(1) > 0)) - 1)

    @cached_property
    def _cloud_tile(self) -> Colors:
        """Coverage, light and thickness of the clouds, seen from below, repeating at its edges."""
        thick = draw_cloud_tile(make_generator(self.seed + 2), TILE, TILE / 4, 7, 0.6)
        cover = smoothstep(0.60, 0.80, thick)
        towards_sun = np.roll(cv2.GaussianBlur(thick, (0, 0), 5), (-6, 9), (0, 1))
        light = np.clip(0.66 + 1.7 * (thick - towards_sun), 0, 1)
        return np.stack([cover, light, thick], -1).astype(np.float32)

    @cached_property
    def _wave_tile(self) -> Colors:
        """Slopes of the water across and along, repeating at its edges."""
        heights = draw_cloud_tile(make_generator(self.seed + 3), TILE, TILE / 9, 4, 0.62)
        slopes = [np.roll(heights, 1, axis) - np.roll(heights, -1, axis) for axis in (1, 0)]
        return np.stack([*slopes, heights - 0.5], -1).astype(np.float32)

    @cached_property
    def _sky_maps(self) -> tuple[Plane, Plane, Plane, Colors]:
        """Where each pixel of the sky looks in the cloud tile (x, y), how clear it is there, and
        the sky's own color.

        At half the size: clouds are soft, and this is a quarter of the work.
        """
        x, y = (2 * at for at in make_grid(-(-self.shore // 2), -(-self.width // 2)))
        up = (self.shore - y) / self.height
        away = 0.20 / (up + 0.07)
        map_x = (x / self.height - 0.9) * away * TILE * 0.80 + 40
        map_y = away * TILE * 0.95 + 150
        clear = smoothstep(0.02, 0.22, up)
        part = (1 - up / up.max())[..., None]
        high, middle, low = parse_color("#3f78bd"), parse_color("#8db9de"), parse_color("#fbe3c0")
        sky = high + smoothstep(0.0, 0.65, part) * (middle - high)
        sky = sky + smoothstep(0.45, 1.0, part) * (low - sky)
        glow = np.exp(-(((x / self.width - 0.10) / 0.42) ** 2 + ((up - 0.14) / 0.22) ** 2))[
            ..., None
        ]
        return map_x, map_y, clear, (sky + glow * parse_color("#54401c")).astype(np.float32)

    @cached_property
    def _water_maps(self) -> tuple[Plane, Plane, Plane, Plane]:
        """Each water pixel's place on the lake (x, y, in tile pixels), its distance 0..1 (1:
        shore), and its row's number.
        """
        x, y = make_grid(self.height - self.shore, self.width)
        below = (y + 0.8) / self.height
        away = 0.11 / (below + 0.012)
        map_x = (x / self.height - 0.9) * away * TILE * 0.50
        return map_x, away * TILE * 0.95, 1 - y / y.max(), y

    @cached_property
    def _wave_weights(self) -> list[Plane]:
        """How much of each kind of wave is seen in each row: of both slopes, and of the height.

        Far away, where one row spans many waves, they are left out: they would only flicker.
        Heights make the glitter, which long waves have not.
        """
        rows_apart = np.abs(np.gradient(self._water_maps[1], axis=0))[:, :1, None]
        return [
            np.array([1, 1, scale >= 1], np.float32) / (1 + (scale * rows_apart / 9) ** 2)
            for scale, _, _ in WAVES
        ]

    @cached_property
    def _columns(self) -> Plane:
        """The column of each pixel of the picture's lower part."""
        return make_grid(self.height - self.shore, self.width)[0]

    @cached_property
    def _sprites(self) -> tuple[Sprite, Sprite, Sprite, list[Sprite]]:
        unit = self.height / 360
        wide = round(self.width * (1 + 2.0 * self.pan)) + 2
        front = sprites.draw_meadow(wide, round(0.30 * self.height), self.seed + 4)
        gulls = [
            sprites.draw_bird(round(26 * unit), flap)
            for flap in np.sin(np.linspace(0, 2 * np.pi, 9)[:-1])
        ]
        return (
            sprites.draw_boat(round(104 * unit)),
            sprites.draw_balloon(round(96 * unit)),
            front,
            gulls,
        )

    @cached_property
    def _finish(self) -> tuple[Colors, list[Plane]]:
        """The lens's fall-off with the warm tint of the light, and four fields of grain."""
        x, y = make_grid(self.height, self.width)
        center = ((x / self.width - 0.5) / 0.75) ** 2 + ((y / self.height - 0.5) / 0.8) ** 2
        tint = np.array([1.05, 1.01, 0.95], np.float32)
        lens = (1 - 0.30 * center)[..., None] * tint
        rng = make_generator(self.seed + 5)
        shape = (self.height, self.width, 1)
        grains = [rng.standard_normal(shape, np.float32) * np.float32(self.grain) for _ in range(4)]
        return lens.astype(np.float32), [
            cv2.GaussianBlur(grain, (0, 0), 0.6)[..., None] * 1.3 for grain in grains
        ]

    def frame(self, time: float) -> Picture:
        """The scene at ``time`` seconds."""
        above = self._above(time)
        canvas = np.empty((self.height, self.width, 3), np.float32)
        canvas[: self.shore] = above
        canvas[self.shore :] = self._water(above, time)
        self._boats(canvas, time)
        self._foreground(canvas, time)
        lens, grains = self._finish
        canvas *= lens
        bloom = cv2.GaussianBlur(canvas[::4, ::4], (0, 0), 4)
        canvas *= np.float32(0.94)
        canvas += 0.10 * cv2.resize(
            bloom, (self.width, self.height), interpolation=cv2.INTER_LINEAR
        )
        canvas += grains[round(time * 25) % 4]
        return to_picture(canvas)

    def frames(self, rate: float) -> Iterator[Picture]:
        """All frames at ``rate`` a second."""
        for index in range(round(self.duration * rate)):
            yield self.frame(index / rate)

    def _shift(self, time: float) -> float:
        """How far the camera has panned, in pixels: it starts and ends softly."""
        part = time / self.duration
        return self.pan * self.width * (0.25 * part + 0.75 * part * part * (3 - 2 * part))

    def _above(self, time: float) -> Colors:
        shift = self._shift(time)
        map_x, map_y, clear, sky = self._sky_maps
        seen = _look_up(
            self._cloud_tile,
            map_x + np.float32(0.32 * shift + 5 * time),
            map_y - np.float32(3 * time),
        )
        cover = (seen[..., 0] * clear * np.float32(0.92))[..., None]
        shadow, sunny = parse_color("#a9b2cc"), parse_color("#fff4e0")
        small = sky + cover * (shadow + seen[..., 1:2] * (sunny - shadow) - sky)
        above: Colors = cv2.resize(small, (self.width, self.shore), interpolation=cv2.INTER_LINEAR)
        moved = _shift_layer(self._land, shift, self.width)
        lowest = self._land_top
        above[lowest:] *= 1 - moved[lowest:, :, 3:]
        above[lowest:] += moved[lowest:, :, :3]
        self._flyers(above, time)
        return above

    def _flyers(self, above: Colors, time: float) -> None:
        _, balloon, _, gulls = self._sprites
        unit, shift = self.height / 360, self._shift(time)
        x = 0.80 * self.width - 0.55 * shift - 2 * time * unit
        y = (92 - 4.5 * time + 2 * np.sin(1.1 * time)) * unit
        composite_sprite(above, balloon, (x, y), turn=1.6 * np.sin(0.9 * time))
        for number in range(5):
            flap = gulls[int(time * 11 + 2.3 * number) % len(gulls)]
            along = 0.30 + 0.075 * time - 0.045 * abs(number - 1.6)
            x = along * self.width - 0.5 * shift
            y = (62 + 13 * number - 5 * time + 3 * np.sin(2 * time + number)) * unit
            composite_sprite(above, flap, (x, y), scale=0.80 - 0.06 * number)

    def _water(self, above: Colors, time: float) -> Colors:
        map_x, map_y, far, row = self._water_maps
        shift = self._shift(time)
        drift = np.float32(0.9 * shift)  # the water goes past almost as fast as the land
        waves = np.zeros((*far.shape, 3), np.float32)
        for (scale, speed_x, speed_y), seen in zip(WAVES, self._wave_weights):
            at_x = np.float32(scale) * (map_x + drift) + np.float32(speed_x * time)
            at_y = np.float32(scale) * map_y + np.float32(speed_y * time)
            waves += seen * _look_up(self._wave_tile, at_x, at_y)
        near = (1 - far) ** 0.7
        reach = np.float32(self.height) * (0.006 + 0.34 * near)
        sample_x = self._columns + waves[..., 0] * reach
        sample_y = (
            np.float32(self.shore - 2)
            - row * np.float32(0.98)
            - np.abs(waves[..., 1]) * reach * 2.4
        )
        mirrored = cv2.remap(
            above,
            sample_x,
            np.clip(sample_y, 0, self.shore - 1),
            cv2.INTER_LINEAR,
            None,
            cv2.BORDER_REFLECT_101,
        )
        deep = parse_color("#12384a")
        part = np.clip(0.16 + 0.40 * near + (0.2 + 1.2 * near) * waves[..., 1], 0.05, 0.85)[
            ..., None
        ]
        water = mirrored + part * (deep - mirrored)
        glitter = (
            np.clip(waves[..., 2] - 0.32, 0, 1)
            * 1.6
            * np.exp(-(((sample_x / self.width - 0.14) / 0.26) ** 2))
        )
        water += glitter[..., None] * parse_color("#ffe9bd")
        # The bright line below the shore, where the wind does not reach.
        rim = np.exp(-(((row - 1.5) / 2.0) ** 2))[..., None]
        return np.asarray(water + rim * np.float32(0.10))

    def _boats(self, canvas: Colors, time: float) -> None:
        sprite = self._sprites[0]
        unit = self.height / 360
        x = (0.20 + 0.068 * time) * self.width - 0.45 * self._shift(time)
        waterline = (272 + 1.3 * np.sin(2.0 * time)) * unit
        turn = 2.2 * np.sin(1.35 * time)
        below = np.ascontiguousarray(sprite[::-1])
        rows = np.arange(below.shape[0], dtype=np.float32)[:, None]
        across = make_grid(*below.shape[:2])[0]
        ripple = (
            np.sin(rows * (0.62 / unit) - 7 * time) * (0.8 + 0.05 * rows / unit) * np.float32(unit)
        )
        below = cv2.remap(
            below, across + ripple, np.broadcast_to(rows, across.shape).copy(), cv2.INTER_LINEAR
        )
        fade = np.linspace(0.72, 0.12, below.shape[0], dtype=np.float32)[:, None, None]
        tinted = below * fade * np.array([0.80, 0.90, 0.95, 1.0], np.float32)
        composite_sprite(
            canvas,
            tinted,
            (x, waterline + (0.5 - 0.07) * 104 * unit * 0.92),
            turn=-turn,
            stretch=0.92,
        )
        composite_sprite(canvas, sprite, (x, waterline - (0.93 - 0.5) * 104 * unit), turn=turn)

    def _foreground(self, canvas: Colors, time: float) -> None:
        front = self._sprites[2]
        height = front.shape[0]
        x, y = make_grid(height, self.width)
        sway = np.sin(0.045 * x + 1.9 * time) + 0.6 * np.sin(0.11 * x - 2.7 * time)
        lift = ((height - y) / height) ** 2
        map_x = (
            x
            + np.float32(1.9 * self._shift(time))
            + sway * lift * np.float32(2.6 * self.height / 360)
        )
        seen = cv2.remap(front, map_x, y, cv2.INTER_LINEAR)
        part = canvas[-height:]
        part *= 1 - seen[..., 3:]
        part += seen[..., :3]


def _look_up(tile: Colors, map_x: Plane, map_y: Plane) -> Colors:
    return cv2.remap(tile, map_x, map_y, cv2.INTER_LINEAR, None, cv2.BORDER_WRAP)


def _shift_layer(layer: Sprite, shift: float, width: int) -> Sprite:
    matrix = np.array([[1, 0, -shift], [0, 1, 0]], np.float32)
    return cv2.warpAffine(layer, matrix, (width, layer.shape[0]), flags=cv2.INTER_LINEAR)


def composite_sprite(
    canvas: Colors,
    sprite: Sprite,
    center: tuple[float, float],
    *,
    turn: float = 0,
    scale: float = 1,
    stretch: float = 1,
) -> None:
    """Composite ``sprite`` on ``canvas`` around ``center`` (x, y), rotated by ``turn`` degrees;
    what sticks out is cut off.
    """
    x, y = center
    height, width = sprite.shape[:2]
    reach = int(np.ceil(0.75 * max(height, width) * scale)) + 1
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    right, bottom = min(canvas.shape[1], int(x) + reach), min(canvas.shape[0], int(y) + reach)
    if right <= left or bottom <= top:
        return
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[1] *= stretch
    matrix[:, 2] += (x - left - width / 2, y - top - height / 2 * stretch)
    moved = cv2.warpAffine(sprite, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    part = canvas[top:bottom, left:right]
    part *= 1 - moved[..., 3:]
    part += moved[..., :3]
