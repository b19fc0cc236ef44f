"""One session for each visitor: a folder with its files and its limits. Nothing that a visitor
sends is ever used as a path.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from vst.errors import MediaError, MissingFileError, UsageError, VSTError
from vst.schedule.score import StyleSource
from vst.styles.resolve import PICTURE_SUFFIXES
from vst.video.sources import open_source
from vst.web.limits import MEGABYTE, VisitorLimits
from vst.web.store import Store
from vst.web.words import drop_options

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".ogv"}
)
"""Suffixes of the videos that are accepted; opening a file decides what it really is."""
MASK = "mask"
"""The role of a mask that was drawn on the page."""
ROLES = ("content", "style", "painted", "project", MASK)
"""The roles in which a file can be uploaded."""
LONGEST_NAME = 80
SWEEP_SECONDS = 30.0
"""Seconds between two searches for idle sessions."""


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
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "bytes": self.path.stat().st_size if self.path.is_file() else 0,
            **self.about,
        }


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
        return {
            "id": self.id,
            "name": self.name,
            "time": self.time,
            "file": self.file,
            "of": self.source.path,
        }


class SessionGone(MissingFileError):
    """There is no session with this token; the page opens a new one."""


class Session:
    """A visitor's folder and its contents. What it keeps is also written into ``store``."""

    def __init__(
        self, token: str, folder: Path, limits: VisitorLimits, store: Store, address: str = ""
    ) -> None:
        self.token, self.folder, self.limits, self.store = token, folder, limits, store
        self.address = address
        self.files: dict[str, StoredFile] = {}
        self.styles: dict[str, PageStyle] = {}
        self.marks: dict[str, dict[str, list[float]]] = {}
        self.used = time.monotonic()
        self.lock = threading.RLock()
        self._reserved: dict[Path, int] = {}
        self._uploads = 0
        folder.mkdir(mode=0o700, exist_ok=True)
        store.put(token, "session", token, {"folder": folder.name, "address": address})

    def new_id(self) -> str:
        """Return an id that is unique in this session and cannot be guessed."""
        return secrets.token_hex(8)

    def reserve_file(self, name: str, role: str) -> StoredFile:
        """Choose the path for an upload that the visitor calls ``name``."""
        if role not in ROLES:
            raise UsageError(f"a file as {role!r}; allowed is {', '.join(ROLES)}")
        shown = clean_name(name)
        suffix = Path(shown).suffix.lower()
        allowed = FILM_SUFFIXES | (PICTURE_SUFFIXES if role == "style" else frozenset())
        allowed = {"project": frozenset({".zip"}), MASK: frozenset({".png"})}.get(role, allowed)
        if suffix not in allowed:
            raise UsageError(
                f"{shown!r} cannot be uploaded as {role}; "
                f"give a file that ends in {', '.join(sorted(allowed))}"
            )
        number = self.new_id()
        return StoredFile(number, self.folder / f"{role}-{number}{suffix}", shown, role)

    def add(self, file: StoredFile) -> StoredFile:
        """Add an uploaded file to the session; delete one that cannot be read or is too long. A
        project is checked when it is opened.
        """
        if file.role == "project":
            return self.keep_file(file)
        try:
            with open_source(file.path) as source:
                info = source.info
                source.at(0.0)
            if file.role != "style" and info.duration > self.limits.length:
                raise UsageError(
                    f"{file.name} is {info.duration:.0f} s long; "
                    f"the page accepts {self.limits.length:g} s. Cut it"
                )
        except VSTError as error:
            file.path.unlink(missing_ok=True)
            if file.path.suffix in PICTURE_SUFFIXES:
                raise MediaError(f"{file.name} is damaged, or is not a picture") from error
            raise type(error)(self.hide_paths(str(error), file)) from error
        except BaseException:
            file.path.unlink(missing_ok=True)
            raise
        about = {"width": info.width, "height": info.height, "duration": info.duration}
        about |= {"rate": float(info.rate), "playable": float(is_playable(file.path, info))}
        kept = StoredFile(file.id, file.path, file.name, file.role, about)
        return self.keep_file(kept)

    def keep_file(self, file: StoredFile) -> StoredFile:
        """Add a file to the session."""
        with self.lock:
            self.files[file.id] = file
            body = {**asdict(file), "path": str(file.path.relative_to(self.folder))}
            self.store.put(self.token, "file", file.id, body)
        return file

    def keep_style(self, style: PageStyle) -> PageStyle:
        """Add a style to the session."""
        with self.lock:
            self.styles[style.id] = style
            self.store.put(self.token, "style", style.id, asdict(style))
        return style

    def drop_file(self, number: str) -> StoredFile | None:
        """Take a file out of the session; the file itself stays."""
        with self.lock:
            self.store.drop(self.token, "file", number)
            return self.files.pop(number, None)

    def file(self, number: object) -> StoredFile:
        """Return a file by its id."""
        found = self.files.get(number) if isinstance(number, str) else None
        if found is None:
            raise MissingFileError("this file is not here any more; upload it again")
        return found

    def forget(self, number: str) -> None:
        """Delete a file, and the styles that come from it with their thumbnails."""
        kept = self.drop_file(number)
        if kept is None:
            return
        kept.path.unlink(missing_ok=True)
        for style in [one for one in self.styles.values() if one.source.path == kept.path.name]:
            self.styles.pop(style.id, None)
            self.store.drop(self.token, "style", style.id)
            thumbnail = self.drop_file(style.file)
            if thumbnail is not None:
                thumbnail.path.unlink(missing_ok=True)

    def bytes_used(self) -> int:
        """Return the bytes of all files, and of what is reserved for files being written."""
        with self.lock:
            total = sum(self._reserved.values())
            # Jobs delete files and folders meanwhile: `os.walk` passes over them, `rglob` raises.
            for folder, _, names in os.walk(self.folder):
                for path in (Path(folder, name) for name in names):
                    if any(one == path or one in path.parents for one in self._reserved):
                        continue
                    with contextlib.suppress(OSError):
                        total += path.stat().st_size
            return total

    def reserve(self, path: Path, size: int) -> None:
        """Reserve ``size`` bytes for a file or folder, until `release`; raise `UsageError` if the
        visitor has too little left.
        """
        with self.lock:
            left = self.limits.kept * MEGABYTE - self.bytes_used()
            if size > left:
                raise UsageError(
                    f"your files would be larger than {self.limits.kept} MB together "
                    f"({max(0, left) / MEGABYTE:.0f} MB are left, {size / MEGABYTE:.0f} MB are "
                    "needed); remove some first"
                )
            self._reserved[path] = size

    def release(self, path: Path) -> None:
        """End a reservation; what was written counts with its own size."""
        with self.lock:
            self._reserved.pop(path, None)

    @contextlib.contextmanager
    def receive(self, file: StoredFile, size: int) -> Iterator[None]:
        """Reserve ``size`` bytes for an upload while it is received."""
        largest = self.limits.upload if file.role != "project" else self.limits.project
        if size > largest * MEGABYTE:
            raise UsageError(f"{file.name} is larger than {largest} MB")
        with self.lock:
            if self._uploads >= self.limits.uploads:
                raise UsageError(
                    f"{self._uploads} uploads are running; wait until one of them has ended"
                )
            self.reserve(file.path, size)
            self._uploads += 1
        try:
            yield
        finally:
            with self.lock:
                self._uploads -= 1
            self.release(file.path)

    def hide_paths(self, text: str, *others: StoredFile) -> str:
        """Replace paths in an error's text with the visitor's names for the files."""
        for file in (*self.files.values(), *others):
            text = text.replace(str(file.path), file.name).replace(file.path.name, file.name)
        text = text.replace(f"{self.folder}/", "").replace(str(self.folder), "the page's folder")
        return drop_options(text)


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
    """All sessions, in a state folder. It is emptied when the server ends; after a server was
    killed, the next one continues with what it finds there.
    """

    def __init__(self, folder: Path, limits: VisitorLimits | None = None) -> None:
        self.limits = limits or VisitorLimits()
        self.folder = folder
        self.store = Store(folder)
        self.sessions: dict[str, Session] = {}
        self.is_busy: Callable[[Session], bool] = lambda session: False
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._restore()
        threading.Thread(target=self._watch, name="vst sweeper", daemon=True).start()

    def open(self, address: str = "") -> Session:
        """Create a session for a visitor. Where there are too many, empty sessions go first, then
        idle ones.
        """
        with self._lock:
            self._sweep()
            own = [one for one in self.sessions.values() if one.address == address]
            everyone = list(self.sessions.values())
            self._make_room(own, self.limits.sessions_each, "sessions of your address have files")
            self._make_room(everyone, self.limits.sessions, "visitors are connected")
            token = secrets.token_urlsafe(24)
            folder = self.folder / secrets.token_hex(8)
            session = Session(token, folder, self.limits, self.store, address)
            self.sessions[token] = session
            return session

    def find(self, token: object) -> Session:
        """Return the session with this token."""
        found = self.sessions.get(token) if isinstance(token, str) else None
        if found is None:
            raise SessionGone("this page's files are gone; load the page again")
        found.used = time.monotonic()
        return found

    def close(self) -> None:
        """Delete every session and its files."""
        self._closing.set()
        with self._lock:
            self.sessions.clear()
            self.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _make_room(self, sessions: list[Session], most: int, what: str) -> None:
        """Remove the longest unused of ``sessions`` that is empty, or idle, if there are too
        many; where none is, raise an error that says ``what`` there are too many of.
        """
        if len(sessions) < most:
            return
        now = time.monotonic()
        for session in sorted(sessions, key=lambda one: (bool(one.files), one.used)):
            idle = now - session.used > self.limits.idle_when_full
            if (idle or not session.files) and not self.is_busy(session):
                self._remove(session)
                return
        raise UsageError(f"{len(sessions)} {what} already; try again later")

    def _sweep(self) -> None:
        now = time.monotonic()
        for session in list(self.sessions.values()):
            if now - session.used > self.limits.idle and not self.is_busy(session):
                self._remove(session)

    def _remove(self, session: Session) -> None:
        self.sessions.pop(session.token, None)
        self.store.drop_session(session.token)
        shutil.rmtree(session.folder, ignore_errors=True)

    def _watch(self) -> None:
        while not self._closing.wait(min(SWEEP_SECONDS, max(0.05, self.limits.idle / 4))):
            with self._lock:
                if not self._closing.is_set():
                    self._sweep()

    def _restore(self) -> None:
        """Open the sessions of a killed server; delete folders that belong to none."""
        for token, _, body in self.store.read("session"):
            folder = self.folder / str(body["folder"])
            if not folder.is_dir():
                self.store.drop_session(token)
                continue
            self.sessions[token] = Session(
                token, folder, self.limits, self.store, str(body["address"])
            )
        for token, number, body in self.store.read("file"):
            session = self.sessions.get(token)
            path = session.folder / body.pop("path") if session is not None else Path()
            if session is not None and path.is_file():
                session.files[number] = StoredFile(**body, path=path)
            else:
                self.store.drop(token, "file", number)
        for token, number, body in self.store.read("style"):
            if token in self.sessions:
                source = StyleSource(**body.pop("source"))
                self.sessions[token].styles[number] = PageStyle(**body, source=source)
        self._delete_strays()

    def _delete_strays(self) -> None:
        """Delete files that no session keeps, such as half an upload."""
        known = {session.folder for session in self.sessions.values()}
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for session in self.sessions.values():
            kept = {file.path for file in session.files.values()}
            for path in session.folder.iterdir():
                if path.is_file() and path not in kept:
                    path.unlink(missing_ok=True)
