"""The record of a job that its output carries."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from vst import __version__
from vst.job import Job
from vst.masks.open import FOUND, split_drawn
from vst.video.frame_names import locate_frames, locate_output


def build_record(job: Job, names: Mapping[str, str] | None = None) -> str:
    """Build the job as one line of JSON, for the output's metadata; empty if the job asks for none.

    Paths are relative to the output's folder: they lead nowhere on another machine, and say nothing
    about the folders of this one. ``names``: path -> the name to write in its place.
    """
    if not job.metadata:
        return ""
    folder = locate_output(job.output).resolve().parent

    def shorten(name: str) -> str:
        if names is not None and name in names:
            return names[name]
        if name.startswith("@") or name == "none" or name.partition(":")[0] in FOUND:
            return name
        before, place = split_drawn(name)
        if before:
            return before + shorten(place)
        path = Path(name)
        if not locate_frames(path).exists():
            return name if not path.is_absolute() else path.name
        try:
            return Path(os.path.relpath(path.resolve(), folder)).as_posix()
        except ValueError:  # another drive of Windows
            return path.name

    plain = job.as_dict()
    for name in ("content", "score", "mask", "mask_regions", "mask_background", "model", "lut"):
        if isinstance(plain.get(name), str):
            plain[name] = shorten(plain[name])
    if job.styles:
        plain["styles"] = [shorten(style) for style in job.styles]
    if job.painted:
        pairs = (text.partition("=") for text in job.painted)
        plain["painted"] = [f"{time}={shorten(picture)}" for time, _, picture in pairs]
    if plain.get("output"):
        plain["output"] = (names or {}).get(job.output, Path(job.output).name)
    return json.dumps({"vst": __version__, **plain}, ensure_ascii=False)
