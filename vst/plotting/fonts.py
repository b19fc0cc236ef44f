"""Fonts for labels: Pillow's own for plain text, the system's for every other character.

Pillow's font has ASCII and a few signs. A character that it lacks is drawn with the first font of
the system that has it: one of `FILES`, then the one that fontconfig names.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import unicodedata
from itertools import groupby
from typing import Any

from PIL import ImageFont

FILES = (
    # Linux
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-microhei.ttc"),
    *("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf"),
    # macOS
    *("Arial Unicode.ttf", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc"),
    # Windows
    *("segoeui.ttf", "arial.ttf", "msyh.ttc", "meiryo.ttc", "malgun.ttf"),
)
"""Common system fonts; Pillow looks for them in the system's font folders."""

REPLACEMENTS = {"→": "->", "×": "x", "–": "-", "—": "-", "…": "...", "ß": "ss"}
"""What is drawn for a sign that no font has."""


def split_by_font(text: str, size: int) -> list[tuple[Any, str]]:
    """Split one line into runs of characters, each with the Pillow font that draws it."""
    pairs = [(find_font(sign), sign) for sign in replace_missing(text)]
    return [
        (load_font(name, size), "".join(sign for _, sign in run))
        for name, run in groupby(pairs, key=lambda pair: pair[0])
    ]


def replace_missing(text: str) -> str:
    """Replace characters that no font has: by plain ones, without their accents, or by ``?``."""
    return "".join(sign if has_font(sign) else _make_plain(sign) for sign in _compose(text))


def has_font(sign: str) -> bool:
    """Return whether a font has the character."""
    return find_font(sign) != "" or _has_glyph("", sign)


@functools.lru_cache(maxsize=4096)
def find_font(sign: str) -> str:
    """Return the file of a font that has the character; empty for Pillow's own font."""
    if _has_glyph("", sign):
        return ""
    for name in FILES:
        if _has_glyph(name, sign):
            return name
    name = _ask_fontconfig(sign)
    return name if name and _has_glyph(name, sign) else ""


@functools.lru_cache(maxsize=128)
def load_font(name: str, size: int) -> Any:
    """Load a font at ``size`` pixels; an empty name is Pillow's own. Raises `OSError` where the
    system lacks the font.
    """
    return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)


@functools.lru_cache(maxsize=128)
def _load_missing_glyph(name: str) -> tuple[Any, bytes] | None:
    """Load a font at a small size and the bitmap that it draws for a missing character; None where
    the system lacks the font.
    """
    try:
        font = load_font(name, 24)
        return font, _render(font, "\uffff")
    except OSError:
        return None


def _has_glyph(name: str, sign: str) -> bool:
    if sign == " ":
        return True
    loaded = _load_missing_glyph(name)
    return loaded is not None and _render(loaded[0], sign) != loaded[1]


def _render(font: Any, sign: str) -> bytes:
    mask = font.getmask(sign)
    return repr(mask.size).encode() + bytes(mask)


@functools.lru_cache(maxsize=4096)
def _ask_fontconfig(sign: str) -> str:
    """Return the file that fontconfig prefers for a character; empty without fontconfig."""
    command = shutil.which("fc-match")
    if command is None:
        return ""
    try:
        done = subprocess.run(
            [command, "-f", "%{file}", f"sans-serif:charset={ord(sign):x}"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _compose(text: str) -> str:
    """Join letters and their accents, so that fonts find both in one glyph."""
    return unicodedata.normalize("NFC", text)


def _make_plain(sign: str) -> str:
    bare = "".join(
        part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)
    )
    plain = REPLACEMENTS.get(sign, bare)
    return plain if plain and all(" " <= part <= "~" for part in plain) else "?"
