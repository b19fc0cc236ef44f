"""The project's own painted patterns, by name; they are style pictures and the scenes of the style
film.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vst.core.registry import make_unknown_error
from vst.core.types import Picture
from vst.samples import brush, prints, tiles
from vst.samples.noise import Colors, make_generator, to_picture

Draw = Callable[[np.random.Generator, int, int], Colors]

PATTERNS: dict[str, tuple[int, Draw]] = {
    "blue-swirls": (21, brush.blue_swirls),
    "indigo-waves": (22, prints.indigo_waves),
    "warm-dots": (23, brush.warm_dots),
    "stained-glass": (24, tiles.stained_glass),
    "ink-wash": (25, prints.ink_wash),
    "ochre-facets": (26, tiles.ochre_facets),
    "fire-impasto": (27, brush.fire_impasto),
    "green-meadow": (28, brush.green_meadow),
    "marbled-paper": (29, brush.marbled_paper),
    "paper-cuts": (30, prints.paper_cuts),
    "pen-hatching": (31, prints.pen_hatching),
    "comic-dots": (32, prints.comic_dots),
    "chalk-board": (33, prints.chalk_board),
    "sea-mosaic": (34, tiles.sea_mosaic),
    "gold-spirals": (35, tiles.gold_spirals),
    "woven-wool": (36, tiles.woven_wool),
    "soft-watercolour": (37, tiles.soft_watercolor),
    "neon-lines": (38, tiles.neon_lines),
}
"""Name of a pattern -> its seed and the function that draws it."""


def draw_pattern(name: str, width: int = 480, height: int = 360) -> Picture:
    """The pattern ``name``, ``width`` x ``height`` pixels."""
    if name not in PATTERNS:
        raise make_unknown_error("pattern", name, PATTERNS)
    seed, draw = PATTERNS[name]
    return to_picture(draw(make_generator(seed), height, width))


def draw_patterns(width: int = 480, height: int = 360) -> dict[str, Picture]:
    """All patterns, name -> picture."""
    return {name: draw_pattern(name, width, height) for name in PATTERNS}
