"""Projects: one ZIP file with a form, its score, and the files that they need.

What is opened comes from a stranger: members are read by names that this module chose, their bytes
are counted while they are read, and each file is checked as an upload is.
"""

from __future__ import annotations

import errno
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vst import __version__
from vst.errors import UsageError, VSTError
from vst.schedule.score import StyleSource, format_score
from vst.video.sources import open_source
from vst.web.form import FORM, Form, build_score, pick_form, read_form
from vst.web.numbers import parse_number
from vst.web.previews import keep_style
from vst.web.sessions import MASK, PageStyle, Session, StoredFile, clean_name

FORM_NAME, SCORE_NAME = "project.json", "score.yaml"
MEMBER = re.compile(r"files/\d{1,3}\.[a-z0-9]{1,5}")
"""Names of the files in a project."""
LARGEST_FORM = 1_000_000
"""Bytes of the form in a project."""
LARGEST_DIRECTORY = 100_000
"""Bytes of a project's table of contents, which is read whole."""
LONGEST_TIME = 1e6
"""Latest time of a style's frame, in seconds."""
BLOCK = 1 << 20
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, OverflowError, RecursionError,
)  # fmt: skip
"""What reading a damaged ZIP file, or JSON, can raise; besides, `OSError` with code EINVAL, for a
place before the file's start.
"""


def pack_project(session: Session, sent: Mapping[str, Any]) -> StoredFile:
    """Write the form's project into the session, in place of an earlier one."""
    form = read_form(session, sent)
    files = list_files(session, form)
    names = {file.path.name: f"files/{n}{file.path.suffix}" for n, file in enumerate(files)}
    texts = {
        FORM_NAME: json.dumps(describe(session, form, sent, names), indent=1),
        SCORE_NAME: format_score(build_score(form, files=names)),
    }
    for old in [one for one in list(session.files.values()) if one.role == "project"]:
        session.forget(old.id)
    number = session.new_id()
    path = session.folder / f"project-{number}.zip"
    sizes = [file.path.stat().st_size for file in files] + [len(text) for text in texts.values()]
    session.reserve(path, sum(sizes) + LARGEST_DIRECTORY)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for name, text in texts.items():
                packed.writestr(name, text)
            for file in files:
                packed.write(file.path, names[file.path.name])
        shown = f"{Path(form.content.name).stem}.vst.zip"
        return session.keep_file(StoredFile(number, path, shown, "project"))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        session.release(path)


def list_files(session: Session, form: Form) -> list[StoredFile]:
    """List the uploads that the form needs, the content first."""
    used = {style.source.path for style, _ in form.keys}
    styles = [one for one in list(session.files.values()) if one.path.name in used]
    masks = [one.file for one in form.drawn]
    return [form.content, *(one for one in styles if one.id != form.content.id), *masks]


def describe(
    session: Session, form: Form, sent: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """Describe the form and its files by their names in the project."""
    shown = {names[one.path.name]: one.name for one in list_files(session, form)}
    styles = {
        style.id: {"name": style.name, "file": names[style.source.path], "at": style.source.at}
        for style, _ in form.keys
        if style.source.path in names
    }
    kept = {name: value for name, value in pick_form(sent).items() if name != "content"}
    kept["drawn"] = [{"time": one.time, "file": names[one.file.path.name]} for one in form.drawn]
    content = names[form.content.path.name]
    return {"vst": __version__, "form": kept, "content": content, "styles": styles, "files": shown}


def open_project(session: Session, file: StoredFile) -> dict[str, Any]:
    """Put an uploaded project's files into the session; return its form. Everything or nothing is
    kept; the upload itself is deleted.
    """
    reader = _ProjectReader(session, file)
    try:
        return reader.read()
    except BaseException as error:
        for kept in reader.kept.values():
            session.forget(kept.id)
        is_damage = isinstance(error, DAMAGED) or getattr(error, "errno", None) == errno.EINVAL
        if isinstance(error, VSTError) or not is_damage:
            raise
        raise UsageError(f"{file.name} is damaged, or is not a project of this page") from error
    finally:
        session.forget(file.id)


def check_directory(path: Path) -> None:
    """Refuse a ZIP file with a long table of contents before it is read: each entry takes memory.

    The last 22 bytes of a file without a comment (ZIP specification, section 4.3.16); a table for
    more than 65,535 entries or 4 GB comes before them (section 4.3.15), and is refused.
    """
    with path.open("rb") as opened:
        opened.seek(-min(42, path.stat().st_size), 2)
        end = opened.read()
    if len(end) < 22 or end[-22:-18] != b"PK\x05\x06" or b"PK\x06\x07" in end[:-22]:
        raise zipfile.BadZipFile("no plain end record")
    if struct.unpack("<L", end[-10:-6])[0] > LARGEST_DIRECTORY:
        raise zipfile.BadZipFile("a long table of contents")


class _ProjectReader:
    """Reads one project into a session."""

    def __init__(self, session: Session, file: StoredFile) -> None:
        self.session, self.file = session, file
        self.kept: dict[str, StoredFile] = {}

    def read(self) -> dict[str, Any]:
        check_directory(self.file.path)
        with zipfile.ZipFile(self.file.path) as packed:
            about = self._read_description(packed)
            content = self._keep(packed, about, about.get("content"), "content")
            styles = {
                str(number): self._keep_style(packed, about, one)
                for number, one in self._pick(about, "styles").items()
            }
            drawn = self._pick(about, "form").get("drawn")
            masks = [
                {**row, "file": self._keep(packed, about, row.get("file"), MASK).id}
                for row in (drawn if isinstance(drawn, list) else [])
                if isinstance(row, dict)
            ]
        form = {name: self._pick(about, "form").get(name) for name in FORM}
        form["content"] = content.id
        rows = form.get("keys")
        for row in rows if isinstance(rows, list) else []:
            number = row.get("style") if isinstance(row, dict) else None
            if isinstance(number, str) and number in styles:
                row["style"] = styles[number].id
        form["drawn"] = masks
        read_form(self.session, form)
        form["time"] = parse_number("time", form.get("time") or 0, 0, LONGEST_TIME)
        return {
            "form": form,
            "files": [one.as_dict() for one in self.kept.values()],
            "styles": [one.as_dict() for one in styles.values()],
        }

    def _read_description(self, packed: zipfile.ZipFile) -> dict[str, Any]:
        names = packed.namelist()
        known = [
            name for name in names if name in (FORM_NAME, SCORE_NAME) or MEMBER.fullmatch(name)
        ]
        if FORM_NAME not in names or known != names or len(set(names)) != len(names):
            raise UsageError(f"{self.file.name} is not a project of this page")
        with packed.open(FORM_NAME) as opened:
            text = opened.read(LARGEST_FORM + 1)
        if len(text) > LARGEST_FORM:
            raise UsageError(f"{self.file.name} is not a project of this page")
        about = json.loads(text)
        if not isinstance(about, dict):
            raise UsageError(f"{self.file.name} is not a project of this page")
        if len(self._pick(about, "styles")) > self.session.limits.keyframes:
            raise UsageError(
                f"{self.file.name} has more keyframes than the {self.session.limits.keyframes} "
                "that the page accepts"
            )
        return about

    def _pick(self, about: Mapping[str, Any], name: str) -> dict[str, Any]:
        found = about.get(name)
        if not isinstance(found, dict):
            raise UsageError(f"{self.file.name} is not a project of this page")
        return found

    def _keep(
        self, packed: zipfile.ZipFile, about: Mapping[str, Any], member: object, role: str
    ) -> StoredFile:
        """Copy a member into the session, checked as an upload is; once for all its uses."""
        if not isinstance(member, str) or not MEMBER.fullmatch(member):
            raise UsageError(f"{self.file.name} is not a project of this page")
        if member in self.kept:
            return self.kept[member]
        shown = self._pick(about, "files").get(member)
        stem = Path(clean_name(shown)).stem if isinstance(shown, str) else "file"
        kept = self.session.reserve_file(f"{stem}{Path(member).suffix}", role)
        size = packed.getinfo(member).file_size if member in packed.namelist() else 0
        if size == 0:
            raise UsageError(f"{self.file.name} lacks {kept.name}")
        with self.session.receive(kept, size):
            try:
                with packed.open(member) as source, kept.path.open("wb") as target:
                    while block := source.read(BLOCK):
                        if (size := size - len(block)) < 0:
                            raise zipfile.BadZipFile("a member larger than it says")
                        target.write(block)
            except BaseException:
                kept.path.unlink(missing_ok=True)
                raise
            self.kept[member] = self.session.add(kept)
        return self.kept[member]

    def _keep_style(
        self, packed: zipfile.ZipFile, about: Mapping[str, Any], described: object
    ) -> PageStyle:
        """Put a style of the project into the session, with its thumbnail."""
        if not isinstance(described, dict) or not isinstance(described.get("name"), str):
            raise UsageError(f"{self.file.name} is not a project of this page")
        file = self._keep(packed, about, described.get("file"), "style")
        at = described.get("at")
        time = None if at is None else parse_number("at", at, 0, LONGEST_TIME)
        with open_source(file.path) as source:
            picture = source.at(min(time or 0.0, source.info.duration))
        name = clean_name(described["name"])
        return keep_style(self.session, name, StyleSource(file.path.name, time), picture)
