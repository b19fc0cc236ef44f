"""One folder for each visitor, with its files and its limits; nothing a visitor sends is ever used
as a path.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from vst.errors import MissingFileError, UsageError, VSTError
from vst.schedule.score import StyleSource
from vst.styles.resolve import PICTURE_SUFFIXES
from vst.video.sources import open_source

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".ogv"}
)
"""Endings of the films that are taken; what is in them is found out by opening them."""
ROLES = ("content", "style", "painted")
"""What a file can be uploaded as."""
LONGEST_NAME = 80
MEGABYTE = 1_000_000
JUST_COME = 60.0
"""Seconds that a visitor has to bring something, where many others are waiting."""


@dataclass(frozen=True)
class Limits:
    """What one visitor, and all together, may use.

    ``upload``: megabytes of one file, ``kept``: of all files of a visitor; ``length``: seconds of
    a content; ``looks``: on one page; ``jobs``: at once, ``waiting``: behind them; ``rooms``:
    visitors at once; ``idle``: seconds after which the files of one who has gone are removed.
    """

    upload: int = 500
    kept: int = 2000
    length: float = 600.0
    looks: int = 60
    jobs: int = 1
    waiting: int = 8
    rooms: int = 32
    idle: float = 6 * 3600.0


@dataclass(frozen=True)
class Kept:
    """A file of a room. ``path`` was chosen here; ``name`` is the visitor's word for it, and is
    only shown.
    """

    id: str
    path: Path
    name: str
    role: str
    about: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """What the page is told."""
        return {"id": self.id, "name": self.name, "role": self.role, **self.about}


@dataclass(frozen=True)
class Shown:
    """A style that lies on the page: where it comes from, its name, and the file of its
    thumbnail.
    """

    id: str
    name: str
    source: StyleSource
    file: str = ""
    time: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """What the page is told; a built-in style has its picture in the gallery."""
        return {"id": self.id, "name": self.name, "time": self.time, "file": self.file}


class Room:
    """A visitor's folder and what lies in it."""

    def __init__(self, token: str, folder: Path, limits: Limits) -> None:
        self.token, self.folder, self.limits = token, folder, limits
        self.files: dict[str, Kept] = {}
        self.looks: dict[str, Shown] = {}
        self.used = time.monotonic()
        self._number = 0
        self.lock = threading.RLock()
        folder.mkdir(mode=0o700)

    def new_id(self) -> str:
        """A name for something in this room, that no one else chooses."""
        with self.lock:
            self._number += 1
            return f"{self._number}-{secrets.token_hex(4)}"

    def place_for(self, name: str, role: str) -> Kept:
        """Where a file that the visitor calls ``name`` is to be written."""
        if role not in ROLES:
            raise UsageError(f"a file as {role!r}; allowed is {', '.join(ROLES)}")
        shown = plain_name(name)
        suffix = Path(shown).suffix.lower()
        allowed = FILM_SUFFIXES | (PICTURE_SUFFIXES if role == "style" else frozenset())
        if suffix not in allowed:
            raise UsageError(
                f"{shown!r} cannot be taken as {role}; "
                f"give a file that ends in {', '.join(sorted(allowed))}"
            )
        number = self.new_id()
        return Kept(number, self.folder / f"{role}-{number}{suffix}", shown, role)

    def keep(self, file: Kept) -> Kept:
        """Take up a file that has been written; one that cannot be read, or is too long, is
        removed.
        """
        try:
            with open_source(file.path) as source:
                info = source.info
                source.at(0.0)
            if file.role != "style" and info.duration > self.limits.length:
                raise UsageError(
                    f"{file.name} is {info.duration:.0f} s long; "
                    f"the page takes {self.limits.length:g} s: cut it, or use the command line"
                )
        except VSTError as error:
            file.path.unlink(missing_ok=True)
            raise type(error)(self.spoken(str(error), file)) from error
        except BaseException:
            file.path.unlink(missing_ok=True)
            raise
        about = {"width": info.width, "height": info.height, "duration": info.duration}
        about |= {"rate": float(info.rate), "playable": float(is_playable(file.path, info))}
        kept = Kept(file.id, file.path, file.name, file.role, about)
        self.files[file.id] = kept
        return kept

    def file(self, number: object) -> Kept:
        """A file by its id."""
        found = self.files.get(number) if isinstance(number, str) else None
        if found is None:
            raise MissingFileError("this file is not here any more; upload it again")
        return found

    def forget(self, number: str) -> None:
        """Remove a file, and the looks that were taken from it."""
        kept = self.files.pop(number, None)
        if kept is not None:
            kept.path.unlink(missing_ok=True)
            for look in [one for one in self.looks.values() if one.source.path == kept.path.name]:
                del self.looks[look.id]

    def bytes_left(self) -> int:
        """How many bytes of another file are taken."""
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return min(self.limits.upload * MEGABYTE, self.limits.kept * MEGABYTE - used)

    def spoken(self, text: str, *others: Kept) -> str:
        """An error's text with the visitor's names for the files, and no path of this machine."""
        for file in (*self.files.values(), *others):
            text = text.replace(str(file.path), file.name).replace(file.path.name, file.name)
        return text.replace(f"{self.folder}/", "").replace(str(self.folder), "the page's folder")


def plain_name(name: str) -> str:
    """The last part of a visitor's file name, short and without signs that do not print."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    shown = "".join(sign for sign in last if sign.isprintable()).strip()
    stem, suffix = Path(shown).stem, Path(shown).suffix
    return f"{stem[: LONGEST_NAME - len(suffix)]}{suffix}" if shown else "file"


def slug(name: str) -> str:
    """A word for a score: letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem).strip("-").lower() or "style"


def is_playable(path: Path, info: object) -> bool:
    """Whether browsers play the file as it is."""
    codec, pixels = getattr(info, "codec", ""), getattr(info, "pixel_format", "")
    kinds = {
        ".mp4": ("h264", "av1"),
        ".m4v": ("h264",),
        ".mov": ("h264",),
        ".webm": ("vp8", "vp9", "av1"),
    }
    return codec in kinds.get(path.suffix, ()) and pixels in ("yuv420p", "yuvj420p", "")


class Rooms:
    """All rooms, in one temporary folder that goes when the server ends."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.folder = Path(tempfile.mkdtemp(prefix="vst-app-"))
        self.rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    def open(self) -> Room:
        """A new room; rooms that were left alone for long go, and empty ones if there are too
        many.
        """
        with self._lock:
            self._sweep(lambda room: False)
            if len(self.rooms) >= self.limits.rooms:
                self._sweep(lambda room: not room.files)
            if len(self.rooms) >= self.limits.rooms:
                raise UsageError(
                    f"{self.limits.rooms} visitors are here already; come back in a while"
                )
            token = secrets.token_urlsafe(24)
            room = Room(token, self.folder / secrets.token_hex(8), self.limits)
            self.rooms[token] = room
            return room

    def room(self, token: object) -> Room:
        """The room with this token."""
        found = self.rooms.get(token) if isinstance(token, str) else None
        if found is None:
            raise MissingFileError("this page's files are gone; load the page again")
        found.used = time.monotonic()
        return found

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            self.rooms.clear()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self, is_empty: Callable[[Room], bool]) -> None:
        now = time.monotonic()
        for token, room in list(self.rooms.items()):
            alone = now - room.used
            if alone > self.limits.idle or (alone > JUST_COME and is_empty(room)):
                del self.rooms[token]
                shutil.rmtree(room.folder, ignore_errors=True)
