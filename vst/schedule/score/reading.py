"""Reads a score file to a `Score`; each error names the file, the line and the key."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vst.core.registry import find_nearest
from vst.errors import MissingFileError, UsageError
from vst.imaging.color import COLORS
from vst.schedule.easing import get_ease
from vst.schedule.score.model import (
    ALIGNS,
    PACES,
    CurvePoints,
    Score,
    ScoreKey,
    ScoreTime,
    StyleSource,
)
from vst.schedule.score.nodes import MAX_BYTES, YamlLocation, YamlNode, parse_yaml
from vst.schedule.timeline import BLENDS, BRUSHES, NONE

SCORE_KEYS = (
    "content", "styles", "keys", "background", "ease", "blend", "hold", "loop", "pace", "align",
    "colors", "strength", "brush", "steadiness",
)  # fmt: skip
KEY_KEYS = ("at", "style", "strength", "ease", "hold", "brush", "colors")
RANGES = {"strength": (0.0, 1.0), "hold": (0.0, 1.0), "brush": BRUSHES, "steadiness": (0.0, 1.0)}
KEY_HINTS = {
    "color": "colors", "colour": "colors", "time": "at", "when": "at",
    "styles": "style", "look": "style", "weights": "style", "easing": "ease", "mix": "style",
    "size": "brush",
}  # fmt: skip
"""Likely mistakes -> the key to suggest in the error."""
ALIASES = {"colours": "colors", "ground": "background"}
"""Keys of earlier versions, still accepted -> the key."""


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a score file; its paths are relative to its folder.

    Raises `MissingFileError` if there is no such file, `UsageError` for every mistake in it.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise MissingFileError(
            f"score {str(path)!r} does not exist. `vst score init` writes one to start from."
        ) from error
    except OSError as error:
        raise UsageError(
            f"score {str(path)!r} cannot be read ({error.strerror}). Give a text file."
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{file}, line {line}: this is not text in UTF-8. Give a score, or save it as UTF-8."
        ) from error
    return parse_score(text, str(file), file.parent)


def parse_score(text: str, file: str = "score", folder: Path | None = None) -> Score:
    """Parse the text of a score; ``file``: its name for errors; raises `UsageError`."""
    root = read_mapping(parse_yaml(text, file), SCORE_KEYS, "score")
    if "keys" not in root:
        YamlLocation(file, 1, "keys").fail(
            "missing. Write `keys:` and below it `- {at: 0, style: NAME}`."
        )
    styles = _read_styles(root["styles"]) if "styles" in root else {}
    given: dict[str, Any] = {
        name: read_choice(root[name], choices)
        for name, choices in (
            ("blend", BLENDS), ("pace", PACES), ("align", ALIGNS), ("colors", COLORS),
        )
        if name in root
    }  # fmt: skip
    if "ease" in root:
        given["ease"] = read_ease(root["ease"])
    for name in ("hold", "steadiness"):
        if name in root:
            given[name] = read_number(root[name], *RANGES[name])
    if "loop" in root:
        given["loop"] = read_boolean(root["loop"])
    if "content" in root:
        given["content"] = read_word(root["content"])
    for name in ("strength", "brush"):
        if name in root:
            given[name] = _read_curve(root[name], *RANGES[name])
    keys = _read_keys(
        root["keys"], styles, [name for name in ("strength", "brush") if name in given]
    )
    background = _read_keys(root["background"], styles, []) if "background" in root else ()
    return Score(keys, styles, background, folder=folder or Path(), file=file, **given)


def _read_styles(value: YamlNode) -> dict[str, StyleSource]:
    if value.kind != "mapping":
        value.location.fail("not a mapping. Write `NAME: path/to/picture.jpg` below it.")
    found = {}
    for name, source in value.content.items():
        if name == NONE or name.startswith("@"):
            source.location.fail("this name is reserved. Choose another.")
        if source.kind == "text":
            found[name] = StyleSource(read_word(source))
            continue
        parts = read_mapping(source, ("path", "at"), "style")
        if "path" not in parts:
            source.location.fail("path is missing. Write {path: film.mp4, at: 4.5}.")
        at = None
        if "at" in parts:
            time = _read_time(parts["at"])
            if time.unit != "s":
                parts["at"].location.fail(
                    f"{str(time)!r} is not a time of the style video. Write seconds (4.5)."
                )
            at = time.value
        found[name] = StyleSource(read_word(parts["path"]), at)
    return found


def _read_keys(value: YamlNode, styles: Iterable[str], curves: list[str]) -> tuple[ScoreKey, ...]:
    if value.kind != "list" or not value.content:
        value.location.fail("not a list of keys. Write `- {at: 0, style: NAME}` below it.")
    return tuple(_read_key(one, styles, curves) for one in value.content)


def _read_key(value: YamlNode, styles: Iterable[str], curves: list[str]) -> ScoreKey:
    parts = read_mapping(value, KEY_KEYS, "key")
    for needed, example in (("at", "at: 50%"), ("style", "style: NAME")):
        if needed not in parts:
            value.location.key = needed
            value.location.fail(f"missing in this key. Write `{example}`.")
    for name in curves:
        if name in parts:
            parts[name].location.fail(f"the score has a curve {name!r} too. Remove one of the two.")
    given: dict[str, Any] = {
        name: read_number(parts[name], *RANGES[name]) for name in RANGES if name in parts
    }
    if "ease" in parts:
        given["ease"] = read_ease(parts["ease"])
    if "colors" in parts:
        given["colors"] = read_choice(parts["colors"], COLORS)
    weights = _read_weights(parts["style"], styles)
    return ScoreKey(_read_time(parts["at"]), weights, line=value.location.line, **given)


def _read_weights(value: YamlNode, styles: Iterable[str]) -> dict[str, float]:
    if value.kind == "text":
        return {_check_style_name(read_word(value), value.location, styles): 1.0}
    if value.kind == "list" or not value.content:
        value.location.fail("not a style. Write a name, or a mix such as {ink: 0.5, waves: 0.5}.")
    weights = {}
    for name, weight in value.content.items():
        weights[_check_style_name(name, weight.location, styles)] = read_number(weight, 0, math.inf)
    if not sum(weights.values()) > 0:
        value.location.fail(
            "all weights of the mix are 0. Give at least one style a weight above 0."
        )
    return weights


def _check_style_name(name: str, location: YamlLocation, styles: Iterable[str]) -> str:
    known = [*styles, NONE]
    if name in known or name.startswith("@"):
        return name
    hint = find_nearest(name, known)
    did_you_mean = f"; did you mean {hint!r}? Otherwise" if hint else "."
    action = "add it to `styles:`, or write @NAME."
    action = action if hint else action.capitalize()
    location.fail(f"unknown style {name!r}{did_you_mean} {action}")


def _read_curve(value: YamlNode, low: float, high: float) -> CurvePoints:
    if value.kind == "text":
        return ((ScoreTime(0.0, "%"), read_number(value, low, high)),)
    if value.kind != "mapping" or not value.content:
        value.location.fail("not a curve. Write one number, or {0%: 0.2, 50%: 1}.")
    name = value.location.key
    points = []
    for time, amount in value.content.items():
        amount.location.key = name
        points.append((_parse_time(time, amount.location), read_number(amount, low, high)))
    return tuple(points)


def _read_time(value: YamlNode) -> ScoreTime:
    return _parse_time(read_word(value), value.location)


def _parse_time(text: str, location: YamlLocation) -> ScoreTime:
    try:
        return ScoreTime.parse(text)
    except UsageError as error:
        location.fail(str(error))


def read_mapping(value: YamlNode, allowed: tuple[str, ...], what: str) -> dict[str, YamlNode]:
    """Return the entries of a mapping, with `ALIASES` resolved; refuse keys not ``allowed``."""
    if value.kind != "mapping":
        value.location.fail(f"not a {what}. Write `key: value` with the keys {', '.join(allowed)}.")
    entries: dict[str, YamlNode] = {}
    for given, entry in value.content.items():
        name = ALIASES.get(given, given)
        if name in entries:
            entry.location.fail(f"{name} is also given under its earlier name. Remove one of them.")
        entries[name] = entry
    for name, entry in entries.items():
        if name not in allowed:
            other = KEY_HINTS.get(name.lower())
            hint = other if other in allowed else find_nearest(name, allowed)
            did_you_mean = f"; did you mean {hint!r}?" if hint else "."
            entry.location.fail(
                f"unknown key {name!r}{did_you_mean} A {what} has {', '.join(allowed)}."
            )
    return entries


def read_word(value: YamlNode) -> str:
    """Return the text of a scalar, which must not be empty."""
    if value.kind != "text" or not value.content.strip():
        value.location.fail("not a single value. Write one after the colon.")
    return str(value.content).strip()


def read_number(value: YamlNode, low: float, high: float) -> float:
    """Return a number from ``low`` to ``high``."""
    text = read_word(value)
    allowed = f"from {low:g} to {high:g}" if high < math.inf else f"of {low:g} or more"
    try:
        found = float(text)
    except ValueError:
        value.location.fail(f"{text!r} is not a number. Write a number {allowed}.")
    if not low <= found <= high or math.isinf(found):
        value.location.fail(f"{found:g} is out of range. Write a number {allowed}.")
    return found


def read_boolean(value: YamlNode) -> bool:
    """Return a truth value."""
    text = read_word(value).lower()
    if text not in ("true", "false", "yes", "no", "on", "off"):
        value.location.fail(f"{read_word(value)!r} is not a truth value. Write true or false.")
    return text in ("true", "yes", "on")


def read_choice(value: YamlNode, choices: Iterable[str]) -> str:
    """Return a name that is one of ``choices``."""
    text = read_word(value)
    choices = list(choices)
    if text not in choices:
        hint = find_nearest(text, choices)
        did_you_mean = f"; did you mean {hint!r}?" if hint else "."
        value.location.fail(f"unknown name {text!r}{did_you_mean} Allowed: {', '.join(choices)}.")
    return text


def read_ease(value: YamlNode) -> str:
    """Return the name of an ease, or an ease written with its numbers."""
    text = read_word(value)
    try:
        get_ease(text)
    except UsageError as error:
        value.location.fail(str(error))
    return text
