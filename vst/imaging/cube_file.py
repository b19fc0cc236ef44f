"""Lookup tables for colors, in the .cube format that grading programs share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.files import atomic_write
from vst.errors import MediaError, OutputError, UnsupportedFileError

SIDE = 33
"""Entries along each of the three axes, as grading programs write them."""
LARGEST = 129
"""Entries along an axis of a file that is read, at most."""
LARGEST_FILE = 100_000_000
"""Size of a file that is read, in bytes, at most."""
SUFFIX = ".cube"


def write_cube(path: Path, map_colors: Callable[[Any], Any], title: str) -> None:
    """Write a map of colors, RGB float32 (height, width, 3), as a table; both in 0..1."""
    axis = np.linspace(0, 1, SIDE, dtype=np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")  # red changes fastest
    colors = np.stack([red, green, blue], -1).reshape(SIDE, SIDE * SIDE, 3)
    mapped = np.clip(map_colors(colors), 0, 1).reshape(-1, 3)
    rows = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in mapped.tolist())
    clean = re.sub(r'["\r\n]', "", title)
    try:
        with atomic_write(path) as draft:
            draft.write_text(f'TITLE "{clean}"\nLUT_3D_SIZE {SIDE}\n{rows}\n', encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}). Give a writable .cube file"
        ) from error


def check_cube(path: Path) -> None:
    """Raise `MediaError` unless the file is a whole three-dimensional table."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise MediaError(
                f"lut {str(path)!r} is larger than 100 MB. Give a table in .cube format"
            )
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise MediaError(
            f"lut {str(path)!r} cannot be read ({error.strerror or error}). Check the file"
        ) from error
    words = [line.split() for line in lines if line.strip() and line.strip()[0] != "#"]
    sizes = [row[1] for row in words if row[0] == "LUT_3D_SIZE" and len(row) == 2]
    if not sizes or not sizes[0].isdigit() or not 2 <= int(sizes[0]) <= LARGEST:
        raise UnsupportedFileError(
            f"lut {str(path)!r} is not a three-dimensional table: it has no LUT_3D_SIZE of 2 to "
            f"{LARGEST}. Give a .cube file of that kind"
        )
    rows = sum(len(row) == 3 and _is_number(row[0]) for row in words)
    if rows != int(sizes[0]) ** 3:
        raise MediaError(
            f"lut {str(path)!r} has {rows} rows of {int(sizes[0]) ** 3}: it is damaged. Export it "
            "again"
        )


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
