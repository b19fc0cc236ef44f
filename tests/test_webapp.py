"""The page without a browser: what it sends becomes a `Job`, its files stay in their room, its jobs
can be stopped.
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
from vst.web.form import controls, job_of_form, read_form, score_to_take_away, settings_of
from vst.web.queue import Queue, Task
from vst.web.rooms import Limits, Room, Rooms, Shown, plain_name


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rooms]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = Rooms(Limits(upload=1, kept=2, length=2.5, looks=4, rooms=2, idle=100))
    yield found
    found.close()


@pytest.fixture
def room(rooms: Rooms) -> Room:
    return rooms.open()


def bring(room: Room, file: Path, role: str) -> Any:
    """Upload a file."""
    kept = room.place_for(file.name, role)
    kept.path.write_bytes(file.read_bytes())
    return room.keep(kept)


@pytest.fixture
def sent(room: Room, media: Path) -> dict[str, Any]:
    """What the page sends for a clip, a red picture and a built-in style."""
    content, red = (
        bring(room, media / "clip.mp4", "content"),
        bring(room, media / "red.png", "style"),
    )
    room.looks["red"] = Shown("red", "Red wall.png", StyleSource(red.path.name))
    keys = [{"look": "red", "at": 0.25}, {"look": "@ink-wash", "at": 1}]
    return {"content": content.id, "keys": keys, "settings": {}}


# From the form to a job


def test_a_form_becomes_a_job_with_a_score(room: Room, sent: dict[str, Any]) -> None:
    sent["settings"] = {"strength": 0.5, "ease": "sine", "size": 256, "colours": "content"}
    job = job_of_form(read_form(room, sent), room.folder)
    check_paths(job)
    score = read_score(str(job.score))
    assert (job.size, job.styles, job.mask) == (256, (), None)
    assert (score.ease, score.colours) == ("sine", "content")
    assert [(str(key.at), dict(key.weights), key.strength) for key in score.keys] == [
        ("25%", {"red-wall": 1.0}, 0.5),
        ("100%", {"ink-wash": 1.0}, 0.5),
    ]


def test_keys_are_played_in_order_of_time(room: Room, sent: dict[str, Any]) -> None:
    sent["keys"] = [{"look": "none", "at": 0.9}, {"look": "red", "at": 0.1}]
    assert [look.id for look, _ in read_form(room, sent).keys] == ["red", "none"]


def test_a_rectangle_becomes_a_mask(room: Room, sent: dict[str, Any]) -> None:
    sent |= {"mask": [0.5, 0.25, 0.9, 0.5], "ground": "@zebra"}
    job = job_of_form(read_form(room, sent), room.folder)
    assert (job.mask, job.mask_ground) == ("auto:0.5000,0.2500,0.5000,0.5000", "@zebra")


def test_the_score_to_take_away_has_the_visitors_names(room: Room, sent: dict[str, Any]) -> None:
    score = score_to_take_away(read_form(room, sent), room)
    assert [source.path for source in score.styles.values()] == ["red.png", "@ink-wash"]


def test_the_pages_controls_are_the_jobs_fields() -> None:
    known = Job.__dataclass_fields__
    found = {about["name"]: about for about in controls()}
    assert found["stabilise"]["choices"] == list(known["stabilise"].metadata["choices"])
    for name in set(found) - {"size"}:
        assert found[name]["default"] == known[name].default, name


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "/etc/passwd"},
        {"content": None},
        {"keys": []},
        {"keys": [{"look": "../../etc", "at": 0}]},
        {"keys": [{"look": "@no-such", "at": 0}]},
        {"keys": [{"look": "red", "at": 2}]},
        {"keys": [{"look": "red", "at": float("nan")}]},
        {"keys": [{"look": "red", "at": 0}] * 5},
        {"settings": {"strength": 3}},
        {"settings": {"strength": "1"}},
        {"settings": {"size": 5000}},
        {"settings": {"loop": "yes"}},
        {"settings": {"model": "/tmp/model"}},
        {"settings": {"output": "/tmp/x.mp4"}},
        {"settings": {"stabilise": "flw"}},
        {"mask": [0, 0]},
        {"mask": [0, 0, 2, 1]},
        {"ground": "red"},
        {"keys": ["red"]},
        {"settings": ["strength"]},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(
    room: Room, sent: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises((UsageError, MissingFileError)):
        job_of_form(read_form(room, {**sent, **wrong}), room.folder)


def test_a_setting_is_answered_with_the_near_miss() -> None:
    with pytest.raises(UsageError, match="flow"):
        settings_of({"stabilise": "flw"})


# Folders and limits


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.mp4", "..\\..\\x.mp4", "/etc/x.mp4", "C:\\x.mp4", "a\n/x.mp4"]
)
def test_a_visitors_name_is_never_a_path(room: Room, name: str) -> None:
    kept = room.place_for(name, "content")
    assert kept.path.parent == room.folder and kept.name == "x.mp4"


def test_names_are_short_and_printable() -> None:
    assert plain_name("a\x00\x1b[1mb.mp4") == "a[1mb.mp4"
    assert len(plain_name("x" * 500 + ".mp4")) == 80
    assert plain_name("/") == "file"


@pytest.mark.parametrize(
    ("name", "role"), [("a.exe", "content"), ("a.png", "content"), ("a.mp4", "x")]
)
def test_files_of_other_kinds_are_refused(room: Room, name: str, role: str) -> None:
    with pytest.raises(UsageError):
        room.place_for(name, role)


def test_a_file_that_cannot_be_read_is_removed(room: Room) -> None:
    kept = room.place_for("broken.mp4", "content")
    kept.path.write_bytes(b"no film" * 100)
    with pytest.raises(OSError) as error:
        room.keep(kept)
    assert not kept.path.exists() and not room.files
    assert "'broken.mp4'" in str(error.value) and str(room.folder) not in str(error.value)


def test_a_content_that_is_too_long_is_refused(room: Room, media: Path) -> None:
    bring(room, media / "clip.mp4", "content")
    with pytest.raises(UsageError, match=r"film.mp4 is 3 s long; the page takes 2.5 s"):
        bring(room, media / "film.mp4", "content")
    bring(room, media / "film.mp4", "style")


def test_only_so_much_is_kept(room: Room) -> None:
    (room.folder / "much").write_bytes(bytes(1_700_000))
    assert room.bytes_left() == 300_000


def test_only_so_many_visitors_and_they_go(rooms: Rooms) -> None:
    first, second = rooms.open(), rooms.open()
    with pytest.raises(UsageError, match="2 visitors"):
        rooms.open()
    first.used -= 1000
    assert rooms.open().token != second.token
    assert not first.folder.exists() and second.folder.exists()


def test_empty_rooms_make_way_for_others(rooms: Rooms, media: Path) -> None:
    busy, empty = rooms.open(), rooms.open()
    bring(busy, media / "clip.mp4", "content")
    busy.used -= 90
    empty.used -= 90
    rooms.open()
    assert busy.folder.exists() and not empty.folder.exists()


def test_everything_goes_at_the_end(rooms: Rooms, room: Room, media: Path) -> None:
    bring(room, media / "clip.mp4", "content")
    rooms.close()
    assert not rooms.folder.exists()


def test_a_wrong_token_opens_nothing(rooms: Rooms, room: Room) -> None:
    for token in ("", None, 3, "../x", room.token[:-1]):
        with pytest.raises(MissingFileError):
            rooms.room(token)


# The row of jobs


@pytest.fixture
def jobs() -> Iterator[Queue]:
    found = Queue(at_once=1, waiting=2)
    yield found
    found.close()


def task(room: Room, work: Callable[[OnProgress], dict[str, Any]]) -> Task:
    number = room.new_id()
    return Task(number, room, "clip.mp4", room.folder / f"job-{number}", work)


def until(reached: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_jobs_are_done_in_their_order(room: Room, jobs: Queue) -> None:
    done: list[int] = []
    tasks = [jobs.add(task(room, lambda heard, n=n: done.append(n) or {"n": n})) for n in (1, 2)]
    until(lambda: all(one.state == "done" for one in tasks))
    assert done == [1, 2] and tasks[1].outcome == {"n": 2}


def endless(heard: OnProgress) -> dict[str, Any]:
    while True:
        heard(Progress("paint", 1, 2, 1.0, {"painting": np.zeros((8, 8, 3), np.uint8)}))
        time.sleep(0.005)


def test_a_running_job_can_be_stopped_and_leaves_nothing(room: Room, jobs: Queue) -> None:
    one = jobs.add(task(room, endless))
    until(lambda: one.progress.get("done") == 1 and one.picture)
    assert one.progress["remaining"] == 1.0
    (one.folder / "half.mp4").write_bytes(b"half")
    jobs.cancel(one)
    until(lambda: one.state == "stopped")
    assert not one.folder.exists()
    after = jobs.add(task(room, lambda heard: {}))
    until(lambda: after.state == "done")


def test_a_waiting_job_can_be_stopped_and_the_row_has_an_end(room: Room, jobs: Queue) -> None:
    first = jobs.add(task(room, endless))
    until(lambda: first.state == "running")
    second, third = (jobs.add(task(room, endless)) for _ in range(2))
    assert jobs.ahead_of(third) == 1
    with pytest.raises(UsageError, match="2 jobs are waiting"):
        jobs.add(task(room, endless))
    jobs.cancel(second)
    assert second.state == "stopped" and not second.folder.exists()
    with pytest.raises(UsageError, match="not over"):
        jobs.remove(third)


def test_a_failed_job_says_why_without_a_path(room: Room, jobs: Queue) -> None:
    def work(heard: OnProgress) -> dict[str, Any]:
        raise UsageError(f"{room.folder}/painted.mp4 is a wall")

    one = jobs.add(task(room, work))
    until(lambda: one.state == "failed")
    assert one.error == "painted.mp4 is a wall" and not one.folder.exists()


def test_a_job_is_seen_in_its_own_room_only(rooms: Rooms, room: Room, jobs: Queue) -> None:
    one = jobs.add(task(room, lambda heard: {}))
    with pytest.raises(MissingFileError):
        jobs.task(rooms.open(), one.id)
    assert jobs.task(room, one.id) is one


def test_who_waits_is_not_gone(room: Room, jobs: Queue) -> None:
    room.used -= 1000
    one = jobs.add(task(room, endless))
    until(lambda: one.progress.get("done") == 1)
    until(lambda: time.monotonic() - room.used < 100)


def test_the_row_ends_with_the_server(room: Room) -> None:
    row = Queue(at_once=2, waiting=2)
    row.add(task(room, endless))
    row.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("vst job")]


# Moments


def test_a_moment_is_painted_as_the_video_would_be(room: Room, sent: dict[str, Any]) -> None:
    sent["settings"] = {"stabilise": "off", "size": 128}
    from dataclasses import replace

    from vst.pipeline.run import run
    from vst.video.sources import open_source

    sent["keys"] = [{"look": "red", "at": 0}]
    job = replace(job_of_form(read_form(room, sent), room.folder), engine="tint")
    moments = FramePreviewer()
    moment = moments.paint(job, 1.0)
    run(job)
    with open_source(job.output) as painted:
        assert np.abs(moment.painting.astype(int) - painted.at(1.0)).mean() < 4
    moments.close()


def test_moments_take_the_looks_once(
    room: Room, sent: dict[str, Any], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from vst import preview

    taken: list[Any] = []
    cast = preview.cast
    monkeypatch.setattr(preview, "cast", lambda *given: taken.append(given) or cast(*given))
    moments = FramePreviewer()

    def paint(**settings: Any) -> Any:
        job = job_of_form(read_form(room, {**sent, "settings": settings}), room.folder)
        return moments.paint(replace(job, engine="tint"), 0.5).painting

    sent["keys"] = sent["keys"][:1]
    strong, weak = paint(strength=1.0), paint(strength=0.1)
    assert len(taken) == 1 and (strong != weak).any()
    save_picture(media / "green.png", np.full((40, 60, 3), (20, 220, 20), np.uint8))
    green = bring(room, media / "green.png", "style")
    room.looks["green"] = Shown("green", "green.png", StyleSource(green.path.name))
    sent["keys"] = [{"look": "green", "at": 0}]
    assert (paint() != strong).any() and len(taken) == 2
    moments.close()


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
