"""A local model server that fails in the ways that networks do, for tests of the assets."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

DATA = bytes(range(256)) * 4000  # 1 MB


@dataclass
class Hub:
    """A server whose every path delivers ``body`` in the mood of the path's first part."""

    body: bytes = DATA
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""
    cuts: int = 1
    release: threading.Event = field(default_factory=threading.Event)

    def at(self, mood: str) -> str:
        return f"{self.url}/{mood}/model/1"


def make_handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            mood = self.path.split("/")[1]
            span = self.headers.get("Range")
            hub.asked.append((mood, span))
            if mood in ("403", "404"):
                self.send_error(int(mood))
                return
            if mood == "silent":
                hub.release.wait(20)
                return
            start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
            if mood == "deaf":
                start = 0  # a server that cannot resume
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(hub.body) - start))
            self.send_header("ETag", '"one"')
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(hub.body) - 1}/*")
            self.end_headers()
            stop = len(hub.body)
            if mood == "stall" or (mood in ("cut", "deaf") and hub.cuts > 0):
                hub.cuts -= 1
                stop = start + (stop - start) // 2
            self.wfile.write(hub.body[start:stop])
            if mood == "stall":
                self.wfile.flush()
                hub.release.wait(20)

    return Handler


@pytest.fixture(name="hub")
def hub_fixture() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(hub))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield hub
    hub.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(name="own_cache", autouse=True)
def own_cache_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def archive(**extra: bytes) -> bytes:
    """A small SavedModel, to look at, as the hub sends it."""
    files = {"./saved_model.pb": b"graph", "./variables/variables.index": b"index"}
    files |= {"./variables/variables.data-00000-of-00001": DATA[:5000], **extra}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
