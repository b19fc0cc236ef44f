"""Draw docs/pictures/web-*.jpg: the page of `vst app` in Chromium, each tab, and on a phone.

python tools/draw_web_page.py [FOLDER [paint | mask | results]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import Browser, app  # noqa: E402
from vst.plotting import save_picture  # noqa: E402
from vst.samples import write_clip, write_content, write_style_film  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402

QUALITY = 84
RENDERED_SIZE = 3
"""Stop of the slider of details at which the job is rendered."""
RENDERING = 900.0
"""Seconds that rendering the sample may take."""


def save_screenshot(browser: Browser, folder: Path, name: str, *, whole: bool = False) -> None:
    """Save a screenshot as JPEG: every clone downloads the pictures of the documents."""
    shot = browser.shot(browser.folder / "shot.png", whole=whole)
    picture = cv2.cvtColor(cv2.imread(str(shot)), cv2.COLOR_BGR2RGB)
    target = save_picture(folder / f"web-{name}.jpg", picture, QUALITY)
    print(f"{target}: {picture.shape[1]}x{picture.shape[0]}, {target.stat().st_size} bytes")


def fill_paint_tab(browser: Browser, temporary: Path) -> None:
    """Add a content, a style video and a built-in style, and wait for the preview."""
    browser.upload("#content-file", temporary / "lake.mp4")
    browser.wait_for("#content-chosen b")
    before = browser.painted()
    browser.upload("#style-file", temporary / "film.mp4")
    browser.wait_for(".key", 4)
    browser.click('[data-style="@ink-wash"]')
    browser.set("#moment", 0.9)
    browser.wait_preview(before)
    browser.wait_for("#curves .curve", 6)
    browser.wait(lambda: browser.text("#marks-said"), "cuts and beats")
    browser.wait(lambda: "About" in browser.text("#expected"), "the expected time")
    browser.js("document.querySelector('#gallery').scrollTop = 0; scrollTo(0, 0)")


def wait_until_settled(browser: Browser) -> None:
    """Wait until the page has painted and loaded everything."""
    browser.wait(lambda: not browser.still_painting(), "the preview")
    time.sleep(2)


def draw_paint(browser: Browser, folder: Path, temporary: Path) -> None:
    """Draw the Paint tab: empty, filled, dark, trimmed with a selected keyframe, playing."""
    loaded = (
        "return [...document.querySelectorAll('.recipes img')].every((i) => i.naturalWidth > 9)"
    )
    browser.wait(lambda: browser.js(loaded), "the pictures of the recipes")
    wait_until_settled(browser)
    save_screenshot(browser, folder, "empty")
    fill_paint_tab(browser, temporary)
    wait_until_settled(browser)
    save_screenshot(browser, folder, "paint")
    browser.click("#theme")
    wait_until_settled(browser)
    save_screenshot(browser, folder, "paint-dark")
    browser.click("#theme")
    browser.js("document.querySelector('.key:nth-child(3)').focus()")
    plotted = "return document.getElementById('timeline').dataset.plotted"
    before = browser.js(plotted)
    browser.js("document.getElementById('trim-end').focus()")
    browser.press("PageDown")
    browser.wait(lambda: browser.js(plotted) != before, "the curves of what is left")
    browser.wait(lambda: "Measuring" in browser.text("#expected"), "a new estimate")
    browser.js("document.activeElement.blur(); scrollTo(0, 0)")
    browser.js("document.querySelector('.stage-side').scrollTop = 0")
    browser.wait(lambda: "About" in browser.text("#expected"), "the expected time")
    wait_until_settled(browser)
    browser.resize(1440, 1130)
    save_screenshot(browser, folder, "timeline")
    browser.resize(1440, 1060)
    before = browser.js(plotted)
    browser.click("#untrim")
    browser.wait(lambda: browser.js(plotted) != before, "the curves of all of it")
    browser.click("#play-clip")
    played = "return Number(document.getElementById('stage').dataset.played ?? 0)"
    browser.wait(lambda: browser.js(played) > 8, "some of the transition")
    browser.js("scrollTo(0, 0)")
    save_screenshot(browser, folder, "playing")
    browser.click("#play-clip")


def draw_helpers(browser: Browser, folder: Path, temporary: Path) -> None:
    """Draw what helps and what goes wrong: the mask's rectangle, a drop, files that are refused."""
    browser.click("#mask summary")
    browser.click("#mask-draw")
    browser.drag("#frame-before", 115, 120, at=(-232, -8))
    wait_until_settled(browser)
    save_screenshot(browser, folder, "mask")
    browser.click("#mask-clear")
    browser.click("#mask summary")
    browser.js("scrollTo(0, 0)")
    browser.resize(1024, 640)
    browser.drop("#stage", temporary / "film.mp4", end="")
    save_screenshot(browser, folder, "drop")
    browser.drop("#stage", temporary / "film.mp4", end="dragCancel")
    (temporary / "holiday.jpg").write_bytes(b"a picture that was not sent whole")
    browser.upload("#style-file", temporary / "holiday.jpg", temporary / "notes.txt")
    browser.wait_for("#style-said .wrong", 2)
    wait_until_settled(browser)
    save_screenshot(browser, folder, "errors")
    browser.resize(1440, 1060)


def draw_jobs(browser: Browser, folder: Path) -> None:
    """Draw a job that runs, its result, and the result wiped over another one."""
    browser.click("#render")
    browser.resize(1440, 430)
    browser.wait(lambda: "to go" in browser.text("[data-rest]"), "the remaining time", RENDERING)
    save_screenshot(browser, folder, "rendering")
    browser.disconnect()
    browser.wait(lambda: browser.is_visible("#lost"), "the banner")
    save_screenshot(browser, folder, "lost")
    browser.disconnect(False)
    browser.wait_for(".task video", seconds=RENDERING)
    browser.resize(1440, 860)
    browser.set(".play input", 500)
    browser.js("document.getElementById('notice').hidden = true")
    time.sleep(1)
    save_screenshot(browser, folder, "jobs")
    browser.click("[value=wipe]")
    time.sleep(1)
    browser.js("scrollTo(0, 0)")
    save_screenshot(browser, folder, "wipe")


def draw_evaluate(browser: Browser, folder: Path) -> None:
    """Draw a measurement."""
    browser.click("[data-measure]")
    browser.resize(1440, 1200)
    browser.wait_for(".report svg", seconds=RENDERING)
    browser.js("document.getElementById('notice').hidden = true")
    time.sleep(1)
    browser.js("scrollTo(0, 0)")
    save_screenshot(browser, folder, "evaluate")


def draw_phone(browser: Browser, folder: Path) -> None:
    """Draw the page on a phone: the top of the Paint tab, its timeline, and a result."""
    browser.resize(390, 844)
    browser.click("#tab-paint")
    wait_until_settled(browser)
    browser.js("scrollTo(0, 0)")
    time.sleep(1)
    save_screenshot(browser, folder, "phone")
    browser.js("document.querySelector('.curves').scrollIntoView({block: 'center'})")
    time.sleep(1)
    save_screenshot(browser, folder, "phone-timeline")
    browser.click("#tab-jobs")
    time.sleep(1)
    save_screenshot(browser, folder, "phone-jobs")


def draw_paint_tab(browser: Browser, folder: Path, temporary: Path) -> None:
    """Draw everything on the Paint tab of a wide window."""
    draw_paint(browser, folder, temporary)
    draw_helpers(browser, folder, temporary)


def draw_results(browser: Browser, folder: Path, temporary: Path) -> None:
    """Draw a job, its measurements, and the page on a phone."""
    fill_paint_tab(browser, temporary)
    browser.set("#set-size", RENDERED_SIZE)
    draw_jobs(browser, folder)
    draw_evaluate(browser, folder)
    draw_phone(browser, folder)


def choose_tool(browser: Browser, name: str) -> None:
    """Choose how the mask is drawn: add, erase or box."""
    browser.js(f"document.querySelector('[name=mask-tool][value={name}]').click()")


def draw_mask(browser: Browser, folder: Path, temporary: Path) -> None:
    """Draw a mask that was drawn at two frames of a walking figure, at one between them, and on a
    phone.
    """
    clip = FigureClip(640, 360, 40, 4.8, 1.2)
    pictures = (clip.layers(index).picture for index in range(clip.count))
    write_clip(temporary / "walk.mp4", pictures, clip.width, clip.height, 25, None)
    browser.upload("#content-file", temporary / "walk.mp4")
    browser.wait_for("#content-chosen b")
    browser.click('[data-style="@fire-impasto"]')
    browser.click("#mask summary")
    browser.click("#mask-brush")
    browser.set("#mask-size", 14)
    for count, moment in enumerate((0.2, 1.2), 1):
        browser.set("#moment", moment)
        wait_until_settled(browser)
        box, shown = browser.box("#mask-canvas"), clip.layers(round(25 * moment)).alpha
        rows, columns = np.nonzero(shown > 127)
        left, wide = columns.min() / clip.width - 0.52, np.ptp(columns) / clip.width + 0.04
        top, high = rows.min() / clip.height - 0.52, np.ptp(rows) / clip.height + 0.03
        choose_tool(browser, "box")
        browser.drag("#mask-canvas", wide * box["width"], high * box["height"],
                     at=(left * box["width"], top * box["height"]))  # fmt: skip
        browser.wait_for("#mask-marks button", count)
        wait_until_settled(browser)
        choose_tool(browser, "add")  # the box has missed the head
        head = columns[rows < rows.min() + 30].mean() / clip.width - 0.5
        browser.drag("#mask-canvas", 1, at=(head * box["width"], (top + 0.09) * box["height"]))
        wait_until_settled(browser)
    browser.set("#moment", 0.72)
    browser.wait(lambda: "Followed" in browser.text("#mask-said"), "the mask between")
    browser.js("scrollTo(0, 0)")
    wait_until_settled(browser)
    save_screenshot(browser, folder, "mask-drawn")
    browser.resize(390, 844)
    browser.show("#mask-tools", "end")
    wait_until_settled(browser)
    save_screenshot(browser, folder, "phone-mask")


PARTS = {"paint": draw_paint_tab, "mask": draw_mask, "results": draw_results}


def main(folder: Path, parts: list[str]) -> None:
    """Draw the parts that are named, or all, each as a new visitor sees the page."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        write_content(temporary / "lake.mp4", duration=3.0)
        write_style_film(temporary / "film.mp4", seconds=1.0)
        (temporary / "notes.txt").write_text("not a picture", encoding="utf-8")
        with app(temporary) as address:
            browser = Browser(temporary)
            try:
                for part in parts or PARTS:
                    browser.forget(address)
                    browser.open(address, width=1440, height=1060)
                    browser.js("localStorage.setItem('vst-theme', 'light')")
                    PARTS[part](browser, folder, temporary)
            finally:
                browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures", sys.argv[2:])
