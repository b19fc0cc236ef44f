"""Sinks: where painted frames go. One file each; `open_sink` finds the one that writes a path."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vst.core.registry import Registry
from vst.errors import UsageError

if TYPE_CHECKING:
    from vst.video.sinks.base import Sink, SinkSpec

SINKS = Registry(
    "sink",
    {
        "video": "vst.video.sinks.video:VideoSink",
        "gif": "vst.video.sinks.gif:GifSink",
        "folder": "vst.video.sinks.folder:FolderSink",
    },
)

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Endings of the videos that can be written."""


def open_sink(spec: SinkSpec) -> Sink:
    """Open the sink that writes ``spec.path``: a video, a GIF or a folder of PNG frames.

    Raises `UsageError` where the ending, the codec or a number cannot be used, `OutputExistsError`
    where something lies under the name and may not be replaced, and `OutputError` where the folder
    cannot be written: all of them before any work is done.
    """
    sink: Sink = SINKS[detect_sink_kind(spec.path)](spec)
    return sink


def detect_sink_kind(path: str | os.PathLike[str]) -> str:
    """The name in `SINKS` of what writes ``path``, by its ending; a folder ends in ``/``, has no
    ending, or exists.
    """
    name = os.fspath(path)
    suffix = Path(name).suffix.lower()
    if not name or "\0" in name:
        raise UsageError(
            f"{name!r} is no path for an output; give a name such as out.mp4 or frames/"
        )
    if name.endswith(("/", os.sep)) or not suffix:
        return "folder"
    if suffix == ".gif":
        return "gif"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    with contextlib.suppress(OSError):  # a name that is too long is no folder
        if Path(name).is_dir():
            return "folder"
    raise UsageError(
        f"an output {name!r} cannot be written; give a name that ends in "
        f"{', '.join(VIDEO_SUFFIXES)}, .gif, or a folder"
    )
