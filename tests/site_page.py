"""The page of `vst export web` in a real Chromium: its site, a plain web server, and fixtures."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import Browser, what_is_missing
from vst.core.types import Picture
from vst.export.site import BUILT, INDEX

SHOTS = Path(__file__).parent.parent / "out" / "site"
MISSING = what_is_missing() or (
    "" if (BUILT / INDEX).is_file() else "needs the built page: run `make browser`"
)
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


class PlainHandler(http.server.SimpleHTTPRequestHandler):
    """Files as any web server sends them: without headers that isolate a page, and silently."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder; gives the address of its page."""
    handler = functools.partial(PlainHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Visitor(Browser):
    """Chromium with a fake camera, on the page of the site."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *FAKE_CAMERA, AUTOPLAY)

    def arrive(self, address: str) -> None:
        """Open the page anew, and wait until it has painted and is kept for use offline."""
        self.visit("about:blank")
        self.visit(address)
        self.wait_ready()
        self.wait(self.painted, "a first picture")
        self.wait(lambda: self.js("return document.body.dataset.offline"), "the service worker")

    def js(self, code: str, *given: object) -> Any:
        """As `Browser.js`, and again if the page was loading anew, as it does once by itself."""
        from playwright.sync_api import Error

        try:
            return super().js(code, *given)
        except Error as error:
            if "Execution context was destroyed" not in error.message:
                raise
        return super().js(code, *given)

    def complaints(self) -> list[str]:
        """As `Browser.complaints`, but for Chromium's remark that this machine has no GPU."""
        return [one for one in super().complaints() if "No available adapters" not in one]

    def wait_still(self) -> None:
        """Wait until nothing is left to paint."""
        self.wait(
            lambda: not self.js("return document.getElementById('stage').dataset.busy"), "a pause"
        )

    def call_devtools(self, method: str, **about: object) -> Any:
        """Call a method of Chromium's developer tools."""
        return self._do(self._devtools.send, method, about)

    def take(self, picture: Path) -> None:
        """Choose a file as the content."""
        before = self.painted()
        self.upload("#content-file", picture)
        self.wait(lambda: picture.name in self.text("#content-name"), "the content")
        self.wait(lambda: self.painted() > before, "a painting of it")
        self.wait_still()

    def move_to(self, share: float) -> Picture:
        """Show a moment of the transition, 0..1, and return its painting."""
        self.set("#moment", round(1000 * share))
        self.wait_still()
        return self.painting()

    def painting(self, canvas: str = "painted") -> Picture:
        """The pixels of a canvas."""
        address = self.js("return document.getElementById(arguments[0]).toDataURL()", canvas)
        data = base64.b64decode(address.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def compute_psnr(one: Picture, other: Picture) -> float:
    """Peak signal to noise ratio of two pictures of one size, in dB."""
    error = np.mean((np.float64(one) - np.float64(other)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def list_builtin(site: Path) -> dict[str, Any]:
    """The styles in the site, by name."""
    content = json.loads((site / "models" / "styles.json").read_text(encoding="utf-8"))
    return {f"@{style['name']}": style for style in content["styles"]}


@pytest.fixture(scope="session")
def web_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `vst export web` writes it."""
    from vst.export.site import export_site

    return export_site(tmp_path_factory.mktemp("site") / "site").folder


@pytest.fixture(scope="session")
def web_address(web_site: Path) -> Iterator[str]:
    with serve(web_site) as address:
        yield address


@pytest.fixture(scope="session")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    browser = Visitor(tmp_path_factory.mktemp("visitor"))
    yield browser
    browser.close()


@pytest.fixture
def web(visitor: Visitor, web_address: str) -> Iterator[Visitor]:
    """A visit; at the end the console has no complaint, and nothing was asked for elsewhere."""
    visitor.resize(1440, 1000)
    visitor.complaints()
    visitor.asked_for()
    visitor.arrive(web_address)
    yield visitor
    assert visitor.complaints() == []
    asked = {url for url in visitor.asked_for() if not url.startswith(("data:", "blob:", "about:"))}
    assert all(url.startswith((web_address, "chrome:")) for url in asked), asked
