"""One picture as a content of one frame; `read_picture` is what folders and styles read theirs
with.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vst.errors import MediaError, MissingFileError
from vst.frames import Frame, Picture, VideoInfo
from vst.media import MAX_PIXELS
from vst.sources.base import Source

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


def read_picture(path: str | Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture at ``path`` as RGB uint8, (height, width, 3), upright.

    EXIF orientation is applied; an embedded colour profile is brought to sRGB; transparency is laid
    on black; of an animated picture the first one is taken; 16 bits are scaled to 8.
    """
    return _read(Path(path), max_pixels)[0]


def _read(path: Path, max_pixels: int) -> tuple[Picture, dict[str, Any], list[str]]:
    """The picture, what its header says (size, format, mode) and lines of warning."""
    try:
        # Pillow warns of bombs by its own limit; the limit here is ours and stricter.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise MediaError(
                        f"{str(path)!r} has {width} x {height} pixels; at most {max_pixels:,} "
                        "are read; make it smaller"
                    )
                header = {"format": (image.format or "").lower(), "mode": image.mode}
                lines = []
                if getattr(image, "n_frames", 1) > 1:
                    lines.append(f"{str(path)!r} is animated; its first picture is used")
                return _as_rgb(image), header, lines
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no picture {str(path)!r}; check the path") from error
    except MediaError:
        raise
    except (
        Image.DecompressionBombError
    ) as error:  # far above any limit: Pillow does not even open it
        raise MediaError(
            f"{str(path)!r} has more than {max_pixels:,} pixels, which are read at most; make it "
            "smaller"
        ) from error
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{str(path)!r} is no picture that can be read; give a PNG, JPEG, WebP, TIFF or BMP"
        ) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged data
        raise MediaError(
            f"{str(path)!r} is damaged or of an unknown kind: {_one_line(error)}; save it anew"
        ) from error


def _as_rgb(image: Image.Image) -> Picture:
    upright = ImageOps.exif_transpose(image)
    if upright.mode in _DEEP_MODES:
        grey = _eight_bits(np.asarray(upright))
        return np.repeat(grey[:, :, None], 3, axis=2)
    profile = upright.info.get("icc_profile")
    if upright.mode == "P" or "transparency" in upright.info:
        upright = upright.convert("RGBA")
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        solid = upright.convert("RGBA")
        ground = Image.new("RGBA", solid.size, (0, 0, 0, 255))
        ground.alpha_composite(solid)
        upright = ground.convert("RGB")
    upright = _to_srgb(upright, profile)
    return np.array(upright.convert("RGB"), dtype=np.uint8)


def _eight_bits(values: np.ndarray[Any, Any]) -> Picture:
    """Grey values of 16 bits (or floats in 0..1 or 0..255) as uint8."""
    if values.dtype.kind == "f":
        top = 1.0 if float(np.nanmax(values, initial=0.0)) <= 1.0 else 255.0
        scaled = np.nan_to_num(values.astype(np.float64)) * (255.0 / top)
    else:
        scaled = values.astype(np.float64) * (255.0 / 65535.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class PictureSource(Source):
    """One frame, at time 0; the rate of 25/1 stands for "a still" and lets one frame be written as
    a video.
    """

    def __init__(self, path: Path, max_pixels: int = MAX_PIXELS) -> None:
        super().__init__()
        self._picture, header, lines = _read(path, max_pixels)
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
