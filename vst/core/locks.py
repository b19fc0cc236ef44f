"""A lock that one run holds on what it writes; the lock of a run that has ended holds nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vst.errors import OutputError

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Lock:
    """The file ``path`` with the number of this process, held until `release`.

    The system lets go of the lock when the process ends, however it ends: the file of a killed run
    is no lock. Where there are no such locks, the process that the file names is looked for.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._handle = self._taken(what)
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    @property
    def held(self) -> bool:
        """Whether it has not been released."""
        return self._handle >= 0

    def release(self) -> None:
        """Remove the file and let go; may be called twice."""
        if self._handle < 0:
            return
        if fcntl is not None:
            self.path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = -1
        if fcntl is None:
            self.path.unlink(missing_ok=True)

    def _taken(self, what: str) -> int:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                owner = os.read(handle, 32).decode(errors="replace").strip()
                if not _free(handle, owner):
                    raise OutputError(_taken_by(what, owner))
                if self._is_the_file(handle):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # the run that held it removed the file meanwhile

    def _is_the_file(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False


def check_free(path: Path, what: str) -> None:
    """Raise `OutputError` where a run holds the lock ``path``; takes and makes nothing."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        owner = os.read(handle, 32).decode(errors="replace").strip()
        if not _free(handle, owner):
            raise OutputError(_taken_by(what, owner))
    finally:
        os.close(handle)  # lets go of it


def _taken_by(what: str, owner: str) -> str:
    return (
        f"{what} is being written by another run (process {owner or 'unknown'}); wait for it, or "
        "give another output"
    )


def _free(handle: int, owner: str) -> bool:
    if fcntl is None:
        return not (owner.isdigit() and int(owner) != os.getpid() and _runs(int(owner)))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
