"""One server and one Chromium for all browser tests of a process, as both take seconds to start;
and what the tests do and see on the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import Browser, app, what_is_missing
from vst.plotting import save_picture

SHOTS = Path(__file__).parent.parent / "out" / "page"
WIDTHS = ((1440, 1000), (1024, 800), (390, 844))
"""Windows in which every state of the page is looked at: a desk, a tablet, a phone."""
LONG = 600
"""Frames of the clip that is being painted while something else happens."""
MISSING = what_is_missing()
needs_browser = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """short.mp4 (10 frames), long.mp4, film.mp4 (3 colors), red.png, and broken.mp4."""
    from tests.conftest import make_clip, make_film

    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "short.mp4", frames=10, size=(128, 96))
    make_clip(folder / "long.mp4", frames=LONG, rate=30)
    make_film(folder / "film.mp4")
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    (folder / "broken.mp4").write_bytes(b"this is no film" * 50)
    return folder


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with app(folder, "--max-length", "30") as found:
        yield found
    assert not list(folder.glob("vst/*")), "the server leaves its visitors' files"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Browser]:
    """A visitor's first sight of the page; at the end the console has no complaint, and nothing
    was asked for elsewhere.
    """
    chromium.forget(address)
    # The browser is shared: what other pages said and asked for is not this visitor's.
    chromium.complaints()
    chromium.asked_for()
    chromium.open(address)
    yield chromium
    assert chromium.complaints() == []
    asked = {url for url in chromium.asked_for() if not url.startswith(("data:", "blob:"))}
    assert all(url.startswith((address, "chrome:")) for url in asked), asked


def bring(page: Browser, content: Path, *styles: str) -> None:
    """Upload a content and take built-in styles; small, so that painting is quick."""
    page.upload("#content-file", content)
    page.wait(lambda: page.text("#content-chosen b") == content.name, "the content")
    for style in styles:
        page.click(f'[data-style="{style}"]')
    page.set("#set-size", 0)


def find_overflow(page: Browser) -> list[str]:
    """The elements that are wider than the window; empty where nothing can be scrolled sideways."""
    found: list[str] = page.js(
        "const w = document.documentElement.clientWidth;"
        "return document.documentElement.scrollWidth <= w ? [] :"
        "[...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > w + 1)"
        ".map(e => e.outerHTML.slice(0, 90))"
    )
    return found


def check_every_width(page: Browser, name: str, shown: str) -> None:
    """At each width ``shown`` is on the page and nothing is wider than it; screenshots stay."""
    for width, height in WIDTHS:
        page.resize(width, height)
        page.show(shown)
        assert page.is_visible(shown) and find_overflow(page) == [], width
        assert 0 <= page.box(shown)["x"] and page.box(shown)["width"] <= width
        page.shot(SHOTS / f"{name}-{width}.png")
    page.resize(*WIDTHS[0])


def state_of(page: Browser) -> str:
    """The state of the latest job."""
    return page.js("return document.querySelector('#task-list .task')?.dataset.state ?? ''")


def names(page: Browser) -> list[str]:
    """The keyframes of the timeline, in its order."""
    labels = page.js("return [...document.querySelectorAll('.key')].map(k => k.ariaLabel)")
    return [label.removeprefix("Keyframe ") for label in labels]


def form(page: Browser) -> dict[str, Any]:
    """What the page would send."""
    return dict(json.loads(page.js("return localStorage.getItem('vst')"))["form"])


def key_times(page: Browser) -> list[float]:
    """The places of the keyframes, 0..1 of what is painted."""
    return [key["at"] for key in form(page)["keys"]]
