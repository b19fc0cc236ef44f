"""Samples that the package draws: a content clip, a style film, a photo-like picture, and painted
patterns.

None of them is a photograph or a painting by anyone; the same seed gives the same pixels on every
machine. One file per family of scenes: `landscape` (with `terrain` and `sprites`), `brush`,
`prints`, `tiles`. `patterns` lists them by name, `film` writes the clips, `tune` makes the sound.
"""

from __future__ import annotations

from vst.samples.film import (
    SCENES,
    StyleFilm,
    draw_photo,
    write_clip,
    write_content,
    write_style_film,
)
from vst.samples.landscape import Landscape
from vst.samples.patterns import PATTERNS, draw_pattern, draw_patterns

__all__ = [
    "PATTERNS",
    "SCENES",
    "Landscape",
    "StyleFilm",
    "draw_pattern",
    "draw_patterns",
    "draw_photo",
    "write_clip",
    "write_content",
    "write_style_film",
]
