"""Resolves the styles that a score names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vst.core.limits import LIMITS, Limits
from vst.errors import MissingFileError, UsageError, VSTError
from vst.imaging.resize import shrink_long_side
from vst.schedule.score.model import Score, StyleSource
from vst.schedule.timeline import NONE
from vst.styles.library import get_style
from vst.styles.resolve import MAX_SIDE, ResolvedStyle, StyleReading, resolve_styles
from vst.video.sources import open_source


def list_used_styles(score: Score) -> dict[str, StyleSource]:
    """Return the names that the score's keys use -> their sources, in order of appearance."""
    names = dict.fromkeys(name for key in (*score.keys, *score.background) for name in key.weights)
    names.pop(NONE, None)
    return {name: score.styles.get(name) or StyleSource(name) for name in names}


def resolve_score_styles(score: Score, limits: Limits = LIMITS) -> list[ResolvedStyle]:
    """Resolve the styles that the score's keys use, named as in the score."""
    return [
        resolve_score_style(score, name, source, limits)
        for name, source in list_used_styles(score).items()
    ]


def resolve_score_style(
    score: Score, name: str, source: StyleSource, limits: Limits = LIMITS
) -> ResolvedStyle:
    """Resolve one style of the score: a picture, the frame of a video at a time, or @name.

    Raises a `VSTError` that names the score's file and the style.
    """
    try:
        if source.path.startswith("@"):
            return replace(
                resolve_styles([source.path], keyframes=1, picker="middle")[0], name=name
            )
        path = score.folder / source.path
        if source.at is not None:
            with open_source(path, limits) as video:
                return ResolvedStyle(
                    name, source.at, shrink_long_side(video.at(source.at), MAX_SIDE)
                )
        reading = StyleReading(limits=limits)
        styles = resolve_styles([str(path)], keyframes=1, picker="middle", reading=reading)
        if len(styles) != 1:
            raise UsageError(f"{str(path)!r} has {len(styles)} pictures. Name one of them.")
        return replace(styles[0], name=name)
    except VSTError as error:
        raise type(error)(f"{score.file or 'the score'}: style {name!r}: {error}") from error


def check_score_files(score: Score) -> None:
    """Raise an error if a style of the score does not exist; opens none of them."""
    for name, source in {**score.styles, **list_used_styles(score)}.items():
        where = f"{score.file or 'the score'}: styles: {name}"
        if source.path.startswith("@"):
            try:
                get_style(source.path)
            except UsageError as error:
                raise UsageError(f"{where}: {error}") from None
        elif not (score.folder / source.path).exists():
            raise MissingFileError(
                f"{where}: {source.path!r} does not exist. "
                f"Give a path relative to the score's folder {str(Path(score.folder))!r}."
            )
