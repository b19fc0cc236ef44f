"""Writes a `Score` to a file that `read_score` reads back as an equal score."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from vst.core.files import atomic_write
from vst.errors import OutputError
from vst.schedule.score.model import CurvePoints, Score, ScoreKey, StyleSource

_PLAIN = re.compile(r"[A-Za-z0-9_./~-][A-Za-z0-9_./~%+ -]*")
_UNSAFE = re.compile(r"^-|^\s|\s$|^~$")

INTRODUCTION = """\
# A score for vst: which style applies when. Check it with `vst score check`,
# plot it with `vst score plot`, use it with `vst stylize CONTENT --score FILE -o OUT`.
#
# at:     seconds (12.5), 1:02.5, 120f (frames), 50%, cut 3, beat 8
# style:  a name in `styles`, @NAME, none (the unpainted content), or {ink: 0.5, waves: 0.5}
# also:   strength 0..1, ease, hold 0..1, brush 0.25..4, colors style|content|blend
"""


def write_score(score: Score, path: str | os.PathLike[str], *, introduction: bool = False) -> Path:
    """Write the score atomically; return its path.

    ``introduction``: start with comments on the format. Raises `OutputError`.
    """
    file = Path(path)
    text = (INTRODUCTION + "\n" if introduction else "") + format_score(score)
    try:
        with atomic_write(file) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot write {str(path)!r} ({error.strerror}). "
            "Give a path in a folder that you can write to."
        ) from error
    return file


def format_score(score: Score) -> str:
    """Return the score as YAML, without values that equal their defaults."""
    default = {part.name: part.default for part in fields(Score)}
    rows = []
    if score.content is not None:
        rows.append(f"content: {quote_text(score.content)}")
    for name in ("blend", "ease", "pace", "align", "colors"):
        if getattr(score, name) != default[name]:
            rows.append(f"{name}: {quote_text(getattr(score, name))}")
    if score.hold:
        rows.append(f"hold: {format_number(score.hold)}")
    if score.steadiness is not None:
        rows.append(f"steadiness: {format_number(score.steadiness)}")
    if score.loop:
        rows.append("loop: true")
    if score.styles:
        rows += ["", "styles:"]
        rows += [
            f"  {quote_text(name)}: {_format_source(one)}" for name, one in score.styles.items()
        ]
    rows += ["", "keys:", *map(_format_key, score.keys)]
    if score.background:
        rows += ["", "background:", *map(_format_key, score.background)]
    for name, curve in (("strength", score.strength), ("brush", score.brush)):
        if curve:
            rows += ["", f"{name}: {_format_curve(curve)}"]
    return "\n".join(rows).lstrip("\n") + "\n"


def _format_key(key: ScoreKey) -> str:
    parts = [f"at: {key.at}", f"style: {_format_weights(key.weights)}"]
    for name in ("strength", "hold", "brush"):
        if getattr(key, name) is not None:
            parts.append(f"{name}: {format_number(getattr(key, name))}")
    for name in ("ease", "colors"):
        if getattr(key, name) is not None:
            parts.append(f"{name}: {quote_text(getattr(key, name))}")
    return f"  - {{{', '.join(parts)}}}"


def _format_weights(weights: Mapping[str, float]) -> str:
    if len(weights) == 1 and next(iter(weights.values())) == 1:
        return quote_text(next(iter(weights)))
    return (
        "{"
        + ", ".join(f"{quote_text(name)}: {format_number(w)}" for name, w in weights.items())
        + "}"
    )


def _format_source(source: StyleSource) -> str:
    if source.at is None:
        return quote_text(source.path)
    return f"{{path: {quote_text(source.path)}, at: {format_number(source.at)}}}"


def _format_curve(points: CurvePoints) -> str:
    return "{" + ", ".join(f"{time}: {format_number(value)}" for time, value in points) + "}"


def format_number(number: float) -> str:
    """Return the shortest decimal that reads back as this number."""
    return str(np.format_float_positional(number, trim="-"))


def quote_text(text: str) -> str:
    """Return the text for YAML: unquoted if that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and not _UNSAFE.search(text):
        return text
    escaped = "".join(
        f"\\{sign}" if sign in '\\"' else sign if sign.isprintable() else f"\\U{ord(sign):08x}"
        for sign in text
    )
    return f'"{escaped}"'
