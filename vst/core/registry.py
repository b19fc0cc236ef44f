"""Tables of named parts: name -> "module:attribute", imported on first use."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vst.errors import UnknownNameError


def find_nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the known name that is most similar to ``name``, or None if none is similar."""
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return found[0] if found else None


def make_unknown_error(kind: str, name: object, names: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that is not in a table; it suggests the most similar one."""
    names = sorted(names)
    hint = find_nearest(name, names) if isinstance(name, str) else None
    ending = f"; did you mean {hint!r}?" if hint else "."
    return UnknownNameError(f"unknown {kind} {name!r}{ending} Known: {', '.join(names)}.")


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
        if not isinstance(name, str) or name not in self.entries:
            raise make_unknown_error(self.kind, name, self.entries)
        module, _, attribute = self.entries[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
