"""Who may ask the page's server for what."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from vst.web.guard import Guard, PasswordThrottle, list_headers


def refusal(
    path: str, method: str = "GET", *, auth: tuple[str, str] | None = None, **headers: str
) -> int | None:
    """The status of a refusal, or None where a request is passed on."""
    named = {"host": "127.0.0.1:7860", **headers}
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "client": ("127.0.0.1", 5),
        "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in named.items()],
    }
    found = Guard(None, "127.0.0.1", auth).check_request(scope)  # type: ignore[arg-type]
    return found[0] if found else None


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/media/tok/1-ab", "/swatch/ink-wash", "/call/start"]
)
def test_the_pages_own_addresses_are_open(path: str) -> None:
    assert refusal(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/proxy=http://x",
        "/config",
        "/docs",
        "/page/../server.py",
        "/page/..%2fserver.py",
        "/media/a/b/c",
        "/monitoring",
        "/gradio_api/run/start",
        "/gradio_api/run/tasks",
        "/gradio_api/queue/join",
        "/gradio_api/call/start",
        "/call/start/x",
    ],
)
def test_all_else_is_closed(path: str) -> None:
    assert refusal(path) == 404


def test_other_pages_and_other_names_are_refused() -> None:
    assert refusal("/", origin="http://evil.example") == 403
    assert refusal("/", host="evil.example:7860") == 403
    assert refusal("/", origin="http://127.0.0.1:7860") is None
    assert refusal("/", host="localhost:7860") is None


def served(name: str, host: str, *names: str, auth: tuple[str, str] | None = None) -> bool:
    return Guard(None, host, auth, names).is_served_name(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_a_server_for_others_checks_the_name_too(host: str) -> None:
    assert not served("evil.example:7860", host)
    assert served("192.168.1.5:7860", host) and served("[::1]:7860", host)
    assert not served("films.example.org", host)
    assert served("Films.example.org:443", host, "films.example.org")
    assert not served("x.films.example.org", host, "films.example.org")
    assert not served("films.example.org.evil.example", host, "films.example.org")


def test_a_local_server_can_be_given_another_name() -> None:
    assert not served("192.168.1.5", "127.0.0.1") and not served("", "127.0.0.1")
    assert served("films.example.org", "127.0.0.1", "films.example.org")
    assert not served("[", "127.0.0.1")


def test_wrong_passwords_slow_an_address_down() -> None:
    now = [0.0]
    throttle = PasswordThrottle(lambda: now[0])
    pauses = []
    for _ in range(14):
        throttle.add_failure("a")
        pauses.append(throttle.get_pause("a"))
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert throttle.get_pause("b") == 0
    now[0] += 60
    assert throttle.get_pause("a") == 0
    throttle.clear("a")
    throttle.add_failure("a")
    assert throttle.get_pause("a") == 0


def test_during_the_pause_the_right_password_is_refused_too() -> None:
    guard = Guard(None, auth=("ann", "secret"))  # type: ignore[arg-type]

    def status(text: str) -> int | None:
        header = "Basic " + base64.b64encode(text.encode()).decode()
        found = guard.check_password(header, "10.0.0.1")
        return found[0] if found else None

    found = [status(f"ann:{n}") for n in range(6)]
    assert found == [401] * 5 + [429] and status("ann:secret") == 429
    assert guard.check_password("", "10.0.0.1") == (401, "user and password required")


def test_large_requests_are_refused() -> None:
    call = "/call/frame"
    assert refusal(call, "POST", content_length="900") is None
    assert refusal(call, "POST", content_length="9000000") == 413
    assert refusal(call, "POST") == 413
    assert refusal("/upload/tok/content", "POST", content_length="9000000") is None


def test_a_password_is_asked_for() -> None:
    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    auth = ("ann", "se:cret")
    assert refusal("/", auth=auth) == 401
    assert refusal("/media/tok/1", auth=auth) == 401
    assert refusal("/", auth=auth, authorization=basic("ann:wrong")) == 401
    assert refusal("/", auth=auth, authorization="Basic %%%") == 401
    assert refusal("/", auth=auth, authorization=basic("ann:se:cret")) is None


def test_answers_forbid_everything_from_elsewhere() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app)(scope, None, send))  # type: ignore[arg-type]
    headers = dict(sent[0]["headers"])
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(Guard(app)({**scope, "path": "/x"}, receive, send))
    assert dict(sent[1]["headers"])[b"cross-origin-resource-policy"] == b"same-origin"


def test_a_refused_body_is_read_before_the_answer() -> None:
    """A client that is still sending would see a broken connection, and no reason."""
    order: list[str] = []
    parts = iter([b"a" * 700_000, b"b" * 700_000, b"c"])

    async def receive() -> Any:
        body = next(parts)
        order.append("read")
        return {"type": "http.request", "body": body, "more_body": body != b"c"}

    async def send(message: Any) -> None:
        order.append(str(message.get("status", "body")))

    headers = [(b"host", b"localhost"), (b"content-length", b"1400001")]
    scope = {"type": "http", "path": "/call/tasks", "method": "POST", "headers": headers}
    asyncio.run(Guard(None)(scope, receive, send))  # type: ignore[arg-type]
    assert order == ["read", "read", "read", "413", "body"]


def test_a_websocket_is_closed_before_it_opens() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(None)(scope, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close"}]


def test_only_the_named_page_may_show_this_one_in_a_frame() -> None:
    closed, opened = dict(list_headers()), dict(list_headers("https://films.example"))
    assert b"frame-ancestors 'none'" in closed[b"content-security-policy"]
    assert closed[b"x-frame-options"] == b"DENY"
    assert b"frame-ancestors https://films.example" in opened[b"content-security-policy"]
    assert b"x-frame-options" not in opened  # it cannot name a page
