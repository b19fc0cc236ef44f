"""The styles that have names: the built-in ones and the user's own.

A style is kept as its numbers, so it needs neither the picture nor the network that read it.
Built-in styles lie in one JSON file in the package; a user's own lie one to a file in the data
folder (`home`).
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.data_folder import BUILTIN_STYLES
from vst.core.html_repr import shown
from vst.core.paths import at_home
from vst.core.registry import unknown
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.types import Embedding
from vst.errors import AssetError, OutputError, OutputExistsError, UsageError

VERSION = 1
"""Of the format of both kinds of files."""


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_DEVICES = re.compile(
    r"(?i)con|prn|aux|nul|com[0-9]|lpt[0-9]"
)  # names that Windows keeps for itself
_MOST_NUMBERS = 100_000


@dataclass(frozen=True, eq=False)
class Style:
    """A named style.

    ``space`` names the style space that ``embedding`` (float32, (dim,)) belongs to; ``origin`` says
    what it was made from.
    """

    name: str
    description: str
    space: str
    embedding: Embedding
    origin: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What is written into a style file."""
        # Nine digits give every float32 back exactly.
        numbers = [float(f"{value:.9g}") for value in self.embedding.tolist()]
        return {
            "name": self.name,
            "description": self.description,
            "origin": self.origin,
            "space": self.space,
            "embedding": numbers,
        }

    def _repr_html_(self) -> str:
        return shown("style", self)


def home() -> Path:
    """The folder of the user's own things: ``VST_HOME``, else ``vst`` in the platform's data
    folder.
    """
    if chosen := os.environ.get("VST_HOME"):
        return at_home(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vst"
    if os.name == "nt":
        data = os.environ.get("APPDATA")
        return (Path(data) if data else Path.home() / "AppData" / "Roaming") / "vst"
    data = os.environ.get("XDG_DATA_HOME")
    # The XDG rules say that a path that is not absolute is to be ignored.
    return (
        Path(data) if data and Path(data).is_absolute() else Path.home() / ".local" / "share"
    ) / "vst"


@functools.lru_cache(maxsize=1)
def _builtin() -> Mapping[str, Style]:
    content = _read(BUILTIN_STYLES, "reinstall vst")
    shared = {"space": content.get("space", TFLITE_SPACE)}
    styles = [
        _as_style({**shared, **entry}, BUILTIN_STYLES, "reinstall vst")
        for entry in content.get("styles", [])
    ]
    return {style.name: style for style in styles}


def builtin_styles() -> dict[str, Style]:
    """The styles that come with the package, name -> style."""
    return dict(_builtin())


def own_styles() -> dict[str, Style]:
    """The user's own styles, name -> style, in alphabetical order."""
    found = {}
    for file in sorted(_own_folder().glob("*.json")):
        if not _NAME.fullmatch(file.stem):
            continue  # put there by somebody else: no style could have this name
        remedy = f"mend the file, or remove it with 'vst styles remove {file.stem}'"
        style = _as_style(_read(file, remedy), file, remedy)
        found[file.stem] = Style(
            file.stem, style.description, style.space, style.embedding, style.origin
        )
    return found


def all_styles() -> dict[str, Style]:
    """Built-in and own styles, name -> style."""
    return {**builtin_styles(), **own_styles()}


def style_named(name: str) -> Style:
    """The style ``name``, with or without a leading '@'; upper and lower case are the same."""
    wanted = name.removeprefix("@")
    builtin = _builtin()
    if (
        wanted.lower() in builtin
    ):  # asked first: a damaged file of the user's own must not stop the built-in ones
        return builtin[wanted.lower()]
    styles = all_styles()
    for known, style in styles.items():
        if known.lower() == wanted.lower():
            return style
    raise unknown("style", wanted, styles)


def add_style(
    name: str,
    embedding: npt.ArrayLike,
    space: str,
    description: str = "",
    *,
    origin: str = "",
    overwrite: bool = False,
) -> Style:
    """Keep a style of the user's own under ``name`` (letters, digits, dashes).

    ``embedding``: finite numbers, (dim,), of the style space ``space``. A name that is taken is an
    error, unless it is the user's own and ``overwrite`` is set.
    """
    name = checked_name(name)
    numbers = _checked_numbers(embedding)
    if not space:
        raise UsageError(
            f"style {name!r} without the name of its style space; give the engine's 'space'"
        )
    if name in _builtin():
        raise OutputExistsError(f"{name!r} is a built-in style; choose another name")
    style = Style(name, " ".join(description.split()), space, numbers, " ".join(origin.split()))
    file = _own_file(name)
    text = json.dumps({"version": VERSION, **style.as_dict()}, ensure_ascii=False, indent=1) + "\n"
    _write_whole(file, text, overwrite)
    return style


def remove_style(name: str) -> None:
    """Forget the user's own style ``name``; built-in ones stay."""
    name = checked_name(name.removeprefix("@"))
    file = _own_file(name)
    if not file.is_file():
        if name in _builtin():
            raise UsageError(
                f"{name!r} is a built-in style and cannot be removed; only own styles can"
            )
        raise unknown(
            "own style",
            name,
            [path.stem for path in _own_folder().glob("*.json")] or ["(none yet)"],
        )
    try:
        file.unlink()
    except OSError as error:
        raise OutputError(f"cannot remove {file} ({error.strerror}); remove it by hand") from error


def checked_name(name: str) -> str:
    """``name`` in lower case if it can name a style and its file on every platform; else
    `UsageError`.
    """
    if (
        not _NAME.fullmatch(name)
        or name.endswith("-")
        or _DEVICES.fullmatch(name)
        or name.lower() == "none"
    ):
        rule = "letters, digits and dashes, beginning and ending with a letter or digit, at most 64"
        raise UsageError(
            f"style name {name!r}; a name has {rule}: choose another, like 'blue-swirls'"
        )
    return name.lower()


def _own_folder() -> Path:
    return home() / "styles"


def _own_file(name: str) -> Path:
    return _own_folder() / f"{name}.json"


def _checked_numbers(embedding: npt.ArrayLike) -> Embedding:
    try:
        numbers = np.asarray(embedding, np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"a style's embedding that is no row of numbers ({error}); "
            "give float32 numbers of shape (dim,)"
        ) from None
    if numbers.ndim != 1 or not 0 < numbers.size <= _MOST_NUMBERS:
        raise UsageError(
            f"a style's embedding of shape {numbers.shape}; give one row of numbers, (dim,)"
        )
    if not np.isfinite(numbers).all():
        raise UsageError(
            "a style's embedding with numbers that are not finite; embed the picture again"
        )
    return numbers


def _read(file: Path, remedy: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssetError(f"the styles are missing: {file} is not there; {remedy}") from None
    except (OSError, ValueError) as error:
        raise AssetError(f"cannot read the style file {file} ({error}); {remedy}") from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        found = content.get("version") if isinstance(content, dict) else type(content).__name__
        raise AssetError(
            f"style file {file} of version {found}; this vst reads version {VERSION}: {remedy}"
        )
    return content


def _as_style(entry: Mapping[str, Any], file: Path, remedy: str) -> Style:
    try:
        numbers = _checked_numbers(entry["embedding"])
        texts = {key: str(entry.get(key, "")) for key in ("name", "description", "space", "origin")}
        return Style(embedding=numbers, **texts)
    except (KeyError, UsageError) as error:
        raise AssetError(f"style file {file} is damaged ({error}); {remedy}") from error


def _write_whole(file: Path, text: str, overwrite: bool) -> None:
    """Write aside, then move into place in one step."""
    taken = OutputExistsError(
        f"there is a style {file.stem!r} already; "
        "remove it first, choose another name, or overwrite it"
    )
    if file.exists() and not overwrite:
        raise taken
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    except OSError as error:
        raise OutputError(
            f"cannot write into {file.parent} ({error.strerror}); "
            "set VST_HOME to a folder of your own"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        if overwrite:
            Path(aside).replace(file)
        else:
            _move_new(Path(aside), file)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise OutputError(
            f"cannot write {file} ({error.strerror}); make room, or set VST_HOME to another folder"
        ) from error
    finally:
        Path(aside).unlink(missing_ok=True)


def _move_new(aside: Path, file: Path) -> None:
    """Move ``aside`` to ``file``, which must not be there: a link sees to that."""
    try:
        os.link(aside, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if file.exists():
            raise FileExistsError(str(file)) from None
        aside.replace(file)
