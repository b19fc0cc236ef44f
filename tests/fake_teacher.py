"""A made-up teacher for the trainings of the embedded model, and made-up pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vst.research.training import picture_data


class FakeTeacher:
    """Embeds a picture as its mean color, and paints by mixing that in."""

    def embed(self, square):
        numbers = np.zeros(picture_data.DIM, np.float32)
        numbers[:3] = square.reshape(-1, 3).mean(0) / 255
        return numbers

    def paint(self, picture, numbers):
        return np.clip(picture * 0.5 + numbers[:3] * 127, 0, 255).astype(np.uint8)


class FakeGraph:
    """Stands for the teacher's networks as float operations."""

    operators = ()

    def __call__(self, pictures, keep=(), **_):
        from keras import ops

        mean = ops.mean(pictures, (1, 2))
        numbers = ops.pad(mean, [[0, 0], [0, picture_data.DIM - 3]])
        return numbers, dict.fromkeys(keep, pictures)


def write_pictures(folder: Path) -> Path:
    """Write enough pictures for each part: which one belongs where is decided by its bytes."""
    rng = np.random.default_rng(0)
    for kind in ("content", "style"):
        (folder / kind).mkdir()
        parts = set()
        for index in range(400):
            path = folder / kind / f"{index:03}.png"
            small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            cv2.imwrite(str(path), cv2.resize(small, (48, 40)))
            parts.add(picture_data.assign_part(path))
            if index > 8 and {"training", "validation"} <= parts:
                break
    return folder
