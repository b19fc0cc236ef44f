"""Files: written atomically, flushed to the disk, and hashed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

HASHES: dict[str, Callable[[], Any]] = {
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2b": lambda: hashlib.blake2b(digest_size=16),
}
"""Kind of hash -> its constructor: sha256 for published files, md5 where the publisher gives no
other, blake2b for fingerprints of jobs."""
STALE_TRIES = 4
"""How often something is done with a file whose handle is stale."""
Value = TypeVar("Value")


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool = True, sync: bool = False) -> Iterator[Path]:
    """Yield the path of a draft beside ``path``; when the block ends, the draft becomes ``path``.

    A reader finds the earlier file or the new one, never a part. If the block raises, ``path``
    stays as it was and the draft is deleted. The draft keeps the suffix, because writers of
    pictures and networks choose the format by it. ``sync``: wait until the content is on the disk.
    Without ``overwrite``, raises `FileExistsError` where ``path`` exists by then. Raises `OSError`
    where the file cannot be written.
    """
    draft = path.with_name(f".{path.stem[:40]}.{uuid.uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield draft
        if sync:
            sync_to_disk(draft)
        if overwrite:
            move_file(draft, path)
        else:
            _publish_new(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish_new(draft: Path, path: Path) -> None:
    """Give the draft its name, which must be free: a hard link makes check and move one step."""
    try:
        os.link(draft, path)
    except FileExistsError:
        if not is_same_file(draft, path):  # else NFS lost the answer, and asked again
            raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(str(path)) from None
        move_file(draft, path)


def move_file(source: Path, target: Path) -> None:
    """Rename a file or folder, replacing ``target``, on a network file system too: NFS reports that
    the source does not exist where the answer to a rename that worked was lost.
    """

    def move() -> None:
        inode = source.stat().st_ino
        try:
            source.replace(target)
        except FileNotFoundError:
            if source.exists() or not target.exists() or target.stat().st_ino != inode:
                raise

    retry_stale(move)


def retry_stale(action: Callable[[], Value]) -> Value:
    """Do something with a file again where its handle was stale: NFS looks its name up anew."""
    for _ in range(STALE_TRIES - 1):
        try:
            return action()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return action()


def sync_to_disk(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    mode = os.O_RDONLY if path.is_dir() else os.O_RDWR
    handle = retry_stale(lambda: os.open(path, mode))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def has_hash(path: Path, digest: str) -> bool:
    """Whether a file has this hash in hexadecimal: an MD5 of 32 digits, or a SHA-256."""
    return hash_file(path, "md5" if len(digest) == 32 else "sha256") == digest


def hash_file(path: Path, kind: str = "sha256") -> str:
    """The hash of a file's content, in hexadecimal; ``kind``: a name in `HASHES`."""
    found = HASHES[kind]()
    with retry_stale(lambda: path.open("rb")) as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def is_same_file(a: Path, b: Path) -> bool:
    """Return whether two paths are the same existing file or folder."""
    try:
        return a.samefile(b)
    except OSError:
        return False
