"""Options of a job or a training as a study takes them: ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, fields
from itertools import product
from typing import Any

from vst.core.fields import check_option
from vst.core.registry import make_unknown_error
from vst.engines.options import OPTION_ALIASES, collect_option_fields
from vst.errors import UsageError
from vst.job import Job

NOT_FOR_STUDIES = (
    "content", "styles", "output", "overwrite", "keep_chunks", "keep_steps", "at", "score", "start",
    "end", "fps", "audio", "codec", "crf", "engine_options",
)  # fmt: skip
"""Fields of a job that a study sets itself, or that change nothing of what it measures."""
MOST_CASES = 100
"""Combinations of a sweep at most."""

Kinds = Mapping[str, "Field[Any]"]
"""Name of an option -> the field that says how its text is read."""


def collect_job_fields() -> dict[str, Field[Any]]:
    """Return the options of a job that a study may set, the engines' included."""
    own = {name: next(iter(fields.values())) for name, fields in collect_option_fields().items()}
    found = {**{part.name: part for part in fields(Job)}, **own}
    return {name: part for name, part in found.items() if name not in NOT_FOR_STUDIES}


def parse_options(texts: Sequence[str], kinds: Kinds | None = None) -> dict[str, Any]:
    """Parse ``NAME=VALUE`` options to values."""
    kinds = collect_job_fields() if kinds is None else kinds
    return {name: parse_value(name, text, kinds) for name, text in split_pairs(texts, kinds)}


def parse_lists(texts: Sequence[str], kinds: Kinds | None = None) -> dict[str, list[Any]]:
    """Parse ``NAME=VALUE,VALUE,…`` options to lists of values."""
    kinds = collect_job_fields() if kinds is None else kinds
    found: dict[str, list[Any]] = {}
    for name, text in split_pairs(texts, kinds):
        values = [part.strip() for part in text.split(",") if part.strip()]
        if not values:
            raise UsageError(f"{name} has no value. Give {name}=VALUE,VALUE")
        found[name] = [parse_value(name, one, kinds) for one in values]
    return found


def split_pairs(texts: Iterable[str], kinds: Kinds) -> list[tuple[str, str]]:
    """Split options into known names and the texts after their equals signs."""
    found: list[tuple[str, str]] = []
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not sign:
            raise UsageError(f"{text!r} has no value. Write NAME=VALUE, for example strength=0.5")
        name = next((n for n, f in kinds.items() if name in f.metadata.get("aliases", ())), name)
        name = OPTION_ALIASES.get(name, name)
        if name not in kinds:
            raise make_unknown_error("option", name, kinds)
        if name in dict(found):
            raise UsageError(f"{name} was given twice. Give it once")
        found.append((name, value.strip()))
    return found


def parse_value(name: str, text: str, kinds: Kinds) -> Any:
    """Parse a text as the option's type, and check that it is in range."""
    value = parse_text(name, text, kinds)
    check_option(name, value, kinds[name].metadata)
    return value


def parse_text(name: str, text: str, kinds: Kinds) -> Any:
    """Parse a text as the option's type: ``none`` is None, ``+`` separates several values."""
    default, about = kinds[name].default, kinds[name].metadata
    kind: Any = about.get("kind") or (None if default is None else type(default))
    if isinstance(default, tuple):
        return tuple(convert(name, part, kind) for part in text.split("+") if part)
    if default is None and text == "none":
        return None
    return parse_number(text) if kind is None else convert(name, text, kind)


def convert(name: str, text: str, kind: type) -> Any:
    """Convert a text to this type."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{name} {text!r}: use true or false")
        return text.lower() == "true"
    if kind not in (int, float):
        return text
    value = parse_number(text)
    if isinstance(value, str):
        raise UsageError(f"{name} {text!r} is not a number. Write 1, 0.5, or 1e5")
    if kind is int and value != int(value):
        raise UsageError(f"{name} {text} is not a whole number")
    return kind(value)


def parse_number(text: str) -> Any:
    """Parse a number, as an integer where it is written so; other texts stay texts."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def refuse(options: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise if an option is given that the study's rows set themselves."""
    for name in names:
        if name in options:
            raise UsageError(
                f"option {name} is what the rows of this study differ in. Leave it out, or vary it "
                "with `vst study sweep`"
            )


def combine(lists: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Combine every value with every value of the other options."""
    if not lists:
        raise UsageError("nothing is varied. Give --vary NAME=VALUE,VALUE")
    found = [dict(zip(lists, values)) for values in product(*lists.values())]
    if len(found) > MOST_CASES:
        raise UsageError(f"{len(found)} combinations: at most {MOST_CASES} are allowed")
    return found


def format_values(values: Mapping[str, Any]) -> str:
    """Format options as the name of a case."""
    return ", ".join(
        f"{name.replace('_', ' ')} {format_value(value)}" for name, value in values.items()
    )


def format_value(value: Any) -> str:
    """Format a value briefly."""
    return f"{value:g}" if isinstance(value, float) else str(value)
