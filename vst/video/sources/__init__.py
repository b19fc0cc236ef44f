"""Sources read frames. One file each; `open_source` chooses the one that reads a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vst.core.limits import LIMITS, Limits
from vst.core.paths import to_text
from vst.core.registry import Registry
from vst.errors import MediaError, MissingFileError, UnsupportedFileError, UsageError
from vst.video.frame_names import locate_frames

if TYPE_CHECKING:
    from vst.video.sources.base import Source

SOURCES = Registry(
    "source",
    {
        "video": "vst.video.sources.video:VideoSource",
        "folder": "vst.video.sources.folder:FolderSource",
        "picture": "vst.video.sources.picture:PictureSource",
        "animation": "vst.video.sources.animation:AnimationSource",
        "y4m": "vst.video.sources.y4m:Y4mSource",
    },
)

OPTIONS: dict[str, tuple[str, ...]] = {
    "video": ("threads",),
    "folder": ("rate", "default_rate"),
    "picture": (),
    "animation": (),
    "y4m": (),
}
"""Kind of source -> names of the options that it takes."""

STANDARD_STREAM = "-"
"""The path that stands for standard input, and as an output for standard output."""

PICTURE_SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .webp .bmp .tif .tiff .avif .ppm .pgm .tga .exr".split()
)
"""Suffixes of the files that count as pictures in a folder."""

_PICTURE_SIGNS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"P5",
    b"P6",
    b"v/1\x01",
)
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1")
_UNSUPPORTED = {
    b"<svg": "an SVG drawing",
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop document",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
}
"""First bytes -> kind of file, of kinds that users mistake for pictures that can be read."""


def open_source(path: str | os.PathLike[str], limits: Limits = LIMITS, **options: Any) -> Source:
    """Open the content at ``path``: a folder of pictures, those of its pictures that a pattern such
    as ``shot/frame.####.exr`` matches, one picture, or a video.

    The first bytes of a file decide what it is, not its name. ``limits`` bound the pixels (checked
    in the header) and the frames (checked while reading). ``options`` go to the source: ``rate``
    or ``default_rate`` for a folder, ``threads`` for a video.

    Raises `MissingFileError`, `MediaError` where the file is neither a picture nor a video, and
    `UsageError`.
    """
    kind = detect_source_kind(path)
    options = {name: value for name, value in options.items() if name in OPTIONS[kind]}
    source: Source = SOURCES[kind](Path(path), limits=limits, **options)
    return source


def detect_source_kind(path: str | os.PathLike[str]) -> str:
    """Return the name in `SOURCES` for ``path``: ``folder``, ``picture``, ``animation``,
    ``video``, or ``y4m`` for standard input.
    """
    name = to_text("a source", path)
    if name == STANDARD_STREAM:
        return "y4m"
    if not name or "\0" in name:
        raise UsageError(f"{name!r} is not a path. Give a video, a picture or a folder of pictures")
    file = locate_frames(name)
    try:
        if file.is_dir():
            return "folder"
        if not file.exists():
            raise MissingFileError(f"file or folder {name!r} does not exist. Check the path")
        if not file.is_file():
            raise UsageError(f"{name!r} is a device or a pipe. Give a file or a folder")
        with file.open("rb") as stream:
            head = stream.read(512)
    except MissingFileError:
        raise
    except OSError as error:
        raise MediaError(
            f"{name!r} cannot be read: {error.strerror or error}. Check its permissions"
        ) from error
    kind = _find_unsupported_kind(head, file.suffix.lower())
    if kind is not None:
        raise UnsupportedFileError(f"{name!r} is {kind}, which is not read. Convert it to PNG")
    if not head or is_text(head):
        what = "text" if head else "empty"
        raise UnsupportedFileError(
            f"{name!r} is {what}. Give a video, a picture or a folder of pictures"
        )
    if not _is_picture(head, file.suffix.lower()):
        return "video"
    return "animation" if _is_animated(head) else "picture"


def _find_unsupported_kind(head: bytes, suffix: str) -> str | None:
    """Return what a file is, in words, if it is of a known kind that is not read."""
    if suffix in (".svg", ".svgz"):
        return _UNSUPPORTED[b"<svg"]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<!DOCTYPE svg")) and b"<svg" in head:
        return _UNSUPPORTED[b"<svg"]
    return next((kind for sign, kind in _UNSUPPORTED.items() if start.startswith(sign)), None)


def is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a text; y4m begins with a line, too."""
    if head.startswith((b"YUV4MPEG2", *_PICTURE_SIGNS)):
        return False
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # else the last letter is cut in two
            return False
        text = head[: error.start].decode()
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)


def _is_picture(head: bytes, suffix: str) -> bool:
    if suffix in (".mjpeg", ".mjpg"):  # a raw stream of JPEG pictures starts like a single one
        return False
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return head[8:12] in _PICTURE_BRANDS
    return head.startswith(_PICTURE_SIGNS)


def _is_animated(head: bytes) -> bool:
    """Whether the first bytes of a picture are those of a WebP with the sign of an animation, or of
    a PNG with a chunk that says how many pictures it has.
    """
    if head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 2)
    return head.startswith(b"\x89PNG") and b"acTL" in head.partition(b"IDAT")[0]
