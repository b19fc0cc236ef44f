"""What the page sends becomes a `Job`; the options of `vst app`."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import CommandResult
from tests.page_visitors import (
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
)
from vst.errors import MissingFileError, UsageError
from vst.job import Job
from vst.pipeline.checks import check_paths
from vst.schedule.score import read_score
from vst.web.form import build_download_score, build_job, list_controls, parse_settings, read_form
from vst.web.sessions import Session
from vst.web.words import drop_options


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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a.mp4 has 9 frames; raise --max-frames", "a.mp4 has 9 frames"),
        ("size 9: relative to --size. Give less", "size 9. Give less"),
        ("a.mp4 is damaged; see vst doctor for more", "a.mp4 is damaged"),
        ("a.mp4 cannot be read: Invalid data found when processing input", "a.mp4 cannot be read"),
        ("a.mp4 is 9 s long; cut it", "a.mp4 is 9 s long; cut it"),
    ],
)
def test_messages_name_no_option_of_the_command_line(said: str, shown: str) -> None:
    assert drop_options(said) == shown


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
    assert done.code == 2 and done.err.count("\n") == 1 and "'.[web]'" in done.err


@pytest.mark.parametrize("words", [["--auth", "ann"], ["--auth", "ann:"], ["--port", "0"]])
def test_wrong_options_are_one_line(run: Callable[..., CommandResult], words: list[str]) -> None:
    done = run("app", *words)
    assert done.code == 2 and done.err.count("\n") == 1
