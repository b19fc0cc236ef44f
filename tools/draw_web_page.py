"""Draw docs/pictures/web-*.jpg: the page of `vst app` as Chromium shows it, each tab and a phone.

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
"""Seconds that the sample may take."""


def keep(browser: Browser, folder: Path, name: str, *, whole: bool = False) -> None:
    """A screenshot as JPEG: pictures in the documents travel with every clone."""
    shot = browser.shot(browser.folder / "shot.png", whole=whole)
    picture = cv2.cvtColor(cv2.imread(str(shot)), cv2.COLOR_BGR2RGB)
    target = save_picture(folder / f"web-{name}.jpg", picture, QUALITY)
    print(f"{target}: {picture.shape[1]}x{picture.shape[0]}, {target.stat().st_size} bytes")


def paint_tab(browser: Browser, temporary: Path) -> None:
    """A content, keyframes of a film and a built-in style, and the preview of a moment."""
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


def settled(browser: Browser) -> None:
    """Wait until nothing on the page is being painted or loaded."""
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
                settled(browser)
                browser.js("localStorage.setItem('vst-theme', 'light')")
                keep(browser, folder, "empty")
                browser.resize(1440, 1340)
                paint_tab(browser, temporary)
                keep(browser, folder, "paint")
                browser.click("#theme")
                settled(browser)
                keep(browser, folder, "paint-dark")
                browser.click("#theme")
                settled(browser)
                browser.click("#render")
                browser.resize(1440, 430)
                browser.wait(lambda: browser.all("img[data-frame]"), "a painted frame", RENDERING)
                time.sleep(2)
                keep(browser, folder, "rendering")
                browser.wait(lambda: browser.all(".task video"), "the painted video", RENDERING)
                browser.resize(1440, 760)
                browser.set(".play input", 500)
                time.sleep(4)
                keep(browser, folder, "jobs")
                browser.click("[data-measure]")
                browser.resize(1440, 2050)
                browser.wait(lambda: browser.all(".report svg"), "the report", RENDERING)
                time.sleep(1)
                browser.js("scrollTo(0, 0)")
                keep(browser, folder, "evaluate")
                browser.resize(390, 844)
                browser.click("#tab-paint")
                settled(browser)
                narrow = "return document.getElementById('curves').naturalWidth < 390"
                browser.wait(lambda: browser.js(narrow), "curves as wide as the phone")
                keep(browser, folder, "phone", whole=True)
            finally:
                browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
