"""From what a user names as style to the looks that are played: pictures or embeddings, each with a
name and a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vst.core.limits import LIMITS, Limits, check_frames
from vst.core.registry import nearest
from vst.core.style_spaces import NETWORK_SPACE
from vst.core.types import Embedding, Picture
from vst.errors import MediaError, MissingFileError, SpaceError, UsageError
from vst.keyframes import PICKERS
from vst.keyframes.base import Embed, Picker
from vst.schedule.timeline import NONE
from vst.styles.library import all_styles, style_named
from vst.video.sources import open_source

NETWORK_SUFFIX = ".keras"
"""Ending of the files of networks that were trained for a style."""
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings of the files in a folder of styles that are pictures."""
LARGEST = 2048
"""Longer side, in pixels, of a style's picture that is held; predictors look at 256 pixels."""


@dataclass(frozen=True)
class ResolvedStyle:
    """One style that is played.

    ``name`` is its own within a job; ``time`` is seconds in the style video it comes from (0 for a
    still picture). ``style`` is a picture, or numbers of the style space ``space``, or the bytes of
    a trained network (`vst.core.style_spaces.NETWORK_SPACE`).
    """

    name: str
    time: float
    style: Picture | Embedding
    space: str | None = None

    @property
    def is_content(self) -> bool:
        """Whether this is the content itself, unpainted."""
        return self.name == NONE

    @property
    def picture(self) -> Picture:
        """The style's picture; a look given as numbers has none."""
        if self.is_content:
            raise UsageError(f"the style {NONE!r} is the content itself and has no picture")
        if self.space is not None:
            kept = "a trained network" if self.space == NETWORK_SPACE else "kept as numbers"
            raise UsageError(f"style {self.name!r} is {kept} and has no picture to show")
        return np.asarray(self.style, np.uint8)


def of_use(picture: Picture) -> Picture:
    """The picture, made smaller where it is larger than any engine looks at: many are held."""
    longer = max(picture.shape[:2])
    if longer <= LARGEST:
        return picture
    height, width = (max(1, round(side * LARGEST / longer)) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def resolve_styles(
    styles: Sequence[str],
    *,
    keyframes: int,
    picker: str,
    at: Sequence[float] = (),
    embed: Embed | None = None,
    notes: list[str] | None = None,
    limits: Limits = LIMITS,
) -> list[ResolvedStyle]:
    """The looks of several style arguments in order; names that would be double get a number.

    A style is a picture, a folder of pictures (in order of name), a video (``keyframes`` of it,
    chosen by ``picker``), ``@name`` (a built-in or a user's own one), a ``.keras`` file (a network
    trained for a style), or ``none`` (the content itself). ``at``: seconds, for the
    picker that takes times. ``embed``: an engine's, for a picker that compares styles. ``notes``
    takes up what the pickers have to say: frames that were passed over.
    """
    choice = PICKERS[picker](at)

    def of_film(path: Path) -> list[ResolvedStyle]:
        return _looks_of_film(path, choice, keyframes, embed, notes, limits)

    found = [look for style in styles for look in _looks_of_one(style, of_film, limits)]
    taken: set[str] = set()
    looks = []
    for look in found:
        if look.is_content:  # wherever it stands, it is the same one
            looks.append(look)
            continue
        name, number = look.name, 2
        while name in taken:
            name, number = f"{look.name}~{number}", number + 1
        taken.add(name)
        looks.append(replace(look, name=name))
    return looks


def check_there(style: str) -> None:
    """Refuse a style argument that names nothing; opens nothing."""
    if style == NONE:
        return
    if style.startswith("@"):
        style_named(style)
    elif not Path(style).exists():
        hint = nearest(Path(style).name, all_styles())
        also = (
            f"; did you mean the built-in style @{hint}?"
            if hint
            else "; `vst styles` lists the built-in ones"
        )
        raise MissingFileError(f"style {style!r} is neither a file, a folder nor @name{also}")


def check_space(looks: Iterable[ResolvedStyle], engine: str, space: str | None) -> None:
    """Refuse looks given as numbers of another style space than the engine's (None: the engine
    takes pictures).
    """
    for look in looks:
        if look.space == NETWORK_SPACE != space:
            raise SpaceError(
                f"style {look.name!r} is a trained network, which engine {engine!r} cannot paint "
                "with; add --engine fast, or give the style as a picture"
            )
        if look.space not in (None, NETWORK_SPACE, space) and space == NETWORK_SPACE:
            raise SpaceError(
                f"style {look.name!r} is kept as numbers, but engine {engine!r} paints in trained "
                "networks only; `vst train fast` makes one from a style's picture"
            )
        if look.space is not None and look.space != space:
            takes = f"paints in the style space {space!r}" if space else "takes pictures only"
            raise SpaceError(
                f"style {look.name!r} is numbers of the style space {look.space!r}, "
                f"but engine {engine!r} {takes}; "
                "give the style as a picture, or choose another engine"
            )


def _looks_of_one(
    style: str, of_film: Callable[[Path], list[ResolvedStyle]], limits: Limits
) -> list[ResolvedStyle]:
    if style == NONE:
        return [ResolvedStyle(NONE, 0.0, np.zeros((1, 1, 3), np.uint8))]
    if style.startswith("@"):
        known = style_named(style)
        return [ResolvedStyle(known.name, 0.0, known.embedding, known.space)]
    check_there(style)
    path = Path(style)
    if path.is_dir():
        pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        if not pictures:
            raise UsageError(
                f"the style folder {style!r} has no pictures "
                f"({', '.join(sorted(PICTURE_SUFFIXES))})"
            )
        return [_picture(one, limits) for one in pictures]
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return [_picture(path, limits)]
    if path.suffix.lower() == NETWORK_SUFFIX:
        return [ResolvedStyle(path.stem, 0.0, np.fromfile(path, np.uint8), NETWORK_SPACE)]
    return of_film(path)


def _looks_of_film(
    path: Path,
    picker: Picker,
    count: int,
    embed: Embed | None,
    notes: list[str] | None,
    limits: Limits,
) -> list[ResolvedStyle]:
    with open_source(path, limits) as film:
        check_frames(f"style {str(path)!r}", film.info.frames, limits.frames)
        picked = picker.pick(film, count, embed)
        if notes is not None:
            notes.extend(f"{path.name}: {note}" for note in picked.notes)
        return [
            ResolvedStyle(f"{path.stem}-{i}", time, of_use(film.at(time)))
            for i, time in enumerate(picked.times, 1)
        ]


def _picture(path: Path, limits: Limits) -> ResolvedStyle:
    with open_source(path, limits) as source:
        for frame in source.frames():
            return ResolvedStyle(path.stem, 0.0, of_use(frame.picture))
    raise MediaError(f"{path} has no picture that can be read")
