"""Mistakes in the arguments of single verbs: found before a model is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vst.errors import OutputExistsError, UsageError
from vst.pipeline.checks import check_content, check_output_name, check_parent, check_style
from vst.video.frame_names import locate_output
from vst.video.sinks import detect_sink_kind
from vst.video.sources import detect_source_kind


def check_video_style(style: str) -> None:
    """Check that a style is a video or a folder of pictures: something to take keyframes from."""
    if style.startswith("@"):
        raise UsageError(f"style {style!r} is not a video. Give a video or a folder of pictures")
    if detect_source_kind(style) == "picture":
        raise UsageError(
            f"style {style!r} is a picture: it has no keyframes to choose from. Give a video, or "
            f"paint with the picture as it is: -s {style}"
        )
    check_style(style)


def check_video_output(output: str, overwrite: bool) -> None:
    """Refuse a name for a video or a folder of frames that cannot be written."""
    kind = detect_sink_kind(output)
    if kind == "y4m":
        return
    check_output_name(output)
    path = locate_output(output)
    is_bare = path == Path(output) and not path.suffix and not output.endswith("/")
    if kind == "folder" and is_bare and not path.is_dir():
        raise UsageError(
            f"output {output!r} has no suffix: it could be a video or a folder of PNG frames. "
            f"Write {output}.mp4, or {output}/ for frames"
        )
    if kind != "folder" and path.is_dir():
        raise OutputExistsError(
            f"output {output!r} is a folder. Write {output}/ to fill it with PNG frames, or give "
            f"a name in it"
        )
    check_parent(str(path))
    if path.is_file() and not overwrite:
        raise OutputExistsError(f"output {output!r} is already there; --overwrite replaces it")


def check_videos(paths: Iterable[str], *, name: str) -> None:
    """Check that each of several arguments is a video or a folder of frames."""
    for path in paths:
        check_content(path, name=name)
