"""Fingerprints of all that a job's output depends on: they detect whether a job is the same."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import fields
from fractions import Fraction
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from vst import __version__
from vst.core.fields import find_aliases
from vst.core.files import hash_file
from vst.engines.options import group_engine_options
from vst.errors import MediaError, OutputError
from vst.job import Job
from vst.masks.open import FOUND, split_drawn, uses_segmenter
from vst.stabilizers import EARLIER_NAMES
from vst.styles.resolve import ResolvedStyle
from vst.video.frame_names import locate_frames

NOT_ABOUT_FRAMES = (
    "output",
    "keep_steps",  # an option of the engine gatys
    *(part.name for part in fields(Job) if not part.metadata.get("shapes_frames", True)),
)
"""Options that do not change what is painted: a resumed run may have others."""
INPUTS = ("content", "score", "mask", "mask_regions", "mask_background", "model", "lut")
"""Options that may name a file or folder, besides the styles."""
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "av",
    "tensorflow",
    "ai-edge-litert",
    "imageio-ffmpeg",
)
"""Packages whose versions may change what is painted, or how it is encoded."""
STEADY_METHOD = 3
"""Version of what the stabilizer `steady` paints: chunks that another one painted do not fit.
Earlier versions of vst, with another default stabilizer, have none.
"""
PLAIN = (*FOUND, "none")
"""Values of inputs that are not files."""
OLD_NAMES = find_aliases(Job)
"""Spellings of fields in the manifests of earlier versions."""


def fingerprint_job(job: Job) -> dict[str, Any]:
    """Name -> plain value, for everything that is known before the engine is opened. A file counts
    by its content, whatever its path.
    """
    about: dict[str, Any] = {"version of vst": __version__}
    for name, value in job.as_dict().items():
        if name not in (*NOT_ABOUT_FRAMES, *INPUTS, "styles", "painted"):
            about[f"option {name}"] = value
    for name, given in list_inputs(job).items():
        about[name] = fingerprint_input(given)
    if job.stabilize == "steady" and job.steadiness > 0:
        about["stabilizer"] = STEADY_METHOD
    if job.mask is not None and uses_segmenter(job.mask):
        about["segmenter"] = "person"
    for name in PACKAGES:
        try:
            about[f"version of {name}"] = version(name)
        except PackageNotFoundError:
            continue
    return about


def has_earlier_stabilizer(about: Mapping[str, Any]) -> bool:
    """Whether chunks with these fingerprints were painted with a stabilizer of an earlier version:
    one that is gone, by its name or as the default of that version.
    """
    name = about.get("option stabilize", about.get("option stabilise"))
    if name is None:
        return "stabilizer" not in about and about.get("option steadiness") != 0
    return name in EARLIER_NAMES


def list_inputs(job: Job) -> dict[str, str]:
    """The files and names that a job reads, by what they are for."""
    named = {name.replace("_", " "): getattr(job, name) for name in INPUTS}
    found = {name: given for name, given in named.items() if given}
    found |= {f"style {number}": style for number, style in enumerate(job.styles, 1)}
    pairs = (text.partition("=") for text in job.painted)
    return found | {f"painted {time}": picture for time, _, picture in pairs}


def is_path(given: str) -> bool:
    """Whether an input is a file or folder, not the name of something else."""
    named = given.partition(":")[0] in PLAIN or given[:1] == "@"
    return not named and locate_frames(given).exists()


def fingerprint_input(given: str) -> str:
    """A checksum of a file, or of all files of a folder with their names; other names as they are.
    Raises `MediaError` for a file that cannot be read.
    """
    before, place = split_drawn(given)
    if before:
        return before + fingerprint_input(place)
    if not is_path(given):
        return given
    path = locate_frames(given)
    try:
        if path.is_file():
            return hash_file(path, "blake2b")
        found = blake2b(digest_size=16)
        for part in sorted(path.rglob("*")):
            if part.is_file():
                digest = hash_file(part, "blake2b")
                found.update(f"{part.relative_to(path)}\0{digest}\0".encode())
        return found.hexdigest()
    except OSError as error:
        raise MediaError(
            f"{given!r} cannot be read ({error.strerror or error}). Check the file"
        ) from error


def fingerprint_styles(styles: Iterable[ResolvedStyle]) -> str:
    """A checksum of resolved styles: names, times, pictures or embeddings."""
    found = blake2b(digest_size=16)
    for style in styles:
        found.update(f"{style.name}\0{style.time:.6f}\0{style.space}\0".encode())
        found.update(b"" if style.is_content else np.ascontiguousarray(style.style).tobytes())
    return found.hexdigest()


def rename_field(name: str, known: Container[str]) -> str:
    """The present name of a field that a manifest of an earlier version has."""
    return OLD_NAMES[name] if name in OLD_NAMES and OLD_NAMES[name] in known else name


def rename_fingerprints(about: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """The fingerprints of an earlier version under the present names of their fields."""
    found = {}
    for name, value in about.items():
        is_option = name.startswith("option ")
        old = name.removeprefix("option ").replace(" ", "_")
        new = OLD_NAMES.get(old, old)
        renamed = f"option {new}" if is_option else new.replace("_", " ")
        found[renamed if old in OLD_NAMES and renamed in known else name] = value
    return found


def restore_job(plain: Mapping[str, Any], folder: str, output: str) -> Job:
    """The job in a manifest, for ``output``; relative paths start from ``folder``. Raises
    `OutputError` where the manifest is damaged.
    """
    known = {part.name for part in fields(Job)}
    try:
        plain = {rename_field(name, known): value for name, value in plain.items()}
        values = {
            name: value for name, value in group_engine_options(plain).items() if name in known
        }
        values["styles"] = tuple(_locate(folder, style) for style in values.get("styles", ()))
        values["at"] = tuple(values.get("at", ()))
        pairs = (str(text).partition("=") for text in values.get("painted", ()))
        values["painted"] = tuple(f"{time}={_locate(folder, name)}" for time, _, name in pairs)
        if values.get("fps") is not None:
            values["fps"] = Fraction(values["fps"])
        for name in INPUTS:
            if values.get(name):
                values[name] = _locate(folder, values[name])
        return Job(**{**values, "output": output})
    except (TypeError, ValueError, AttributeError) as error:
        raise OutputError(
            f"the manifest of {output!r} has no valid job ({error}). "
            "Remove its folder to start over"
        ) from error


def _locate(folder: str, given: str) -> str:
    if Path.cwd() == Path(folder) or given[:1] == "@" or given.partition(":")[0] in PLAIN:
        return given
    before, place = split_drawn(given)
    path = Path(folder) / place
    return f"{before}{path}" if locate_frames(path).exists() else given
