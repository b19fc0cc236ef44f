"""The first to see each request: decides which requests the server answers."""

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
"""The only paths that are answered; Gradio's own for files, uploads and settings are excluded."""
BODY = 1_000_000
"""Largest body, in bytes, of a request that is not an upload."""
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy: the page loads nothing from other servers."""
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
    """ASGI middleware that passes on the page's own requests, from visitors with the password if
    there is one.

    ``auth``: user and password. ``host``: where the server listens. On the local machine, requests
    under another host name are refused, so that no web page can reach the server through a name
    that resolves to it (DNS rebinding).
    """

    def __init__(self, app: App, host: str = "127.0.0.1", auth: tuple[str, str] | None = None):
        self.app, self.auth = app, auth
        self.local = is_local(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refused = self.check_request(scope)
        if refused:
            await send_text(send, *refused)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers)

    def check_request(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and text for a request that is refused, or None."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope.get("headers", [])
        }
        if scope["type"] != "http":
            return 404, "not found"
        if scope["path"] == "/gradio_api/startup-events" and not scope.get("query_string"):
            # Gradio requests this from itself when it starts; it only wakes its own queue.
            return None if is_local((scope.get("client") or ("",))[0]) else (404, "not found")
        host = headers.get("host", "")
        if self.local and not is_local(urlsplit(f"//{host}").hostname or ""):
            return 403, "this page is only served under this machine's own name"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "requests from other pages are refused"
        if self.auth is not None and not self.has_password(headers.get("authorization", "")):
            # Gradio checks whether it has started with a HEAD request for the page.
            if not (scope["method"] == "HEAD" and scope["path"] == "/"):
                return 401, "user and password required"
        if not OPEN.fullmatch(scope["path"]):
            return 404, "not found"
        if scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith("/upload/"):
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > BODY:
                return 413, "the request is too large"
        return None

    def has_password(self, header: str) -> bool:
        """Return whether a request carries user and password (RFC 7617), in constant time."""
        kind, _, packed = header.partition(" ")
        try:
            given = base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = ":".join(self.auth or ()).encode()
        return secrets.compare_digest(given, wanted) and kind.lower() == "basic"


def is_local(host: str) -> bool:
    """Return whether a host name means this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def send_text(send: Send, status: int, text: str) -> None:
    """Send a short plain text response."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="vst", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
