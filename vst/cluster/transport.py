"""Sends files between machines: through a folder that all of them see, a bucket, or Ray.

Ray moves the bytes, keeps them in the machines' memory and spills them to disk; this module only
cuts files into parts that fit there, and puts the parts into files again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vst import storage
from vst.core.locks import Lock
from vst.errors import MissingFileError, OutputError

PART_SIZE = 16 << 20
"""Bytes of a file that are sent as one object."""
USE = ".use"
"""Suffix of the lock of a worker that uses an input."""
ENDS_SIZE = 1 << 20
"""Bytes at either end of a file that are compared with another machine's copy."""
FETCH_SECONDS = 3600.0
"""How long a worker waits for another one of the machine that fetches the same input."""


@dataclass(frozen=True)
class SentFile:
    """A file, or the files of a folder: at ``path`` for whoever sees it; else at ``address`` in
    object storage, or in ``parts``, relative name -> objects of bytes. ``fingerprint``: of the
    content, by `fingerprint_ends`.
    """

    path: str
    fingerprint: str = ""
    parts: dict[str, list[Any]] | None = None
    address: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether every machine sees the file at its path."""
        return self.parts is None and not self.address


@dataclass(frozen=True)
class FileTransport:
    """Sends files through a ``folder`` that all machines see, through a folder in object storage,
    or (neither) through Ray's store. ``addresses``: local path -> where object storage has the file
    already.
    """

    folder: str | None
    address: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)

    def send(self, path: Path) -> SentFile:
        """Send a file or folder, and keep it."""
        name, mark = str(path.absolute()), fingerprint_ends(path)
        if self.folder is not None:
            return SentFile(name, mark)
        if not self.address:
            return SentFile(name, mark, _put_objects(path))
        address = self.addresses.get(name, "")
        if not address:
            address = storage.join_address(self.address, "inputs", mark, path.name)
            storage.upload(path, address)
        return SentFile(name, mark, address=address)

    def move(self, path: Path) -> SentFile:
        """Send a file that is not needed here any more."""
        if self.folder is not None:
            return SentFile(str(path))
        if self.address:
            address = storage.join_address(self.address, f"{uuid.uuid4().hex}{path.suffix}")
            storage.upload(path, address)
            path.unlink()
            return SentFile(path.name, address=address)
        sent = SentFile(path.name, "", {"": [np.fromfile(path, np.uint8)]})
        path.unlink()
        return sent

    @contextlib.contextmanager
    def open_folder(self) -> Iterator[Path]:
        """A folder in which to write files that `move` will send."""
        if self.folder is not None:
            yield Path(self.folder)
            return
        with tempfile.TemporaryDirectory(prefix="vst-") as name:
            yield Path(name)


def move_into(sent: SentFile, path: Path) -> None:
    """Move a file that was sent to ``path``."""
    if sent.address:
        storage.download(sent.address, path)
        storage.remove(sent.address)
        return
    if sent.parts is None:
        shutil.move(sent.path, path)
        return
    (parts,) = sent.parts.values()
    _write_objects(path, parts)


class Inputs:
    """The inputs of jobs on a worker's machine. What came through Ray is stored there once for all
    workers, and removed when the last of them has released it: each holds a lock of its own.
    """

    def __init__(self) -> None:
        self._uses: dict[Path, Lock] = {}

    def locate(self, name: str, sent: SentFile) -> str:
        """The path of an input on this machine."""
        if sent.is_seen:
            check_same_file(name, sent)
            return sent.path
        place = _get_cache_folder() / sent.fingerprint
        if place not in self._uses:
            self._uses[place] = _fetch_once(place, sent)
        return str(place / Path(sent.path).name)

    def clear(self) -> None:
        """Release the inputs."""
        for place, use in self._uses.items():
            with _lock_place(place):
                use.release()
                if not _is_used(place):
                    shutil.rmtree(place, ignore_errors=True)
        self._uses.clear()
        with contextlib.suppress(OSError):
            _get_cache_folder().rmdir()


def _get_cache_folder() -> Path:
    """This user's folder for inputs that came through Ray."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    home = Path(tempfile.gettempdir()) / f"vst-inputs-{user}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or (user and home.stat().st_uid != user):
        raise OutputError(f"{str(home)!r} belongs to another user. Remove it")
    return home


def _fetch_once(place: Path, sent: SentFile) -> Lock:
    """Fetch an input unless another worker of the machine has; returns the lock that keeps it."""
    name = Path(sent.path).name
    with _lock_place(place):
        if not place.exists():
            aside = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
            if sent.address:
                storage.fetch(sent.address, aside / ".fetched").replace(aside / name)
                shutil.rmtree(aside / ".fetched")
            for relative, objects in (sent.parts or {}).items():
                target = aside / name / relative if relative else aside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                _write_objects(target, objects)
            aside.replace(place)
        return Lock(place.with_name(f"{place.name}.{uuid.uuid4().hex}{USE}"), str(place))


def _lock_place(place: Path) -> Lock:
    return Lock(place.with_name(f"{place.name}.lock"), str(place), FETCH_SECONDS)


def _is_used(place: Path) -> bool:
    """Whether a worker that runs holds the input; removes the locks of workers that were killed."""
    for path in place.parent.glob(f"{place.name}.*{USE}"):
        try:
            Lock(path, str(place)).release()
        except OutputError:
            return True
    return False


def _write_objects(target: Path, objects: list[Any]) -> None:
    import ray

    with target.open("wb") as file:
        for each in objects:
            part: Any = each if isinstance(each, np.ndarray) else ray.get(each)
            file.write(part)


def fingerprint_ends(path: Path) -> str:
    """A fingerprint of a file's or folder's content, from its size and its ends."""
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


def check_same_file(name: str, sent: SentFile) -> None:
    """Raise `MissingFileError` for an input that is missing or different on this machine."""
    path, here = Path(sent.path), socket.gethostname()
    remedy = "Put it into a folder that every machine sees, or give --storage object"
    if not path.exists():
        raise MissingFileError(f"{name} {sent.path!r} does not exist on {here}. {remedy}")
    if sent.fingerprint and fingerprint_ends(path) != sent.fingerprint:
        raise MissingFileError(f"{name} {sent.path!r} is another file on {here}. {remedy}")


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
