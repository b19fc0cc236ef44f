"""Draw docs/pictures/web-*.jpg: the page of `vst app` in Chromium, each tab, and on a phone.

python tools/draw_web_page.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import Browser, app  # noqa: E402
from vst.plotting import save_picture  # noqa: E402
from vst.samples import write_content, write_style_film  # noqa: E402

QUALITY = 84
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
    browser.wait(lambda: browser.all("#content-chosen b"), "the content")
    before = browser.painted()
    browser.upload("#style-file", temporary / "film.mp4")
    browser.wait(lambda: len(browser.all(".key")) >= 4, "keyframes")
    browser.click('[data-style="@ink-wash"]')
    browser.set("#moment", 0.6)
    browser.wait_preview(before)
    browser.wait(lambda: browser.one("#curves").get_attribute("src"), "curves")
    browser.js("document.querySelector('#gallery').scrollTop = 0; scrollTo(0, 0)")
    time.sleep(3)


def wait_until_settled(browser: Browser) -> None:
    """Wait until the page has painted and loaded everything."""
    browser.wait(lambda: not browser.still_painting(), "the preview")
    time.sleep(2)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        write_content(temporary / "lake.mp4", duration=2.0)
        write_style_film(temporary / "film.mp4", seconds=1.0)
        with app(temporary) as address:
            browser = Browser(temporary)
            try:
                browser.open(address, width=1440, height=1060)
                wait_until_settled(browser)
                browser.js("localStorage.setItem('vst-theme', 'light')")
                save_screenshot(browser, folder, "empty")
                browser.resize(1440, 1340)
                fill_paint_tab(browser, temporary)
                save_screenshot(browser, folder, "paint")
                browser.click("#theme")
                wait_until_settled(browser)
                save_screenshot(browser, folder, "paint-dark")
                browser.click("#theme")
                wait_until_settled(browser)
                browser.click("#render")
                browser.resize(1440, 430)
                browser.wait(lambda: browser.all("img[data-frame]"), "a painted frame", RENDERING)
                time.sleep(2)
                save_screenshot(browser, folder, "rendering")
                browser.wait(lambda: browser.all(".task video"), "the painted video", RENDERING)
                browser.resize(1440, 760)
                browser.set(".play input", 500)
                time.sleep(4)
                save_screenshot(browser, folder, "jobs")
                browser.click("[data-measure]")
                browser.resize(1440, 2050)
                browser.wait(lambda: browser.all(".report svg"), "the report", RENDERING)
                time.sleep(1)
                browser.js("scrollTo(0, 0)")
                save_screenshot(browser, folder, "evaluate")
                browser.resize(390, 844)
                browser.click("#tab-paint")
                wait_until_settled(browser)
                narrow = "return document.getElementById('curves').naturalWidth < 390"
                browser.wait(lambda: browser.js(narrow), "curves as wide as the phone")
                save_screenshot(browser, folder, "phone", whole=True)
            finally:
                browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
