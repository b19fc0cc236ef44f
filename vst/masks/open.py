"""From what a user names as mask to the mask, and a masked picture painted in two ways."""

from __future__ import annotations

from vst.core.limits import LIMITS, Limits
from vst.errors import MissingFileError, UsageError
from vst.masks import EDGES, MASKS
from vst.masks.base import Edge, Mask
from vst.video.sources import open_source

AUTO = "auto"


def open_mask(name: str, *, inverted: bool = False, limits: Limits = LIMITS) -> Mask:
    """The mask that ``name`` means; to be closed after use.

    ``auto``: the figure is what moves; ``auto:0.3,0.1,0.4,0.8``: it is in the rectangle of that
    left, top, width and height (parts of the picture) when a scene starts. Anything else is a
    picture, a video or a folder of masks. ``inverted``: of a file, black is the figure.
    """
    kind, _, rest = name.partition(":")
    if kind == AUTO:
        if inverted:
            raise UsageError("mask 'auto' cannot be inverted; swap the styles of figure and ground")
        rectangle = None if not rest else _numbers(rest)
        mask: Mask = MASKS[AUTO](rectangle)
        return mask
    try:
        film = open_source(name, limits)
    except MissingFileError as error:
        raise MissingFileError(
            f"mask {name!r} is not there; give {AUTO!r}, or a picture, video or folder of masks"
        ) from error
    of_file: Mask = MASKS["file"](film, inverted)
    return of_file


def edge_named(name: str) -> Edge:
    """A new edge of that name (`vst.masks.EDGES`); it remembers one video."""
    edge: Edge = EDGES[name]()
    return edge


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"mask rectangle {text!r} is no row of numbers; "
            "give left, top, width and height as parts of the picture: auto:0.3,0.1,0.4,0.8"
        ) from None
