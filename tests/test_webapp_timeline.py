"""The timeline of the page in a real Chromium: keyframes, curves, trim, cuts and beats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser
from tests.page_server import SHOTS, bring, form, key_times, names, needs_browser, state_of
from vst.samples import write_content

pytestmark = needs_browser
LAST = 0.9
"""Seconds of the last frame of short.mp4."""


def lanes_width(page: Browser) -> float:
    return float(page.js("return document.getElementById('lanes').clientWidth"))


def plotted(page: Browser) -> int:
    return int(page.js("return Number(document.getElementById('timeline').dataset.plotted || 0)"))


def test_keyframes_of_a_film_are_selected_retimed_swapped_and_removed(
    page: Browser, clips: Path
) -> None:
    bring(page, clips / "short.mp4")
    page.set("#keyframes", 3)
    page.set("#picker", "scene")  # the other pickers pass over plain colors
    page.upload("#style-file", clips / "film.mp4", clips / "red.png")
    page.wait_for(".key img", 4)
    assert names(page) == ["film 1", "film 2", "film 3", "red"]
    page.wait_for("#curves .curve", 4)

    page.click(".key:nth-child(2)")  # a click selects it, and its time can be typed
    assert (page.text("#key-name"), page.text("#key-of")) == ("film 2", "1.40 s of film.mp4")
    page.press("0", ".", "1", "Enter")
    assert key_times(page)[1] == pytest.approx(0.1 / LAST, abs=0.01)
    page.click("#key-drop")
    assert names(page) == ["film 1", "film 3", "red"]
    page.click(".key:nth-child(3)")
    page.click("#key-earlier")
    assert names(page) == ["film 1", "red", "film 3"]
    page.set("#key-style", "@zebra")
    assert names(page) == ["film 1", "zebra", "film 3"]
    page.click("#spread")
    assert key_times(page) == [0, 0.5, 1]
    page.click("#clear")
    assert names(page) == [] and page.is_visible("#keys-empty")
    page.click("#undo")
    assert names(page) == ["film 1", "zebra", "film 3"]


@pytest.mark.parametrize(
    ("width", "height"),
    [(1440, 1000), pytest.param(1024, 800, marks=pytest.mark.slow), (390, 844)],
)
def test_a_picture_is_dragged_along_the_curves(
    page: Browser, clips: Path, width: int, height: int
) -> None:
    page.resize(width, height)
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra", "@fire-impasto")
    page.wait_preview(0)
    shown = page.js(
        "const k = document.querySelector('.key:nth-child(2)').getBoundingClientRect(),"
        "c = document.querySelector('#curves').getBoundingClientRect();"
        "return [k.bottom <= c.top + 1, k.left + k.width / 2 - c.left - c.width / 2]"
    )
    assert shown[0] and abs(shown[1]) < 3, "the picture is above its peak in the middle"
    before = page.painted()
    page.drag(".key:nth-child(2)", 0.25 * lanes_width(page), 3)
    assert key_times(page)[1] == pytest.approx(0.75, abs=0.06)
    page.wait_preview(before)  # the stage follows
    page.drag(".key:nth-child(1)", 0.9 * lanes_width(page))  # past the one in the middle
    assert names(page)[:2] == ["zebra", "ink-wash"]
    assert page.js("return document.documentElement.scrollWidth") <= width
    page.shot(SHOTS / f"timeline-{width}.png")


def test_a_double_click_adds_a_keyframe_and_undo_takes_it_away(page: Browser, clips: Path) -> None:
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra")
    page.wait_preview(0)
    page.double_click("#curves", 0.3)
    assert names(page) == ["ink-wash", "ink-wash", "zebra"]
    assert key_times(page)[1] == pytest.approx(0.3, abs=0.02)
    assert page.js("return document.activeElement.id") == "key-style"
    page.press("Control+z")
    assert names(page) == ["ink-wash", "zebra"]
    page.click("#redo")
    assert len(names(page)) == 3
    page.set("#moment", 0.6)
    page.click("#add-key")
    assert key_times(page)[2] == pytest.approx(0.6 / LAST, abs=0.02)


def test_the_timeline_is_operated_with_the_keyboard(page: Browser, clips: Path) -> None:
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra", "@fire-impasto")
    page.js("document.querySelector('.key:nth-child(1)').focus()")
    page.press("ArrowRight", "ArrowRight")  # a frame each
    assert key_times(page)[0] == pytest.approx(0.2 / LAST)
    page.press("Alt+ArrowRight")
    assert names(page) == ["zebra", "ink-wash", "fire-impasto"]
    page.press("End")
    assert key_times(page)[-1] == 1
    page.press("Delete")
    assert len(names(page)) == 2
    assert "key" in page.js("return document.activeElement.className")
    page.js("document.getElementById('moment').focus()")
    time = form(page)["time"]
    page.press("ArrowRight")
    assert form(page)["time"] > time
    page.js("document.getElementById('trim-start').focus()")
    page.press("ArrowRight", "ArrowRight")
    page.press("Tab", "ArrowLeft")
    assert form(page)["trim"] == pytest.approx([0.2, 0.9])


@pytest.mark.slow
def test_a_trimmed_video_is_painted_in_part(page: Browser, clips: Path) -> None:
    bring(page, clips / "short.mp4", "@ink-wash", "@zebra")
    page.wait_preview(0)
    count = plotted(page)
    page.drag("#trim-start", 0.34 * lanes_width(page))
    page.drag("#trim-end", -0.22 * lanes_width(page))
    assert form(page)["trim"] == pytest.approx([0.3, 0.8], abs=0.08)
    assert "Painted from 0." in page.text("#trimmed")
    page.wait(lambda: plotted(page) > count, "curves of the part")
    page.wait(lambda: "5 frames" in page.text("#go-summary"), "the number of frames")
    page.shot(SHOTS / "trim.png")
    page.click("#render")
    page.wait(lambda: state_of(page) == "done", "the painting")
    assert "5 frames" in page.text(".task")
    page.click("#tab-paint")
    page.click("#untrim")
    assert form(page)["trim"] is None


def ticks(page: Browser, css: str) -> list[str]:
    drawn: Any = page.js("return document.querySelector(arguments[0]).getAttribute('d')", css)
    return [one for one in (drawn or "").split("M") if one]


def test_cuts_and_beats_are_ticks_at_which_a_drag_stops(
    page: Browser, clips: Path, tmp_path: Path
) -> None:
    bring(page, clips / "film.mp4", "@ink-wash", "@zebra", "@fire-impasto")
    page.wait(lambda: len(ticks(page, "#cuts")) == 2, "a tick for each cut")
    assert "2 cuts found" in page.text("#marks-said")
    page.wait_preview(0)
    wide = lanes_width(page)
    page.drag(".key:nth-child(2)", (1 / 2.9 - 0.5) * wide + 4)
    assert key_times(page)[1] == pytest.approx(1 / 2.9, abs=1e-3)
    page.click("#content-chosen button")
    write_content(tmp_path / "loud.mp4", width=160, height=90, duration=3.0)
    page.upload("#content-file", tmp_path / "loud.mp4")
    page.wait(lambda: len(ticks(page, "#beats")) >= 2, "a tick for each beat")
    assert "beats found" in page.text("#marks-said")
