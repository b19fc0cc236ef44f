"""One picture as a content of one frame; `read_picture` is what folders and styles read theirs
with.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vst.core.limits import LIMITS, Limits, check_pixels
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError, MissingFileError
from vst.video.sources.base import Source

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_EXIF_ORIENTATION = 0x0112
_STRIP = 1 << 22
"""Pixels that are converted at once."""
_PILLOW = threading.Lock()
"""Held while Pillow's limit, which is the process's, is changed."""


def read_picture(path: str | Path, max_pixels: int = LIMITS.pixels) -> Picture:
    """The picture at ``path`` as RGB uint8, (height, width, 3), upright.

    EXIF orientation is applied; an embedded colour profile is brought to sRGB; transparency is laid
    on black; of an animated picture the first one is taken; 16 bits are scaled to 8.
    """
    return _read_with_header(Path(path), max_pixels)[0]


def _read_with_header(path: Path, max_pixels: int) -> tuple[Picture, dict[str, Any], list[str]]:
    """The picture, what its header says (size, format, mode) and lines of warning."""
    try:
        with _open_image(path) as image:
            check_pixels(repr(str(path)), *image.size, max_pixels)
            header = {"format": (image.format or "").lower(), "mode": image.mode}
            lines = []
            if getattr(image, "n_frames", 1) > 1:
                lines.append(f"{str(path)!r} is animated; its first picture is used")
            return _convert_to_rgb(image), header, lines
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no picture {str(path)!r}; check the path") from error
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{str(path)!r} is no picture that can be read; give a PNG, JPEG, WebP, TIFF or BMP"
        ) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged data
        raise MediaError(
            f"{str(path)!r} is damaged or of an unknown kind: {_format_one_line(error)}; save it anew"
        ) from error


@contextlib.contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    """The picture's header, whatever size it says: the limit is ours, for Pillow has one for the
    whole process, which only warns.
    """
    with warnings.catch_warnings(), _PILLOW:
        warnings.simplefilter("ignore")
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = theirs
    with warnings.catch_warnings(), image:
        warnings.simplefilter("ignore")
        yield image


def _convert_to_rgb(image: Image.Image) -> Picture:
    """The picture as RGB uint8, converted strip by strip: beside the decoded picture and the result
    nothing of its size is held.
    """
    turned = image.getexif().get(_EXIF_ORIENTATION, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image
    upright.load()
    width, height = upright.size
    convert = _make_converter(upright)
    rows = max(1, _STRIP // max(1, width))
    whole = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        below = min(height, top + rows)
        strip = upright.crop((0, top, width, below)) if rows < height else upright
        whole[top:below] = convert(strip)
    return whole


def _make_converter(image: Image.Image) -> Callable[[Image.Image], Picture]:
    """What brings a part of the picture to RGB uint8."""
    if image.mode in _DEEP_MODES:
        top = _find_white_level(image)
        return lambda part: np.repeat(
            _scale_to_8_bits(np.asarray(part), top)[:, :, None], 3, axis=2
        )
    profile = image.info.get("icc_profile")
    see_through = image.mode == "P" or "transparency" in image.info

    def convert(part: Image.Image) -> Picture:
        if see_through:
            part = part.convert("RGBA")
        if part.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
            solid = part.convert("RGBA")
            ground = Image.new("RGBA", solid.size, (0, 0, 0, 255))
            ground.alpha_composite(solid)
            part = ground.convert("RGB")
        return np.asarray(_convert_to_srgb(part, profile).convert("RGB"), dtype=np.uint8)

    return convert


def _find_white_level(image: Image.Image) -> float:
    """The grey value that is white: 65535, and of floats 1, or 255 where any is above 1."""
    if image.mode != "F":
        return 65535.0
    return 1.0 if float(np.nanmax(np.asarray(image), initial=0.0)) <= 1.0 else 255.0


def _scale_to_8_bits(values: np.ndarray[Any, Any], top: float) -> Picture:
    """Grey values of which ``top`` is white as uint8."""
    scaled = np.nan_to_num(values.astype(np.float64)) * (255.0 / top)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB, where an embedded profile that fits its mode says what it is in."""
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return image
    try:
        import io

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (
        ImageCms.PyCMSError,
        OSError,
        ValueError,
    ):  # a profile that does not fit is passed over, as viewers do
        return image
    return converted if converted is not None else image


def _format_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class PictureSource(Source):
    """One frame, at time 0; the rate of 25/1 stands for "a still" and lets one frame be written as
    a video.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        super().__init__()
        self._picture, header, lines = _read_with_header(path, limits.pixels)
        self.warnings.extend(lines)
        height, width = self._picture.shape[:2]
        self.info = VideoInfo(
            path=path,
            width=width,
            height=height,
            rate=Fraction(25),
            frames=1,
            duration=0.04,
            exact_count=True,
            codec=header["format"],
            pixel_format=header["mode"],
        )

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        if start <= 0.0 and (end is None or end > 0.0):
            yield Frame(0, 0.0, self._picture.copy())

    def at(self, time: float) -> Picture:
        return self._picture.copy()
