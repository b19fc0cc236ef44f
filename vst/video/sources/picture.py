"""Read one picture as a content of one frame; `read_picture` also serves folders and styles."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vst.core.limits import LIMITS, Limits, check_pixels
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError, MissingFileError
from vst.imaging.deep_color import reduce_depth
from vst.imaging.exr_file import SUFFIX as EXR
from vst.imaging.exr_file import read_exr
from vst.video.sources.base import Source
from vst.video.sources.pixels import Pixels

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "PPM", "TGA", "GIF")
"""The decoders that Pillow may use, by its names: it chooses by content, and a decoder that vst
does not need, such as PSD's, is only a risk.
"""

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
"""Pillow's modes with opacity."""
DEEP_SUFFIXES = (".png", ".tif", ".tiff")
"""Suffixes of the pictures that may have 16 bits."""
_EXIF_ORIENTATION = 0x0112
_STRIP = 1 << 22
"""Pixels that are converted at once."""
_PILLOW = threading.Lock()
"""Guards Pillow's size limit, which is global to the process."""


def read_picture(path: str | Path, max_pixels: int = LIMITS.pixels) -> Picture:
    """Read the picture at ``path`` as RGB uint8, (height, width, 3), upright.

    Applies EXIF orientation, converts an embedded color profile to sRGB, composites transparency
    over black, takes the first frame of an animation, scales 16 bits to 8, and gives the linear
    light of an EXR the curve of sRGB. Raises
    `MissingFileError`, and `MediaError` where the file cannot be read, is not one of `FORMATS`, or
    has more than ``max_pixels``.
    """
    return _read_with_header(Path(path), max_pixels)[0]


def read_pixels(path: str | Path, alpha: bool, max_pixels: int = LIMITS.pixels) -> Pixels:
    """Read a picture as `read_picture` does, but with its opacity if ``alpha`` and it has any, and
    in 16 bits if it has more than 8: RGB or RGBA, uint8 or uint16.
    """
    path = Path(path)
    if path.suffix.lower() == EXR:
        pixels = read_exr(path, max_pixels)
        return pixels if alpha else np.ascontiguousarray(pixels[..., :3])
    opacity = _read_alpha(path, max_pixels) if alpha else None
    deep = _read_deep(path, max_pixels)
    if deep is not None:
        return deep if opacity is not None else np.ascontiguousarray(deep[..., :3])
    if opacity is None:
        return read_picture(path, max_pixels)
    with _open_image(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGBA"), np.uint8)


def _read_deep(path: Path, max_pixels: int) -> npt.NDArray[np.uint16] | None:
    """Read a color picture of 16 bits, RGB or RGBA; None for any other. OpenCV reads it, for Pillow
    keeps 8 bits of it.
    """
    if path.suffix.lower() not in DEEP_SUFFIXES:
        return None
    with contextlib.suppress(OSError, ValueError, SyntaxError), _open_image(path) as image:
        check_pixels(repr(str(path)), *image.size, max_pixels)
        found: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if found is not None and found.dtype == np.uint16 and found.ndim == 3:
            code = cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGB
            return np.asarray(cv2.cvtColor(found, code), np.uint16)
    return None


def _read_alpha(path: Path, max_pixels: int) -> npt.NDArray[np.uint8] | None:
    """Read the opacity of a picture; None where it has none, or cannot be read."""
    try:
        with _open_image(path) as image:
            check_pixels(repr(str(path)), *image.size, max_pixels)
            if "transparency" not in image.info and image.mode not in ALPHA_MODES:
                return None
            upright = ImageOps.exif_transpose(image)
            return np.array(upright.convert("RGBA").getchannel("A"), np.uint8)
    except (OSError, ValueError, SyntaxError, MediaError):
        return None  # `read_picture` says what is wrong


def _read_with_header(path: Path, max_pixels: int) -> tuple[Picture, dict[str, Any], list[str]]:
    """Read the picture, its header (format, mode) and warnings, one line each."""
    if path.suffix.lower() == EXR:
        return _composite_deep(read_exr(path, max_pixels)), {"format": "exr", "mode": "RGB"}, []
    try:
        with _open_image(path) as image:
            check_pixels(repr(str(path)), *image.size, max_pixels)
            header = {"format": (image.format or "").lower(), "mode": image.mode}
            lines = []
            if getattr(image, "n_frames", 1) > 1:
                lines.append(f"{str(path)!r} is animated; only its first frame is used")
            return _convert_to_rgb(image), header, lines
    except FileNotFoundError as error:
        raise MissingFileError(f"picture {str(path)!r} does not exist. Check the path") from error
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{str(path)!r} is not a readable picture. Give a PNG, JPEG, WebP, TIFF or BMP"
        ) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged data
        raise MediaError(
            f"{str(path)!r} is damaged: {_format_one_line(error)}. Save it again"
        ) from error


def open_picture_file(path: Path) -> Image.Image:
    """Open the picture's header, whatever its size: vst has its own limit, because Pillow's is
    global to the process and only warns.
    """
    with warnings.catch_warnings(), _PILLOW:
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=_list_decoders())
        finally:
            Image.MAX_IMAGE_PIXELS = before


@contextlib.contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    """Open a picture; Pillow's warnings about its content are not shown."""
    image = open_picture_file(path)
    with warnings.catch_warnings(), image:
        warnings.simplefilter("ignore")
        yield image


def _list_decoders() -> list[str]:
    """List those of `FORMATS` that this Pillow has: not every build reads AVIF."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _convert_to_rgb(image: Image.Image) -> Picture:
    """Convert the picture to RGB uint8 strip by strip, so that memory holds only the decoded
    picture and the result.
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
    """Make the function that converts a part of the picture to RGB uint8."""
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
        if part.mode in ALPHA_MODES:
            solid = part.convert("RGBA")
            black = Image.new("RGBA", solid.size, (0, 0, 0, 255))
            black.alpha_composite(solid)
            part = black.convert("RGB")
        return np.asarray(_convert_to_srgb(part, profile).convert("RGB"), dtype=np.uint8)

    return convert


def _composite_deep(pixels: npt.NDArray[np.uint16]) -> Picture:
    """Reduce RGB or RGBA of 16 bits to RGB of 8, transparency over black."""
    if pixels.shape[2] == 3:
        return reduce_depth(pixels)
    share = pixels[..., 3:].astype(np.float32) / 65535
    return reduce_depth(np.rint(pixels[..., :3] * share).astype(np.uint16))


def _find_white_level(image: Image.Image) -> float:
    """Find the gray value of white: 65535; for floats 1, or 255 where any value is above 1."""
    if image.mode != "F":
        return 65535.0
    return 1.0 if float(np.nanmax(np.asarray(image), initial=0.0)) <= 1.0 else 255.0


def _scale_to_8_bits(values: np.ndarray[Any, Any], top: float) -> Picture:
    """Scale gray values to uint8; ``top`` is white."""
    scaled = np.nan_to_num(values.astype(np.float64)) * (255.0 / top)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the picture to sRGB if it embeds a profile that fits its mode."""
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
    ):  # ignore a profile that does not fit, as viewers do
        return image
    return converted if converted is not None else image


def _format_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class PictureSource(Source):
    """Yields one frame at time 0; the rate is 25, so that the frame can be written as a video."""

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
