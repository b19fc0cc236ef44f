"""A page that is left open to others: who is let in, and what one visitor leaves to the next."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.browser import app

pytest.importorskip("gradio")
pytestmark = pytest.mark.slow
PASSWORD = "Basic " + base64.b64encode(b"ann:secret").decode()
KEYS = [{"style": "@zebra", "at": 0}]


class Visitor:
    """A visitor at an address of their own: on Linux every address of 127.0.0.0/8 is one."""

    def __init__(self, port: int, address: str) -> None:
        self.port, self.address = port, address

    def send(
        self, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer; with the password unless it is given."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=120, source_address=(self.address, 0)
        )
        named = {"authorization": PASSWORD, "content-type": "application/json", **headers}
        connection.request("POST" if body is not None else "GET", path, body, named)
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
        connection.close()
        return reply.status, text, {name.lower(): value for name, value in reply.getheaders()}

    def call(self, name: str, token: str = "", **sent: Any) -> dict[str, Any]:
        body = json.dumps({"token": token, "sent": sent}).encode()
        status, text, _ = self.send(f"/call/{name}", body)
        assert status == 200, text
        return dict(json.loads(text))

    def start(self) -> str:
        return str(self.call("start")["token"])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("open")
    words = ("--host", "0.0.0.0", "--auth", "ann:secret", "--allow-host", "films.example.org")
    with app(folder, *words, "--max-upload", "50") as address:
        yield int(address.rpartition(":")[2])


def test_only_names_on_the_list_are_served(port: int) -> None:
    visitor = Visitor(port, "127.0.1.1")
    for name in ("films.example.org", f"Films.example.org:{port}", "localhost", "192.168.1.5"):
        assert visitor.send("/", host=name)[0] == 200, name
    for name in ("evil.example", "films.example.org.evil.example", "x.films.example.org", "[", ""):
        for password in (PASSWORD, ""):
            status, text, _ = visitor.send("/", host=name, authorization=password)
            assert status == 403 and "--allow-host" in text, name
    status, _, headers = visitor.send("/", host="localhost", origin="http://evil.example")
    assert status == 403 and headers["cross-origin-resource-policy"] == "same-origin"


def test_wrong_passwords_slow_their_address_down_and_no_other(port: int) -> None:
    guesser, other = Visitor(port, "127.0.1.2"), Visitor(port, "127.0.1.3")
    wrong = [f"Basic {base64.b64encode(f'ann:{n}'.encode()).decode()}" for n in range(8)]
    assert [guesser.send("/", authorization=one)[0] for one in wrong][:5] == [401] * 5
    status, text, _ = guesser.send("/")  # the right one
    assert status == 429 and "try again in" in text
    assert other.send("/")[0] == 200 and other.send("/", authorization="")[0] == 401


def test_one_visitor_leaves_sessions_to_the_others(port: int) -> None:
    owner, greedy = Visitor(port, "127.0.1.4"), Visitor(port, "127.0.1.5")
    token = owner.start()
    assert "id" in owner.call("sample", token)
    tokens = [greedy.start() for _ in range(40)]
    alive = [one for one in tokens if "gone" not in greedy.call("tasks", one)]
    assert len(alive) == 6
    assert owner.call("start", token)["files"] and Visitor(port, "127.0.1.6").start()
    for one in alive:
        assert "id" in greedy.call("sample", one)
    assert "6 sessions of your address" in greedy.call("start")["error"]
    assert owner.call("start", token)["files"] and Visitor(port, "127.0.1.7").start()


def test_one_visitor_leaves_places_in_the_queue_to_the_others(port: int) -> None:
    greedy, other = Visitor(port, "127.0.1.8"), Visitor(port, "127.0.1.9")
    token = greedy.start()
    form = {"content": greedy.call("sample", token)["id"], "keys": KEYS}
    answers = [greedy.call("paint", token, **form) for _ in range(9)]
    refused = [one["error"] for one in answers if "error" in one]
    assert len(refused) >= 5 and all("of your jobs are waiting" in one for one in refused)
    mine = other.start()
    content = other.call("sample", mine)["id"]
    assert "id" in other.call("paint", mine, content=content, keys=KEYS)
    for visitor, session in ((greedy, token), (other, mine)):
        for task in visitor.call("tasks", session)["tasks"]:
            visitor.call("cancel", session, id=task["id"])


def test_one_session_has_three_uploads_at_once(port: int) -> None:
    visitor = Visitor(port, "127.0.1.10")
    token = visitor.start()
    path = f"/upload/{token}/content?name=a.mp4"
    slow = []
    for _ in range(3):  # uploads that have begun
        one = http.client.HTTPConnection("127.0.0.1", port, source_address=(visitor.address, 0))
        one.putrequest("POST", path)
        one.putheader("authorization", PASSWORD)
        one.putheader("content-length", "1000000")
        one.endheaders(b"x" * 1000)
        slow.append(one)
    found = ""
    while "3 uploads are running" not in found:
        found = json.loads(visitor.send(path, b"x" * 10)[1])["error"]
    for one in slow:
        one.close()
    while "uploads are running" in found:
        found = json.loads(visitor.send(path, b"x" * 10)[1])["error"]
    assert "a.mp4" in found  # it is read now, and is not a video


def test_every_session_keeps_its_quota_under_parallel_uploads(
    port: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    visitor = Visitor(port, "127.0.1.11")
    token, body = visitor.start(), bytes(45_000_000)
    path = f"/upload/{token}/content?name=a.mp4"
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: json.loads(visitor.send(path, body)[1]), range(6)))
    assert all("error" in one for one in found)
    assert visitor.call("tasks", token)["bytes"] == 0


def test_the_endpoints_are_closed(port: int) -> None:
    visitor = Visitor(port, "127.0.1.12")
    for path in ("/config", "/gradio_api/info", "/gradio_api/run/tasks", "/gradio_api/queue/join"):
        assert visitor.send(path, b"{}")[0] == 404 and visitor.send(path)[0] == 404


def test_a_job_list_has_an_end(port: int) -> None:
    visitor = Visitor(port, "127.0.1.13")
    token = visitor.start()
    form = {"content": visitor.call("sample", token)["id"], "keys": [{**KEYS[0], "x": "x" * 900}]}
    for _ in range(100):
        number = visitor.call("paint", token, **form)["id"]
        visitor.call("cancel", token, id=number)
    assert "100 jobs are on your list" in visitor.call("paint", token, **form)["error"]
    assert visitor.call("tasks", token)["tasks"][0]["sent"]["keys"] == KEYS
    assert not [one for one in visitor.call("start", token)["files"] if one["role"] == "result"]


def test_folders_of_the_state_are_for_their_owner_alone(
    port: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Visitor(port, "127.0.1.14").start()
    state = next(Path(tmp_path_factory.getbasetemp()).glob("open*/vst/page"))
    folders = [state, *(one for one in state.iterdir() if one.is_dir() and one.name != "gradio")]
    assert len(folders) > 1
    assert {one.stat().st_mode & 0o077 for one in folders} == {0}
