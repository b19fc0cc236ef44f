"""From what the page sends to a `Job` and its score. Names, defaults and ranges are the library's
own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vst.errors import UsageError
from vst.job import LARGEST_BY_DEFAULT, NATIVE, Job, check_option
from vst.schedule.easing import EASES
from vst.schedule.score import Moment, Score, ScoreKey, StyleSource, write_score
from vst.schedule.timeline import NONE
from vst.styles.library import style_named
from vst.web.rooms import Room, Shown, slug

MAIN = ("strength", "hold", "ease", "size", "stabilise", "colours")
"""Fields of `Job` that lie open on the page."""
MORE = ("blend", "brush", "pace", "loop", "ghost", "speed", "audio")
"""Fields of `Job` that are folded away."""
OF_SCORE = ("ease", "hold", "blend", "pace", "loop", "colours")
"""Those that the score says; strength and brush stand at its keys."""
OF_KEY = ("strength", "brush")
SIZES: tuple[int | str, ...] = (128, 192, 256, 384, LARGEST_BY_DEFAULT, 720, 1080, NATIVE)
"""Stops of the slider for the size."""
POINTS = 24
"""Of the little curve that stands for an ease."""
SHORTEST = 1e-3


def controls() -> list[dict[str, Any]]:
    """What the page shows for each field, from the field itself."""
    known = {part.name: part for part in fields(Job)}
    found = []
    for name in (*MAIN, *MORE):
        part = known[name]
        about: dict[str, Any] = {
            "name": name,
            "default": part.default,
            "help": part.metadata["help"],
            "more": name in MORE,
            "low": part.metadata["low"],
            "high": part.metadata["high"],
        }
        choices = part.metadata["choices"]
        if name == "ease":
            shapes = {
                ease: [curve(i / POINTS) for i in range(POINTS + 1)]
                for ease, curve in EASES.items()
            }
            about |= {"kind": "choice", "choices": list(EASES), "shapes": shapes}
        elif name == "size":
            about |= {"kind": "stops", "choices": SIZES, "default": LARGEST_BY_DEFAULT}
        elif choices is not None:
            about |= {"kind": "choice", "choices": list(choices), "texts": texts_of(choices)}
        elif isinstance(part.default, bool):
            about["kind"] = "switch"
        else:
            about["kind"] = "slider"
        found.append(about)
    return found


def texts_of(choices: Any) -> dict[str, str]:
    """What each choice does, where the table says so."""
    return dict(choices) if type(choices) is dict else {}


@dataclass(frozen=True)
class Form:
    """What the page says, read: the room's files and looks by id, settings by the names of `Job`.

    ``keys``: look and place 0..1 of the painted time, in order; ``mask``: left, top, width and
    height of the figure, 0..1; ``ground``: what is painted behind it.
    """

    content: Path
    keys: tuple[tuple[Shown, float], ...]
    settings: Mapping[str, Any]
    mask: tuple[float, float, float, float] | None = None
    ground: str = NONE


def read_form(room: Room, sent: Mapping[str, Any]) -> Form:
    """What the page sent; a value that does not fit raises `UsageError`."""
    content = room.file(sent.get("content"))
    if content.role != "content":
        raise UsageError(f"{content.name} was not uploaded as content")
    rows = sent.get("keys")
    if not isinstance(rows, list) or not rows:
        raise UsageError("no style yet; add a style video, pictures, or one from the gallery")
    if len(rows) > room.limits.looks:
        raise UsageError(f"{len(rows)} keyframes; the page takes {room.limits.looks}")
    rows = [row if isinstance(row, dict) else {} for row in rows]
    keys = [(look_of(room, row.get("look")), number("time", row.get("at"), 0, 1)) for row in rows]
    return Form(
        content.path,
        tuple(sorted(keys, key=lambda key: key[1])),
        settings_of(sent.get("settings") or {}),
        rectangle_of(sent.get("mask")),
        ground_of(room, sent.get("ground")),
    )


def look_of(room: Room, number_or_name: object) -> Shown:
    """A look by its id, or a style with a name: ``@ink-wash``, ``none``."""
    if not isinstance(number_or_name, str):
        raise UsageError(f"a look {number_or_name!r}; give its id")
    if number_or_name in room.looks:
        return room.looks[number_or_name]
    if number_or_name == NONE:
        return Shown(NONE, NONE, StyleSource(NONE))
    if number_or_name.startswith("@"):
        style = style_named(number_or_name)
        return Shown(number_or_name, style.name, StyleSource(f"@{style.name}"))
    raise UsageError("this keyframe is not here any more; add its style again")


def settings_of(sent: object) -> dict[str, Any]:
    """The settings, each checked against its field."""
    known = {part.name: part for part in fields(Job)}
    found: dict[str, Any] = {}
    if not isinstance(sent, dict):
        raise UsageError(f"settings {sent!r}; give names with their values")
    for name, value in sent.items():
        if name not in (*MAIN, *MORE):
            raise UsageError(f"the page has no setting {name!r}")
        default = known[name].default
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise UsageError(f"{name} {value!r}; allowed is true or false")
        elif isinstance(default, float):
            value = number(name, value)
        elif name == "size":
            if value not in SIZES or isinstance(value, bool):
                raise UsageError(f"size {value!r}; allowed is {', '.join(map(str, SIZES))}")
        elif not isinstance(value, str):
            raise UsageError(f"{name} {value!r}; give a name")
        check_option(name, value, known[name].metadata)
        found[name] = value
    return found


def number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within its range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UsageError(f"{name} {value!r}; give a number")
    if not low <= value <= high:
        raise UsageError(f"{name} {value:g}; allowed is {low:g} to {high:g}")
    return float(value)


def rectangle_of(sent: object) -> tuple[float, float, float, float] | None:
    """Left, top, width and height of the figure, as parts of the picture."""
    if sent is None:
        return None
    if not isinstance(sent, list) or len(sent) != 4:
        raise UsageError(f"a rectangle {sent!r}; give left, top, width and height")
    left, top, width, height = (number("rectangle", part, 0, 1) for part in sent)
    return left, top, min(width, 1 - left), min(height, 1 - top)


def ground_of(room: Room, sent: object) -> str:
    """The style behind the figure, as `Job.mask_ground` takes it."""
    if sent in (None, "", NONE):
        return NONE
    look = look_of(room, sent)
    if not look.source.path.startswith("@"):
        raise UsageError("the ground takes a built-in style; choose one of the gallery")
    return look.source.path


def score_of(form: Form, folder: str = "") -> Score:
    """The score that plays the form's keys; ``folder`` goes before the names of files."""
    names: dict[str, str] = {}
    styles: dict[str, StyleSource] = {}
    for look, _ in form.keys:
        if look.id in names:
            continue
        if look.id == NONE:
            names[look.id] = NONE
            continue
        name, count = slug(look.name), 2
        while name in styles or name == NONE:
            name, count = f"{slug(look.name)}-{count}", count + 1
        names[look.id] = name
        own = look.source.path.startswith("@")
        styles[name] = look.source if own else replace(look.source, path=folder + look.source.path)
    of_key = {name: form.settings[name] for name in OF_KEY if name in form.settings}
    keys = tuple(
        ScoreKey(Moment(round(100 * at, 3), "%"), {names[look.id]: 1.0}, **of_key)
        for look, at in form.keys
    )
    of_score = {name: form.settings[name] for name in OF_SCORE if name in form.settings}
    return Score(keys, styles, **of_score)


def score_to_take_away(form: Form, room: Room) -> Score:
    """The score with the visitor's own names for the style files."""
    score = score_of(form)
    own = {kept.path.name: kept.name for kept in room.files.values()}
    styles = {
        name: replace(source, path=own.get(source.path, source.path))
        for name, source in score.styles.items()
    }
    return replace(score, styles=styles)


def job_of_form(form: Form, folder: Path, *, up: str = "") -> Job:
    """The job; its score is written into ``folder``, from which ``up`` leads to the style files."""
    score = write_score(score_of(form, up), folder / "score.yaml")
    rest = {n: v for n, v in form.settings.items() if n not in (*OF_SCORE, *OF_KEY)}
    if form.mask is not None:
        left, top, width, height = form.mask
        if width < SHORTEST or height < SHORTEST:
            raise UsageError("the rectangle around the figure is empty; draw it anew, or clear it")
        rest |= {"mask": f"auto:{left:.4f},{top:.4f},{width:.4f},{height:.4f}"}
        rest |= {"mask_ground": form.ground}
    output = folder / "painted.mp4"
    return Job(str(form.content), (), str(output), score=str(score), **rest)
