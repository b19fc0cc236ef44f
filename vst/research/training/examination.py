"""Measures a painter that is being trained, by judges, on pictures that it does not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from keras import ops

from vst.core.types import Picture
from vst.nets import judges
from vst.research.training import picture_data
from vst.research.training.validation import measure_gradient_energy, to_bytes


class Examination:
    """Measures a painter, relative to the teacher, on pictures of the validation part: every
    photograph in the styles of two paintings, embedded by our own predictor.
    """

    def __init__(
        self, judge: judges.Judge, teacher: Any, engine: Any, pool: picture_data.PicturePool
    ):
        self.judge, self.teacher = judge, teacher
        contents = [picture_data.resize_square(picture) for picture in pool.photographs]
        styles = [picture_data.resize_square(picture) for picture in pool.paintings]
        self.pairs = [
            (content, styles[(place + step) % len(styles)])
            for place, content in enumerate(contents)
            for step in range(min(2, len(styles)))
        ]
        self.numbers = [engine.embed(style) for _, style in self.pairs]
        self.theirs = self.measure_each(
            [teacher.paint(content, teacher.embed(style)) for content, style in self.pairs]
        )

    def measure(self, painter: Any) -> dict[str, float]:
        """Return each figure's quotient, ours to the teacher's."""
        painted = []
        for (content, _), numbers in zip(self.pairs, self.numbers):
            unit = ops.convert_to_tensor(content[None].astype(np.float32) / 255)
            painted.append(to_bytes(ops.convert_to_numpy(painter(unit, numbers[None]))[0]))
        ours = self.measure_each(painted)
        return {name: ours[name] / max(self.theirs[name], 1e-9) for name in ours}

    def measure_each(self, painted: Sequence[Picture]) -> dict[str, float]:
        """Measure paintings of the pairs; the means."""
        rows = [
            self.measure_one(picture, content, style)
            for picture, (content, style) in zip(painted, self.pairs)
        ]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def measure_one(self, painted: Picture, content: Picture, style: Picture) -> dict[str, float]:
        """Measure one painting."""
        distance = self.teacher.embed(painted) - self.teacher.embed(style)
        row = {
            "style": float(np.linalg.norm(distance)),
            "energy": measure_gradient_energy(painted / np.float32(255)),
            "contrast": float(cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY).std()),
        }
        for name, layers in (("vgg16", self.judge.vgg), ("alexnet", self.judge.alexnet)):
            if layers is not None:
                grams = (judges.measure_style(layers, one) for one in (painted, style))
                row[name] = judges.compare_styles(*grams)
        return row
