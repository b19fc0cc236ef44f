"""Options as fields of frozen dataclasses: default, help, range and group are defined once, and the
command line, the page, the fingerprint and the documents derive from them.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Mapping
from dataclasses import field, fields
from fractions import Fraction
from numbers import Integral, Rational, Real
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from vst.core.registry import make_unknown_error
from vst.errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class FieldSettings(TypedDict, total=False):
    """What a field accepts, and where it is shown.

    ``choices``, ``low`` and ``high``: the values that are accepted. ``kind``: the type of one
    value, where the default does not show it. ``group``: the heading that the option stands under
    in help and on the page. ``aliases``: earlier spellings, still accepted. ``earlier_choices``:
    earlier names of choices, which the dataclass replaces by present ones. ``shapes_frames``:
    whether the value changes what is painted, so a resumed run must keep it.
    """

    choices: Iterable[str] | None
    low: float | None
    high: float | None
    kind: type | None
    group: str
    aliases: tuple[str, ...]
    earlier_choices: Iterable[str]
    shapes_frames: bool


DEFAULT_SETTINGS: FieldSettings = {
    "choices": None,
    "low": None,
    "high": None,
    "kind": None,
    "group": "",
    "aliases": (),
    "earlier_choices": (),
    "shapes_frames": True,
}


def option(default: Any, text: str, **settings: Unpack[FieldSettings]) -> Any:
    """Make a dataclass field with its default, its help ``text``, and the values it accepts."""
    return field(default=default, metadata={"help": text, **DEFAULT_SETTINGS, **settings})


def check_option(name: str, value: Any, about: Any) -> None:
    """Raise `UsageError` unless ``value`` is among the choices and in the range that the field
    names; each of several, where it is a tuple.
    """
    if value is None or not about:
        return
    choices, low, high = about.get("choices"), about.get("low"), about.get("high")
    for one in value if isinstance(value, tuple) else (value,):
        if choices is not None and one not in choices:
            raise make_unknown_error(name, str(one), choices)
        if isinstance(one, (int, float)) and not isinstance(one, bool):
            too_low = low is not None and not one >= low  # also true of NaN
            too_high = high is not None and not one <= high
            if too_low or too_high:
                least, most = (f"{end:.15g}" for end in (low or 0, high or 0))
                allowed = f"{least} to {most}" if high is not None else f"{least} or more"
                raise UsageError(f"{name} {one:g} is out of range. Give {allowed}")


KINDS: dict[Any, tuple[type, str, str]] = {
    bool: (bool, "True or False", "booleans"),
    int: (Integral, "a whole number", "whole numbers"),
    float: (Real, "a number", "numbers"),
    Fraction: (Rational, "a Fraction", "Fractions"),
    str: (str, "text", "texts"),
}
"""Type of a field -> what is accepted, and its description in singular and plural."""


def check_types(instance: Any, skip: Container[str] = ()) -> None:
    """Raise `UsageError` unless each field's value has the type that the dataclass declares."""
    dataclass: Any = type(instance)
    hints = _get_hints(dataclass)
    for part in fields(instance):
        if part.name not in skip:
            _check_type(part.name, getattr(instance, part.name), hints[part.name])


def _check_type(name: str, value: Any, hint: Any) -> None:
    """Check a value against ``hint``: a type of `KINDS`, a tuple of one, or a union with None."""
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if (value is None and NoneType in allowed) or any(_is_of_type(value, one) for one in allowed):
        return
    described = [_describe_type(one) for one in allowed if one is not NoneType]
    given = type(value).__name__
    raise UsageError(f"{name} {value!r} has the wrong type, {given}. Give {' or '.join(described)}")


def _is_of_type(value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        one = get_args(hint)[0]
        return isinstance(value, tuple) and all(_is_of_type(part, one) for part in value)
    if hint not in KINDS or (isinstance(value, bool) and hint is not bool):
        return False
    return isinstance(value, KINDS[hint][0])


def _describe_type(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"a tuple of {KINDS[get_args(hint)[0]][2]}"
    return KINDS[hint][1]


@functools.lru_cache
def _get_hints(dataclass: Any) -> dict[str, Any]:
    return get_type_hints(dataclass)


def find_aliases(dataclass: Any) -> dict[str, str]:
    """Return earlier spelling -> present name, for every field of a dataclass that has one."""
    known = dataclass.__dataclass_fields__.values()
    return {old: part.name for part in known for old in part.metadata.get("aliases", ())}


def rename_aliases(dataclass: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values under the present names of their fields. Raises `UsageError` where a
    value is given under both spellings.
    """
    aliases, found = find_aliases(dataclass), {}
    for name, value in given.items():
        present = aliases.get(name, name)
        if present in found or (present != name and present in given):
            raise UsageError(f"{present}: given as {name} too. Give one of them")
        found[present] = value
    return found


def accept_aliases(dataclass: type[T]) -> type[T]:
    """Let a dataclass be constructed with the earlier spellings of its fields."""
    construct, aliases = dataclass.__init__, find_aliases(dataclass).keys()

    @functools.wraps(construct)
    def construct_with_aliases(self: T, *values: Any, **named: Any) -> None:
        if not aliases.isdisjoint(named):
            named = rename_aliases(dataclass, named)
        construct(self, *values, **named)

    dataclass.__init__ = construct_with_aliases  # type: ignore[method-assign, assignment]
    return dataclass
