"""How a failure is reported: one line on stderr, with fields spelled as options."""

from __future__ import annotations

import errno
import re
from dataclasses import fields

import click

PACKAGES = {
    **dict.fromkeys(("keras", "tensorflow"), "'vst-video[tensorflow]'"),
    **dict.fromkeys(("anyio", "fastapi", "gradio", "starlette", "uvicorn"), "'vst-video[web]'"),
}
"""Module that is missing -> what to install, where the names differ."""
REMEDIES = {
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "choose another place",
    errno.ENOTDIR: "choose another place",
    errno.EEXIST: "choose another name",
    errno.EISDIR: "name a file",
    errno.ELOOP: "name the target of the link",
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EDQUOT: "free some space, or choose another disk",
    errno.EIO: "check the disk",
}
"""Code of the operating system -> what to do, for errors that no other module describes."""
NEEDED = {
    "float( range)?": "is not a number. Give one such as 0.5",
    "integer( range)?": "is not a whole number. Give one such as 5",
}
"""Click's type of an option -> what its error says of a wrong value."""
RANGES = {
    r"(\S+?)<=?x<=?(\S+)": r"\1 to \2",
    r"x>=(\S+)": r"\1 or more",
    r"x>(\S+)": r"more than \1",
    r"x<=(\S+)": r"at most \1",
}
"""A range as click writes it -> in words."""
NOT_OPTIONS = ("content", "styles", "engine_options")
"""Fields of `Job` that are arguments, or stand for other options."""


def spell_as_options(text: str) -> str:
    """Replace the library's field names in an error's text with the options of the command line.

    A field counts where it cannot be an everyday word: before a value at the beginning
    (``strength 1.5; …``), with a value (``overwrite=True``), or with an underscore.
    """
    from vst.engines.options import collect_option_fields
    from vst.job import Job

    switches = {part.name for part in fields(Job) if part.default is True}
    names = [part.name for part in fields(Job) if part.name not in NOT_OPTIONS]
    names += list(collect_option_fields())
    known = "|".join(sorted(names, key=len, reverse=True))
    compound = "|".join(sorted((n for n in names if "_" in n), key=len, reverse=True))

    text = text.replace("no style was given. Name a", "no style was given. Name one with -s: a")

    def spell(name: str) -> str:
        return f"--{name.replace('_', '-')}"

    def spell_value(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        if value == "True":
            return spell(name)
        if value == "False":
            return f"--no-{name}" if name in switches else f"no {spell(name)}"
        return f"{spell(name)} {value}"

    text = re.sub(rf"(?<![\w-])`?({known})=([\w.'\"/-]+)`?", spell_value, text)
    text = re.sub(rf"^({known})(?= (?:['\"\d.-]|nan\b|inf\b))", lambda m: spell(m[1]), text)
    text = re.sub(r"^([a-z_]+)(?= \S+ is out of range)", lambda m: spell(m[1]), text)
    if compound:
        text = re.sub(rf"(?<![\w'\"/.-])`?({compound})`?(?![\w'\"/.])", lambda m: spell(m[1]), text)
    return text


def say_what_is_needed(text: str) -> str:
    """Replace click's words for a wrong number: what a value is, and what to give."""
    for kind, needed in NEEDED.items():
        text = re.sub(rf"is not a valid {kind}\.", needed, text)
    for formula, words in RANGES.items():
        text = re.sub(rf"is not in the range {formula}\.", rf"is out of range. Give {words}", text)
    return text


def describe_system_error(error: Exception) -> str:
    """Describe an error of the operating system; empty for any other error, and for one that
    neither names a file nor concerns a disk.
    """
    remedy = REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
    if not isinstance(error, OSError) or remedy is None:
        return ""
    if error.filename is not None:
        return f"{shorten(str(error.filename))}: {error.strerror}; {remedy}"
    # Standard output, or a file that Python no longer knows by its name.
    on_disk = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    return f"the output cannot be written: {error.strerror}; {remedy}" if on_disk else ""


def describe_missing_package(error: Exception) -> str:
    """Describe a package that an installation without all dependencies lacks; empty for any other
    error.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    module = error.name.partition(".")[0]
    if module == "vst":
        return ""
    package = PACKAGES.get(module, module)
    return f"this needs the package {module}, which is not installed. Run `pip install {package}`"


def describe_unexpected(error: Exception) -> str:
    """Describe an error that no module foresees."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"unexpected {type(error).__name__}: {text} (run it again with -v for a traceback)"


def shorten(name: str, most: int = 100) -> str:
    """Quote a name; leave out its middle if it is longer than ``most`` characters."""
    shown = name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 :]}"
    return repr(shown)


def print_error(command: str, text: str) -> None:
    """Print one line on stderr."""
    click.echo(f"{command}: {' '.join(text.split())}", err=True)
