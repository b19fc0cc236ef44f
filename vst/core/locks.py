"""A lock file that one run holds on its output; the file of a run that has ended locks nothing."""

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
    """The file ``path`` with the number of this process, locked until `release`.

    The system releases the lock when the process ends, however it ends: the file of a killed run
    locks nothing. Where the system has no such locks, the lock holds while the process that the
    file names is running. ``what`` names the output in errors. Raises `OutputError` where another
    run holds the lock.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._handle = self._acquire(what)
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    @property
    def is_held(self) -> bool:
        """Whether it has not been released."""
        return self._handle >= 0

    def release(self) -> None:
        """Remove the file and release the lock; may be called twice."""
        if self._handle < 0:
            return
        if fcntl is not None:
            self.path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = -1
        if fcntl is None:
            self.path.unlink(missing_ok=True)

    def _acquire(self, what: str) -> int:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                owner = os.read(handle, 32).decode(errors="replace").strip()
                if not _try_lock(handle, owner):
                    raise OutputError(_describe_owner(what, owner))
                if self._is_at_path(handle):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # the run that held it has removed the file in the meantime

    def _is_at_path(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False


def check_unlocked(path: Path, what: str) -> None:
    """Raise `OutputError` where a run holds the lock ``path``; leaves lock and file as they are."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        owner = os.read(handle, 32).decode(errors="replace").strip()
        if not _try_lock(handle, owner):
            raise OutputError(_describe_owner(what, owner))
    finally:
        os.close(handle)  # releases the lock


def _describe_owner(what: str, owner: str) -> str:
    return (
        f"{what} is being written by another run (process {owner or 'unknown'}). Wait for it, or "
        "choose another output"
    )


def _try_lock(handle: int, owner: str) -> bool:
    if fcntl is None:
        return not (owner.isdigit() and int(owner) != os.getpid() and _is_running(int(owner)))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
