"""The library of named styles: the built-in ones and the user's own.

A style is stored as its embedding, so it needs neither the picture nor the network that embedded
it. One JSON file in the package has the built-in styles; each of the user's styles has a file in
the user's data folder (see `get_user_folder`).
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.data_folder import BUILTIN_STYLES
from vst.core.files import atomic_write
from vst.core.html_repr import render_html
from vst.core.paths import expand_home, find_data_folder
from vst.core.registry import make_unknown_error
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.types import Embedding
from vst.errors import AssetError, OutputError, OutputExistsError, UsageError

VERSION = 1
"""Version of the format of both kinds of files."""

_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_WINDOWS_DEVICES = re.compile(
    r"(?i)con|prn|aux|nul|com[0-9]|lpt[0-9]"
)  # names that Windows keeps for itself
_MAX_DIMENSION = 100_000


@dataclass(frozen=True, eq=False)
class Style:
    """A named style.

    ``space``: the name of the style space that ``embedding`` (float32, (dim,)) belongs to.
    ``origin``: what the style was made from.
    """

    name: str
    description: str
    space: str
    embedding: Embedding
    origin: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the content of a style file."""
        # Nine digits represent every float32 exactly.
        numbers = [float(f"{value:.9g}") for value in self.embedding.tolist()]
        return {
            "name": self.name,
            "description": self.description,
            "origin": self.origin,
            "space": self.space,
            "embedding": numbers,
        }

    def _repr_html_(self) -> str:
        return render_html("style", self)


def get_user_folder() -> Path:
    """Return the user's data folder: ``VST_HOME``, else ``vst`` in the platform's data folder."""
    if chosen := os.environ.get("VST_HOME"):
        return expand_home(chosen)
    return find_data_folder()


@functools.lru_cache(maxsize=1)
def _load_builtin_styles() -> Mapping[str, Style]:
    content = _read_file(BUILTIN_STYLES, "Reinstall vst.")
    shared = {"space": content.get("space", TFLITE_SPACE)}
    styles = [
        _parse_style({**shared, **entry}, BUILTIN_STYLES, "Reinstall vst.")
        for entry in content.get("styles", [])
    ]
    return {style.name: style for style in styles}


def load_builtin_styles() -> dict[str, Style]:
    """Return the styles that come with the package, name -> style."""
    return dict(_load_builtin_styles())


def load_own_styles() -> dict[str, Style]:
    """Read the user's own styles: name -> style, in alphabetical order.

    Raises `AssetError` if one of the files is damaged.
    """
    found = {}
    for file in sorted(_get_style_folder().glob("*.json")):
        if not _NAME_PATTERN.fullmatch(file.stem):
            continue  # not a style: `add_style` allows no such name
        remedy = f"Repair the file, or remove it with 'vst styles remove {file.stem}'."
        style = _parse_style(_read_file(file, remedy), file, remedy)
        found[file.stem] = Style(
            file.stem, style.description, style.space, style.embedding, style.origin
        )
    return found


def all_styles() -> dict[str, Style]:
    """Return the built-in styles and the user's own, name -> style."""
    return {**load_builtin_styles(), **load_own_styles()}


def get_style(name: str) -> Style:
    """Return the style ``name``: a leading '@' is optional, and case does not matter.

    Raises `UnknownNameError` if there is none.
    """
    if not isinstance(name, str):
        raise make_unknown_error("style", name, all_styles())
    wanted = name.removeprefix("@")
    builtin = _load_builtin_styles()
    # Built-in styles come first, so that a damaged file of the user's does not block them.
    if wanted.lower() in builtin:
        return builtin[wanted.lower()]
    styles = all_styles()
    for existing, style in styles.items():
        if existing.lower() == wanted.lower():
            return style
    raise make_unknown_error("style", wanted, styles)


style_named = get_style
"""The earlier name of `get_style`."""


def add_style(
    name: str,
    embedding: npt.ArrayLike,
    space: str,
    description: str = "",
    *,
    origin: str = "",
    overwrite: bool = False,
) -> Style:
    """Save a style of the user's own under ``name`` (letters, digits, dashes).

    ``embedding``: finite numbers, (dim,), of the style space ``space``. Raises `OutputExistsError`
    if the name belongs to a built-in style, or to one of the user's without ``overwrite``;
    `UsageError` for an invalid name or embedding; `OutputError` if the file cannot be written.
    """
    name = normalize_style_name(name)
    numbers = _check_embedding(embedding)
    if not space:
        raise UsageError(
            f"space: style {name!r} needs the name of its style space. Give the engine's 'space'."
        )
    if name in _load_builtin_styles():
        raise OutputExistsError(f"{name!r} is a built-in style. Choose another name.")
    style = Style(name, " ".join(description.split()), space, numbers, " ".join(origin.split()))
    file = _get_style_file(name)
    text = json.dumps({"version": VERSION, **style.as_dict()}, ensure_ascii=False, indent=1) + "\n"
    _write_file(file, text, overwrite)
    return style


def remove_style(name: str) -> None:
    """Delete the user's own style ``name``; built-in styles cannot be removed."""
    name = normalize_style_name(name.removeprefix("@"))
    file = _get_style_file(name)
    if not file.is_file():
        if name in _load_builtin_styles():
            raise UsageError(
                f"{name!r} is a built-in style and cannot be removed. Name one of your own styles."
            )
        raise make_unknown_error(
            "own style",
            name,
            [path.stem for path in _get_style_folder().glob("*.json")] or ["(none yet)"],
        )
    try:
        file.unlink()
    except OSError as error:
        raise OutputError(f"cannot remove {file} ({error.strerror}). Remove it by hand.") from error


def normalize_style_name(name: str) -> str:
    """Return ``name`` in lower case.

    Raises `UsageError` if it cannot name a style and its file on every platform.
    """
    if (
        not _NAME_PATTERN.fullmatch(name)
        or name.endswith("-")
        or _WINDOWS_DEVICES.fullmatch(name)
        or name.lower() == "none"
    ):
        rule = "letters, digits and dashes, beginning and ending with a letter or digit, at most 64"
        raise UsageError(
            f"style name {name!r} is not allowed: a name has {rule}. "
            "Choose another, such as 'blue-swirls'."
        )
    return name.lower()


def _get_style_folder() -> Path:
    return get_user_folder() / "styles"


def _get_style_file(name: str) -> Path:
    return _get_style_folder() / f"{name}.json"


def _check_embedding(embedding: npt.ArrayLike) -> Embedding:
    """Return the embedding as float32, (dim,); raises `UsageError` if that is not possible."""
    try:
        numbers = np.asarray(embedding, np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"embedding: not an array of numbers ({error}). Give float32 numbers of shape (dim,)."
        ) from None
    if numbers.ndim != 1 or not 0 < numbers.size <= _MAX_DIMENSION:
        raise UsageError(
            f"embedding: has the shape {numbers.shape}. Give one row of numbers, (dim,)."
        )
    if not np.isfinite(numbers).all():
        raise UsageError("embedding: has NaN or infinite numbers. Embed the picture again.")
    return numbers


def _read_file(file: Path, remedy: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssetError(f"style file {file} does not exist. {remedy}") from None
    except (OSError, ValueError) as error:
        raise AssetError(f"cannot read style file {file} ({error}). {remedy}") from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        found = content.get("version") if isinstance(content, dict) else type(content).__name__
        raise AssetError(
            f"style file {file} has version {found}, but this vst reads version {VERSION}. {remedy}"
        )
    return content


def _parse_style(entry: Mapping[str, Any], file: Path, remedy: str) -> Style:
    try:
        numbers = _check_embedding(entry["embedding"])
        texts = {key: str(entry.get(key, "")) for key in ("name", "description", "space", "origin")}
        return Style(embedding=numbers, **texts)
    except (KeyError, UsageError) as error:
        raise AssetError(f"style file {file} is damaged ({error}). {remedy}") from error


def _write_file(file: Path, text: str, overwrite: bool) -> None:
    taken = OutputExistsError(
        f"there is a style {file.stem!r} already. "
        "Remove it first, choose another name, or overwrite it."
    )
    if file.exists() and not overwrite:
        raise taken
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file, overwrite=overwrite) as draft:
            draft.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise OutputError(
            f"cannot write {file} ({error.strerror}). "
            "Free some space, or set VST_HOME to another folder."
        ) from error
