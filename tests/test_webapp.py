"""The page without a browser: what it sends becomes a `Job`, its files stay in their session, its
jobs can be stopped.
"""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import CommandResult
from vst.core.types import OnProgress, Progress
from vst.errors import MissingFileError, UsageError
from vst.job import Job, check_paths
from vst.plotting import save_picture
from vst.preview import FramePreviewer
from vst.schedule.score import StyleSource, read_score
from vst.web.form import build_download_score, build_job, list_controls, parse_settings, read_form
from vst.web.limits import VisitorLimits
from vst.web.preview_pool import PreviewPool, Replaced
from vst.web.queue import QueuedTask, TaskQueue
from vst.web.sessions import PageStyle, Session, Sessions, StoredFile, clean_name
from vst.web.tasks import create_paint_task, restore_tasks

LIMITS = VisitorLimits(
    upload=1, kept=2, length=2.5, keyframes=4, sessions=3, sessions_each=2, idle=100,
    idle_when_full=50, uploads=2,
)  # fmt: skip


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "state", LIMITS)
    yield found
    found.close()


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.open()


def bring(session: Session, file: Path, role: str) -> Any:
    """Upload a file."""
    kept = session.reserve_file(file.name, role)
    kept.path.write_bytes(file.read_bytes())
    return session.add(kept)


@pytest.fixture
def sent(session: Session, media: Path) -> dict[str, Any]:
    """What the page sends for a clip, a red picture and a built-in style."""
    content, red = (
        bring(session, media / "clip.mp4", "content"),
        bring(session, media / "red.png", "style"),
    )
    session.keep_style(PageStyle("red", "Red wall.png", StyleSource(red.path.name)))
    keys = [{"style": "red", "at": 0.25}, {"style": "@ink-wash", "at": 1}]
    return {"content": content.id, "keys": keys, "settings": {}}


# From the form to a job


def test_a_form_becomes_a_job_with_a_score(session: Session, sent: dict[str, Any]) -> None:
    sent["settings"] = {"strength": 0.5, "ease": "sine", "size": 256, "colors": "content"}
    job = build_job(read_form(session, sent), session.folder)
    check_paths(job)
    score = read_score(str(job.score))
    assert (job.size, job.styles, job.mask) == (256, (), None)
    assert (score.ease, score.colors) == ("sine", "content")
    assert [(str(key.at), dict(key.weights), key.strength) for key in score.keys] == [
        ("25%", {"red-wall": 1.0}, 0.5),
        ("100%", {"ink-wash": 1.0}, 0.5),
    ]


def test_keys_are_played_in_order_of_time(session: Session, sent: dict[str, Any]) -> None:
    sent["keys"] = [{"style": "none", "at": 0.9}, {"style": "red", "at": 0.1}]
    assert [look.id for look, _ in read_form(session, sent).keys] == ["red", "none"]


def test_a_rectangle_becomes_a_mask(session: Session, sent: dict[str, Any]) -> None:
    sent |= {"mask": [0.5, 0.25, 0.9, 0.5], "background": "@zebra"}
    job = build_job(read_form(session, sent), session.folder)
    assert (job.mask, job.mask_background) == ("auto:0.5000,0.2500,0.5000,0.5000", "@zebra")


def test_the_score_to_take_away_has_the_visitors_names(
    session: Session, sent: dict[str, Any]
) -> None:
    score = build_download_score(read_form(session, sent), session)
    assert [source.path for source in score.styles.values()] == ["red.png", "@ink-wash"]


def test_the_pages_controls_are_the_jobs_fields() -> None:
    known = Job.__dataclass_fields__
    found = {about["name"]: about for about in list_controls()}
    assert found["stabilize"]["choices"] == list(known["stabilize"].metadata["choices"])
    for name in set(found) - {"size"}:
        assert found[name]["default"] == known[name].default, name


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "/etc/passwd"},
        {"content": None},
        {"keys": []},
        {"keys": [{"style": "../../etc", "at": 0}]},
        {"keys": [{"style": "@no-such", "at": 0}]},
        {"keys": [{"style": "red", "at": 2}]},
        {"keys": [{"style": "red", "at": float("nan")}]},
        {"keys": [{"style": "red", "at": 0}] * 5},
        {"settings": {"strength": 3}},
        {"settings": {"strength": "1"}},
        {"settings": {"size": 5000}},
        {"settings": {"loop": "yes"}},
        {"settings": {"model": "/tmp/model"}},
        {"settings": {"output": "/tmp/x.mp4"}},
        {"settings": {"stabilize": "flw"}},
        {"mask": [0, 0]},
        {"mask": [0, 0, 2, 1]},
        {"background": "red"},
        {"keys": ["red"]},
        {"settings": ["strength"]},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(
    session: Session, sent: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises((UsageError, MissingFileError)):
        build_job(read_form(session, {**sent, **wrong}), session.folder)


def test_a_setting_is_answered_with_the_near_miss() -> None:
    with pytest.raises(UsageError, match="steady"):
        parse_settings({"stabilize": "stedy"})


# Folders and limits


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


def test_one_visitor_cannot_take_every_session(sessions: Sessions, media: Path) -> None:
    other = sessions.open("10.0.0.2")
    bring(other, media / "clip.mp4", "content")
    for _ in range(40):
        sessions.open("10.0.0.1")
    assert len(sessions.sessions) == 3 and other.token in sessions.sessions
    full = sessions.open("10.0.0.3")
    assert other.token in sessions.sessions and full.token in sessions.sessions


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


# The row of jobs


@pytest.fixture
def jobs() -> Iterator[TaskQueue]:
    found = TaskQueue(at_once=1, waiting=2)
    yield found
    found.close()


def task(session: Session, work: Callable[[OnProgress], dict[str, Any]]) -> QueuedTask:
    number = session.new_id()
    return QueuedTask(number, session, "clip.mp4", session.folder / f"job-{number}", work)


def until(reached: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_jobs_are_done_in_their_order(session: Session, jobs: TaskQueue) -> None:
    done: list[int] = []
    tasks = [
        jobs.add(task(session, lambda on_progress, n=n: done.append(n) or {"n": n})) for n in (1, 2)
    ]
    until(lambda: all(one.state == "done" for one in tasks))
    assert done == [1, 2] and tasks[1].outcome == {"n": 2}


def endless(on_progress: OnProgress) -> dict[str, Any]:
    while True:
        on_progress(Progress("paint", 1, 2, 1.0, {"painting": np.zeros((8, 8, 3), np.uint8)}))
        time.sleep(0.005)


def test_a_running_job_can_be_stopped_and_leaves_nothing(session: Session, jobs: TaskQueue) -> None:
    one = jobs.add(task(session, endless))
    until(lambda: one.progress.get("done") == 1 and one.picture)
    assert one.progress["remaining"] == 1.0
    (one.folder / "half.mp4").write_bytes(b"half")
    jobs.cancel(one)
    until(lambda: one.state == "stopped")
    assert not one.folder.exists()
    after = jobs.add(task(session, lambda on_progress: {}))
    until(lambda: after.state == "done")


def test_a_waiting_job_can_be_stopped_and_the_queue_is_bounded(
    session: Session, jobs: TaskQueue
) -> None:
    first = jobs.add(task(session, endless))
    until(lambda: first.state == "running")
    second, third = (jobs.add(task(session, endless)) for _ in range(2))
    assert jobs.ahead_of(third) == 1
    with pytest.raises(UsageError, match="2 jobs are waiting"):
        jobs.add(task(session, endless))
    jobs.cancel(second)
    assert second.state == "stopped" and not second.folder.exists()
    with pytest.raises(UsageError, match="still running"):
        jobs.remove(third)


def test_a_visitor_fills_only_their_share_of_the_queue(sessions: Sessions) -> None:
    queue = TaskQueue(at_once=0, waiting=4, waiting_each=2)
    greedy = [sessions.open("10.0.0.1"), sessions.open("10.0.0.1")]
    for session in greedy:
        queue.add(task(session, endless))
    with pytest.raises(UsageError, match="2 of your jobs are waiting"):
        queue.add(task(greedy[1], endless))
    queue.add(task(sessions.open("10.0.0.2"), endless))


def test_a_refused_job_leaves_no_folder(session: Session, sent: dict[str, Any]) -> None:
    queue = TaskQueue(at_once=0, waiting=1)
    before = set(session.folder.iterdir())
    with pytest.raises(UsageError, match="rectangle is empty"):
        create_paint_task(session, {**sent, "mask": [0, 0, 0, 0]})
    assert set(session.folder.iterdir()) == before
    queue.add_or_clear(create_paint_task(session, sent))
    before = set(session.folder.iterdir())
    with pytest.raises(UsageError, match="waiting already"):
        queue.add_or_clear(create_paint_task(session, sent))
    assert set(session.folder.iterdir()) == before


def test_results_count_before_they_are_rendered(session: Session, sent: dict[str, Any]) -> None:
    queue = TaskQueue(at_once=0, waiting=9)
    one = create_paint_task(session, sent)
    assert one.size > 0
    one.size = 3_000_000
    with pytest.raises(UsageError, match="larger than 2 MB together"):
        queue.add_or_clear(one)
    assert not one.folder.exists() and not queue.tasks


def test_a_failed_job_says_why_without_a_path(session: Session, jobs: TaskQueue) -> None:
    def work(on_progress: OnProgress) -> dict[str, Any]:
        raise UsageError(f"{session.folder}/painted.mp4 is a wall")

    one = jobs.add(task(session, work))
    until(lambda: one.state == "failed")
    assert one.error == "painted.mp4 is a wall" and not one.folder.exists()


def test_a_job_is_seen_in_its_own_session_only(
    sessions: Sessions, session: Session, jobs: TaskQueue
) -> None:
    one = jobs.add(task(session, lambda on_progress: {}))
    with pytest.raises(MissingFileError):
        jobs.task(sessions.open(), one.id)
    assert jobs.task(session, one.id) is one


def test_a_waiting_session_is_not_removed(session: Session, jobs: TaskQueue) -> None:
    session.used -= 1000
    one = jobs.add(task(session, endless))
    until(lambda: one.progress.get("done") == 1)
    until(lambda: time.monotonic() - session.used < 100)


def test_the_row_ends_with_the_server(session: Session) -> None:
    row = TaskQueue(at_once=2, waiting=2)
    row.add(task(session, endless))
    row.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("vst job")]


# Moments


def test_a_moment_is_painted_as_the_video_would_be(session: Session, sent: dict[str, Any]) -> None:
    sent["settings"] = {"stabilize": "off", "size": 128}
    from dataclasses import replace

    from vst.pipeline.run import run
    from vst.video.sources import open_source

    sent["keys"] = [{"style": "red", "at": 0}]
    job = replace(build_job(read_form(session, sent), session.folder), engine="tint")
    previewer = FramePreviewer()
    moment = previewer.paint(job, 1.0)
    run(job)
    with open_source(job.output) as painted:
        assert np.abs(moment.painting.astype(int) - painted.at(1.0)).mean() < 4
    previewer.close()


def test_frames_resolve_the_styles_once(
    session: Session, sent: dict[str, Any], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from vst import preview

    calls: list[Any] = []
    resolve = preview.resolve_job_styles
    monkeypatch.setattr(
        preview, "resolve_job_styles", lambda *given: calls.append(given) or resolve(*given)
    )
    previewer = FramePreviewer()

    def paint(**settings: Any) -> Any:
        job = build_job(read_form(session, {**sent, "settings": settings}), session.folder)
        return previewer.paint(replace(job, engine="tint"), 0.5).painting

    sent["keys"] = sent["keys"][:1]
    strong, weak = paint(strength=1.0), paint(strength=0.1)
    assert len(calls) == 1 and (strong != weak).any()
    save_picture(media / "green.png", np.full((40, 60, 3), (20, 220, 20), np.uint8))
    green = bring(session, media / "green.png", "style")
    session.styles["green"] = PageStyle("green", "green.png", StyleSource(green.path.name))
    sent["keys"] = [{"style": "green", "at": 0}]
    assert (paint() != strong).any() and len(calls) == 2
    previewer.close()


# The pool of the previews


def test_only_the_newest_preview_of_a_visitor_waits() -> None:
    pool, go, done = PreviewPool(), threading.Event(), []
    running = pool.submit("a", ("a", "frame"), lambda: go.wait(10))
    until(running.running)
    old = [pool.submit("a", ("a", "frame"), lambda n=n: done.append(n)) for n in range(60)]
    other = pool.submit("b", ("b", "frame"), lambda: done.append("b"))
    go.set()
    other.result(10)
    assert [one.exception(10).__class__ for one in old[:-1]] == [Replaced] * 59
    assert old[-1].result(10) is None and sorted(map(str, done)) == ["59", "b"]
    pool.close()


def test_visitors_take_turns_in_the_pool() -> None:
    pool, go, done = PreviewPool(), threading.Event(), []
    running = pool.submit("a", "first", lambda: go.wait(10))
    until(running.running)
    for key in range(5):
        last = pool.submit("a", key, lambda: done.append("a"))
    pool.submit("b", "b", lambda: done.append("b"))
    go.set()
    last.result(10)
    assert done.index("b") == 0
    pool.close()


def test_the_pool_ends_with_the_server() -> None:
    pool = PreviewPool()
    pool.close()
    assert isinstance(pool.submit("a", "a", lambda: 1).exception(1), Replaced)


# The verb


def test_without_gradio_one_line_names_the_extra(
    run: Callable[..., CommandResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "gradio":
            raise ImportError("No module named 'gradio'")
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("app")
    assert done.code == 1 and done.err.count("\n") == 1 and "pip install '.[web]'" in done.err


@pytest.mark.parametrize("words", [["--auth", "ann"], ["--auth", "ann:"], ["--port", "0"]])
def test_wrong_options_are_one_line(run: Callable[..., CommandResult], words: list[str]) -> None:
    done = run("app", *words)
    assert done.code == 2 and done.err.count("\n") == 1
