"""The first to see each request: decides which requests the server answers."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = re.compile(
    r"/|/favicon\.ico|/page/[a-z-]+\.(css|js|svg)|/(media|still|swatch|picture|upload)/[^/]+(/[^/]+)?"
    r"|/call/[a-z]+"
)
"""The only paths that are answered without the endpoints; none of Gradio's own is among them."""
ENDPOINTS = re.compile(
    r"/config|/gradio_api/(info|queue/(join|data)|heartbeat/[\w-]{1,64}|call/[a-z]+(/\w{1,64})?)"
)
"""Gradio's paths that named endpoints need: no files, no pages, no proxies."""
BODY = 1_000_000
"""Largest body, in bytes, of a request that is not an upload."""
DISCARD_SECONDS = 2.0
"""How long the body of a refused request is read."""
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors "
)
"""Content security policy: the page loads nothing from other servers. At its end: who shows it in a
frame."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Sent with every answer."""


FREE_TRIES = 4
"""Wrong passwords from an address that cost no time yet."""
LONGEST_PAUSE = 60.0
"""Seconds that an address has to wait after many wrong passwords."""
REMEMBERED = 10_000
"""Addresses whose wrong passwords are remembered."""


class PasswordThrottle:
    """Makes an address wait after wrong passwords: 1 s, 2 s, 4 s, up to `LONGEST_PAUSE`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def get_pause(self, address: str) -> float:
        """Return the seconds that the address still has to wait."""
        return max(0.0, self._failures.get(address, (0, 0.0))[1] - self._clock())

    def add_failure(self, address: str) -> None:
        """Count a wrong password."""
        count = self._failures.pop(address, (0, 0.0))[0] + 1
        pause = min(LONGEST_PAUSE, 2.0 ** min(count - FREE_TRIES - 1, 10)) * (count > FREE_TRIES)
        self._failures[address] = count, self._clock() + pause
        while len(self._failures) > REMEMBERED:
            self._failures.pop(next(iter(self._failures)))

    def clear(self, address: str) -> None:
        """Forget the wrong passwords of an address that has given the right one."""
        self._failures.pop(address, None)


class Guard:
    """ASGI middleware that passes on the page's own requests, from visitors with the password if
    there is one.

    ``auth``: user and password. ``host``: where the server listens. ``names``: further host names
    under which the page is served. Requests under a name that is not on the list are refused, so
    that no web page can reach the server through a name that resolves to it (DNS rebinding). An
    address instead of a name cannot be rebound: a server that listens beyond this machine answers
    to its addresses. ``endpoints``: also answer Gradio's paths for named endpoints.
    ``frame``: address of the page that may show this one in a frame.
    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        auth: tuple[str, str] | None = None,
        names: Iterable[str] = (),
        *,
        endpoints: bool | None = False,
        frame: str = "",
    ):
        self.app, self.auth, self.endpoints = app, auth, endpoints
        self.local = is_local(host)
        own = () if self.local else (host, socket.gethostname())
        self.names = {name.lower() for name in ("localhost", *own, *names)}
        self.throttle = PasswordThrottle()
        self.headers = list_headers(frame)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})  # before it is accepted: status 403
            return
        refused = self.check_request(scope)
        if refused:
            await discard_body(receive)
            await send_text(send, *refused, self.headers)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.headers]
            await send(message)

        await self.app(scope, receive, with_headers)

    def check_request(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and text for a request that is refused, or None."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope.get("headers", [])
        }
        if scope["path"] == "/gradio_api/startup-events" and not scope.get("query_string"):
            # Gradio requests this from itself when it starts; it only wakes its own queue.
            return None if is_local((scope.get("client") or ("",))[0]) else (404, "not found")
        host = headers.get("host", "")
        if not self.is_served_name(host):
            return 403, "this page is not served under this name; --allow-host NAME allows it"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "requests from other pages are refused"
        # Gradio checks whether it has started with a HEAD request for the page.
        if self.auth is not None and (scope["method"], scope["path"]) != ("HEAD", "/"):
            refused = self.check_password(
                headers.get("authorization", ""), (scope.get("client") or ("",))[0]
            )
            if refused:
                return refused
        if not self.is_open(scope["path"]):
            return 404, "not found"
        if scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith("/upload/"):
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > BODY:
                return 413, "the request is too large"
        return None

    def is_open(self, path: str) -> bool:
        """Return whether a path is among those that are answered."""
        return bool(OPEN.fullmatch(path) or (self.endpoints and ENDPOINTS.fullmatch(path)))

    def is_served_name(self, header: str) -> bool:
        """Return whether the page is served under the name in a Host header."""
        try:
            name = (urlsplit(f"//{header}").hostname or "").lower()
        except ValueError:
            return False
        if name in self.names:
            return True
        return is_local(name) if self.local else is_address(name)

    def check_password(self, header: str, address: str) -> tuple[int, str] | None:
        """Return status and text for a request without the password, or None."""
        if not header:
            return 401, "user and password required"
        pause = self.throttle.get_pause(address)
        if pause > 0:
            return 429, f"too many wrong passwords; try again in {math.ceil(pause)} s"
        if not self.has_password(header):
            self.throttle.add_failure(address)
            return 401, "user and password required"
        self.throttle.clear(address)
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


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Return whether a host name means this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def list_headers(frame: str = "") -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of every answer; ``frame``: address of the page that may embed it."""
    policy = (b"content-security-policy", POLICY + (frame.encode() or b"'none'"))
    return (*HEADERS, policy) if frame else (*HEADERS, policy, (b"x-frame-options", b"DENY"))


async def discard_body(receive: Receive) -> None:
    """Read what remains of a refused request, up to twice `BODY`: a client that is still sending
    when the server closes the connection sees a broken connection in place of the reason.
    """
    import anyio  # not before: `vst app --help` works without Gradio, which brings it

    size, more = 0, True
    with anyio.move_on_after(DISCARD_SECONDS):
        while more and size <= 2 * BODY:
            message = await receive()
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)


async def send_text(
    send: Send, status: int, text: str, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send a short plain text response, with the headers ``more``."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="vst", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
