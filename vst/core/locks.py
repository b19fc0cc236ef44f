"""A lock file that one run holds on its output; the file of a run that has ended locks nothing."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path

import filelock

from vst.core.closable import Closable
from vst.core.files import retry_stale
from vst.errors import OutputError

IS_WINDOWS = os.name == "nt"
WAIT_SECONDS = 0.2
"""How long a lock is tried for: one that is being released is free again in a moment."""
POLL_SECONDS = 0.02


class Lock(Closable):
    """The file ``path`` with the number of this process, locked until `release`.

    The system releases the lock when the process ends, however it ends: the file of a killed run
    locks nothing. ``what`` names the output in errors; ``wait``: seconds to wait for another run.
    Raises `OutputError` where that run still holds the lock, and `FileNotFoundError` without a
    folder for the file.
    """

    def __init__(self, path: Path, what: str, wait: float = WAIT_SECONDS) -> None:
        self.path = path
        self._lock = _acquire(path, what, wait)
        _write_owner(path)

    @property
    def is_held(self) -> bool:
        """Whether it has not been released."""
        return self._lock.is_locked

    def release(self) -> None:
        """Remove the file and release the lock; may be called twice."""
        if not self._lock.is_locked:
            return
        if not IS_WINDOWS:  # while it is locked, so that the next run's file is not removed
            self.path.unlink(missing_ok=True)
        self._lock.release()
        if IS_WINDOWS:  # Windows does not remove open files, also not those of the next run
            with contextlib.suppress(OSError):
                self.path.unlink()

    close = release


def check_unlocked(path: Path, what: str) -> None:
    """Raise `OutputError` where a run holds the lock ``path``; leaves lock and file as they are."""
    if not path.exists():
        return
    with contextlib.suppress(FileNotFoundError):  # the run has ended in the meantime
        _acquire(path, what, WAIT_SECONDS).release()
        path.touch()  # filelock 3 and Windows remove it, but it marks the folder as one of vst


def _acquire(path: Path, what: str, wait: float) -> filelock.BaseFileLock:
    while True:
        if not path.parent.is_dir():  # filelock would make it
            raise FileNotFoundError(f"{str(path.parent)!r} does not exist")
        lock = filelock.FileLock(str(path), thread_local=False)
        try:
            retry_stale(partial(lock.acquire, timeout=wait, poll_interval=POLL_SECONDS))
        except filelock.Timeout as error:
            raise OutputError(
                f"{what} is being written by another run (process {_read_owner(path)}). Wait for "
                "it, or choose another output"
            ) from error
        if IS_WINDOWS or _is_at(path, lock):
            return lock
        lock.release()


def _is_at(path: Path, lock: filelock.BaseFileLock) -> bool:
    """Whether the locked file is still the one at ``path``: the run that held it before removes it
    when it ends, and whoever waited for it meanwhile holds a file that nobody else sees.
    """
    opened = lock._context.lock_file_fd
    with contextlib.suppress(FileNotFoundError):
        return opened is not None and os.path.samestat(os.fstat(opened), path.stat())
    return False


def _write_owner(path: Path) -> None:
    """Write this process's number, from the second byte on: on Windows nobody can access the first
    one, which is locked.
    """
    with retry_stale(lambda: path.open("r+b")) as file:
        file.seek(1)
        file.write(f"{os.getpid():<30}\n".encode())


def _read_owner(path: Path) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(1)
        return file.read(32).decode(errors="replace").strip() or "unknown"
    return "unknown"
