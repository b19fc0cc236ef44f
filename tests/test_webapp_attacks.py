"""What a stranger can send to a running `vst app`: only what the page does is answered."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser import app

pytest.importorskip("gradio")


class Server:
    """A running server, as something that is not the page reaches it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder

    def send(
        self, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.address}/{path}", data=body, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, reply.read(), dict(reply.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def call(self, name: str, token: object = "", **sent: Any) -> dict[str, Any]:
        body = json.dumps({"token": token, "sent": sent}).encode()
        status, found, _ = self.send(f"call/{name}", body, content_type="application/json")
        assert status == 200, (status, found)
        return dict(json.loads(found))

    def upload(self, token: str, body: bytes, name: str = "a.mp4") -> dict[str, Any]:
        status, found, _ = self.send(f"upload/{token}/content?name={name}", body)
        assert status == 200
        return dict(json.loads(found))

    def kept(self) -> int:
        """Bytes of the visitors' files."""
        return sum(p.stat().st_size for p in self.folder.glob("vst/*/*/**/*") if p.is_file())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with app(folder, "--max-upload", "1") as address:
        yield Server(address, folder)


@pytest.fixture
def token(server: Server) -> str:
    return str(server.call("start")["token"])


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server elsewhere, and what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    found = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}", asked
    found.shutdown()


def test_a_file_dictionary_reaches_no_downloader(
    server: Server, token: str, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    trap = {
        "path": f"{address}/x.mp4", "url": f"{address}/y.mp4", "orig_name": "x.mp4",
        "meta": {"_type": "gradio.FileData"},
    }  # fmt: skip
    for name in ("tasks", "start", "frame", "forget", "styles"):
        server.call(name, token, file=trap, content=trap, keys=[{"style": trap}])
        server.call(name, trap)
    for path in ("gradio_api/run/tasks", "gradio_api/call/tasks", "gradio_api/queue/join"):
        body = json.dumps({"data": [token, trap], "fn_index": 0, "session_hash": "x"}).encode()
        assert server.send(path, body, content_type="application/json")[0] in (400, 404)
    assert asked == []


@pytest.mark.parametrize(
    "name", ["nope", "answer", "find", "sessions", "queue", "close", "__init__", "run", "TASKS"]
)
def test_an_unknown_function_is_not_found(server: Server, token: str, name: str) -> None:
    body = json.dumps({"token": token, "sent": {}, "fn_index": 5}).encode()
    status, found, _ = server.send(f"call/{name}", body, content_type="application/json")
    assert (status, found) == (404, b"not found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[1]", 400), (b'{"sent": 3}', 400), (b"[" * 90_000, 400),
        (b'{"token": NaN}', 400), (b"\xff\xfe", 400), (b"{" + b" " * 1_000_001 + b"}", 413),
    ],
    ids=["empty", "half", "list", "number", "deep", "NaN", "bytes", "large"],
)  # fmt: skip
def test_what_is_not_a_small_json_object_is_refused(
    server: Server, body: bytes, status: int
) -> None:
    assert server.send("call/tasks", body, content_type="application/json")[0] == status
    assert server.send("call/tasks", b"{}", content_type="text/plain")[0] == 415


def test_an_unknown_token_is_not_found_and_shows_nothing(server: Server, token: str) -> None:
    for path in ("still/UNKNOWN/x", f"still/{token}/x", "media/UNKNOWN/x", "picture/UNKNOWN/x"):
        status, found, _ = server.send(path)
        assert status == 404 and b"Traceback" not in found and b"/" not in found, path
    for wrong in (None, 3, [], {}, "../x"):
        assert server.call("tasks", wrong)["gone"] is True


def test_every_answer_forbids_other_origins(server: Server, token: str) -> None:
    paths = (
        "",
        "page/page.js",
        "swatch/ink-wash",
        "still/x/x",
        "config",
        "call/nope",
        "favicon.ico",
    )
    for path in paths:
        headers = {n.lower(): v for n, v in server.send(path)[2].items()}
        assert headers["cross-origin-resource-policy"] == "same-origin", path


def test_forty_starts_do_not_lock_the_owner_of_files_out(server: Server) -> None:
    token = server.call("start")["token"]
    assert "error" not in server.call("sample", token)
    for _ in range(40):
        assert "token" in server.call("start")
    assert "error" not in server.call("tasks", token)


def test_parallel_uploads_stay_within_the_quota(server: Server) -> None:
    token = server.call("start")["token"]
    before, body = server.kept(), bytes(999_000)
    sizes = []

    def watch() -> None:
        while not done.wait(0.01):
            sizes.append(server.kept() - before)

    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: server.upload(token, body, f"{n}.mp4"), range(16)))
    done.set()
    watcher.join()
    assert all("error" in one for one in found)  # none of them is a video
    assert max(sizes, default=0) <= 4_000_000 and server.kept() == before


def test_an_upload_says_how_large_it_is(server: Server, token: str) -> None:
    assert "larger than 1 MB" in server.upload(token, bytes(1_000_001))["error"]


def test_a_flood_of_previews_does_not_delay_the_page(server: Server, token: str) -> None:
    content = server.call("sample", token)["id"]
    keys = [{"style": "@ink-wash", "at": 0}, {"style": "@zebra", "at": 1}]
    form = {"content": content, "keys": keys, "settings": {"size": 128}, "time": 1.0}
    with ThreadPoolExecutor(60) as pool:
        calls = [pool.submit(server.call, "frame", token, **form) for _ in range(60)]
        waits = []
        for _ in range(10):
            began = time.perf_counter()
            assert server.send("")[0] == 200
            waits.append(time.perf_counter() - began)
        found = [one.result() for one in calls]
    painted = sum("after" in one for one in found)
    replaced = sum(bool(one.get("replaced")) for one in found)
    print(f"the page after {max(waits):.2f} s at most; {painted} painted, {replaced} replaced")
    assert max(waits) < 5 and painted >= 1 and replaced > 30 and painted + replaced == 60


def test_a_refused_job_leaves_no_folder(server: Server, token: str) -> None:
    content = server.call("sample", token)["id"]
    form = {"content": content, "keys": [{"style": "@zebra", "at": 0}], "mask": [0, 0, 0, 0]}
    before = set(server.folder.glob("vst/*/*/*"))
    assert "rectangle" in server.call("paint", token, **form)["error"]
    assert set(server.folder.glob("vst/*/*/*")) == before
