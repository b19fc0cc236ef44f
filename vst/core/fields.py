"""Options as fields of frozen dataclasses: default, help and range stand in one place, and the
command line, the page and the notebooks read them there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from vst.core.registry import unknown
from vst.errors import UsageError


def option(
    default: Any,
    text: str,
    *,
    choices: Iterable[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    kind: type | None = None,
) -> Any:
    """A field with its default, its help, and what is allowed; ``kind``: what one value is, where
    the default does not tell.
    """
    about = {"help": text, "choices": choices, "low": low, "high": high, "kind": kind}
    return field(default=default, metadata=about)


def check_option(name: str, value: Any, about: Any) -> None:
    """Raise `UsageError` unless ``value`` is among the choices and in the range that the field
    names; each of several, where it is a tuple.
    """
    if value is None or not about:
        return
    choices, low, high = about.get("choices"), about.get("low"), about.get("high")
    for one in value if isinstance(value, tuple) else (value,):
        if choices is not None and one not in choices:
            raise unknown(name, str(one), choices)
        if isinstance(one, (int, float)) and not isinstance(one, bool):
            too_low, too_high = (
                low is not None and not one >= low,
                high is not None and not one <= high,
            )
            if too_low or too_high:
                allowed = f"{low:g} to {high:g}" if high is not None else f"{low:g} or more"
                raise UsageError(f"{name} {one:g}; allowed is {allowed}")
