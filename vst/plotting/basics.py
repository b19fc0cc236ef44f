"""Canvas, colors, text and files for sheets and charts."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.files import atomic_write
from vst.core.types import Picture
from vst.errors import OutputError, UsageError

Color = tuple[int, int, int]
"""RGB, 0..255."""

FORMATS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Theme:
    """The colors of a sheet."""

    background: Color
    ink: Color
    faint: Color
    line: Color


LIGHT = Theme(
    background=(250, 248, 243), ink=(38, 36, 34), faint=(122, 116, 108), line=(222, 217, 208)
)
DARK = Theme(background=(24, 25, 28), ink=(236, 234, 230), faint=(150, 150, 152), line=(58, 60, 66))


def make_canvas(height: int, width: int, theme: Theme) -> Picture:
    """Make an empty canvas."""
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = theme.background
    return canvas


def save_picture(path: str | os.PathLike[str], rgb: Picture, quality: int = 92) -> Path:
    """Write RGB uint8 (height, width, 3) as .png or .jpg, by the suffix; return the path.

    ``quality``: of JPEG, 1..100. Raises `OutputError` and `UsageError`.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise OutputError(
            f"{path} cannot be written: the suffix {ending!r} is not supported. Give .png or .jpg"
        )
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise UsageError(
            f"a picture of shape {rgb.shape} and type {rgb.dtype} cannot be written. "
            "Give RGB uint8 of (height, width, 3)"
        )
    settings = (
        []
        if ending == ".png"
        else [cv2.IMWRITE_JPEG_QUALITY, int(quality), cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    )
    fine, data = cv2.imencode(ending, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), settings)
    if not fine:
        raise OutputError(
            f"{path} cannot be encoded: it has {rgb.shape[1]}x{rgb.shape[0]} pixels. Give a "
            "smaller picture"
        )
    # Python writes the file, because OpenCV fails silently on names outside the system's code page.
    try:
        with atomic_write(path) as draft:
            draft.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}. Give a path in a writable folder"
        ) from error
    return path


def measure_text(text: str, size: int) -> tuple[int, int]:
    """Return width and height in pixels of one line of ``text``; the height is the same for every
    text.
    """
    fonts = _import_fonts()
    width = sum(font.getlength(run) for font, run in fonts.split_by_font(text, size))
    return math.ceil(width), math.ceil(sum(fonts.load_font("", size).getmetrics()))


def _import_fonts() -> Any:
    """Import Pillow only where text is drawn."""
    from vst.plotting import fonts

    return fonts


def _render_line(text: str, size: int) -> npt.NDArray[np.float32]:
    """Render one line of ``text`` as opacity 0..1, (height, width, 1), with a 2-pixel margin."""
    from PIL import Image, ImageDraw

    fonts = _import_fonts()
    width, height = measure_text(text, size)
    image = Image.new("L", (width + 4, height + 4), 0)
    draw = ImageDraw.Draw(image)
    x, baseline = 2.0, 2 + fonts.load_font("", size).getmetrics()[0]
    for font, run in fonts.split_by_font(text, size):
        draw.text((x, baseline), run, fill=255, font=font, anchor="ls")
        x += font.getlength(run)
    return np.asarray(image, np.float32)[..., None] / np.float32(255)


def shorten(text: str, size: int, width: float) -> str:
    """Shorten ``text``, with dots at its end, to at most ``width`` pixels."""
    if measure_text(text, size)[0] <= width:
        return text
    while text and measure_text(text.rstrip() + "...", size)[0] > width:
        text = text[:-1]
    return text.rstrip() + "..."


def write_text(
    canvas: Picture,
    text: str,
    at: tuple[float, float],
    size: int,
    color: Color,
    anchor: str = "la",
) -> None:
    """Write one line of text on ``canvas``, in place.

    ``anchor``: where the point ``at`` is in the text, in two letters of Pillow (l, m, r; a, m, s).
    """
    if not text:
        return
    mask = _render_line(text, size)
    shares = {"l": 0.0, "m": 0.5, "r": 1.0, "a": 0.0, "s": 0.8}
    left = round(at[0] - shares[anchor[0]] * mask.shape[1])
    top = round(at[1] - shares[anchor[1]] * mask.shape[0])
    _blend(canvas, mask, (left, top), color)


def write_upward(
    canvas: Picture, text: str, middle: tuple[float, float], size: int, color: Color
) -> None:
    """Write one line of text from bottom to top around its ``middle``, in place."""
    if text:
        mask = np.ascontiguousarray(np.rot90(_render_line(text, size)))
        left = round(middle[0] - mask.shape[1] / 2)
        top = round(middle[1] - mask.shape[0] / 2)
        _blend(canvas, mask, (left, top), color)


def _blend(
    canvas: Picture, mask: npt.NDArray[np.float32], corner: tuple[int, int], color: Color
) -> None:
    """Color the pixels under a mask of opacity 0..1, as far as it is on the canvas."""
    left, top = corner
    cut = mask[max(0, -top) : canvas.shape[0] - top, max(0, -left) : canvas.shape[1] - left]
    if not cut.size:
        return
    top, left = max(0, top), max(0, left)
    part = canvas[top : top + cut.shape[0], left : left + cut.shape[1]]
    part[:] = np.round(part + cut * (np.array(color, np.float32) - part)).astype(np.uint8)
