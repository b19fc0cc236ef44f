"""Paths as people write them."""

from __future__ import annotations

import contextlib
from pathlib import Path


def at_home(path: str | Path) -> Path:
    """``~`` and ``~name`` stand for homes; where nobody of that name has one, the tilde is part of
    the file's own name.
    """
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)
