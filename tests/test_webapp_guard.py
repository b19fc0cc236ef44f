"""Who may ask the page's server for what."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from vst.web.guard import Guard


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


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/media/tok/1-ab", "/swatch/ink-wash"])
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
        "/gradio_api/run/start/x",
    ],
)
def test_all_else_is_closed(path: str) -> None:
    assert refusal(path) == 404


def test_other_pages_and_other_names_are_refused() -> None:
    assert refusal("/", origin="http://evil.example") == 403
    assert refusal("/", host="evil.example:7860") == 403
    assert refusal("/", origin="http://127.0.0.1:7860") is None
    assert refusal("/", host="localhost:7860") is None


def test_large_requests_are_refused() -> None:
    call = "/gradio_api/run/moment"
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
    assert b"default-src 'none'" in dict(sent[0]["headers"])[b"content-security-policy"]
