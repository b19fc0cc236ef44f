"""The clip that `bench/cluster.py` paints: textures that drift and grow."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT, RATE = 640, 360, 24


def draw_clip(
    path: Path,
    seconds: float,
    *,
    one_shot: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> None:
    """Draw shots of 3 to 9 s, or one, each with its own texture of several grains that drifts and
    grows; ``size``: width and height.
    """
    from vst.video.sinks.track import TrackWriter

    rng = np.random.default_rng(0)
    left = round(seconds * RATE)
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "track.mkv"
        writer = TrackWriter(track, size, Fraction(RATE))
        while left > 0:
            frames = left if one_shot else min(left, round(rng.uniform(3, 9) * RATE))
            for picture in draw_shot(rng, frames):
                writer.write_frame(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
            left -= frames
        writer.close()
        track.replace(path)


def draw_shot(rng: np.random.Generator, frames: int) -> Any:
    """Yield the frames of one shot."""
    large = np.zeros((HEIGHT * 2, WIDTH * 2, 3), np.float32)
    for cell in (8, 24, 80, 240):
        grain = rng.random((HEIGHT * 2 // cell + 2, WIDTH * 2 // cell + 2, 3), np.float32)
        large += (
            cv2.resize(grain, (WIDTH * 2, HEIGHT * 2), interpolation=cv2.INTER_CUBIC) * cell**0.5
        )
    low, high = large.min(), large.max()
    texture = ((large - low) / (high - low) * 255).astype(np.uint8)
    angle, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 3)
    for index in range(frames):
        grown = 1 + 0.25 * np.sin(0.002 * index)
        turn = cv2.getRotationMatrix2D((WIDTH, HEIGHT), 5 * np.sin(0.004 * index), grown)
        turn[:, 2] -= (WIDTH / 2, HEIGHT / 2)
        drift = 150 * np.sin(speed * index / 150)
        turn[:, 2] += np.array([np.cos(angle), np.sin(angle)]) * drift
        yield cv2.warpAffine(texture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
