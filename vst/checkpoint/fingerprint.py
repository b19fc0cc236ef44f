"""What a job's output depends on, as checksums: to tell whether a job is the same again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from fractions import Fraction
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from vst import __version__
from vst.checkpoint.store import hash_file
from vst.engines.options import group_engine_options
from vst.errors import MediaError, OutputError
from vst.job import Job
from vst.styles.resolve import ResolvedStyle

NOT_ABOUT_FRAMES = ("overwrite", "threads", "batch", "keep_chunks", "keep_steps", "patience",
                    "output", "max_pixels", "max_frames", "max_memory")  # fmt: skip
"""Options that change nothing of what is painted."""
INPUTS = ("content", "score", "mask", "mask_ground", "model")
"""Options that name a file or folder, or something else; and the styles."""
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "av",
    "tensorflow",
    "imageio-ffmpeg",
)
"""Whose versions may change what is painted, or how it is encoded."""
PLAIN = ("auto", "none")
"""What is given in the place of an input and is no file."""


def fingerprint_job(job: Job) -> dict[str, Any]:
    """Name -> plain value, for everything that is known before the engine is opened. A file is its
    content, wherever it lies.
    """
    about: dict[str, Any] = {"version of vst": __version__}
    for name, value in job.as_dict().items():
        if name not in (*NOT_ABOUT_FRAMES, *INPUTS, "styles"):
            about[f"option {name}"] = value
    for name, given in list_inputs(job).items():
        about[name] = fingerprint_input(given)
    for name in PACKAGES:
        try:
            about[f"version of {name}"] = version(name)
        except PackageNotFoundError:
            continue
    return about


def list_inputs(job: Job) -> dict[str, str]:
    """What a job reads, as it names it."""
    named = {name.replace("_", " "): getattr(job, name) for name in INPUTS}
    found = {name: given for name, given in named.items() if given}
    return found | {f"style {number}": style for number, style in enumerate(job.styles, 1)}


def is_path(given: str) -> bool:
    """Whether an input is a file or folder, and not a name of something else."""
    return given.partition(":")[0] not in PLAIN and given[:1] != "@" and Path(given).exists()


def fingerprint_input(given: str) -> str:
    """The content of a file, or of all files of a folder with their names; other names as they
    are.
    """
    if not is_path(given):
        return given
    path = Path(given)
    try:
        if path.is_file():
            return hash_file(path)
        found = blake2b(digest_size=16)
        for part in sorted(path.rglob("*")):
            if part.is_file():
                found.update(f"{part.relative_to(path)}\0{hash_file(part)}\0".encode())
        return found.hexdigest()
    except OSError as error:
        raise MediaError(
            f"{given!r} cannot be read ({error.strerror or error}); check it"
        ) from error


def fingerprint_styles(looks: Iterable[ResolvedStyle]) -> str:
    """The looks that are played: names, times, pictures or numbers."""
    found = blake2b(digest_size=16)
    for look in looks:
        found.update(f"{look.name}\0{look.time:.6f}\0{look.space}\0".encode())
        found.update(b"" if look.is_content else np.ascontiguousarray(look.style).tobytes())
    return found.hexdigest()


def restore_job(plain: Mapping[str, Any], folder: str, output: str) -> Job:
    """The job that a manifest holds, for ``output``; relative paths count from ``folder``."""
    known = {part.name for part in fields(Job)}
    try:
        values = {
            name: value for name, value in group_engine_options(plain).items() if name in known
        }
        values["styles"] = tuple(_locate(folder, style) for style in values.get("styles", ()))
        values["at"] = tuple(values.get("at", ()))
        if values.get("fps") is not None:
            values["fps"] = Fraction(values["fps"])
        for name in INPUTS:
            if values.get(name):
                values[name] = _locate(folder, values[name])
        return Job(**{**values, "output": output})
    except (TypeError, ValueError, AttributeError) as error:
        raise OutputError(
            f"the manifest of {output!r} holds no job ({error}); remove its folder to begin anew"
        ) from error


def _locate(folder: str, given: str) -> str:
    if Path.cwd() == Path(folder) or given[:1] == "@" or given.partition(":")[0] in PLAIN:
        return given
    path = Path(folder) / given
    return str(path) if path.exists() else given
