"""A layer that makes a folder behave as one on a network file system (NFS) at its worst.

- A rename or a link is done, and its answer lost: the client asks again, and the second answer says
  that the file does not exist, or that the name is taken.
- A rename is not done at all, for the handle of the folder is stale (ESTALE).
- Opening a file that exists fails with ESTALE; the next time it works.
- A listing is the one before: files that were deleted since are in it, and new ones are not.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def make_error(code: int, path: object) -> OSError:
    """The error that the system raises."""
    return OSError(code, os.strerror(code), str(path))


class NetworkFolder:
    """Injects these faults, each with the probability ``share``, for paths in ``folder``; no call
    fails twice in a row. ``faults`` counts them by name.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, folder: Path, dice: random.Random, share: float = 0.3
    ) -> None:
        self.folder, self.dice, self.share = folder, dice, share
        self.faults: dict[str, int] = {}
        self._failed: set[tuple[str, str]] = set()
        self._listed: dict[Path, list[Path]] = {}
        self._replace, self._open, self._list = Path.replace, Path.open, Path.iterdir
        self._os_open, self._link = os.open, os.link
        patch.setattr(Path, "replace", lambda path, target: self._move(path, target))
        patch.setattr(Path, "open", lambda path, *words, **more: self._read(path, words, more))
        patch.setattr(Path, "iterdir", lambda path: self._show(path))
        patch.setattr(os, "open", self._open_handle)
        patch.setattr(os, "link", self._give_name)

    def _fails(self, kind: str, path: object) -> bool:
        if self.folder not in Path(os.fspath(path)).absolute().parents:  # type: ignore[call-overload]
            return False
        key = kind, str(path)
        if key in self._failed or self.dice.random() >= self.share:
            self._failed.discard(key)
            return False
        self._failed.add(key)
        self.faults[kind] = self.faults.get(kind, 0) + 1
        return True

    def _move(self, path: Path, target: Any) -> Any:
        if self._fails("rename done, answer lost", target):
            self._replace(path, target)
            raise make_error(errno.ENOENT, path)
        if self._fails("rename not done, stale", target):
            raise make_error(errno.ESTALE, path)
        return self._replace(path, target)

    def _give_name(self, source: Any, target: Any, **more: Any) -> None:
        self._link(source, target, **more)
        if self._fails("link done, answer lost", target):
            raise make_error(errno.EEXIST, target)

    def _read(self, path: Path, words: Any, more: Any) -> Any:
        if path.exists() and self._fails("open, stale", path):
            raise make_error(errno.ESTALE, path)
        return self._open(path, *words, **more)

    def _open_handle(self, path: Any, *words: Any, **more: Any) -> int:
        is_known = isinstance(path, (str, os.PathLike)) and Path(path).exists()
        if is_known and self._fails("open, stale", path):
            raise make_error(errno.ESTALE, path)
        return self._os_open(path, *words, **more)

    def _show(self, path: Path) -> Iterator[Path]:
        now = list(self._list(path))
        before = self._listed.get(path, now)
        self._listed[path] = now
        return iter(before if before != now and self._fails("listing, late", path / "*") else now)
