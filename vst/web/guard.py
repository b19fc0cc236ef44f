"""Who may ask the server for what: the first to see each request."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = re.compile(
    r"/|/favicon\.ico|/page/[a-z-]+\.(css|js|svg)|/(media|still|swatch|picture|upload)/[^/]+(/[^/]+)?"
    r"|/gradio_api/run/[a-z]+"
)
"""The only paths that are answered: Gradio's own for files, uploads and settings are not among
them.
"""
BODY = 1_000_000
"""Bytes of a request that is no upload."""
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page takes nothing from anywhere else."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        POLICY,
    ),
)
"""Sent with every answer."""


class Guard:
    """Passes on what the page itself asks for, by visitors who know the password if there is one.

    ``auth``: user and password. ``host``: where the server listens; on this machine alone, a
    request under another name is refused, so that no page of the web can reach it by a name of its
    own that leads here.
    """

    def __init__(self, app: App, host: str = "127.0.0.1", auth: tuple[str, str] | None = None):
        self.app, self.auth = app, auth
        self.local = is_local(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refused = self.refusal(scope)
        if refused:
            await answer(send, *refused)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and text for a request that is not passed on."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope.get("headers", [])
        }
        if scope["type"] != "http":
            return 404, "not here"
        if scope["path"] == "/gradio_api/startup-events" and not scope.get("query_string"):
            # Gradio asks itself for this when it starts; it only wakes its own queue.
            return None if is_local((scope.get("client") or ("",))[0]) else (404, "not here")
        host = headers.get("host", "")
        if self.local and not is_local(urlsplit(f"//{host}").hostname or ""):
            return 403, "this page is asked for by another name than this machine's"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "another page may not ask for this"
        if self.auth is not None and not self.known(headers.get("authorization", "")):
            # Gradio sees whether it has started by asking for the page's head.
            if not (scope["method"] == "HEAD" and scope["path"] == "/"):
                return 401, "user and password, please"
        if not OPEN.fullmatch(scope["path"]):
            return 404, "not here"
        if scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith("/upload/"):
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > BODY:
                return 413, "this is too much at once"
        return None

    def known(self, header: str) -> bool:
        """Whether a request brings the user and the password (RFC 7617); takes the same time for
        every wrong one.
        """
        kind, _, packed = header.partition(" ")
        try:
            given = base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = ":".join(self.auth or ()).encode()
        return secrets.compare_digest(given, wanted) and kind.lower() == "basic"


def is_local(host: str) -> bool:
    """Whether a name means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def answer(send: Send, status: int, text: str) -> None:
    """A short answer of plain text."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="vst", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
