"""A project is saved and opened as one file; what a stranger sends as one is refused whole."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.page_visitors import (
    bring,
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
)
from vst.errors import UsageError, VSTError
from vst.schedule.score import StyleSource, parse_score
from vst.web.form import read_form
from vst.web.project import FORM_NAME, open_project, pack_project
from vst.web.sessions import PageStyle, Session, Sessions, StoredFile


@pytest.fixture
def project(session: Session, sent: dict[str, Any], media: Path) -> bytes:
    """A project with a clip, a frame of a film, a picture and a built-in style."""
    film = bring(session, media / "film.mp4", "style")
    session.keep_style(PageStyle("f", "film 2", StyleSource(film.path.name, 1.5), "", 1.5))
    sent["keys"].append({"style": "f", "at": 0.5})
    sent |= {"trim": [0.2, 0.8], "settings": {"strength": 0.5}, "mask": [0, 0, 0.5, 1], "time": 0.3}
    return pack_project(session, sent).path.read_bytes()


def receive(session: Session, body: bytes, name: str = "mine.vst.zip") -> StoredFile:
    kept = session.reserve_file(name, "project")
    kept.path.write_bytes(body)
    return session.add(kept)


def rewrite(body: bytes, **members: bytes | None) -> bytes:
    """The project with other members: a name with its bytes, None to leave it out."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            if name not in members:
                new.writestr(name, old.read(name))
        for name, data in members.items():
            if data is not None:
                new.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def describe(body: bytes, **changed: Any) -> bytes:
    """The project with another description."""
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        about = json.loads(packed.read(FORM_NAME))
    return rewrite(body, **{FORM_NAME: json.dumps({**about, **changed}).encode()})


def test_an_opened_project_is_the_form_that_was_saved(
    sessions: Sessions, project: bytes, sent: dict[str, Any]
) -> None:
    other = sessions.open("10.0.0.9")
    found = open_project(other, receive(other, project))
    form = read_form(other, found["form"])
    assert [(style.name, at) for style, at in form.keys] == [
        ("Red wall.png", 0.25), ("film 2", 0.5), ("ink-wash", 1.0),
    ]  # fmt: skip
    assert (form.trim, form.settings, form.mask) == ((0.2, 0.8), {"strength": 0.5}, (0, 0, 0.5, 1))
    assert form.content.name == "clip.mp4" and found["form"]["time"] == 0.3
    assert {one.name for one in other.files.values() if one.role != "thumbnail"} == {
        "clip.mp4", "film.mp4", "red.png",
    }  # fmt: skip


def test_the_score_in_a_project_names_the_files_beside_it(project: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(project)) as packed:
        score = parse_score(packed.read("score.yaml").decode())
        paths = {source.path for source in score.styles.values() if source.path[0] != "@"}
        assert len(paths) == 2 and paths <= set(packed.namelist())


def test_a_saved_project_takes_the_place_of_the_one_before(
    session: Session, sent: dict[str, Any]
) -> None:
    first, second = pack_project(session, sent), pack_project(session, sent)
    assert not first.path.exists() and second.path.exists() and first.id not in session.files


def test_a_project_larger_than_what_is_left_is_not_written(
    session: Session, sent: dict[str, Any]
) -> None:
    (session.folder / "much").write_bytes(bytes(1_900_000))
    with pytest.raises(UsageError, match="larger than 2 MB together"):
        pack_project(session, sent)
    assert not list(session.folder.glob("project-*"))


def make_bomb(size: int) -> bytes:
    """A member that unpacks to ``size`` bytes but says that it has ten."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("files/0.mp4", bytes(size))
    body = packed.getvalue()
    return body.replace(struct.pack("<L", size), struct.pack("<L", 10))


TRAVERSALS = ("../x.mp4", "/etc/x.mp4", "files/../../x.mp4", "files/a/b.mp4", "C:\\x.mp4", "x")


@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_member_with_another_name_is_refused(
    session: Session, project: bytes, name: str, tmp_path: Path
) -> None:
    refuse(session, rewrite(project, **{name: b"x"}), tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"content": "../../etc/passwd"}, {"content": None}, {"content": ["files/0.mp4"]},
        {"content": "files/9.mp4"}, {"styles": []}, {"files": 3}, {"form": None},
        {"styles": {"f": {"name": 3, "file": "files/0.mp4"}}},
        {"styles": {"f": {"name": "x", "file": "files/1.mp4", "at": -1}}},
        {"styles": {"f": {"name": "x", "file": "files/1.mp4", "at": "1"}}},
        {"styles": {str(n): {"name": "x", "file": "files/1.mp4"} for n in range(5)}},
        {"form": {"keys": [{"style": ["f"], "at": 0}]}}, {"form": {"keys": "f"}},
        {"form": {"keys": [{"style": "@zebra", "at": 0}], "trim": [0, 1e9]}},
        {"form": {"keys": [{"style": "@zebra", "at": 0}], "settings": {"output": "/tmp/x"}}},
        {"form": {"keys": [{"style": "@zebra", "at": 0}], "time": "now"}},
    ],
    ids=lambda changed: str(changed)[:60],
)  # fmt: skip
def test_a_description_of_another_kind_is_refused(
    session: Session, project: bytes, changed: dict[str, Any], tmp_path: Path
) -> None:
    refuse(session, describe(project, **changed), tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"PK", b"no zip at all" * 99, b"PK\x05\x06" + bytes(18),
        b"PK\x05\x06" + bytes(8) + struct.pack("<L", 1 << 30) + bytes(6),
        b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18),
    ],
    ids=["empty", "two", "text", "no members", "long table", "zip64"],
)  # fmt: skip
def test_what_is_not_a_project_is_refused(session: Session, body: bytes, tmp_path: Path) -> None:
    refuse(session, body, tmp_path)


def test_members_that_are_larger_than_they_say_are_refused(
    session: Session, project: bytes, tmp_path: Path
) -> None:
    bomb = make_bomb(50_000_000)
    refuse(session, bomb, tmp_path)
    with zipfile.ZipFile(io.BytesIO(project)) as packed:
        about = packed.read(FORM_NAME)
    with zipfile.ZipFile(inside := io.BytesIO(bomb), "a") as packed:
        packed.writestr(FORM_NAME, about)
    refuse(session, inside.getvalue(), tmp_path)


@pytest.mark.parametrize("text", [b"{", b"[]", b"[" * 99_999, b"\xff", b" " * 1_000_001, b"NaN"])
def test_a_description_that_is_not_json_is_refused(
    session: Session, project: bytes, text: bytes, tmp_path: Path
) -> None:
    refuse(session, rewrite(project, **{FORM_NAME: text}), tmp_path)


def test_a_member_that_is_no_video_is_refused(
    session: Session, project: bytes, tmp_path: Path
) -> None:
    refuse(session, rewrite(project, **{"files/0.mp4": b"#EXTM3U\n/etc/passwd\n" * 9}), tmp_path)


def test_a_project_with_a_broken_byte_leaves_nothing(
    session: Session, project: bytes, tmp_path: Path
) -> None:
    for at in range(60, len(project), len(project) // 25):
        body = project[:at] + bytes([project[at] ^ 0x5A]) + project[at + 1 :]
        before = set(session.files)
        try:
            open_project(session, receive(session, body))
        except VSTError:
            assert set(session.files) == before, at
        else:
            for number in set(session.files) - before:
                session.forget(number)


def refuse(session: Session, body: bytes, tmp_path: Path) -> None:
    """The body is refused in one line without a path; it leaves no file and no style."""
    files, styles = set(session.files), set(session.styles)
    before = {path.name for path in session.folder.iterdir()}
    with pytest.raises(VSTError) as error:
        open_project(session, receive(session, body))
    assert "\n" not in str(error.value) and str(session.folder) not in str(error.value)
    assert set(session.files) == files and set(session.styles) == styles
    assert {path.name for path in session.folder.iterdir()} == before
    assert not list(tmp_path.glob("*.mp4"))
