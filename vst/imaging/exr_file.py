"""Read and write OpenEXR pictures, by OpenEXR's own library (the extra ``exr``).

An EXR holds linear light, in half floats, multiplied by its opacity. Here a picture is coded with
the curve of sRGB, not multiplied: 16 bits of that are finer than a half float from 0.002 on.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.limits import LIMITS, check_pixels
from vst.errors import DependencyError, MediaError, MissingFileError, OutputError

SUFFIX = ".exr"
WHITE = 65535

Light = npt.NDArray[np.float32]
"""Linear light, 1 is white: RGB or RGBA (height, width, 3 or 4), not multiplied by the opacity."""


def import_openexr() -> Any:
    """Import OpenEXR; raises `DependencyError` where it is not installed."""
    try:
        import OpenEXR
    except ImportError as error:
        raise DependencyError.of_extra("an EXR picture needs OpenEXR", "exr") from error
    return OpenEXR


def read_light(path: Path, max_pixels: int = LIMITS.pixels) -> Light:
    """Read a picture as linear light. Raises `MissingFileError`, `MediaError` and `LimitError`."""
    library = import_openexr()
    if not path.exists():
        raise MissingFileError(f"picture {str(path)!r} does not exist. Check the path")
    try:
        header = library.File(str(path), header_only=True).header()
        inner, outer = (_read_window(header[name]) for name in ("dataWindow", "displayWindow"))
        for window in (inner, outer):
            check_pixels(repr(str(path)), window[2], window[3], max_pixels)
        with library.File(str(path)) as file:
            light = _join_channels(path, file.channels())
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(
            f"{str(path)!r} is not a readable EXR picture ({error}). Export it again"
        ) from error
    light = np.nan_to_num(light, posinf=65504.0, neginf=0.0)
    if light.shape[2] == 4:
        opacity = light[..., 3:]
        np.divide(light[..., :3], opacity, out=light[..., :3], where=opacity > 0)
    return light if inner == outer else _place_in_window(light, inner, outer)


def read_exr(path: Path, max_pixels: int = LIMITS.pixels) -> npt.NDArray[np.uint16]:
    """Read a picture as RGB or RGBA of 16 bits, with sRGB's curve; light above 1 is white."""
    light = read_light(path, max_pixels)
    coded = np.empty(light.shape, np.uint16)
    coded[..., :3] = np.rint(_code_light(light[..., :3].clip(0, 1)) * WHITE)
    coded[..., 3:] = np.rint(light[..., 3:].clip(0, 1) * WHITE)
    return coded


def write_exr(path: Path, pixels: npt.NDArray[Any], curve: Light | None = None) -> None:
    """Write RGB or RGBA of 8 or 16 bits as half floats, in ZIP compression. ``curve``: the linear
    light of each of 65,536 levels; None: sRGB's.
    """
    library = import_openexr()
    deep = pixels.astype(np.uint16) * np.uint16(257) if pixels.dtype == np.uint8 else pixels
    light = (_get_curve() if curve is None else curve)[deep[..., :3]]
    if deep.shape[2] == 4:
        opacity = deep[..., 3:].astype(np.float32) / WHITE
        light = np.concatenate([light * opacity, opacity], axis=2)
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    half = np.ascontiguousarray(light, np.float16)
    try:
        with library.File(header, {"RGBA" if half.shape[2] == 4 else "RGB": half}) as file:
            file.write(str(path))
    except (RuntimeError, OSError) as error:
        raise OutputError(
            f"{str(path)!r} cannot be written: {error}. Check the disk, and run again"
        ) from error


def code_mask(alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Code a mask's values, 0..255, so that an EXR has them as they are, not as light."""
    return np.asarray(np.rint(_code_light(np.arange(256) / 255) * 255), np.uint8)[alpha]


def decode_mask(coded: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Take `code_mask` back."""
    values = _get_curve()[np.arange(256) * 257]
    return np.asarray(np.rint(values * 255), np.uint8)[coded]


def _code_light(light: Any) -> Any:
    """Code linear light, 0..1, by the curve of sRGB."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=1)
def _get_curve() -> Light:
    """Return the linear light of each of 65,536 levels; the array is shared and read-only."""
    level = np.arange(WHITE + 1, dtype=np.float64) / WHITE
    curve = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    curve = curve.astype(np.float32)
    curve.setflags(write=False)
    return curve


def _read_window(window: Any) -> tuple[int, int, int, int]:
    """Return a window's left, top, width and height."""
    (left, top), (right, bottom) = ([int(number) for number in corner] for corner in window)
    return left, top, right - left + 1, bottom - top + 1


def _join_channels(path: Path, channels: dict[str, Any]) -> Light:
    """Return the colors, and the opacity where there is one; a gray picture gets three colors."""
    for name in ("RGBA", "RGB"):
        if name in channels:
            return np.array(channels[name].pixels, np.float32)
    if "Y" in channels:
        colors = [channels["Y"].pixels] * 3
        colors += [channels["A"].pixels] if "A" in channels else []
        return np.stack(colors, -1).astype(np.float32)
    found = ", ".join(sorted(channels)) or "none"
    raise MediaError(
        f"{str(path)!r} is damaged or has no channels R, G and B (found: {found}). Export the "
        "layer to paint as RGB or RGBA"
    )


def _place_in_window(
    light: Light, inner: tuple[int, int, int, int], outer: tuple[int, int, int, int]
) -> Light:
    """Cut the pixels of the data window to the display window; what lies beside them is black."""
    whole = np.zeros((outer[3], outer[2], light.shape[2]), np.float32)
    left, top = inner[0] - outer[0], inner[1] - outer[1]
    right, bottom = min(left + inner[2], outer[2]), min(top + inner[3], outer[3])
    if right > max(0, left) and bottom > max(0, top):
        part = light[max(0, -top) : bottom - top, max(0, -left) : right - left]
        whole[max(0, top) : bottom, max(0, left) : right] = part
    return whole
