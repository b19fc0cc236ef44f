"""A layer that remembers what was flushed to the disk, and shows folders as they may look after the
power was cut: what was not flushed is lost, in part or altogether, and so are renames.
"""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path
from typing import Any

import pytest


class UnsafeDisk:
    """Records every ``os.fsync``. A file's flushed content counts by its inode, a folder's flushed
    entries by its path: name -> inode.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.contents: dict[int, bytes] = {}
        self.entries: dict[str, dict[str, int]] = {}
        self._fsync = os.fsync
        patch.setattr(os, "fsync", self._flush)

    def _flush(self, handle: Any) -> None:
        self._fsync(handle)
        number = handle if isinstance(handle, int) else handle.fileno()
        about = os.fstat(number)
        path = Path(f"/proc/self/fd/{number}").readlink()
        if stat.S_ISDIR(about.st_mode):
            self.entries[str(path)] = self._list(path)
        else:
            self.contents[about.st_ino] = path.read_bytes()

    def _list(self, folder: Path) -> dict[str, int]:
        found = {}
        for path in folder.iterdir():
            try:
                found[path.name] = path.stat().st_ino
            except FileNotFoundError:
                continue
        return found

    def cut_power(self, folder: Path, target: Path, dice: random.Random) -> None:
        """Write ``folder`` to ``target`` as it may be found afterwards. For each name either the
        last entry that was flushed or the present one has survived; for each file either all of
        its present content, or what was flushed, or (if nothing was) a part of it.
        """
        now, flushed = self._list(folder), self.entries.get(str(folder), {})
        present = {path.stat().st_ino: path for path in folder.iterdir() if path.is_file()}
        target.mkdir(parents=True)
        for name in sorted({*now, *flushed}):
            found = dice.choice((now, flushed)).get(name)
            if found is None or (found in present and not present[found].is_file()):
                continue
            content = present[found].read_bytes() if found in present else None
            kept = self.contents.get(found)
            if content is None or (kept is not None and dice.random() < 0.5):
                content = kept
            elif kept is None:
                content = content[: dice.randint(0, len(content))]
            if content is not None:
                (target / name).write_bytes(content)
