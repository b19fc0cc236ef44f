"""The place of an output: made aside in a hidden folder, put under its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from hashlib import blake2b
from pathlib import Path

from vst.core.locks import Lock
from vst.errors import OutputError, OutputExistsError

LOCK = "lock"
_LONGEST_NAME = 100
"""Bytes of a name up to which the hidden folder's is made of all of it."""


class AtomicOutput:
    """A hidden folder next to ``target``, on the same file system, to work in; one run holds it.

    Opening it checks that the target may be written and that no other run is writing it, and drops
    what a run that was killed has left there. `publish` moves the finished file or folder under the
    target's name in one step; `discard` removes whatever else is left and may be called at any time
    and twice. ``within``: an existing folder on the same file system to work in, which is held by
    this run already, instead of a hidden one.
    """

    def __init__(self, target: Path, overwrite: bool, within: Path | None = None) -> None:
        self.target = target
        self.overwrite = overwrite
        self._lock: Lock | None = None
        self._check_free()
        try:
            if within is None:
                self.folder = get_working_folder(target)
                self._hold()
            else:
                self.folder = Path(tempfile.mkdtemp(prefix="joining.", suffix=".part", dir=within))
        except OutputError:
            raise
        except FileNotFoundError as error:
            raise OutputError(
                f"the folder {str(target.parent)!r} does not exist; make it or give another one"
            ) from error
        except OSError as error:
            raise OutputError(
                f"the folder {str(target.parent)!r} cannot be written to ({error.strerror}); "
                "choose another one"
            ) from error

    def _hold(self) -> None:
        """Make the hidden folder, or take over that of a run that has ended."""
        while self._lock is None:
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(0o700)
            if self.folder.is_symlink() or not self.folder.is_dir() or self._is_foreign():
                raise OutputError(
                    f"{str(self.folder)!r} is no working folder of vst's; {str(self.target)!r} "
                    "would be made there: move it away"
                )
            with contextlib.suppress(FileNotFoundError):  # the run that held it has just ended
                self._lock = Lock(self.folder / LOCK, repr(str(self.target)))
        self._empty()

    def _is_foreign(self) -> bool:
        names = {path.name for path in self.folder.iterdir()}
        return bool(names) and LOCK not in names

    def _check_free(self) -> None:
        try:
            exists = os.path.lexists(self.target)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{str(self.target)!r} cannot be written ({error}); choose another name"
            ) from error
        if exists and not self.overwrite:
            raise OutputExistsError(
                f"{str(self.target)!r} exists already; choose another name or allow overwriting"
            )
        if len(os.fsencode(self.target.name)) > 255:
            raise OutputError(
                f"the name {self.target.name[:40]!r}… is longer than 255 bytes; choose a shorter "
                "one"
            )

    def publish(self, finished: Path) -> None:
        """Bring the file ``finished``, which lies in `folder`, to the disk and then under the
        target's name.
        """
        try:
            sync_to_disk(finished)
            self._check_free()
            # What a symbolic link points to is replaced, and the link stays.
            finished.replace(self.target.resolve() if self.target.is_symlink() else self.target)
        except OutputExistsError:
            raise
        except OSError as error:
            raise OutputError(
                f"{str(self.target)!r} cannot be written: {error.strerror or error}"
            ) from error
        with contextlib.suppress(
            OSError
        ):  # the file is there; only the folder's entry may not be on the disk yet
            sync_to_disk(self.target.parent)

    def discard(self) -> None:
        """Remove the working folder with all that is in it."""
        if self._lock is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        self._empty()
        self._lock.release()
        with contextlib.suppress(OSError):  # gone already, or the next run has it
            self.folder.rmdir()

    def _empty(self) -> None:
        """Remove everything but the lock, while it is held."""
        if self._lock is None or not self._lock.held:
            return
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != LOCK:
                    path.unlink(missing_ok=True)


def get_working_folder(target: Path) -> Path:
    """Where ``target`` is made: the same for each run that writes it."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f"{name[:20]}.{blake2b(os.fsencode(name), digest_size=8).hexdigest()}"
    return target.parent / f".{name}.part"


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
