"""A real Chromium, without a window, that looks at the page of `vst app`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STARTING = 240.0
"""Seconds that the server may take to start on a loaded machine."""
WAITING = 150.0
"""Seconds that something on the page may take to appear there."""


def what_is_missing() -> str:
    """Why the page cannot be looked at here; empty where it can."""
    for package in ("gradio", "selenium"):
        if importlib.util.find_spec(package) is None:
            return f"needs the Python package {package}"
    if not any(map(shutil.which, CHROMIUMS)):
        return "needs Chromium (on Debian: the packages chromium and chromium-driver)"
    return "" if shutil.which("chromedriver") else "needs chromedriver (Debian: chromium-driver)"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def app(folder: Path, *words: str) -> Iterator[str]:
    """`vst app` in a process of its own, with its temporary files in ``folder``; gives the
    address.
    """
    port = free_port()
    command = [sys.executable, "-m", "vst", "app", "--port", str(port), *words]
    log = folder / "server.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=file,
            env={**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": str(folder)},
        )
    try:
        until = time.monotonic() + STARTING
        while "Ctrl-C" not in log.read_text():
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STARTING)
        finally:
            process.kill()


class Browser:
    """Chromium on one page, with words for what a person does there."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1440, 1000)) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = next(filter(None, map(shutil.which, CHROMIUMS)))
        for word in (
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--hide-scrollbars", "--force-prefers-reduced-motion", "--mute-audio",
            "--disable-background-networking",
            f"--window-size={size[0]},{size[1]}", f"--user-data-dir={folder / 'profile'}",
        ):  # fmt: skip
            options.add_argument(word)
        options.add_experimental_option(
            "prefs", {"download.default_directory": str(folder / "downloads")}
        )
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver: Any = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver"))
        )
        self.folder = folder
        self.requested: list[str] = []

    def open(self, address: str, *, width: int = 1440, height: int = 1000) -> None:
        """Go to the page and wait until it is ready. The window can be as narrow as a phone."""
        self.resize(width, height)
        self.driver.get(address)
        self.wait_ready()

    def forget(self, address: str) -> None:
        """Forget what the page has kept, as if it had never been seen."""
        self.driver.execute_cdp_cmd(
            "Storage.clearDataForOrigin", {"origin": address, "storageTypes": "local_storage"}
        )

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def hold(self, modifier: str, key: str) -> None:
        """Press a key while another one is held."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def resize(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def wait_ready(self) -> None:
        self.wait(lambda: self.js("return document.body.dataset.ready") == "1", "a ready page")

    def js(self, code: str, *given: object) -> Any:
        return self.driver.execute_script(code, *given)

    def one(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def all(self, css: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", css))

    def text(self, css: str) -> str:
        return str(self.js("return document.querySelector(arguments[0])?.textContent ?? ''", css))

    def click(self, css: str) -> None:
        """Click as a person does: the element must be there, in view, and not covered."""
        element = self.wait(lambda: next(iter(self.all(css)), None), css)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def set(self, css: str, value: object) -> None:
        """Move a slider, or choose: the value, and the events of a person."""
        self.js(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "for (const n of ['input', 'change']) e.dispatchEvent(new Event(n, {bubbles: true}))",
            css,
            value,
        )

    def upload(self, css: str, *files: Path) -> None:
        self.one(css).send_keys("\n".join(str(file) for file in files))

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

    def painted(self) -> int:
        """How many previews have been shown."""
        return int(self.js("return Number(document.getElementById('stage').dataset.painted || 0)"))

    def still_painting(self) -> bool:
        return not self.js("return document.getElementById('busy').hidden")

    def wait_preview(self, before: int) -> float:
        """Wait for a new preview; gives the seconds that it took on the server."""
        self.wait(lambda: self.painted() > before and not self.still_painting(), "a preview")
        return float(self.js("return document.getElementById('stage').dataset.seconds"))

    def shot(self, path: Path, *, whole: bool = False) -> Path:
        """A picture of the window, or of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            height = self.js("return document.documentElement.scrollHeight")
            width = self.js("return innerWidth")
            self.resize(width, height)
            time.sleep(0.4)
        path.write_bytes(self.driver.get_screenshot_as_png())
        return path

    def complaints(self) -> list[str]:
        """What the console has of errors and warnings since the last time."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    def asked_for(self) -> list[str]:
        """Every address that was asked for since the last time."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def close(self) -> None:
        self.driver.quit()
