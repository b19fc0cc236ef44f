"""Turn what the page sends into a `Job` and its score. Names, defaults and ranges come from the
library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vst.core.fields import check_option
from vst.errors import UsageError
from vst.job import DEFAULT_MAX_SIDE, NATIVE, Job
from vst.masks.open import DRAWN
from vst.schedule.easing import EASES
from vst.schedule.score import Score, ScoreKey, ScoreTime, StyleSource, write_score
from vst.schedule.timeline import NONE
from vst.styles.library import get_style
from vst.web.drawn import DrawnFile, read_drawn, write_drawn
from vst.web.numbers import parse_number
from vst.web.sessions import PageStyle, Session, StoredFile, make_slug

MAIN = ("strength", "hold", "ease", "size", "steadiness", "colors")
"""Fields of `Job` that the page always shows."""
MORE = ("quality", "stabilize", "blend", "brush", "pace", "loop", "ghost", "speed", "audio")
"""Fields of `Job` that the page shows under "More"."""
SCORE_SETTINGS = ("ease", "hold", "blend", "pace", "loop", "colors", "steadiness")
"""Settings that go into the score; strength and brush go into its keys."""
KEY_SETTINGS = ("strength", "brush")
SIZES: tuple[int | str, ...] = (128, 192, 256, 384, DEFAULT_MAX_SIDE, 720, 1080, NATIVE)
"""Stops of the size slider."""
FORM = ("content", "keys", "settings", "mask", "drawn", "background", "trim", "time")
"""Parts of the form that the page sends."""
SHORTEST_FRAMES = 2
"""Fewest frames of a trimmed content."""
POINTS = 24
"""Points of the small curve that depicts an ease."""
SMALLEST_SIDE = 1e-3
"""Smallest side of the mask rectangle, as a fraction of the picture."""


def list_controls() -> list[dict[str, Any]]:
    """Describe the control for each field, derived from the field's metadata."""
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
            about |= {"kind": "stops", "choices": SIZES, "default": DEFAULT_MAX_SIDE}
        elif choices is not None:
            about |= {
                "kind": "choice",
                "choices": list(choices),
                "texts": describe_choices(choices),
            }
        elif isinstance(part.default, bool):
            about["kind"] = "switch"
        else:
            about["kind"] = "slider"
        found.append(about)
    return found


def describe_choices(choices: Any) -> dict[str, str]:
    """Return what each choice does, where the table has a text for it."""
    table = choices.items() if type(choices) is dict else ()
    return {name: text for name, text in table if isinstance(text, str)}


@dataclass(frozen=True)
class Form:
    """The parsed form.

    ``keys``: style and position 0..1 of the painted time, in order; ``settings``: fields of `Job`;
    ``mask``: left, top, width and height of the foreground, 0..1; ``drawn``: masks drawn by hand,
    in place of it; ``background``: the style that is painted behind the foreground; ``trim``:
    seconds of the content where the painted part starts and ends.
    """

    content: StoredFile
    keys: tuple[tuple[PageStyle, float], ...]
    settings: Mapping[str, Any]
    mask: tuple[float, float, float, float] | None = None
    background: str = NONE
    trim: tuple[float, float] | None = None
    drawn: tuple[DrawnFile, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the painted part of the content."""
        start, end = self.trim or (0.0, self.content.about["duration"])
        return end - start


def read_form(session: Session, sent: Mapping[str, Any]) -> Form:
    """Parse what the page sent; raise `UsageError` for a value that is not allowed."""
    content = session.file(sent.get("content"))
    if content.role != "content":
        raise UsageError(f"{content.name} was not uploaded as content")
    rows = sent.get("keys")
    if not isinstance(rows, list) or not rows:
        raise UsageError("no style: add a style video, pictures, or one from the gallery")
    if len(rows) > session.limits.keyframes:
        raise UsageError(f"{len(rows)} keyframes; the page accepts {session.limits.keyframes}")
    rows = [row if isinstance(row, dict) else {} for row in rows]
    keys = [
        (find_style(session, row.get("style")), parse_number("time", row.get("at"), 0, 1))
        for row in rows
    ]
    return Form(
        content,
        tuple(sorted(keys, key=lambda key: key[1])),
        parse_settings(sent.get("settings") or {}),
        parse_rectangle(sent.get("mask")),
        parse_background(session, sent.get("background")),
        parse_trim(sent.get("trim"), content.about),
        read_drawn(session, content, sent.get("drawn")),
    )


def pick_form(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form that `read_form` accepts, without what else a visitor may have sent: jobs and
    projects keep it.
    """
    time = sent.get("time")
    return {
        **{name: sent.get(name) for name in FORM},
        "keys": [{"style": key["style"], "at": key["at"]} for key in sent["keys"]],
        "drawn": [{"time": one["time"], "file": one["file"]} for one in sent.get("drawn") or ()],
        "time": time if isinstance(time, (int, float)) else 0,
    }


def find_style(session: Session, id_or_name: object) -> PageStyle:
    """Return a style of the page by its id, or one with a name: ``@ink-wash``, ``none``."""
    if not isinstance(id_or_name, str):
        raise UsageError(f"style {id_or_name!r}; give its id")
    if id_or_name in session.styles:
        return session.styles[id_or_name]
    if id_or_name == NONE:
        return PageStyle(NONE, NONE, StyleSource(NONE))
    if id_or_name.startswith("@"):
        style = get_style(id_or_name)
        return PageStyle(id_or_name, style.name, StyleSource(f"@{style.name}"))
    raise UsageError("this keyframe is gone; add its style again")


def parse_settings(sent: object) -> dict[str, Any]:
    """Parse the settings, each checked against its field."""
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
            value = parse_number(name, value)
        elif name == "size":
            if value not in SIZES or isinstance(value, bool):
                raise UsageError(f"size {value!r}; allowed is {', '.join(map(str, SIZES))}")
        elif not isinstance(value, str):
            raise UsageError(f"{name} {value!r}; give a name")
        check_option(name, value, known[name].metadata)
        found[name] = value
    return found


def parse_rectangle(sent: object) -> tuple[float, float, float, float] | None:
    """Parse left, top, width and height of the foreground, as fractions of the picture."""
    if sent is None:
        return None
    if not isinstance(sent, list) or len(sent) != 4:
        raise UsageError(f"a rectangle {sent!r}; give left, top, width and height")
    left, top, width, height = (parse_number("rectangle", part, 0, 1) for part in sent)
    width, height = min(width, 1 - left), min(height, 1 - top)
    if width < SMALLEST_SIDE or height < SMALLEST_SIDE:
        raise UsageError("the rectangle is empty; draw it again, or clear it")
    return left, top, width, height


def parse_trim(sent: object, about: Mapping[str, float]) -> tuple[float, float] | None:
    """Parse the seconds where the painted part of a content starts and ends; None: all of it."""
    if sent is None:
        return None
    if not isinstance(sent, list) or len(sent) != 2:
        raise UsageError(f"a trim {sent!r}; give its start and its end in seconds")
    start, end = (parse_number("trim", part, 0, about["duration"] + 1) for part in sent)
    end = min(end, about["duration"])
    if end - start < (SHORTEST_FRAMES - 0.01) / about["rate"]:
        raise UsageError(
            f"a trim from {start:g} s to {end:g} s; leave at least {SHORTEST_FRAMES} frames"
        )
    return (start, end) if (start, end) != (0.0, about["duration"]) else None


def parse_background(session: Session, sent: object) -> str:
    """Parse the style of the background."""
    if sent in (None, "", NONE):
        return NONE
    style = find_style(session, sent)
    if not style.source.path.startswith("@"):
        raise UsageError("the background must be a built-in style; choose one from the gallery")
    return style.source.path


def name_styles(form: Form) -> dict[str, str]:
    """Return the name in the score of each style of the form, by its id."""
    names: dict[str, str] = {}
    for style, _ in form.keys:
        if style.id in names:
            continue
        if style.id == NONE:
            names[style.id] = NONE
            continue
        name, count = make_slug(style.name), 2
        while name in names.values() or name == NONE:
            name, count = f"{make_slug(style.name)}-{count}", count + 1
        names[style.id] = name
    return names


def build_score(form: Form, folder: str = "", files: Mapping[str, str] | None = None) -> Score:
    """Build the score of the form's keys. ``folder`` is put before the names of files;
    ``files``: name of a file in the session -> what the score calls it.
    """
    names = name_styles(form)
    styles = {
        names[style.id]: style.source
        if style.source.path.startswith("@")
        else replace(style.source, path=folder + (files or {}).get(path, path))
        for style, path in ((style, style.source.path) for style, _ in form.keys)
        if style.id != NONE
    }
    of_key = {name: form.settings[name] for name in KEY_SETTINGS if name in form.settings}
    keys = tuple(
        ScoreKey(ScoreTime(round(100 * at, 3), "%"), {names[style.id]: 1.0}, **of_key)
        for style, at in form.keys
    )
    of_score = {name: form.settings[name] for name in SCORE_SETTINGS if name in form.settings}
    return Score(keys, styles, **of_score)


def build_download_score(form: Form, session: Session) -> Score:
    """Build the score with the visitor's own names for the style files."""
    return build_score(form, files={one.path.name: one.name for one in session.files.values()})


def build_job(form: Form, folder: Path, *, up: str = "") -> Job:
    """Build the job; write its score into ``folder``, from which ``up`` leads to the styles."""
    score = write_score(build_score(form, up), folder / "score.yaml")
    rest = {n: v for n, v in form.settings.items() if n not in (*SCORE_SETTINGS, *KEY_SETTINGS)}
    if form.drawn:
        rest |= {"mask": f"{DRAWN}{write_drawn(form.drawn, folder)}"}
        rest |= {"mask_background": form.background}
    elif form.mask is not None:
        left, top, width, height = form.mask
        rest |= {"mask": f"auto:{left:.4f},{top:.4f},{width:.4f},{height:.4f}"}
        rest |= {"mask_background": form.background}
    if form.trim is not None:
        rest |= dict(zip(("start", "end"), form.trim))
    output = folder / "painted.mp4"
    return Job(str(form.content.path), (), str(output), score=str(score), **rest)
