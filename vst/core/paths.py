"""Paths as users write them."""

from __future__ import annotations

import contextlib
from pathlib import Path


def expand_home(path: str | Path) -> Path:
    """Expand ``~`` and ``~name``; where there is no such user, the tilde is part of the name."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)
