"""Sinks write painted frames. One file each; `open_sink` chooses the one that writes a path."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vst.core.registry import Registry
from vst.errors import UsageError
from vst.video.frame_names import parse_output_names
from vst.video.sources import STANDARD_STREAM

if TYPE_CHECKING:
    from vst.video.sinks.base import Sink, SinkSpec

SINKS = Registry(
    "sink",
    {
        "video": "vst.video.sinks.video:VideoSink",
        "gif": "vst.video.sinks.gif:GifSink",
        "folder": "vst.video.sinks.folder:FolderSink",
        "y4m": "vst.video.sinks.y4m:Y4mSink",
    },
)

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Suffixes of the video files that can be written."""


def open_sink(spec: SinkSpec) -> Sink:
    """Open the sink that writes ``spec.path``: a video, a GIF or a folder of frames, which may be
    given as a pattern of their names.

    Raises `UsageError` for an unsupported suffix, codec or number, `OutputExistsError` where the
    output exists and may not be replaced, and `OutputError` where the folder is not writable; all
    before anything is written.
    """
    spec = locate_spec(spec)
    sink: Sink = SINKS[get_spec_kind(spec)](spec)
    return sink


def locate_spec(spec: SinkSpec) -> SinkSpec:
    """Put the folder of frames in the place of a pattern of their names."""
    if get_spec_kind(spec) != "folder" or spec.names is not None or spec.path.is_dir():
        return spec
    names = parse_output_names(spec.path)
    return spec if names is None else replace(spec, path=names.folder, names=names)


def get_spec_kind(spec: SinkSpec) -> str:
    """Return the name in `SINKS` for what ``spec`` describes."""
    return "folder" if spec.names is not None else detect_sink_kind(spec.path)


def can_keep_alpha(path: str | os.PathLike[str], codec: str | None = None) -> bool:
    """Return whether an output can hold the opacity of its frames: a folder of them, or a
    video whose codec (None: the default of its format) has it.
    """
    from vst.video.sinks.formats import CONTAINERS, ENCODERS

    kind = detect_sink_kind(path)
    if kind != "video":
        return kind == "folder"
    name = codec or CONTAINERS[Path(path).suffix.lower()].codecs[0]
    return name in ENCODERS and ENCODERS[name].alpha is not None


def can_keep_depth(path: str | os.PathLike[str], codec: str | None = None) -> bool:
    """Return whether an output can hold more than 8 bits a color: a folder of frames, or a
    video whose codec (None: the default of its format) has them.
    """
    from vst.video.sinks.formats import CONTAINERS, ENCODERS

    kind = detect_sink_kind(path)
    if kind != "video":
        return kind == "folder"
    name = codec or CONTAINERS[Path(path).suffix.lower()].codecs[0]
    return name in ENCODERS and ENCODERS[name].deep is not None


def detect_sink_kind(path: str | os.PathLike[str]) -> str:
    """Return the name in `SINKS` for ``path``, by its suffix; a folder ends in ``/``, has no
    suffix, exists, or is a pattern such as ``frames/frame.####.exr``; ``-`` is standard output.
    """
    name = os.fspath(path)
    suffix = Path(name).suffix.lower()
    if name == STANDARD_STREAM:
        return "y4m"
    if not name or "\0" in name:
        raise UsageError(
            f"{name!r} is not a path for an output. Give a name such as out.mp4 or frames/"
        )
    if name.endswith(("/", os.sep)) or not suffix:
        return "folder"
    if suffix == ".gif":
        return "gif"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    with contextlib.suppress(OSError):  # a name that is too long is not a folder
        if Path(name).is_dir():
            return "folder"
    if parse_output_names(name) is not None:
        return "folder"
    raise UsageError(
        f"output {name!r} has an unsupported suffix. Give a name that ends in "
        f"{', '.join(VIDEO_SUFFIXES)}, .gif, or a folder; frames such as frames/frame.####.exr"
    )
