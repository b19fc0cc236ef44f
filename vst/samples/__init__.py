"""Samples that the project draws itself: a content clip, a style film, a photo-like picture,
painted patterns.

Nothing here is a photograph or a painting by anyone: numbers in, pictures out, the same ones on
every machine. Each family of scenes is one file: `landscape` (with `terrain` and `sprites`),
`brush`, `prints`, `tiles`; `draw_patterns` names them, `film` writes the clips, `tune` makes the sound.
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
