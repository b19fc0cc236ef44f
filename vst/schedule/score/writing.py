"""From a `Score` to its file: what `read_score` reads back as the same score."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from vst.errors import OutputError
from vst.schedule.score.model import CurvePoints, Score, ScoreKey, StyleSource

_PLAIN = re.compile(r"[A-Za-z0-9_./~-][A-Za-z0-9_./~%+ -]*")
_UNSAFE = re.compile(r"^-|^\s|\s$|^~$")

INTRODUCTION = """\
# A score for vst: which style is played when. Check it with `vst score check`,
# see it with `vst score plot`, play it with `vst stylize CONTENT --score FILE -o OUT`.
#
# at:     seconds (12.5), 1:02.5, 120f (frames), 50%, cut 3, beat 8
# style:  a name of the table `styles`, @NAME, none (the content itself), or {ink: 0.5, waves: 0.5}
# also:   strength 0..1, ease, hold 0..1, brush 0.25..4, colours style|content|blend
"""


def write_score(score: Score, path: str | os.PathLike[str], *, introduction: bool = False) -> Path:
    """Write the score; the file appears when it is whole. ``introduction``: begin with a few lines
    on what can be written.
    """
    file = Path(path)
    aside = file.with_name(f".{file.name}.part")
    text = (INTRODUCTION + "\n" if introduction else "") + score_text(score)
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {str(path)!r} ({error.strerror}); "
            "give a path in a folder that can be written to"
        ) from error
    return file


def score_text(score: Score) -> str:
    """The score as YAML, what is at its default left out."""
    default = {part.name: part.default for part in fields(Score)}
    rows = []
    if score.content is not None:
        rows.append(f"content: {quoted(score.content)}")
    for name in ("blend", "ease", "pace", "align", "colours"):
        if getattr(score, name) != default[name]:
            rows.append(f"{name}: {quoted(getattr(score, name))}")
    if score.hold:
        rows.append(f"hold: {plain(score.hold)}")
    if score.loop:
        rows.append("loop: true")
    if score.styles:
        rows += ["", "styles:"]
        rows += [f"  {quoted(name)}: {_source(one)}" for name, one in score.styles.items()]
    rows += ["", "keys:", *map(_key, score.keys)]
    if score.ground:
        rows += ["", "ground:", *map(_key, score.ground)]
    for name, curve in (("strength", score.strength), ("brush", score.brush)):
        if curve:
            rows += ["", f"{name}: {_curve(curve)}"]
    return "\n".join(rows).lstrip("\n") + "\n"


def _key(key: ScoreKey) -> str:
    parts = [f"at: {key.at}", f"style: {_mix(key.weights)}"]
    for name in ("strength", "hold", "brush"):
        if getattr(key, name) is not None:
            parts.append(f"{name}: {plain(getattr(key, name))}")
    for name in ("ease", "colours"):
        if getattr(key, name) is not None:
            parts.append(f"{name}: {quoted(getattr(key, name))}")
    return f"  - {{{', '.join(parts)}}}"


def _mix(weights: Mapping[str, float]) -> str:
    if len(weights) == 1 and next(iter(weights.values())) == 1:
        return quoted(next(iter(weights)))
    return "{" + ", ".join(f"{quoted(name)}: {plain(w)}" for name, w in weights.items()) + "}"


def _source(source: StyleSource) -> str:
    if source.at is None:
        return quoted(source.path)
    return f"{{path: {quoted(source.path)}, at: {plain(source.at)}}}"


def _curve(points: CurvePoints) -> str:
    return "{" + ", ".join(f"{moment}: {plain(value)}" for moment, value in points) + "}"


def plain(number: float) -> str:
    """The shortest decimal that reads back as this number."""
    return str(np.format_float_positional(number, trim="-"))


def quoted(text: str) -> str:
    """The text as YAML reads it: bare where it is plain, else in double quotes."""
    if _PLAIN.fullmatch(text) and not _UNSAFE.search(text):
        return text
    escaped = "".join(
        f"\\{sign}" if sign in '\\"' else sign if sign.isprintable() else f"\\U{ord(sign):08x}"
        for sign in text
    )
    return f'"{escaped}"'
