"""Previews show the frame that the video will have, and visitors take turns."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.page_visitors import (
    bring,
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
    until,
)
from vst.plotting import save_picture
from vst.preview import FramePreviewer
from vst.schedule.score import StyleSource
from vst.web.form import build_job, read_form
from vst.web.preview_pool import PreviewPool, Replaced
from vst.web.sessions import PageStyle, Session


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
