"""A real Chromium, without a window, that looks at the page of `vst app`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STARTING = 240.0
"""Seconds that the server may take to start on a loaded machine."""
WAITING = 150.0
"""Seconds that something on the page may take to appear there."""


def find_chromium() -> str:
    """The system's Chromium; empty where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), "")


def what_is_missing() -> str:
    """Why the page cannot be looked at here; empty where it can."""
    for package in ("gradio", "playwright"):
        if importlib.util.find_spec(package) is None:
            return f"needs the Python package {package}"
    return "" if find_chromium() else "needs Chromium (on Debian: the package chromium)"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def app(folder: Path, *words: str) -> Iterator[str]:
    """`vst app` in a process of its own, with its files below ``folder``; gives the address."""
    port = free_port()
    command = [sys.executable, "-m", "vst", "app", "--port", str(port), *words]
    command += ["--state", str(folder / "vst" / "page")]
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=file,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    try:
        until = time.monotonic() + STARTING
        while "Ctrl-C" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(
                encoding="utf-8"
            )
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STARTING)
        finally:
            process.kill()


class Browser:
    """Chromium on one page, with words for what a person does there.

    Playwright works in a thread of its own: the event loop that it keeps running in its thread
    would be in the way of tests that use one.
    """

    def __init__(self, folder: Path, *words: str, size: tuple[int, int] = (1440, 1000)) -> None:
        self.folder = folder
        self._said: list[str] = []
        self._asked: list[str] = []
        self._thread = ThreadPoolExecutor(1, "browser")
        self._do(self._start, size, words)

    def _do(self, action: Callable[..., Any], *given: Any) -> Any:
        return self._thread.submit(action, *given).result()

    def _start(self, size: tuple[int, int], words: tuple[str, ...]) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--disable-gpu", "--mute-audio", *words],
        )
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        self._page = context.new_page()
        self._page.set_default_timeout(1000 * WAITING)
        self._devtools = context.new_cdp_session(self._page)
        self._page.on("request", lambda request: self._asked.append(request.url))
        self._page.on("pageerror", lambda error: self._said.append(str(error)))
        self._page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._said.append(f"{message.text} ({message.location.get('url', '')})")

    def open(self, address: str, *, width: int = 1440, height: int = 1000) -> None:
        """Go to the page and wait until it is ready. The window can be as narrow as a phone."""
        self.resize(width, height)
        self.visit(address)
        self.wait_ready()

    def visit(self, address: str) -> None:
        """Go to any page."""
        self._do(self._page.goto, address)

    def reload(self) -> None:
        self._do(self._page.reload)
        self.wait_ready()

    def forget(self, address: str) -> None:
        """Forget what the page has kept, as if it had never been seen."""
        about = {"origin": address, "storageTypes": "local_storage"}
        self._do(self._devtools.send, "Storage.clearDataForOrigin", about)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is: "Tab", "Control+z", "a"."""
        for key in keys:
            self._do(self._page.keyboard.press, key)

    def resize(self, width: int, height: int) -> None:
        self._do(self._page.set_viewport_size, {"width": width, "height": height})
        # A page that observes its size moves things in the next frame.
        frame = (
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        self._do(self._page.evaluate, frame)

    def wait_ready(self) -> None:
        self.wait(lambda: self.js("return document.body.dataset.ready") == "1", "a ready page")

    def js(self, code: str, *given: object) -> Any:
        """What a function's code returns in the page; `arguments` are ``given``."""
        called = f"(given) => (function () {{ {code} }}).apply(null, given)"
        return self._do(self._page.evaluate, called, list(given))

    def count(self, css: str) -> int:
        return int(self._do(self._page.locator(css).count))

    def text(self, css: str) -> str:
        """The text of the first element; empty if there is none."""
        return str(self.js("return document.querySelector(arguments[0])?.textContent ?? ''", css))

    def texts(self, css: str) -> list[str]:
        """What a person reads in each of the elements."""
        return list(self._do(self._page.locator(css).all_inner_texts))

    def is_visible(self, css: str) -> bool:
        return bool(self._do(self._page.locator(css).first.is_visible))

    def is_enabled(self, css: str) -> bool:
        return bool(self._do(self._page.locator(css).first.is_enabled))

    def box(self, css: str) -> dict[str, float]:
        """x, y, width and height of the first element, in the window."""
        return dict(self._do(self._page.locator(css).first.bounding_box))

    def show(self, css: str, block: str = "center") -> None:
        """Scroll until the element is in the window."""
        self.js("document.querySelector(arguments[0]).scrollIntoView({block: arguments[1]})",
                css, block)  # fmt: skip

    def click(self, css: str) -> None:
        """Click as a person does: the element must be there, in view, and not covered."""
        self._do(self._page.locator(css).first.click)

    def drag(self, css: str, dx: float, dy: float = 0, at: tuple[float, float] = (0, 0)) -> None:
        """Drag from an element's center (or ``at`` pixels from it) with the mouse, in moves."""
        self.show(css)
        box, mouse = self.box(css), self._page.mouse
        x, y = box["x"] + box["width"] / 2 + at[0], box["y"] + box["height"] / 2 + at[1]
        self._do(mouse.move, x, y)
        self._do(mouse.down)
        for step in (1, 2, 3, 4):
            self._do(mouse.move, x + dx * step / 4, y + dy * step / 4)
        self._do(mouse.up)

    def double_click(self, css: str, part: float) -> None:
        """Double-click an element at a part of its width."""
        self.show(css)
        box = self.box(css)
        x, y = box["x"] + part * box["width"], box["y"] + box["height"] / 2
        self._do(self._page.mouse.dblclick, x, y)

    def drop(self, css: str, *files: Path, end: str = "drop") -> None:
        """Drag files from the desktop over an element; ``end``: drop, dragCancel or none yet."""
        box = self.box(css)
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in filter(None, ("dragEnter", "dragOver", end)):
            about = {"type": kind, **point, "data": data}
            self._do(self._devtools.send, "Input.dispatchDragEvent", about)
        if end == "dragCancel":  # the pointer is the page's again
            self._do(self._page.mouse.move, point["x"], point["y"])

    def set(self, css: str, value: object) -> None:
        """Move a slider, or choose: the value, and the events of a person."""
        self.js(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "for (const n of ['input', 'change']) e.dispatchEvent(new Event(n, {bubbles: true}))",
            css,
            value,
        )

    def upload(self, css: str, *files: Path) -> None:
        self._do(self._page.locator(css).set_input_files, [str(file) for file in files])

    def download(self, css: str) -> Path:
        """Click, and return the file that the browser saves."""

        def take() -> Path:
            with self._page.expect_download() as coming:
                self._page.locator(css).first.click()
            path = self.folder / "downloads" / str(coming.value.suggested_filename)
            coming.value.save_as(path)
            return path

        return Path(self._do(take))

    def wait(self, found: Callable[[], Any], what: str, seconds: float = WAITING) -> Any:
        """What ``found`` gives, as soon as it gives something."""
        until = time.monotonic() + seconds
        while True:
            value = found()
            if value:
                return value
            notice = self.text("#notice")
            assert time.monotonic() < until, f"waited for {what}; the page says: {notice!r}"
            time.sleep(0.15)

    def wait_for(self, css: str, count: int = 1, seconds: float = WAITING) -> None:
        """Wait until there are at least so many of the elements."""
        self.wait(lambda: self.count(css) >= count, css, seconds)

    def painted(self) -> int:
        """How many previews have been shown."""
        return int(self.js("return Number(document.getElementById('stage').dataset.painted || 0)"))

    def still_painting(self) -> bool:
        return not self.js("return document.getElementById('busy').hidden")

    def wait_preview(self, before: int) -> float:
        """Wait for a new preview; gives the seconds that it took on the server."""
        self.wait(lambda: self.painted() > before and not self.still_painting(), "a preview")
        return float(self.js("return Number(document.getElementById('stage').dataset.seconds)"))

    def disconnect(self, lost: bool = True) -> None:
        """Cut the browser off the network, or connect it again."""
        self._do(self._page.context.set_offline, lost)

    def shot(self, path: Path, *, whole: bool = False) -> Path:
        """A picture of the window, or of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            height = self.js("return document.documentElement.scrollHeight")
            width = self.js("return innerWidth")
            self.resize(width, height)
            time.sleep(0.4)
        path.write_bytes(self._do(self._page.screenshot))
        return path

    def complaints(self) -> list[str]:
        """What the console has of errors and warnings since the last time."""
        self.js("return 0")  # events arrive during a call
        said, self._said = self._said, []
        return said

    def asked_for(self) -> list[str]:
        """Every address that was asked for since the last time."""
        self.js("return 0")
        asked, self._asked = self._asked, []
        return asked

    def close(self) -> None:
        self._do(self._browser.close)
        self._do(self._playwright.stop)
        self._thread.shutdown()
