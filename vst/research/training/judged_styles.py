"""The styles that a judged training learns from: pictures with their embeddings and with the Gram
matrices that VGG16 finds in them, made once and kept.

Fifty paintings are learned by heart: parts of them in other colors, the project's own patterns with
other seeds, photographs, and what the teacher paints in mixes of two are styles too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from vst.nets.judges import STYLE_LAYERS
from vst.nets.losses import gram
from vst.research.training.examples import Row, Shapes
from vst.research.training.picture_data import (
    DIM,
    SIDE,
    Picture,
    PicturePool,
    augment_style,
    crop_randomly,
    crop_stretched,
    resize_square,
    tint,
)
from vst.samples.noise import make_generator, to_picture
from vst.samples.patterns import PATTERNS

HALF_LAYERS = STYLE_LAYERS[:3]
"""Layers that see the picture at half its size too: larger strokes."""
GRAMS = tuple(f"gram{place}" for place in range(len(STYLE_LAYERS) + len(HALF_LAYERS)))
"""The names of the Gram matrices of `compute_grams`."""
MIXES = (-0.3, 1.3)
"""Share of the first painting's embedding in a mix of two."""
PATTERN_SIDES = (256, 320, 448)
FIRST_SEED = 1000
"""Seeds of the patterns begin here; those of the built-in styles are smaller."""


def build_style_shapes(vgg: Any) -> Shapes:
    """Return the shapes of a style: its picture, the teacher's and our own embedding, and its Gram
    matrices.
    """
    grams = compute_grams(vgg, ops.zeros((1, SIDE, SIDE, 3)))
    return {
        "picture": ((SIDE, SIDE, 3), "u1"),
        "numbers": ((DIM,), "f4"),
        "own": ((DIM,), "f4"),
        **{name: (tuple(found.shape[1:]), "f2") for name, found in zip(GRAMS, grams)},
    }


def compute_features(vgg: Any, pictures: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Compute the features of pictures (B,H,W,3) in [0,1]: `STYLE_LAYERS`, and `HALF_LAYERS` of the
    pictures at half their size.
    """
    small = ops.average_pool(pictures, 2, 2, "valid")
    return vgg(pictures, STYLE_LAYERS), vgg(small, HALF_LAYERS)


def compute_grams(vgg: Any, pictures: Any) -> list[Any]:
    """Compute the Gram matrices of `compute_features`."""
    return [gram(found[name]) for found in compute_features(vgg, pictures) for name in found]


class StyleMaker:
    """Makes one style per call. ``embed``: our own predictor; ``teacher`` embeds and paints."""

    def __init__(
        self,
        pool: PicturePool,
        teacher: Any,
        embed: Callable[[Picture], np.ndarray],
        vgg: Any,
        rng: np.random.Generator,
    ):
        self.pool, self.teacher, self.embed, self.vgg, self.rng = pool, teacher, embed, vgg, rng

    def __call__(self) -> Row:
        picture = np.ascontiguousarray(self.draw())
        unit = ops.convert_to_tensor(picture[None].astype(np.float32) / 255)
        grams = [ops.convert_to_numpy(one)[0] for one in compute_grams(self.vgg, unit)]
        numbers = {"numbers": self.teacher.embed(picture), "own": self.embed(picture)}
        return {"picture": picture, **numbers, **dict(zip(GRAMS, grams))}

    def draw(self) -> Picture:
        """Draw a picture of `SIDE` squared: nearly half of them are of paintings."""
        kind = self.rng.random()
        if kind < 0.46:
            picture = self._vary_painting()
        elif kind < 0.66:
            picture = self._draw_pattern()
        elif kind < 0.87:
            picture = crop_stretched(self._pick(self.pool.photographs), self.rng)
        else:
            picture = self._paint_mix()
        return tint(picture, self.rng) if self.rng.random() < 0.4 else picture

    def _vary_painting(self) -> Picture:
        painting, kind = self._pick(self.pool.paintings), self.rng.random()
        if kind < 0.1:
            return resize_square(painting)
        if kind < 0.5:
            return augment_style(painting, self._pick(self.pool.paintings), self.rng)
        return crop_randomly(painting, self.rng, SIDE, 1.5)

    def _draw_pattern(self) -> Picture:
        _, draw = list(PATTERNS.values())[int(self.rng.integers(len(PATTERNS)))]
        seed, side = int(self.rng.integers(FIRST_SEED, 1 << 30)), self.rng.choice(PATTERN_SIDES)
        drawn = to_picture(draw(make_generator(seed), int(side), int(side)))
        return resize_square(drawn)

    def _paint_mix(self) -> Picture:
        """Let the teacher paint a photograph in a mix of two paintings, or a little beyond one."""
        one, other = (
            self.teacher.embed(resize_square(self._pick(self.pool.paintings))) for _ in range(2)
        )
        share = self.rng.uniform(*MIXES)
        content = crop_randomly(self._pick(self.pool.photographs), self.rng, SIDE, 1.3)
        painted: Picture = self.teacher.paint(
            content, np.float32(share * one + (1 - share) * other)
        )
        return painted

    def _pick(self, pictures: Sequence[Picture]) -> Picture:
        return pictures[int(self.rng.integers(len(pictures)))]
