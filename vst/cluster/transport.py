"""Files on their way from machine to machine: through a folder that all see, or through Ray.

Ray moves the bytes, keeps them in the memory of the machines and spills them to disk; here they are
only cut into parts that fit there, and put into files again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from vst.errors import MissingFileError, OutputError

PART_SIZE = 16 << 20
"""Bytes of a file that travel as one object."""
ENDS_SIZE = 1 << 20
"""Bytes at either end of a file by which another machine's copy is told to be the same."""

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@dataclass(frozen=True)
class SentFile:
    """A file, or the files of a folder: ``path`` where it lies, for whoever sees it; else
    ``parts``, relative name -> objects of bytes. ``fingerprint_ends`` tells its content.
    """

    path: str
    glimpse: str = ""
    parts: dict[str, list[Any]] | None = None


@dataclass(frozen=True)
class FileTransport:
    """How files travel: ``folder`` that all machines see, or None for Ray's own store."""

    folder: str | None

    def send(self, path: Path) -> SentFile:
        """A file or folder that stays where it is."""
        if self.folder is not None:
            return SentFile(str(path.absolute()), fingerprint_ends(path))
        return SentFile(str(path.absolute()), fingerprint_ends(path), _put_objects(path))

    def send_away(self, path: Path) -> SentFile:
        """A file that is not needed here any more."""
        if self.folder is not None:
            return SentFile(str(path))
        parcel = SentFile(path.name, "", {"": [np.fromfile(path, np.uint8)]})
        path.unlink()
        return parcel

    @contextlib.contextmanager
    def tray(self) -> Iterator[Path]:
        """A folder for what is to be sent away."""
        if self.folder is not None:
            yield Path(self.folder)
            return
        with tempfile.TemporaryDirectory(prefix="vst-") as name:
            yield Path(name)


def move_into(parcel: SentFile, path: Path) -> None:
    """Let the file that came in a parcel lie at ``path``."""
    if parcel.parts is None:
        shutil.move(parcel.path, path)
        return
    (parts,) = parcel.parts.values()
    _write_objects(path, parts)


def discard_file(parcel: SentFile) -> None:
    """Drop what came in a parcel."""
    if parcel.parts is None:
        Path(parcel.path).unlink(missing_ok=True)


class Inputs:
    """The inputs of jobs on a worker's machine. What came through Ray is kept there once for all
    workers, and goes when the last of them lets go of it.
    """

    def __init__(self) -> None:
        self._held: dict[Path, IO[str]] = {}

    def local(self, name: str, parcel: SentFile) -> str:
        """Where the input lies here."""
        if parcel.parts is None:
            check_same_file(name, parcel)
            return parcel.path
        place = _get_cache_folder() / parcel.glimpse
        if place not in self._held:
            self._held[place] = _fetch_once(place, parcel.parts, Path(parcel.path).name)
        return str(place / Path(parcel.path).name)

    def clear(self) -> None:
        """Let go of them."""
        for place, lock in self._held.items():
            if _try_lock(lock, "LOCK_EX", wait=False):
                shutil.rmtree(place, ignore_errors=True)
                Path(lock.name).unlink(missing_ok=True)
            lock.close()
        self._held.clear()
        with contextlib.suppress(OSError):
            _get_cache_folder().rmdir()


def _get_cache_folder() -> Path:
    """This user's folder for what came through Ray."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    home = Path(tempfile.gettempdir()) / f"vst-inputs-{user}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or (user and home.stat().st_uid != user):
        raise OutputError(f"{str(home)!r} belongs to someone else; remove it")
    return home


def _fetch_once(place: Path, parts: dict[str, list[Any]], name: str) -> IO[str]:
    """Fetch what is not there, one worker for all on a machine; returns the lock that holds it."""
    lock = place.with_name(f"{place.name}.lock").open("w")
    _try_lock(lock, "LOCK_SH")
    if not place.exists():
        _try_lock(lock, "LOCK_EX")
        if not place.exists():
            aside = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
            for relative, objects in parts.items():
                target = aside / name / relative if relative else aside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                _write_objects(target, objects)
            aside.replace(place)
        _try_lock(lock, "LOCK_SH")
    return lock


def _try_lock(file: IO[str], kind: str, *, wait: bool = True) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, getattr(fcntl, kind) | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _write_objects(target: Path, objects: list[Any]) -> None:
    import ray

    with target.open("wb") as file:
        for each in objects:
            part: Any = each if isinstance(each, np.ndarray) else ray.get(each)
            file.write(part)


def fingerprint_ends(path: Path) -> str:
    """A name for a file's content, or a folder's, from its size and its ends."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    size, sums = 0, []
    for each in files:
        length = each.stat().st_size
        size += length
        with each.open("rb") as file:
            head = file.read(ENDS_SIZE)
            file.seek(max(0, length - ENDS_SIZE))
            name = str(each.relative_to(path)) if each != path else ""
            sums.append(f"{name} {zlib.crc32(file.read(), zlib.crc32(head))}")
    return f"{size:x}-{zlib.crc32(' '.join(sums).encode()):08x}"


def check_same_file(name: str, parcel: SentFile) -> None:
    """Refuse an input that this machine does not see, or sees with another content."""
    path, here = Path(parcel.path), socket.gethostname()
    mend = "put it into a folder that every machine sees, or give --storage object"
    if not path.exists():
        raise MissingFileError(f"{name} {parcel.path!r} is not there on {here}; {mend}")
    if parcel.glimpse and fingerprint_ends(path) != parcel.glimpse:
        raise MissingFileError(f"{name} {parcel.path!r} is another file on {here}; {mend}")


def _put_objects(path: Path) -> dict[str, list[Any]]:
    import ray

    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    found: dict[str, list[Any]] = {}
    for each in files:
        relative = str(each.relative_to(path)) if each != path else ""
        found[relative] = []
        with each.open("rb") as file:
            while part := file.read(PART_SIZE):
                found[relative].append(ray.put(np.frombuffer(part, np.uint8)))
    return found
