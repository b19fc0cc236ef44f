"""Resolves style arguments to styles: pictures, embeddings or networks, with names and times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.limits import LIMITS, Limits, check_frames
from vst.core.paths import refuse_address
from vst.core.registry import find_nearest
from vst.core.style_spaces import NETWORK_SPACE
from vst.core.types import Embedding, Picture
from vst.errors import MediaError, MissingFileError, SpaceError, UsageError
from vst.imaging.resize import shrink_long_side
from vst.keyframes import PICKERS
from vst.keyframes.base import Embed, Picker
from vst.schedule.timeline import NONE
from vst.styles.library import all_styles, get_style
from vst.video.sources import open_source

NETWORK_SUFFIX = ".keras"
"""Suffix of the files of networks that were trained for a style."""
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
"""Suffixes of the files in a folder of styles that are pictures."""
MAX_SIDE = 2048
"""Longer side, in pixels, of a style's picture in memory; predictors use 256 pixels."""


@dataclass(frozen=True)
class ResolvedStyle:
    """One style of a job.

    ``name`` is unique within the job; ``time`` is seconds in the style video it comes from (0 for a
    still picture). ``style`` is a picture, or an embedding of the style space ``space``, or the
    bytes of a trained network (`vst.core.style_spaces.NETWORK_SPACE`).
    """

    name: str
    time: float
    style: Picture | Embedding
    space: str | None = None

    @property
    def is_content(self) -> bool:
        """Whether this is the unpainted content."""
        return self.name == NONE

    @property
    def picture(self) -> Picture:
        """The style's picture; raises `UsageError` for the content, embeddings and networks."""
        if self.is_content:
            raise UsageError(f"style {NONE!r} is the content itself and has no picture")
        if self.space is not None:
            kind = "a trained network" if self.space == NETWORK_SPACE else "an embedding (numbers)"
            raise UsageError(f"style {self.name!r} is {kind} and has no picture to show")
        return np.asarray(self.style, np.uint8)


@dataclass(frozen=True)
class StyleReading:
    """How style videos are read.

    ``embed``: an engine's, for pickers that compare styles. ``notes``: the list that receives the
    pickers' notes, such as skipped frames.
    """

    embed: Embed | None = None
    notes: list[str] | None = None
    limits: Limits = LIMITS


def resolve_styles(
    styles: Sequence[str],
    *,
    keyframes: int,
    picker: str,
    at: Sequence[float] = (),
    reading: StyleReading | None = None,
    **named: Any,
) -> list[ResolvedStyle]:
    """Resolve style arguments in order; duplicate names get a number.

    An argument is a picture, a folder of pictures (in order of name), a video (``keyframes`` of it,
    chosen by ``picker``), ``@name`` (a built-in style or the user's), a ``.keras`` file (a network
    trained for a style), or ``none`` (the unpainted content). ``at``: seconds, for the picker that
    takes times. ``named``: fields of `StyleReading` as keywords, instead of ``reading``.
    """
    if reading is not None and named:
        raise UsageError(f"{', '.join(named)}: given beside reading. Put them into reading")
    if keyframes < 1:
        raise UsageError(f"keyframes {keyframes} is out of range. Give 1 or more")
    chosen, reading = PICKERS[picker](at), reading or StyleReading(**named)

    def resolve_video(path: Path) -> list[ResolvedStyle]:
        return _resolve_video(path, chosen, keyframes, reading)

    taken: set[str] = set()
    resolved = []
    for one in (
        one for style in styles for one in _resolve_one(style, resolve_video, reading.limits)
    ):
        if one.is_content:  # may occur several times, always as the same style
            resolved.append(one)
            continue
        name, number = one.name, 2
        while name in taken:
            name, number = f"{one.name}~{number}", number + 1
        taken.add(name)
        resolved.append(replace(one, name=name))
    return resolved


def check_style_exists(style: str) -> None:
    """Raise an error if a style argument names nothing; opens no file."""
    if style == NONE:
        return
    if not style.strip():
        raise UsageError(f"style {style!r} names nothing. Give a picture, a video or @name")
    refuse_address("style", style)
    if style.startswith("@"):
        get_style(style)
    elif not Path(style).exists():
        hint = find_nearest(Path(style).name, all_styles())
        remedy = (
            f"; did you mean the built-in style @{hint}?"
            if hint
            else ". `vst styles` lists the built-in ones."
        )
        raise MissingFileError(f"style {style!r} is neither a file, a folder nor @name{remedy}")


def check_space(styles: Iterable[ResolvedStyle], engine: str, space: str | None) -> None:
    """Raise `SpaceError` if a style is not a picture and of another space than the engine's.

    ``space``: the engine's style space; None: the engine takes pictures only.
    """
    for style in styles:
        if style.space == NETWORK_SPACE != space:
            raise SpaceError(
                f"style {style.name!r} is a trained network, which engine {engine!r} cannot paint "
                "with. Add --engine fast, or give the style as a picture."
            )
        if style.space not in (None, NETWORK_SPACE, space) and space == NETWORK_SPACE:
            raise SpaceError(
                f"style {style.name!r} is an embedding, but engine {engine!r} paints with trained "
                "networks only. Make one from a picture of the style with `vst train fast`."
            )
        if style.space is not None and style.space != space:
            takes = f"paints in the style space {space!r}" if space else "takes pictures only"
            raise SpaceError(
                f"style {style.name!r} is an embedding of the style space {style.space!r}, "
                f"but engine {engine!r} {takes}. "
                "Give the style as a picture, or choose another engine."
            )


def _resolve_one(
    style: str, resolve_video: Callable[[Path], list[ResolvedStyle]], limits: Limits
) -> list[ResolvedStyle]:
    """Resolve one style argument; ``resolve_video`` picks the keyframes of a video."""
    if style == NONE:
        return [ResolvedStyle(NONE, 0.0, np.zeros((1, 1, 3), np.uint8))]
    if style.startswith("@"):
        named = get_style(style)
        return [ResolvedStyle(named.name, 0.0, named.embedding, named.space)]
    check_style_exists(style)
    path = Path(style)
    if path.is_dir():
        pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        if not pictures:
            raise UsageError(
                f"style folder {style!r} has no pictures. "
                f"Put some into it ({', '.join(sorted(PICTURE_SUFFIXES))})."
            )
        return [_read_picture(one, limits) for one in pictures]
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return [_read_picture(path, limits)]
    if path.suffix.lower() == NETWORK_SUFFIX:
        return [ResolvedStyle(path.stem, 0.0, np.fromfile(path, np.uint8), NETWORK_SPACE)]
    return resolve_video(path)


def _resolve_video(
    path: Path, picker: Picker, count: int, reading: StyleReading
) -> list[ResolvedStyle]:
    with open_source(path, reading.limits) as video:
        check_frames(f"style {str(path)!r}", video.info.frames, reading.limits.frames)
        picked = picker.pick(video, count, reading.embed)
        if reading.notes is not None:
            reading.notes.extend(f"{path.name}: {note}" for note in picked.notes)
        return [
            ResolvedStyle(f"{path.stem}-{i}", time, shrink_long_side(video.at(time), MAX_SIDE))
            for i, time in enumerate(picked.times, 1)
        ]


def _read_picture(path: Path, limits: Limits) -> ResolvedStyle:
    with open_source(path, limits) as source:
        for frame in source.frames():
            return ResolvedStyle(path.stem, 0.0, shrink_long_side(frame.picture, MAX_SIDE))
    raise MediaError(f"style {str(path)!r} has no picture that can be read. Give another file.")
