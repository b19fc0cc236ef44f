"""Tables of named parts: name -> "module:attribute", imported only when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vst.errors import UnknownNameError


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that looks most like ``name``, or None when none is near."""
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return found[0] if found else None


def unknown(kind: str, name: str, names: Iterable[str]) -> UnknownNameError:
    """The error for a name that is in no table, with the nearest right one."""
    names = sorted(names)
    hint = nearest(name, names)
    did_you_mean = f"; did you mean {hint!r}?" if hint else ""
    return UnknownNameError(f"unknown {kind} {name!r}{did_you_mean} Known: {', '.join(names)}.")


class Registry(Mapping[str, Any]):
    """A mapping of names to parts, each given as "module:attribute".

    >>> curves = Registry("curve", {"sine": "math:sin"})
    >>> curves["sine"](0.0)
    0.0
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self.entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        if name not in self.entries:
            raise unknown(self.kind, name, self.entries)
        module, _, attribute = self.entries[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
