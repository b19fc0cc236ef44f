"""From a score file to a `Score`: every mistake is one line that names the line, the key and the
mend.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vst.core.registry import nearest
from vst.errors import MissingFileError, UsageError
from vst.imaging.color import COLOURS
from vst.schedule.easing import ease_named
from vst.schedule.score.model import (
    ALIGNS,
    PACES,
    CurvePoints,
    Moment,
    Score,
    ScoreKey,
    StyleSource,
)
from vst.schedule.score.nodes import LARGEST, Place, Value, parse
from vst.schedule.timeline import BLENDS, BRUSHES, NONE

SCORE_KEYS = (
    "content", "styles", "keys", "ground", "ease", "blend", "hold", "loop", "pace", "align",
    "colours", "strength", "brush",
)  # fmt: skip
KEY_KEYS = ("at", "style", "strength", "ease", "hold", "brush", "colours")
RANGES = {"strength": (0.0, 1.0), "hold": (0.0, 1.0), "brush": BRUSHES}
OTHER_NAMES = {
    "colors": "colours", "color": "colours", "colour": "colours", "time": "at", "when": "at",
    "styles": "style", "look": "style", "weights": "style", "easing": "ease", "mix": "style",
    "background": "ground", "size": "brush",
}  # fmt: skip
"""Words that people write for a key -> the key."""


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a score file; its paths are relative to the folder that it lies in."""
    file = Path(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise MissingFileError(
            f"score {str(path)!r} is not there; `vst score init` writes one to begin with"
        ) from error
    except OSError as error:
        raise UsageError(
            f"score {str(path)!r} cannot be read ({error.strerror}); give a text file"
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{file}, line {line}: this is no text in UTF-8; give a score, or save it as UTF-8"
        ) from error
    return parse_score(text, str(file), file.parent)


def parse_score(text: str, file: str = "score", folder: Path | None = None) -> Score:
    """Read a score from its text; ``file`` names it in errors."""
    root = mapping(parse(text, file), SCORE_KEYS, "score")
    if "keys" not in root:
        Place(file, 1, "keys").fail("missing; write `keys:` and under it `- {at: 0, style: NAME}`")
    styles = _styles(root["styles"]) if "styles" in root else {}
    given: dict[str, Any] = {
        name: one_of(root[name], choices)
        for name, choices in (
            ("blend", BLENDS), ("pace", PACES), ("align", ALIGNS), ("colours", COLOURS),
        )
        if name in root
    }  # fmt: skip
    if "ease" in root:
        given["ease"] = ease(root["ease"])
    if "hold" in root:
        given["hold"] = number(root["hold"], *RANGES["hold"])
    if "loop" in root:
        given["loop"] = switch(root["loop"])
    if "content" in root:
        given["content"] = word(root["content"])
    for name in ("strength", "brush"):
        if name in root:
            given[name] = _curve(root[name], *RANGES[name])
    keys = _keys(root["keys"], styles, [name for name in ("strength", "brush") if name in given])
    ground = _keys(root["ground"], styles, []) if "ground" in root else ()
    return Score(keys, styles, ground, folder=folder or Path(), file=file, **given)


def _styles(value: Value) -> dict[str, StyleSource]:
    if value.kind != "mapping":
        value.place.fail("a table is needed; write `NAME: path/to/picture.jpg` under it")
    found = {}
    for name, source in value.content.items():
        if name == NONE or name.startswith("@"):
            source.place.fail("this name is taken (none is the content itself); choose another")
        if source.kind == "text":
            found[name] = StyleSource(word(source))
            continue
        parts = mapping(source, ("path", "at"), "style")
        if "path" not in parts:
            source.place.fail("path is missing; write {path: film.mp4, at: 4.5}")
        at = None
        if "at" in parts:
            moment = _moment(parts["at"])
            if moment.unit != "s":
                parts["at"].place.fail(f"{str(moment)!r}; write seconds of the style video (4.5)")
            at = moment.value
        found[name] = StyleSource(word(parts["path"]), at)
    return found


def _keys(value: Value, styles: Iterable[str], curves: list[str]) -> tuple[ScoreKey, ...]:
    if value.kind != "list" or not value.content:
        value.place.fail("a list of keys is needed; write `- {at: 0, style: NAME}` under it")
    return tuple(_key(one, styles, curves) for one in value.content)


def _key(value: Value, styles: Iterable[str], curves: list[str]) -> ScoreKey:
    parts = mapping(value, KEY_KEYS, "key")
    for needed, example in (("at", "at: 50%"), ("style", "style: NAME")):
        if needed not in parts:
            value.place.key = needed
            value.place.fail(f"missing in this key; write `{example}`")
    for name in curves:
        if name in parts:
            parts[name].place.fail(
                f"the score has a curve {name!r} of its own; leave one of the two out"
            )
    given: dict[str, Any] = {
        name: number(parts[name], *RANGES[name]) for name in RANGES if name in parts
    }
    if "ease" in parts:
        given["ease"] = ease(parts["ease"])
    if "colours" in parts:
        given["colours"] = one_of(parts["colours"], COLOURS)
    weights = _weights(parts["style"], styles)
    return ScoreKey(_moment(parts["at"]), weights, line=value.place.line, **given)


def _weights(value: Value, styles: Iterable[str]) -> dict[str, float]:
    if value.kind == "text":
        return {_style_name(word(value), value.place, styles): 1.0}
    if value.kind == "list" or not value.content:
        value.place.fail("a style or a mix is needed; write a name, or {ink: 0.5, waves: 0.5}")
    weights = {}
    for name, weight in value.content.items():
        weights[_style_name(name, weight.place, styles)] = number(weight, 0, math.inf)
    if not sum(weights.values()) > 0:
        value.place.fail("all weights of the mix are 0; give one of its styles more")
    return weights


def _style_name(name: str, place: Place, styles: Iterable[str]) -> str:
    known = [*styles, NONE]
    if name in known or name.startswith("@"):
        return name
    hint = nearest(name, known)
    did_you_mean = f"did you mean {hint!r}? Else add" if hint else "add"
    place.fail(f"unknown style {name!r}; {did_you_mean} it to the table `styles:`, or write @NAME")


def _curve(value: Value, low: float, high: float) -> CurvePoints:
    if value.kind == "text":
        return ((Moment(0.0, "%"), number(value, low, high)),)
    if value.kind != "mapping" or not value.content:
        value.place.fail("a curve is needed; write one number, or {0%: 0.2, 50%: 1}")
    name = value.place.key
    points = []
    for time, amount in value.content.items():
        amount.place.key = name
        points.append((_timed(time, amount.place), number(amount, low, high)))
    return tuple(points)


def _moment(value: Value) -> Moment:
    return _timed(word(value), value.place)


def _timed(text: str, place: Place) -> Moment:
    try:
        return Moment.of(text)
    except UsageError as error:
        place.fail(str(error))


def mapping(value: Value, allowed: tuple[str, ...], what: str) -> dict[str, Value]:
    """The entries of a mapping whose keys are all ``allowed``."""
    if value.kind != "mapping":
        value.place.fail(f"a {what} is written as `key: value`, with the keys {', '.join(allowed)}")
    for name, entry in value.content.items():
        if name not in allowed:
            other = OTHER_NAMES.get(name.lower())
            hint = other if other in allowed else nearest(name, allowed)
            did_you_mean = f"did you mean {hint!r}? " if hint else ""
            entry.place.fail(
                f"unknown key {name!r}; {did_you_mean}A {what} has {', '.join(allowed)}"
            )
    return dict(value.content)


def word(value: Value) -> str:
    """A text that is not empty."""
    if value.kind != "text" or not value.content.strip():
        value.place.fail("a single value is needed; write it after the colon")
    return str(value.content).strip()


def number(value: Value, low: float, high: float) -> float:
    """A number from ``low`` to ``high``."""
    text = word(value)
    allowed = f"from {low:g} to {high:g}" if high < math.inf else f"of {low:g} or more"
    try:
        found = float(text)
    except ValueError:
        value.place.fail(f"{text!r} is no number; write a number {allowed}")
    if not low <= found <= high or math.isinf(found):
        value.place.fail(f"{found:g}; write a number {allowed}")
    return found


def switch(value: Value) -> bool:
    """true or false."""
    text = word(value).lower()
    if text not in ("true", "false", "yes", "no", "on", "off"):
        value.place.fail(f"{word(value)!r}; write true or false")
    return text in ("true", "yes", "on")


def one_of(value: Value, choices: Iterable[str]) -> str:
    """One name of a table."""
    text = word(value)
    choices = list(choices)
    if text not in choices:
        hint = nearest(text, choices)
        did_you_mean = f"did you mean {hint!r}? " if hint else ""
        value.place.fail(f"unknown name {text!r}; {did_you_mean}Allowed: {', '.join(choices)}")
    return text


def ease(value: Value) -> str:
    """The name of an ease, or one written with its numbers."""
    text = word(value)
    try:
        ease_named(text)
    except UsageError as error:
        value.place.fail(str(error))
    return text
