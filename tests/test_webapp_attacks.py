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

import cv2
import numpy as np
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

    def files(self) -> set[Path]:
        """What lies in the visitors' folders."""
        found = set(self.folder.glob("vst/page/*/*"))
        assert found, "no visitor has a file"
        return {path for path in found if path.name != "score.yaml"}

    def kept(self) -> int:
        """Bytes of the visitors' files."""
        return sum(p.stat().st_size for p in self.folder.glob("vst/page/*/**/*") if p.is_file())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with app(folder, "--max-upload", "1") as address:
        yield Server(address, folder)


@pytest.fixture
def token(server: Server) -> str:
    return str(server.call("start")["token"])


@pytest.fixture(scope="module")
def sampled(server: Server) -> tuple[str, str]:
    """A session, and the content in it."""
    token = server.call("start")["token"]
    return token, server.call("sample", token)["id"]


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


def test_every_answer_forbids_other_origins(server: Server, sampled: tuple[str, str]) -> None:
    token, content = sampled
    paths = (
        "", "page/page.js", "page/nope.js", "swatch/ink-wash", "swatch/nope", "favicon.ico",
        f"media/{token}/{content}", f"still/{token}/{content}", "still/x/x", "picture/x/x",
        "config", "call/nope", "upload/x/x",
    )  # fmt: skip
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
    assert 0 < max(sizes) <= 4_000_000 and server.kept() == before


def test_an_upload_says_how_large_it_is(server: Server, token: str) -> None:
    assert "larger than 1 MB" in server.upload(token, bytes(1_000_001))["error"]


@pytest.mark.slow
def test_a_flood_of_previews_does_not_delay_the_page(
    server: Server, sampled: tuple[str, str]
) -> None:
    token, content = sampled
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


KEYS = [{"style": "@zebra", "at": 0}]
NUMBERS: tuple[Any, ...] = (None, True, "1", [], {}, -1, 1e308, 10**400)
WRONG: dict[str, tuple[Any, ...]] = {
    "content": (None, 3, [], {}, "", "../../etc/passwd", "\0", "x" * 9000),
    "keys": (
        None, [], {}, "x", [None], [[]], [{"style": "../x", "at": 0}], [{"style": ["@zebra"]}],
        [{"style": "@../zebra", "at": 0}], KEYS * 61, *([{**KEYS[0], "at": n}] for n in NUMBERS),
    ),
    "settings": (
        [1], "x", {"output": "/tmp/x"}, {"content": "/etc/passwd"}, {"model": "/tmp"},
        {"ease": {}}, {"stabilize": ["off"]}, {"size": "native; rm"}, {"audio": 1},
        *({"strength": n} for n in NUMBERS), *({"speed": n} for n in NUMBERS),
    ),
    "mask": ("x", {}, [0], [0] * 4, *([0, 0, 1, n] for n in NUMBERS)),
    "drawn": ("x", {}, [3], [{}], [{"file": "../x"}], [{"file": ["x"], "time": 0}]),
    "background": (3, "red", "../x", ["none"], "@nope"),
    "trim": ("x", {}, [0], [2, 1], [0, 1e-9], *([0, n] for n in NUMBERS)),
}  # fmt: skip
"""Values that a form may not have, by its parts."""


def refusal(server: Server, name: str, token: str, **sent: Any) -> str:
    """The error of a call, which must be one that was foreseen, and name nothing of the server."""
    found = server.call(name, token, **sent)
    assert set(found) == {"error"}, (name, sent, found)
    text = str(found["error"])
    assert "unexpected" not in text and "\n" not in text, (name, sent, text)
    assert str(server.folder) not in text and "--" not in text, (name, sent, text)
    return text


@pytest.mark.parametrize("name", ["curves", "frame", "clip", "estimate", "pack", "paint"])
def test_a_form_with_a_wrong_part_is_refused_in_one_line(
    server: Server, sampled: tuple[str, str], name: str
) -> None:
    token, content = sampled
    form = {"content": content, "keys": KEYS, "time": 1.0}
    before = server.files()
    for part, values in WRONG.items():
        for value in values:
            refusal(server, name, token, **{**form, part: value})
    assert server.files() == before, "a refused job leaves no folder"


def test_what_belongs_to_another_visitor_is_not_found(server: Server, token: str) -> None:
    other = server.call("start")["token"]
    content = server.call("sample", other)["id"]
    job = server.call("paint", other, content=content, keys=KEYS, settings={"size": 128})["id"]
    for wrong in (content, job, None, 3, [], {}, "", "../x", "\0", "x" * 9000):
        for name in ("marks", "unpack", "styles", "forget"):
            assert "not here any more" in refusal(server, name, token, file=wrong)
        for name in ("gif", "report", "cancel", "remove"):
            assert "gone" in refusal(server, name, token, id=wrong)
        refusal(server, "measure", token, job=wrong, content=wrong, painted=wrong)
        refusal(server, "pack", token, content=wrong, keys=KEYS)
        refusal(server, "pack", token, content=content, keys=[{"style": wrong, "at": 0}])
    for kind in ("media", "still", "picture"):
        for number in (content, job):
            status, found, _ = server.send(f"{kind}/{token}/{number}")
            assert status == 404 and other.encode() not in found
    [task] = server.call("tasks", other)["tasks"]
    assert task["state"] != "stopped" and server.call("marks", other, file=content)["cuts"] == []
    server.call("cancel", other, id=job)


def test_a_video_is_not_opened_as_a_project(server: Server, sampled: tuple[str, str]) -> None:
    token, content = sampled
    assert "not uploaded as a project" in refusal(server, "unpack", token, file=content)
    assert server.call("marks", token, file=content)["beats"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("side=160", 200), ("side=-5", 200), ("side=999999999", 200), ("t=1e300", 200),
        ("t=-1", 200), ("side=x", 404), ("side=1e3", 404), (f"side={'9' * 5000}", 404),
        ("t=nan", 404), ("t=1e999", 404), ("t=-inf", 404), ("t=", 404), ("t=../x", 404),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_still_has_a_side_within_limits(
    server: Server, sampled: tuple[str, str], query: str, status: int
) -> None:
    token, content = sampled
    found, body, _ = server.send(f"still/{token}/{content}?{query}")
    assert found == status
    if status == 200:
        side = max(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR).shape[:2])
        assert side == {"side=160": 160, "side=-5": 32}.get(query, 480)
    else:
        assert len(body) < 100 and b"Traceback" not in body


def test_results_count_before_they_are_rendered(server: Server, sampled: tuple[str, str]) -> None:
    token, content = sampled
    before = server.files()
    slow = {"content": content, "keys": KEYS, "settings": {"speed": 0.0625}}
    assert "larger than 4 MB together" in refusal(server, "paint", token, **slow)
    assert server.files() == before
    assert server.call("tasks", token)["tasks"] == []
