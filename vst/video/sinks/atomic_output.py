"""Atomic outputs: written in a hidden folder and renamed when complete."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from hashlib import blake2b
from pathlib import Path

from vst.core.files import move_file, sync_to_disk
from vst.core.locks import Lock
from vst.errors import OutputError, OutputExistsError, OutputFolderError

LOCK = "lock"
_LONGEST_NAME = 100
"""Bytes up to which the hidden folder's name contains the whole name of the output."""


class AtomicOutput:
    """A hidden working folder next to ``target``, on the same file system, locked by one run.

    The constructor checks that the target may be written and that no other run is writing it, and
    deletes what a killed run left there. `publish` renames the finished file to the target in one
    step; `discard` deletes the folder and may be called at any time, also twice. ``within``: an
    existing folder on the same file system, which this run has locked, to work in instead. Raises
    `OutputError`.
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
            raise OutputFolderError(
                f"the folder {str(target.parent)!r} does not exist. Create it or give another one"
            ) from error
        except OSError as error:
            raise OutputError(
                f"the folder {str(target.parent)!r} cannot be written: {error.strerror}. "
                "Choose another one"
            ) from error

    def _hold(self) -> None:
        """Create and lock the hidden folder, or take over one whose run has ended."""
        while self._lock is None:
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(0o700)
            with contextlib.suppress(FileNotFoundError):  # the run that locked it just ended
                self._refuse_foreign()
                self._lock = Lock(self.folder / LOCK, repr(str(self.target)))
        self._empty()

    def _refuse_foreign(self) -> None:
        """Raise `OutputError` where the folder is not one of this package, and `FileNotFoundError`
        where it is gone.
        """
        try:
            names = {path.name for path in self.folder.iterdir()}
        except NotADirectoryError:
            names = {"a file"}
        if self.folder.is_symlink() or (names and LOCK not in names):
            raise OutputError(
                f"{str(self.folder)!r}, where {str(self.target)!r} would be written, is not a "
                "working folder of vst. Move it away"
            )

    def _check_free(self) -> None:
        try:
            exists = os.path.lexists(self.target)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{str(self.target)!r} cannot be written: {error}. Choose another name"
            ) from error
        if exists and not self.overwrite:
            raise OutputExistsError(
                f"{str(self.target)!r} exists. Set overwrite=True to replace it, or give another "
                "name"
            )
        if len(os.fsencode(self.target.name)) > 255:
            raise OutputError(
                f"the name {self.target.name[:40]!r}… is longer than 255 bytes. Choose a shorter "
                "one"
            )

    def publish(self, finished: Path) -> None:
        """Flush the file ``finished``, which is in `folder`, to disk and rename it to the target.
        Raises `OutputError`.
        """
        try:
            sync_to_disk(finished)
            self._check_free()
            # Replace what a symbolic link points to and keep the link.
            target = self.target.resolve() if self.target.is_symlink() else self.target
            move_file(finished, target)
        except OutputExistsError:
            raise
        except OSError as error:
            raise OutputError(
                f"{str(self.target)!r} cannot be written: {error.strerror or error}"
            ) from error
        with contextlib.suppress(
            OSError
        ):  # the file exists; only the folder's entry may not be on disk yet
            sync_to_disk(self.target.parent)

    def discard(self) -> None:
        """Delete the working folder and its contents."""
        if self._lock is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        self._empty()
        self._lock.release()
        with contextlib.suppress(OSError):  # deleted already, or locked by the next run
            self.folder.rmdir()

    def _empty(self) -> None:
        """Delete everything but the lock, while this run holds it."""
        if self._lock is None or not self._lock.is_held:
            return
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != LOCK:
                    path.unlink(missing_ok=True)


def get_working_folder(target: Path) -> Path:
    """Return the hidden folder in which ``target`` is written, the same for every run."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f"{name[:20]}.{blake2b(os.fsencode(name), digest_size=8).hexdigest()}"
    return target.parent / f".{name}.part"
