"""Masks that a visitor draws on frames of the content."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.errors import MissingFileError, UsageError
from vst.masks.base import Alpha
from vst.masks.drawn import CLOSEST, DrawnMask, cut_box
from vst.masks.rectangle import Rectangle
from vst.video.sources import open_source
from vst.web.numbers import parse_number
from vst.web.sessions import MASK, Session, StoredFile

MOST = 200
"""Drawn masks on one page."""
FOLDER = "drawn"
"""Folder of a job with its drawn masks."""
LONGEST = 960
"""Longer side, in pixels, of a mask that the page shows."""


@dataclass(frozen=True)
class DrawnFile:
    """A mask for the frame shown at ``time`` (seconds)."""

    time: float
    file: StoredFile


def read_drawn(session: Session, content: StoredFile, sent: object) -> tuple[DrawnFile, ...]:
    """Parse the drawn masks that the page sent: a list of ``time`` and ``file``, in any order."""
    if sent is None:
        return ()
    if not isinstance(sent, list) or len(sent) > MOST:
        raise UsageError(f"the drawn masks are not a list of at most {MOST}; draw them again")
    found = []
    for row in sent:
        if not isinstance(row, dict):
            raise UsageError(f"a drawn mask {row!r}; give its time and its file")
        file = session.file(row.get("file"))
        if file.role != MASK:
            raise UsageError(f"{file.name} was not drawn as a mask")
        found.append(
            DrawnFile(parse_number("time", row.get("time"), 0, content.about["duration"]), file)
        )
    found.sort(key=lambda one: one.time)
    if any(other.time - one.time < CLOSEST for one, other in pairwise(found)):
        raise UsageError("two drawn masks have the same time; remove one of them")
    return tuple(found)


def write_drawn(drawn: Sequence[DrawnFile], folder: Path) -> Path:
    """Put the masks into a folder in ``folder``, named by their times; return it."""
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for one in drawn:
        name = place / f"{one.time:011.6f}.png"
        try:
            os.link(one.file.path, name)
        except OSError:  # a file system without links
            shutil.copyfile(one.file.path, name)
    return place


class DrawnMasks:
    """The mask that the page shows; the drawn masks of the latest request stay open, for the next
    frame is asked for soon. For one thread at a time.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._mask: DrawnMask | None = None

    def find(self, session: Session, sent: Mapping[str, Any]) -> Alpha | None:
        """Return the mask of the frame shown at the time sent; None where none is drawn near."""
        content = read_content(session, sent)
        drawn = read_drawn(session, content, sent.get("drawn"))
        time = parse_number("time", sent.get("time"), 0, content.about["duration"])
        if not drawn:
            return None
        key = (session.token, content.id, drawn)
        if self._mask is None or self._key != key:
            self._mask = DrawnMask(str(write_drawn(drawn, session.folder)), str(content.path))
            self._key = key
        with open_source(content.path) as source:
            picture = source.at(time)
        return shrink_mask(self._mask.find(picture, time))


def cut_sent_box(session: Session, sent: Mapping[str, Any], box: Rectangle | None) -> Alpha | None:
    """Return the mask of what is in a box on the frame shown at the time sent."""
    content = read_content(session, sent)
    time = parse_number("time", sent.get("time"), 0, content.about["duration"])
    if box is None:
        raise UsageError("there is no box; draw it around the foreground")
    with open_source(content.path) as source:
        return shrink_mask(cut_box(box, source.at(time)))


def read_content(session: Session, sent: Mapping[str, Any]) -> StoredFile:
    """Return the uploaded content that a request names."""
    content = session.file(sent.get("content"))
    if content.role != "content":
        raise MissingFileError(f"{content.name} was not uploaded as content")
    return content


def shrink_mask(alpha: Alpha | None) -> Alpha | None:
    """Shrink a mask for the page."""
    if alpha is None:
        return None
    part = min(1.0, LONGEST / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * part)), max(1, round(alpha.shape[0] * part)))
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
