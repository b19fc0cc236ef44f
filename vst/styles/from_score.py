"""The styles of a score, opened: what its names stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vst.core.limits import LIMITS, Limits
from vst.errors import MissingFileError, UsageError, VSTError
from vst.schedule.score.model import Score, StyleSource
from vst.schedule.timeline import NONE
from vst.styles.library import style_named
from vst.styles.resolve import ResolvedStyle, of_use, resolve_styles
from vst.video.sources import open_source


def used_styles(score: Score) -> dict[str, StyleSource]:
    """Every name that the score plays -> where it comes from, in order of appearance."""
    names = dict.fromkeys(name for key in (*score.keys, *score.ground) for name in key.weights)
    names.pop(NONE, None)
    return {name: score.styles.get(name) or StyleSource(name) for name in names}


def resolve_score_styles(score: Score, limits: Limits = LIMITS) -> list[ResolvedStyle]:
    """The looks that the score plays, named as in the score."""
    return [look_of(score, name, source, limits) for name, source in used_styles(score).items()]


def look_of(score: Score, name: str, source: StyleSource, limits: Limits = LIMITS) -> ResolvedStyle:
    """One style of the score: a picture, the picture of a video at a time, or @name."""
    try:
        if source.path.startswith("@"):
            return replace(
                resolve_styles([source.path], keyframes=1, picker="middle")[0], name=name
            )
        path = score.folder / source.path
        if source.at is not None:
            with open_source(path, limits) as film:
                return ResolvedStyle(name, source.at, of_use(film.at(source.at)))
        looks = resolve_styles([str(path)], keyframes=1, picker="middle", limits=limits)
        if len(looks) != 1:
            raise UsageError(f"{str(path)!r} has {len(looks)} pictures; name one of them")
        return replace(looks[0], name=name)
    except VSTError as error:
        raise type(error)(f"{score.file or 'the score'}: style {name!r}: {error}") from error


def check_files(score: Score) -> None:
    """Refuse a score with a style that is not there, without opening any."""
    for name, source in {**score.styles, **used_styles(score)}.items():
        where = f"{score.file or 'the score'}: styles: {name}"
        if source.path.startswith("@"):
            try:
                style_named(source.path)
            except UsageError as error:
                raise UsageError(f"{where}: {error}") from None
        elif not (score.folder / source.path).exists():
            raise MissingFileError(
                f"{where}: {source.path!r} is not there; "
                f"paths are relative to the score's folder {str(Path(score.folder))!r}"
            )
