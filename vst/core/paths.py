"""Paths as users write them, and the folders that the system gives each user."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from vst.errors import UsageError

APP = "vst"
"""The name of this program's folders."""


def expand_home(path: str | Path) -> Path:
    """Expand ``~`` and ``~name``; where there is no such user, the tilde is part of the name."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def to_text(what: str, path: object) -> str:
    """Return a path as text; raise `UsageError` for anything else, such as a picture's array."""
    if isinstance(path, (str, os.PathLike)):
        return str(os.fspath(path))
    raise UsageError(f"{what} is {type(path).__name__}, not a path. Give a file's name")


def refuse_address(what: str, path: str) -> None:
    """Raise `UsageError` if a path is a web address: these are files or folders."""
    if re.match(r"[a-z][a-z0-9+.-]+://", path, re.IGNORECASE):
        raise UsageError(f"{what} {path!r} is a web address. Download it, and give the file")


def find_data_folder() -> Path:
    """Find the user's data folder, for styles of their own."""
    import platformdirs

    return Path(platformdirs.user_data_dir(APP, appauthor=False, roaming=True))


def find_cache_folder() -> Path:
    """Find the user's cache folder, for models."""
    import platformdirs

    # On Windows, platformdirs would add a folder `Cache`.
    return Path(platformdirs.user_cache_dir(APP, appauthor=False, opinion=False))


def find_state_folder() -> Path:
    """Find the user's state folder, for what a server must find again."""
    import platformdirs

    folder = Path(platformdirs.user_state_dir(APP, appauthor=False))
    former = Path.home() / ".local" / "state" / APP  # the place on every system until version 1
    if os.environ.get("XDG_STATE_HOME") or folder.exists() or not former.is_dir():
        return folder
    return former
