"""The place of an output: made aside in a hidden folder, put under its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from vst.errors import OutputError, OutputExistsError


class Place:
    """A hidden folder next to ``target``, on the same file system, to work in.

    Opening it checks that the target may be written. `publish` moves the finished file or folder
    under the target's name in one step; `discard` removes whatever else is left and may be called
    at any time and twice. ``within``: an existing folder on the same file system to work in,
    instead of a hidden one.
    """

    def __init__(self, target: Path, overwrite: bool, within: Path | None = None) -> None:
        self.target = target
        self.overwrite = overwrite
        self._check_free()
        parent = target.parent
        try:
            prefix = f".{target.name[:20]}." if within is None else "joining."
            self.folder = Path(
                tempfile.mkdtemp(prefix=prefix, suffix=".part", dir=within or parent)
            )
        except FileNotFoundError as error:
            raise OutputError(
                f"the folder {str(parent)!r} does not exist; make it or give another one"
            ) from error
        except OSError as error:
            raise OutputError(
                f"the folder {str(parent)!r} cannot be written to ({error.strerror}); choose "
                "another one"
            ) from error

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
            synchronise(finished)
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
            synchronise(self.target.parent)

    def discard(self) -> None:
        """Remove the working folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def synchronise(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
