"""The options that engines have of their own, on their way from a user to the engine.

An engine says what it can be told in a frozen dataclass whose fields are made with
`vst.core.fields.option`: one line in `ENGINE_OPTIONS` names it, and each field is an option of the
command line, a key in YAML and JSON, and an argument of `vst.stylize`; the engine's constructor
receives the filled dataclass as ``options``. Nothing else is to be done, and nothing heavy may be
imported by the dataclass's module: `vst --help` reads it.

Engines may have options of the same name; they must mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from typing import Any

from vst.core.fields import check_option
from vst.core.registry import Registry, nearest
from vst.errors import UsageError

ENGINE_OPTIONS = Registry(
    "engine with options",
    {
        "gatys": "vst.engines.gatys_options:GatysOptions",
    },
)
"""Engine -> the dataclass of its options. An engine that is not here has none."""

Pairs = tuple[tuple[str, Any], ...]
"""Names and values of options, in order of name."""


def option_fields() -> dict[str, dict[str, Field[Any]]]:
    """Name of an option -> engine -> its field there."""
    found: dict[str, dict[str, Field[Any]]] = {}
    for engine in ENGINE_OPTIONS:
        for part in fields(ENGINE_OPTIONS[engine]):
            found.setdefault(part.name, {})[engine] = part
    return found


def options_of(engine: str, given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Any:
    """The options of an engine, filled with what was given; None for an engine that has none.

    Raises `UsageError` for an option that it does not have, or a value that is not allowed.
    """
    values = dict(given)
    known = fields(ENGINE_OPTIONS[engine]) if engine in ENGINE_OPTIONS else ()
    names = {part.name: part for part in known}
    for name in values:
        if name not in names:
            raise UsageError(_unknown(engine, name, names))
    for name, value in values.items():
        values[name] = tuple(value) if isinstance(value, list) else value
        _check_kind(name, values[name], names[name])
        check_option(name, values[name], names[name].metadata)
    return ENGINE_OPTIONS[engine](**values) if known else None


def not_default(engine: str, given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Pairs:
    """What was given, checked, in order of name, without what is the default anyway."""
    filled = options_of(engine, given)
    if filled is None:
        return ()
    pairs = ((part.name, getattr(filled, part.name), part.default) for part in fields(filled))
    return tuple(sorted((name, value) for name, value, default in pairs if value != default))


def gathered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a job, those that are an engine's own put together under ``engine_options``."""
    known = option_fields()
    own = {name: value for name, value in values.items() if name in known}
    rest = {name: value for name, value in values.items() if name not in known}
    if own:
        rest["engine_options"] = tuple({**dict(rest.get("engine_options", ())), **own}.items())
    return rest


def _unknown(engine: str, name: str, names: Iterable[str]) -> str:
    """What to say of an option that an engine does not have."""
    others = list(option_fields().get(name, ()))
    if others:
        return f"engine {engine!r} has no option {name!r}; engine {others[0]!r} has"
    hint = nearest(name, names)
    also = f"; did you mean {hint!r}?" if hint else "; leave it out"
    return f"engine {engine!r} has no option {name!r}{also}"


def _check_kind(name: str, value: Any, part: Field[Any]) -> None:
    """Refuse what is no number where one is needed, and so on."""
    wanted = part.metadata.get("kind") or type(part.default)
    if wanted is float:
        wanted = (int, float)
    several = isinstance(part.default, tuple)
    if several and not isinstance(value, tuple):
        raise UsageError(f"{name} {value!r}; give a list")
    for one in value if several else (value,):
        if not isinstance(one, wanted) or (isinstance(one, bool) and wanted is not bool):
            like = part.default if not several else "a list"
            raise UsageError(f"{name} {one!r} cannot be used; give a value such as {like!r}")
