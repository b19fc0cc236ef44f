"""Masks that a visitor draws on frames: in a real Chromium, and what the server makes of them.
Screenshots stay in `out/page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.browser import Browser
from tests.clips import encode
from tests.page_server import SHOTS, bring, find_overflow, form, needs_browser, state_of
from tests.page_visitors import (
    sent_fixture,  # noqa: F401
    session_fixture,  # noqa: F401
    sessions_fixture,  # noqa: F401
)
from vst.errors import UsageError, VSTError
from vst.plotting import save_picture
from vst.samples.figure import FigureClip
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source
from vst.web.drawn import DrawnMasks, cut_sent_box
from vst.web.form import build_job, pick_form, read_form
from vst.web.project import open_project, pack_project
from vst.web.sessions import Session, Sessions

CLIP = FigureClip(width=320, height=180, count=20, pace=3.0)


@pytest.fixture(scope="session")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A figure that walks to the right."""
    file = tmp_path_factory.mktemp("walker") / "walker.mp4"
    return encode(file, [CLIP.layers(index).picture for index in range(CLIP.count)], rate=20)


def draw_mask(session: Session, alpha: np.ndarray) -> str:
    """Upload a mask as the page does; its id."""
    file = session.reserve_file("mask at 0.000 s.png", "mask")
    save_picture(file.path, np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), np.uint8))
    return session.add(file).id


@pytest.fixture
def drawn(session: Session, sent: dict[str, Any]) -> dict[str, Any]:
    """A form with masks drawn on two frames of the clip."""
    about = session.file(sent["content"]).about
    left = np.zeros((int(about["height"]), int(about["width"])), np.uint8)
    left[:, : left.shape[1] // 2] = 255
    rows = [
        {"time": 0.401, "file": draw_mask(session, 255 - left), "more": 1},
        {"time": 0.001, "file": draw_mask(session, left)},
    ]
    return {**sent, "drawn": rows, "background": "@zebra"}


def test_drawn_masks_become_the_job_s_mask(session: Session, drawn: dict[str, Any]) -> None:
    job = build_job(read_form(session, drawn), session.folder)
    assert job.mask == f"drawn:{session.folder / 'drawn'}" and job.mask_background == "@zebra"
    names = sorted(path.name for path in (session.folder / "drawn").iterdir())
    assert names == ["0000.001000.png", "0000.401000.png"]
    assert pick_form(drawn)["drawn"][1] == drawn["drawn"][1]
    assert "more" not in pick_form(drawn)["drawn"][0]


def test_the_mask_of_a_drawn_frame_is_what_was_drawn(
    session: Session, drawn: dict[str, Any]
) -> None:
    masks = DrawnMasks()
    alpha = masks.find(session, {**drawn, "time": 0.0})
    assert alpha is not None and (alpha[:, 0] == 255).all() and (alpha[:, -1] == 0).all()
    assert masks.find(session, {**drawn, "drawn": [], "time": 0.0}) is None


@pytest.mark.parametrize(
    "wrong",
    ["x", [3], [{"time": 0}], [{"file": "../x", "time": 0}], [{"time": 0, "file": ["x"]}]],
)
def test_a_wrong_drawn_mask_is_refused(
    session: Session, sent: dict[str, Any], wrong: object
) -> None:
    with pytest.raises(VSTError):
        read_form(session, {**sent, "drawn": wrong})


def test_a_content_is_not_a_mask_and_a_frame_has_one(
    session: Session, drawn: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="was not drawn as a mask"):
        read_form(session, {**drawn, "drawn": [{"time": 0, "file": drawn["content"]}]})
    with pytest.raises(UsageError, match="same time"):
        read_form(session, {**drawn, "drawn": [drawn["drawn"][0]] * 2})
    with pytest.raises(UsageError, match="there is no box"):
        cut_sent_box(session, {**drawn, "time": 0}, None)


def test_a_project_takes_drawn_masks_along(
    sessions: Sessions, session: Session, drawn: dict[str, Any]
) -> None:
    packed = pack_project(session, drawn).path.read_bytes()
    other = sessions.open("10.0.0.9")
    kept = other.reserve_file("mine.vst.zip", "project")
    kept.path.write_bytes(packed)
    found = read_form(other, open_project(other, other.add(kept))["form"])
    assert [one.time for one in found.drawn] == [0.001, 0.401]
    before = [one.file.path.read_bytes() for one in read_form(session, drawn).drawn]
    assert [one.file.path.read_bytes() for one in found.drawn] == before


def said(page: Browser, text: str) -> None:
    page.wait(lambda: text in page.text("#mask-said"), text)


def count_drawn(page: Browser) -> int:
    return len(form(page)["drawn"])


def share_of_mask(page: Browser) -> float:
    """The share of the canvas that is not darkened."""
    return float(
        page.js(
            "const c = document.getElementById('mask-canvas');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] < 60;"
            "return n * 4 / d.length"
        )
    )


@needs_browser
@pytest.mark.slow
def test_a_mask_is_drawn_followed_corrected_and_rendered(page: Browser, walker: Path) -> None:
    bring(page, walker, "@fire-impasto")
    page.wait_preview(0)
    page.set("#moment", 0)
    page.click("#mask summary")
    page.click("#mask-brush")
    said(page, "Paint over the foreground")
    page.js("document.querySelector('[name=mask-tool][value=box]').click()")
    box = page.box("#mask-canvas")
    left, wide = 0.2 * box["width"], 0.3 * box["width"]
    page.drag("#mask-canvas", wide, 0.92 * box["height"],
              at=(left - box["width"] / 2, -0.46 * box["height"]))  # fmt: skip
    page.wait(lambda: count_drawn(page) == 1, "what is in the box")
    said(page, "Drawn at this frame. 1 frame is drawn.")
    assert 0.05 < share_of_mask(page) < 0.3
    page.shot(SHOTS / "mask-box.png")

    page.set("#moment", 0.6)
    said(page, "Followed to this frame")
    followed = share_of_mask(page)
    assert 0.05 < followed < 0.3
    page.shot(SHOTS / "mask-followed.png")
    page.js("document.querySelector('[name=mask-tool][value=add]').click()")
    page.drag("#mask-canvas", 60, 0, at=(0.2 * box["width"], -0.4 * box["height"]))
    page.wait(lambda: count_drawn(page) == 2, "a correction")
    assert share_of_mask(page) > followed
    assert page.count("#mask-marks button") == 2
    page.js("document.querySelector('[name=mask-tool][value=erase]').click()")
    page.drag("#mask-canvas", 60, 0, at=(0.2 * box["width"], -0.4 * box["height"]))
    said(page, "2 frames are drawn")
    page.shot(SHOTS / "mask-corrected.png")
    page.click("#mask-before")
    said(page, "Followed to this frame")

    before = page.painted()
    page.click("#mask-done")
    page.wait_preview(before)
    page.shot(SHOTS / "mask-painted.png")
    page.click("#render")
    page.wait(lambda: state_of(page) == "done", "the painting")
    kept = page.download("[data-get=video]")
    assert '"mask": "drawn:drawn"' in (read_job(kept) or "")
    with open_source(kept) as painted, open_source(walker) as content:
        away = cv2.absdiff(painted.at(0.0), content.at(0.0)).mean(axis=2)
    inside = CLIP.layers(0).alpha > 127
    assert away[inside].mean() > 3 * away[:, 220:].mean()


@needs_browser
@pytest.mark.slow
def test_a_mask_is_drawn_by_keys_undone_and_forgotten(page: Browser, walker: Path) -> None:
    bring(page, walker)
    page.click("#mask summary")
    page.click("#mask-brush")
    said(page, "Paint over the foreground")
    page.press("Enter", "ArrowRight", "ArrowRight", "Enter")
    page.wait(lambda: count_drawn(page) == 1, "a stroke")
    one = share_of_mask(page)
    page.press("]", "ArrowDown", "Enter", "Shift+ArrowDown", "Enter")
    page.wait(lambda: share_of_mask(page) > one, "another stroke")
    said(page, "Drawn at this frame")
    page.wait(lambda: page.is_enabled("#mask-undo"), "undo")
    page.click("#mask-undo")
    page.wait(lambda: abs(share_of_mask(page) - one) < 0.02, "the first stroke alone")
    page.click("#mask-drop")
    page.wait(lambda: count_drawn(page) == 0, "nothing drawn")
    page.click("#mask-empty")
    page.wait(lambda: count_drawn(page) == 1, "an empty mask")
    page.js("document.getElementById('mask-canvas').focus()")
    page.press(".")
    said(page, "Followed to this frame")
    page.press("Escape")
    assert not page.is_visible("#mask-tools") and not page.is_visible("#mask-canvas")


@needs_browser
@pytest.mark.slow
def test_the_tools_of_a_mask_fit_on_a_phone(page: Browser, walker: Path) -> None:
    bring(page, walker)
    page.click("#mask summary")
    page.resize(390, 844)
    page.click("#mask-brush")
    said(page, "Paint over the foreground")
    assert find_overflow(page) == []
    page.drag("#mask-canvas", 20, 20)
    page.wait(lambda: count_drawn(page) == 1, "a stroke")
    page.shot(SHOTS / "mask-phone.png")
    page.resize(1440, 1000)
