"""The options that belong to single engines.

An engine declares them in a frozen dataclass whose fields are made with `vst.core.fields.option`,
and one line in `ENGINE_OPTIONS`. Each field then is an option of the command line, a key in YAML
and JSON, and an argument of `vst.stylize`; the engine's constructor receives the filled dataclass
as ``options``. The module of the dataclass must import nothing heavy: `vst --help` reads it.

Two engines may have an option of the same name if it means the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from typing import Any

from vst.core.fields import check_option
from vst.core.registry import Registry, find_nearest
from vst.errors import UsageError

ENGINE_OPTIONS = Registry(
    "engine with options",
    {
        "embedded": "vst.engines.embedded_options:EmbeddedOptions",
        "gatys": "vst.engines.gatys_options:GatysOptions",
    },
)
"""Engine -> the dataclass of its options; an engine that is not listed has none."""

OPTION_ALIASES = {"optimiser": "optimizer"}
"""Earlier spelling of an option -> its name. Jobs, manifests and the command line accept both."""

OptionPairs = tuple[tuple[str, Any], ...]
"""Names and values of options, sorted by name."""


def collect_option_fields() -> dict[str, dict[str, Field[Any]]]:
    """Return, for each name of an option: engine -> its field."""
    found: dict[str, dict[str, Field[Any]]] = {}
    for engine in ENGINE_OPTIONS:
        for part in fields(ENGINE_OPTIONS[engine]):
            found.setdefault(part.name, {})[engine] = part
    return found


def parse_engine_options(engine: str, given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Any:
    """Return an engine's options, filled with the given values; None for an engine without options.

    Raises `UsageError` for an option that the engine does not have, or a value that is not allowed.
    """
    values = {OPTION_ALIASES.get(name, name): value for name, value in dict(given).items()}
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


def drop_defaults(engine: str, given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> OptionPairs:
    """Return the given options, checked and sorted by name, without those at their default."""
    filled = parse_engine_options(engine, given)
    if filled is None:
        return ()
    pairs = ((part.name, getattr(filled, part.name), part.default) for part in fields(filled))
    return tuple(sorted((name, value) for name, value, default in pairs if value != default))


def group_engine_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's options with those of single engines grouped under ``engine_options``."""
    known = collect_option_fields()
    values = {OPTION_ALIASES.get(name, name): value for name, value in values.items()}
    own = {name: value for name, value in values.items() if name in known}
    rest = {name: value for name, value in values.items() if name not in known}
    if own:
        rest["engine_options"] = tuple({**dict(rest.get("engine_options", ())), **own}.items())
    return rest


def _unknown(engine: str, name: str, names: Iterable[str]) -> str:
    """Return the error text for an option that an engine does not have."""
    others = list(collect_option_fields().get(name, ()))
    if others:
        return f"engine {engine!r} has no option {name!r}: engine {others[0]!r} has it"
    hint = find_nearest(name, names)
    also = f". Did you mean {hint!r}?" if hint else ". Leave it out."
    return f"engine {engine!r} has no option {name!r}{also}"


def _check_kind(name: str, value: Any, part: Field[Any]) -> None:
    """Raise `UsageError` for a value that is not of the field's type."""
    wanted = part.metadata.get("kind") or type(part.default)
    if wanted is float:
        wanted = (int, float)
    several = isinstance(part.default, tuple)
    if several and not isinstance(value, tuple):
        raise UsageError(f"{name} {value!r} is not a list. Give a list.")
    for one in value if several else (value,):
        if not isinstance(one, wanted) or (isinstance(one, bool) and wanted is not bool):
            like = part.default if not several else "a list"
            raise UsageError(f"{name} {one!r} is of the wrong type. Give a value such as {like!r}.")
