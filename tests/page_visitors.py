"""A visitor of the page without a browser: a session, uploads, and the form that the page sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vst.schedule.score import StyleSource
from vst.web.limits import VisitorLimits
from vst.web.sessions import PageStyle, Session, Sessions

LIMITS = VisitorLimits(
    upload=1, kept=2, length=2.5, keyframes=4, sessions=3, sessions_each=2, idle=100,
    idle_when_full=50, uploads=2,
)  # fmt: skip


@pytest.fixture(name="sessions")
def sessions_fixture(tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "state", LIMITS)
    yield found
    found.close()


@pytest.fixture(name="session")
def session_fixture(sessions: Sessions) -> Session:
    return sessions.open()


def bring(session: Session, file: Path, role: str) -> Any:
    """Store a file as an upload does."""
    kept = session.reserve_file(file.name, role)
    kept.path.write_bytes(file.read_bytes())
    return session.add(kept)


@pytest.fixture(name="sent")
def sent_fixture(session: Session, media: Path) -> dict[str, Any]:
    """What the page sends for a clip, a red picture and a built-in style."""
    content, red = (
        bring(session, media / "clip.mp4", "content"),
        bring(session, media / "red.png", "style"),
    )
    session.keep_style(PageStyle("red", "Red wall.png", StyleSource(red.path.name)))
    keys = [{"style": "red", "at": 0.25}, {"style": "@ink-wash", "at": 1}]
    return {"content": content.id, "keys": keys, "settings": {}}


def until(reached: Callable[[], object]) -> None:
    """Wait until it is reached; at most ten seconds."""
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)
