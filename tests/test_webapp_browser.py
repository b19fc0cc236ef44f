"""The page of `vst app` in a real Chromium, as a person uses it. Screenshots stay in `out/page`."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.conftest import make_clip
from tests.page_server import (
    SHOTS,
    WIDTHS,
    bring,
    check_every_width,
    form,
    names,
    needs_browser,
    state_of,
)
from vst.schedule.score import parse_score
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source

pytestmark = needs_browser


def test_preview_render_play_measure_and_take_away(page: Browser, clips: Path) -> None:
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra")
    page.wait_preview(0)
    page.wait_for("#curves path")
    page.shot(SHOTS / "paint.png")
    page.click("#render")
    page.wait(lambda: state_of(page) == "done", "the painting")
    assert page.js("return document.querySelectorAll('.players video').length") == 2
    page.wait(lambda: page.js(
        "return [...document.querySelectorAll('.players video')].every(v => v.readyState > 1)"
    ), "both players")  # fmt: skip
    page.set(".play input", 500)
    page.wait(lambda: page.js(
        "return [...document.querySelectorAll('.players video')]"
        ".every(v => Math.abs(v.currentTime - 0.5) < 0.1)"
    ), "both players at one place")  # fmt: skip
    page.shot(SHOTS / "jobs.png")

    kept = page.download("[data-get=video]")
    with open_source(kept) as source:
        assert sum(1 for _ in source.frames()) == 10
    record = json.loads(read_job(kept) or "")
    assert (record["content"], record["score"]) == ("short.mp4", "short-score.yaml")
    score = parse_score(page.download("[data-get=score]").read_text(encoding="utf-8"))
    assert [dict(key.weights) for key in score.keys] == [{"ink-wash": 1.0}, {"zebra": 1.0}]

    page.click("[data-measure]")
    page.wait_for(".report svg")
    assert "warp" in page.text(".report table")
    assert "<html" in page.download("[data-get=report]").read_text(encoding="utf-8")
    page.shot(SHOTS / "evaluate.png", whole=True)


@pytest.mark.slow
def test_how_soon_a_moment_is_seen(page: Browser, clips: Path, tmp_path: Path) -> None:
    """Printed, not judged: a machine that tests is a loaded one."""
    content = tmp_path / "square.mp4"
    make_clip(content, frames=24, size=(512, 512))
    bring(page, content)
    page.set("#set-size", 4)
    time.sleep(1)  # a person looks for a style
    for what, act in [
        ("the first one", lambda: page.click('[data-style="@ink-wash"]')),
        ("another style", lambda: page.click('[data-style="@zebra"]')),
        ("another moment", lambda: page.set("#moment", 1.1)),
        ("strength moved", lambda: page.set("#set-strength", 0.6)),
        ("hold moved", lambda: page.set("#set-hold", 0.5)),
        ("strength moved again", lambda: page.set("#set-strength", 0.9)),
    ]:
        before, began = page.painted(), time.perf_counter()
        act()
        server = page.wait_preview(before)
        seen = time.perf_counter() - began
        print(f"preview at 512x512, {what}: seen after {seen:.2f} s, {server:.2f} s on the server")
        assert server < 60


def test_a_rectangle_is_drawn_on_the_frame(page: Browser, clips: Path) -> None:
    bring(page, clips / "short.mp4", "@fire-impasto")
    page.wait_preview(0)
    page.click("#mask summary")
    page.click("#mask-draw")
    page.press("Escape")
    assert page.js("return document.getElementById('mask-draw').ariaPressed") == "false"
    page.click("#mask-draw")
    top, bottom = page.box("#stage")["y"], page.box("#stage")["y"] + page.box("#stage")["height"]
    assert 0 <= top < bottom <= 1000, "the stage is in view"
    before = page.painted()
    page.drag("#frame-before", 120, 90, at=(-90, -60))
    left, top, width, height = form(page)["mask"]
    assert 0 < left < left + width < 1 and 0 < top < top + height < 1
    page.wait_preview(before)
    page.shot(SHOTS / "mask.png")


@pytest.mark.slow
def test_a_job_outlives_a_reload_and_is_cancelled(page: Browser, address: str, clips: Path) -> None:
    bring(page, clips / "long.mp4", "@ink-wash", "@zebra")
    page.wait_preview(0)
    page.click("#render")
    page.wait_for("img[data-frame]")  # the frame that is being painted
    check_every_width(page, "rendering", "img[data-frame]")
    keys = form(page)["keys"]

    page.reload()
    page.wait(lambda: state_of(page) == "running", "the job after a reload")
    assert form(page)["keys"] == keys and page.text("#content-chosen b") == "long.mp4"
    page.wait(lambda: "to go" in page.text("[data-rest]"), "the time that is left")

    page.click("[data-cancel]")
    page.wait(lambda: state_of(page) == "stopped", "the end of the job")
    assert page.count(".task video, [data-get]") == 0
    page.click("[data-remove]")
    page.wait(lambda: page.is_visible("#jobs-empty"), "an empty list")


def test_a_bad_file_is_said_in_one_line(page: Browser, clips: Path) -> None:
    page.upload("#content-file", clips / "broken.mp4")
    told = page.wait(lambda: page.text("#content-said"), "a word beside the control")
    assert "broken.mp4" in told and "/tmp" not in told
    assert page.is_visible("#drop-content") and not page.is_enabled("#render")


def test_on_a_phone_nothing_sticks_out(page: Browser, address: str, clips: Path) -> None:
    page.open(address, width=390, height=844)
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra", "@fire-impasto")
    page.wait_preview(0)
    for tab in ("paint", "jobs", "evaluate"):
        page.click(f"#tab-{tab}")
        assert page.js("return document.documentElement.scrollWidth") <= 390, tab
        page.shot(SHOTS / f"phone-{tab}.png", whole=True)
        page.resize(390, 844)
    small = page.js(
        "return [...document.querySelectorAll('#paint button, #paint select')]"
        ".filter(e => e.offsetHeight && e.offsetHeight < 24).map(e => e.outerHTML)"
    )
    assert small == []


def test_the_divider_stays_on_the_picture_when_the_window_changes(
    page: Browser, clips: Path
) -> None:
    bring(page, clips / "short.mp4", "@zebra")
    page.wait_preview(0)
    page.set("#wipe", 25)
    for width, height in (*WIDTHS, WIDTHS[0]):
        page.resize(width, height)
        line, box = page.box("#divider"), page.box("#frame-before")
        wide = box["height"] * 128 / 96  # of the picture in its box
        assert line["x"] + 1 - box["x"] - box["width"] / 2 == pytest.approx(-0.25 * wide, abs=2)


def test_files_are_dropped_anywhere_on_the_page(page: Browser, clips: Path) -> None:
    page.click("#tab-jobs")
    page.drop("#jobs-empty", clips / "red.png", end="")
    assert page.is_visible("#drop-page")
    page.drop("#jobs-empty", clips / "red.png", end="dragCancel")
    page.click("#tab-jobs")
    assert not page.is_visible("#drop-page")
    page.drop("#jobs-empty", clips / "short.mp4", clips / "red.png", clips / "broken.mp4")
    page.wait(lambda: names(page) == ["red"], "the style")
    assert page.text("#content-chosen b") == "short.mp4" and page.is_visible("#paint")
    page.wait(lambda: "broken.mp4" in page.text("#style-said .wrong"), "the broken one by name")


def test_a_removed_file_leaves_the_server_when_undo_is_over(
    page: Browser, address: str, clips: Path
) -> None:
    bring(page, clips / "short.mp4")
    page.upload("#style-file", clips / "red.png")
    page.wait(lambda: page.texts("#tray-list .name") == ["short.mp4", "red.png"], "both files")
    assert [one.split(", ")[0] for one in page.texts("#tray-list small")] == ["video", "style"]
    kept = page.js("return document.querySelector('#content-chosen img').src")
    page.click("#tray-list li:first-child button")
    assert page.texts("#tray-list .name") == ["red.png"] and page.is_visible("#drop-content")
    page.click("#notice .inline")
    assert page.text("#content-chosen b") == "short.mp4"
    assert urllib.request.urlopen(kept).status == 200
    page.click("#tray-list li:first-child button")
    page.click("#tray-list li:first-child button")  # another one settles the first

    def is_gone() -> bool:
        try:
            return urllib.request.urlopen(kept).status != 200
        except urllib.error.HTTPError as error:
            return error.code == 404

    page.wait(is_gone, "the file to leave the server")


@pytest.mark.slow
def test_a_recipe_plays_the_transition_with_one_click(page: Browser) -> None:
    page.click('[data-recipe="Ink to stained glass"]')
    played = "return Number(document.getElementById('stage').dataset.played ?? -1)"
    page.wait(lambda: page.js(played) > 0, "the transition")
    assert names(page) == ["ink-wash", "stained-glass"]
    first = page.box("#playhead")["x"]
    page.wait(lambda: page.box("#playhead")["x"] != first, "a playhead that moves")
    page.wait(lambda: page.text("#expected").startswith("About"), "the expected time")
    expected = r"About [\d.:]+ (s|min) to render, about [\d.]+ [kM]B, 480\s×\s270 pixels\."
    assert re.fullmatch(expected, page.text("#expected"))
    check_every_width(page, "playing", "#clip-frame")
    page.click("#loop-clip")
    page.wait(lambda: "▶" in page.text("#play-clip"), "its end, without repeat")


def test_with_the_keyboard_alone(page: Browser, clips: Path) -> None:
    def tab_to(css: str) -> None:
        for _ in range(120):
            page.press("Tab")
            if page.js("return document.activeElement.matches(arguments[0])", css):
                return
        pytest.fail(f"the keyboard does not reach {css}")

    tab_to("#content-file")  # a file can only be chosen by the system's own window
    page.upload("#content-file", clips / "short.mp4")
    page.wait(lambda: page.text("#content-chosen b") == "short.mp4", "the content")
    tab_to('[data-style="@blue-swirls"]')
    page.press("Enter")
    page.press("ArrowRight", "Enter")  # the gallery is one stop of the Tab key
    assert len(form(page)["keys"]) == 2
    stops = page.js("return [...document.querySelectorAll('#gallery *')].map(e => e.tabIndex)")
    assert stops.count(0) == 1 and page.count("#gallery button") > 40
    tab_to("#set-strength")
    page.press("ArrowLeft", "ArrowLeft")
    assert form(page)["settings"]["strength"] == pytest.approx(0.9)
    tab_to("#render")
    page.press("Enter")
    page.wait(lambda: state_of(page) in ("waiting", "running", "done"), "a job")
    page.js("document.getElementById('tab-jobs').focus()")
    page.press("ArrowRight")
    assert page.js("return document.activeElement.id") == "tab-evaluate"
    assert page.is_visible("#evaluate")


def test_the_server_gives_nothing_but_the_page(page: Browser, address: str, clips: Path) -> None:
    bring(page, clips / "short.mp4")
    token = json.loads(page.js("return localStorage.getItem('vst')"))["token"]
    for path in (
        "gradio_api/file=/etc/passwd", "gradio_api/upload", "theme.css", "page/..%2f..%2fserver.py",
        f"media/{token}/..%2f..%2fserver.log", f"media/{token}/nothing", "media/x/1",
    ):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{address}/{path}")
        assert error.value.code in (403, 404), path
    foreign = urllib.request.Request(f"{address}/", headers={"Origin": "http://evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(foreign)
