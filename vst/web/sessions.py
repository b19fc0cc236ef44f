"""One session for each visitor: a folder with its files and its limits. Nothing that a visitor
sends is ever used as a path.
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
"""Suffixes of the videos that are accepted; opening a file decides what it really is."""
ROLES = ("content", "style", "painted")
"""The roles in which a file can be uploaded."""
LONGEST_NAME = 80
MEGABYTE = 1_000_000
NEWCOMER_SECONDS = 60.0
"""Seconds that a visitor has to upload something while others wait for a session."""


@dataclass(frozen=True)
class VisitorLimits:
    """What one visitor, and all visitors together, may use.

    ``upload``: megabytes of one file; ``kept``: megabytes of all files of a visitor; ``length``:
    seconds of a content; ``keyframes``: keyframes on one page; ``jobs``: jobs at once;
    ``waiting``: jobs in the queue; ``sessions``: visitors at once; ``idle``: seconds without a
    request after which a session is removed.
    """

    upload: int = 500
    kept: int = 2000
    length: float = 600.0
    keyframes: int = 60
    jobs: int = 1
    waiting: int = 8
    sessions: int = 32
    idle: float = 6 * 3600.0


@dataclass(frozen=True)
class StoredFile:
    """A file of a session. The server chose ``path``; ``name`` is the visitor's name for it and is
    only displayed.
    """

    id: str
    path: Path
    name: str
    role: str
    about: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The file as JSON for the page."""
        return {"id": self.id, "name": self.name, "role": self.role, **self.about}


@dataclass(frozen=True)
class PageStyle:
    """A style on the page: its source, its name, and the file of its thumbnail."""

    id: str
    name: str
    source: StyleSource
    file: str = ""
    time: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """The style as JSON for the page; a built-in style has its picture in the gallery."""
        return {"id": self.id, "name": self.name, "time": self.time, "file": self.file}


class Session:
    """A visitor's folder and its contents."""

    def __init__(self, token: str, folder: Path, limits: VisitorLimits) -> None:
        self.token, self.folder, self.limits = token, folder, limits
        self.files: dict[str, StoredFile] = {}
        self.styles: dict[str, PageStyle] = {}
        self.used = time.monotonic()
        self._number = 0
        self.lock = threading.RLock()
        folder.mkdir(mode=0o700)

    def new_id(self) -> str:
        """Return an id that is unique in this session and cannot be guessed."""
        with self.lock:
            self._number += 1
            return f"{self._number}-{secrets.token_hex(4)}"

    def reserve_file(self, name: str, role: str) -> StoredFile:
        """Choose the path for an upload that the visitor calls ``name``."""
        if role not in ROLES:
            raise UsageError(f"a file as {role!r}; allowed is {', '.join(ROLES)}")
        shown = clean_name(name)
        suffix = Path(shown).suffix.lower()
        allowed = FILM_SUFFIXES | (PICTURE_SUFFIXES if role == "style" else frozenset())
        if suffix not in allowed:
            raise UsageError(
                f"{shown!r} cannot be uploaded as {role}; "
                f"give a file that ends in {', '.join(sorted(allowed))}"
            )
        number = self.new_id()
        return StoredFile(number, self.folder / f"{role}-{number}{suffix}", shown, role)

    def add(self, file: StoredFile) -> StoredFile:
        """Add an uploaded file to the session; delete one that cannot be read or is too long."""
        try:
            with open_source(file.path) as source:
                info = source.info
                source.at(0.0)
            if file.role != "style" and info.duration > self.limits.length:
                raise UsageError(
                    f"{file.name} is {info.duration:.0f} s long; "
                    f"the page accepts {self.limits.length:g} s: cut it, or use the command line"
                )
        except VSTError as error:
            file.path.unlink(missing_ok=True)
            raise type(error)(self.hide_paths(str(error), file)) from error
        except BaseException:
            file.path.unlink(missing_ok=True)
            raise
        about = {"width": info.width, "height": info.height, "duration": info.duration}
        about |= {"rate": float(info.rate), "playable": float(is_playable(file.path, info))}
        kept = StoredFile(file.id, file.path, file.name, file.role, about)
        self.files[file.id] = kept
        return kept

    def file(self, number: object) -> StoredFile:
        """Return a file by its id."""
        found = self.files.get(number) if isinstance(number, str) else None
        if found is None:
            raise MissingFileError("this file is not here any more; upload it again")
        return found

    def forget(self, number: str) -> None:
        """Delete a file, and the styles that come from it."""
        kept = self.files.pop(number, None)
        if kept is not None:
            kept.path.unlink(missing_ok=True)
            for style in [one for one in self.styles.values() if one.source.path == kept.path.name]:
                del self.styles[style.id]

    def bytes_left(self) -> int:
        """Return how many bytes another upload may have."""
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return min(self.limits.upload * MEGABYTE, self.limits.kept * MEGABYTE - used)

    def hide_paths(self, text: str, *others: StoredFile) -> str:
        """Replace paths in an error's text with the visitor's names for the files."""
        for file in (*self.files.values(), *others):
            text = text.replace(str(file.path), file.name).replace(file.path.name, file.name)
        return text.replace(f"{self.folder}/", "").replace(str(self.folder), "the page's folder")


def clean_name(name: str) -> str:
    """Return the last part of a visitor's file name, shortened, printable characters only."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    shown = "".join(sign for sign in last if sign.isprintable()).strip()
    stem, suffix = Path(shown).stem, Path(shown).suffix
    return f"{stem[: LONGEST_NAME - len(suffix)]}{suffix}" if shown else "file"


def make_slug(name: str) -> str:
    """Return the name as a score spells it: letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem).strip("-").lower() or "style"


def is_playable(path: Path, info: object) -> bool:
    """Return whether browsers play the file without conversion."""
    codec, pixels = getattr(info, "codec", ""), getattr(info, "pixel_format", "")
    kinds = {
        ".mp4": ("h264", "av1"),
        ".m4v": ("h264",),
        ".mov": ("h264",),
        ".webm": ("vp8", "vp9", "av1"),
    }
    return codec in kinds.get(path.suffix, ()) and pixels in ("yuv420p", "yuvj420p", "")


class Sessions:
    """All sessions, in one temporary folder that is removed when the server ends."""

    def __init__(self, limits: VisitorLimits | None = None) -> None:
        self.limits = limits or VisitorLimits()
        self.folder = Path(tempfile.mkdtemp(prefix="vst-app-"))
        self.sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self) -> Session:
        """Create a session. Remove idle sessions first, and empty ones if there are too many."""
        with self._lock:
            self._sweep(lambda session: False)
            if len(self.sessions) >= self.limits.sessions:
                self._sweep(lambda session: not session.files)
            if len(self.sessions) >= self.limits.sessions:
                raise UsageError(
                    f"{self.limits.sessions} visitors are connected already; try again later"
                )
            token = secrets.token_urlsafe(24)
            session = Session(token, self.folder / secrets.token_hex(8), self.limits)
            self.sessions[token] = session
            return session

    def find(self, token: object) -> Session:
        """Return the session with this token."""
        found = self.sessions.get(token) if isinstance(token, str) else None
        if found is None:
            raise MissingFileError("this page's files are gone; load the page again")
        found.used = time.monotonic()
        return found

    def close(self) -> None:
        """Delete every session and its files."""
        with self._lock:
            self.sessions.clear()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self, is_empty: Callable[[Session], bool]) -> None:
        now = time.monotonic()
        for token, session in list(self.sessions.items()):
            alone = now - session.used
            if alone > self.limits.idle or (alone > NEWCOMER_SECONDS and is_empty(session)):
                del self.sessions[token]
                shutil.rmtree(session.folder, ignore_errors=True)
