"""Open the mask and the edge that a user names."""

from __future__ import annotations

from fractions import Fraction

from vst.core.limits import LIMITS, Limits
from vst.errors import MissingFileError, UsageError
from vst.masks import EDGES, MASKS
from vst.masks.base import Edge, Mask
from vst.masks.moving_people import MovingPeople, is_segmenter_installed
from vst.masks.rectangle import parse_rectangle
from vst.video.sources import STANDARD_STREAM, open_source
from vst.video.sources.folder import DEFAULT_RATE

AUTO = "auto"
PERSON = "person"
INVERT = "invert"
MOTION = "motion"
FOUND = (AUTO, PERSON)
"""Masks that are found in the content, not read from a file."""
DRAWN = "drawn:"
"""What stands before a folder of masks that are followed through the content."""


def open_mask(
    name: str,
    *,
    inverted: bool = False,
    limits: Limits = LIMITS,
    rate: Fraction = DEFAULT_RATE,
    content: str | None = None,
) -> Mask:
    """Open the mask that ``name`` means; the caller closes it.

    ``auto``: the foreground is what moves, and people who move as a whole where the segmenter is
    installed (it is not fetched); ``auto:motion``: without it; ``auto:0.3,0.1,0.4,0.8``: it starts
    each shot in the rectangle of that left, top, width and height (shares of the picture).
    ``person``: the people; ``person:invert``: everything but the people. ``drawn:FOLDER``: masks
    for some frames of ``content``, followed through the others. Anything else is a picture, a
    video or a folder of masks. ``inverted``: black is the foreground (files only). ``rate``:
    pictures a second of a folder that does not note its own: the content's.
    Raises `MissingFileError`, `MediaError` and `UsageError`.
    """
    kind, _, rest = name.partition(":")
    if kind == AUTO:
        if inverted:
            raise UsageError(
                "mask 'auto' cannot be inverted: only files and 'person' can. Swap the styles of "
                "foreground and background"
            )
        if rest and rest != MOTION:
            framed: Mask = MASKS[AUTO](parse_rectangle(rest, "auto:0.3,0.1,0.4,0.8"))
            return framed
        people = MovingPeople() if uses_segmenter(name) else None
        mask: Mask = MASKS[AUTO](people=people)
        return mask
    if kind == PERSON:
        if rest not in ("", INVERT):
            raise UsageError(f"mask {name!r} is not known. Give {PERSON!r} or '{PERSON}:{INVERT}'")
        person: Mask = MASKS[PERSON](inverted=bool(rest) != inverted)
        return person
    if name.startswith(DRAWN):
        return _open_drawn(name, content, inverted, limits)
    try:
        source = open_source(name, limits, default_rate=rate)
    except MissingFileError as error:
        raise MissingFileError(
            f"mask {name!r} does not exist. Give {AUTO!r}, {PERSON!r}, '{DRAWN}FOLDER', or a "
            "picture, video or folder of masks"
        ) from error
    of_file: Mask = MASKS["file"](source, inverted)
    return of_file


def uses_segmenter(name: str) -> bool:
    """Return whether a mask of that name finds people only because the segmenter is installed."""
    return name in (AUTO, f"{AUTO}:") and is_segmenter_installed()


def _open_drawn(name: str, content: str | None, inverted: bool, limits: Limits) -> Mask:
    if inverted:
        raise UsageError(
            f"mask {name!r} cannot be inverted: only files and 'person' can. Swap the styles of "
            "foreground and background"
        )
    if content is None or content == STANDARD_STREAM:
        raise UsageError(
            f"mask {name!r} of a stream: the content is read twice. Give a file as content"
        )
    drawn: Mask = MASKS["drawn"](split_drawn(name)[1], content, limits)
    return drawn


def split_drawn(name: str) -> tuple[str, str]:
    """Split what stands before the path in the name of a mask from the path: ``drawn:`` or
    nothing.
    """
    return (DRAWN, name[len(DRAWN) :]) if name.startswith(DRAWN) else ("", name)


def make_edge(name: str) -> Edge:
    """Make the edge of that name (`vst.masks.EDGES`); it keeps the state of one video."""
    edge: Edge = EDGES[name]()
    return edge
