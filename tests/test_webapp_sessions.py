"""A visitor's files stay in their session, within its limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.page_visitors import (
    LIMITS,
    bring,
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
    until,
)
from vst.errors import MissingFileError, UsageError
from vst.schedule.score import StyleSource
from vst.web.form import list_controls, read_form
from vst.web.limits import VisitorLimits
from vst.web.previews import keep_style
from vst.web.queue import TaskQueue
from vst.web.server import adapt_limits
from vst.web.sessions import PageStyle, Session, Sessions, StoredFile, clean_name
from vst.web.tasks import create_paint_task, restore_tasks


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.mp4", "..\\..\\x.mp4", "/etc/x.mp4", "C:\\x.mp4", "a\n/x.mp4"]
)
def test_a_visitors_name_is_never_a_path(session: Session, name: str) -> None:
    kept = session.reserve_file(name, "content")
    assert kept.path.parent == session.folder and kept.name == "x.mp4"


def test_names_are_short_and_printable() -> None:
    assert clean_name("a\x00\x1b[1mb.mp4") == "a[1mb.mp4"
    assert len(clean_name("x" * 500 + ".mp4")) == 80
    assert clean_name("/") == "file"


@pytest.mark.parametrize(
    ("name", "role"), [("a.exe", "content"), ("a.png", "content"), ("a.mp4", "x")]
)
def test_files_of_other_kinds_are_refused(session: Session, name: str, role: str) -> None:
    with pytest.raises(UsageError):
        session.reserve_file(name, role)


def test_a_file_that_cannot_be_read_is_removed(session: Session) -> None:
    kept = session.reserve_file("broken.mp4", "content")
    kept.path.write_bytes(b"no film" * 100)
    with pytest.raises(OSError) as error:
        session.add(kept)
    assert not kept.path.exists() and not session.files
    assert "'broken.mp4'" in str(error.value) and str(session.folder) not in str(error.value)


def test_a_content_that_is_too_long_is_refused(session: Session, media: Path) -> None:
    bring(session, media / "clip.mp4", "content")
    with pytest.raises(UsageError, match=r"film.mp4 is 3 s long; the page accepts 2.5 s"):
        bring(session, media / "film.mp4", "content")
    bring(session, media / "film.mp4", "style")


def test_files_and_reservations_count_together(session: Session) -> None:
    (session.folder / "much").write_bytes(bytes(1_200_000))
    session.reserve(session.folder / "job-1", 300_000)
    assert session.bytes_used() == 1_500_000
    with pytest.raises(UsageError, match="0 MB are left, 1 MB are needed"):
        session.reserve(session.folder / "job-2", 600_000)
    session.release(session.folder / "job-1")
    session.reserve(session.folder / "job-2", 600_000)


def test_uploads_at_once_cannot_pass_the_quota_together(session: Session) -> None:
    files = [session.reserve_file(f"{n}.mp4", "content") for n in range(3)]
    with session.receive(files[0], 900_000), session.receive(files[1], 900_000):
        with pytest.raises(UsageError, match="2 uploads are running"), session.receive(files[2], 1):
            pass
    for file in files:
        file.path.write_bytes(bytes(600_000))
    with pytest.raises(UsageError, match="together"):
        with session.receive(session.reserve_file("4.mp4", "content"), 900_000):
            pass


def test_a_removed_style_takes_its_thumbnail_along(session: Session, media: Path) -> None:
    red = bring(session, media / "red.png", "style")
    thumbnail = session.folder / "style-thumb.jpg"
    thumbnail.write_bytes(b"x")
    session.keep_file(StoredFile("t", thumbnail, "t.jpg", "thumbnail"))
    session.keep_style(PageStyle("s", "red", StyleSource(red.path.name), "t"))
    session.forget(red.id)
    assert not session.files and not session.styles and not list(session.folder.iterdir())


def test_pictures_of_styles_count_as_files_do(session: Session) -> None:
    (session.folder / "much").write_bytes(bytes(1_999_900))
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    with pytest.raises(UsageError, match="larger than 2 MB together"):
        keep_style(session, "red", StyleSource("red.png"), picture)
    assert not session.styles and len(list(session.folder.iterdir())) == 1


def test_one_visitor_cannot_take_every_session(sessions: Sessions, media: Path) -> None:
    other = sessions.open("10.0.0.2")
    bring(other, media / "clip.mp4", "content")
    for _ in range(40):
        sessions.open("10.0.0.1")
    assert len(sessions.sessions) == 3 and other.token in sessions.sessions
    full = sessions.open("10.0.0.3")
    assert other.token in sessions.sessions and full.token in sessions.sessions


def test_a_visitor_with_too_many_sessions_is_told_so(sessions: Sessions, media: Path) -> None:
    for _ in range(2):
        bring(sessions.open("10.0.0.1"), media / "clip.mp4", "content")
    with pytest.raises(UsageError, match="2 sessions of your address have files already"):
        sessions.open("10.0.0.1")


def test_a_page_for_this_machine_alone_gives_its_visitor_every_session() -> None:
    limits = VisitorLimits(sessions=8, sessions_each=2, waiting=5, waiting_each=1)
    alone = adapt_limits(limits, "127.0.0.1")
    assert (alone.sessions_each, alone.waiting_each) == (8, 5)
    assert adapt_limits(limits, "0.0.0.0") == replace(limits, endpoints=False)


def test_sessions_with_files_stay_until_they_are_idle(sessions: Sessions, media: Path) -> None:
    kept = [sessions.open(f"10.0.0.{n}") for n in range(3)]
    for session in kept:
        bring(session, media / "clip.mp4", "content")
    with pytest.raises(UsageError, match="3 visitors"):
        sessions.open("10.0.0.9")
    kept[1].used -= 60
    sessions.open("10.0.0.9")
    assert [session.folder.exists() for session in kept] == [True, False, True]


def test_idle_sessions_are_removed_by_the_clock(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "state", VisitorLimits(idle=0.2))
    session = sessions.open()
    until(lambda: not session.folder.exists())
    assert not sessions.sessions and not sessions.store.read("session")
    sessions.close()


def test_a_second_server_needs_another_folder(sessions: Sessions) -> None:
    with pytest.raises(UsageError, match="used by another server"):
        Sessions(sessions.folder, LIMITS)


def end_abruptly(sessions: Sessions) -> Sessions:
    """Open the state folder as the server after a killed one does."""
    sessions._closing.set()
    sessions.store.close()
    return Sessions(sessions.folder, LIMITS)


def test_the_next_server_finds_files_styles_and_jobs_again(
    sessions: Sessions, session: Session, sent: dict[str, Any]
) -> None:
    half = session.folder / "content-half.mp4"
    half.write_bytes(b"half an upload")
    lost = sessions.folder / "lost"
    lost.mkdir()
    queue = TaskQueue(at_once=0, waiting=5)
    made = queue.add(create_paint_task(session, sent))
    later = end_abruptly(sessions)
    again = later.find(session.token)
    assert {n: f.name for n, f in again.files.items()} == {
        n: f.name for n, f in session.files.items()
    }
    assert again.styles == {"red": session.styles["red"]} and again.folder == session.folder
    assert not half.exists() and not lost.exists()
    queue = TaskQueue(at_once=0, waiting=5)
    assert restore_tasks(later, queue) == 1
    assert queue.task(again, made.id).state == "waiting"
    assert read_form(again, queue.task(again, made.id).sent).keys
    later.close()


def test_everything_goes_at_the_end(sessions: Sessions, session: Session, media: Path) -> None:
    bring(session, media / "clip.mp4", "content")
    sessions.close()
    assert not sessions.folder.exists()


def test_a_wrong_token_opens_nothing(sessions: Sessions, session: Session) -> None:
    for token in ("", None, 3, "../x", session.token[:-1]):
        with pytest.raises(MissingFileError):
            sessions.find(token)


def test_the_controls_can_be_sent_as_json() -> None:
    sent = json.loads(json.dumps(list_controls()))
    assert {"size", "quality"} <= {control["name"] for control in sent}
