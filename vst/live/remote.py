"""Control from outside: a page with the picture, its messages by HTTP, and OSC."""

from __future__ import annotations

import functools
import json
import socket
import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import cv2

from vst.core.closable import Closable
from vst.errors import UsageError
from vst.live.outputs import LiveOutput, import_extra
from vst.live.slot import LiveFrame
from vst.live.style_control import StyleControl

JPEG_QUALITY = 85
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vst live</title>
<meta name="viewport" content="width=device-width">
<style>body{margin:0;background:#111;color:#eee;font:16px system-ui,sans-serif;text-align:center}
img{max-width:100%;max-height:85vh;display:block;margin:0 auto}
button{margin:.5em .25em;padding:.5em 1em;font:inherit}</style>
<img src="stream" alt="The painted picture"><div id="styles"></div>
<script>
const send = (path) => fetch(path, {method: "POST"});
fetch("status").then((answer) => answer.json()).then(({styles}) => styles.forEach((name, place) => {
  const button = document.createElement("button");
  button.textContent = name;
  button.onclick = () => send(`style/${place + 1}`);
  document.getElementById("styles").append(button);
}));
</script></html>"""


def parse_address(address: str, scheme: str) -> tuple[str, int]:
    """Parse ``scheme://HOST:PORT``."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != scheme or not parts.hostname or not port:
        raise UsageError(
            f"{address!r} is not {scheme}://HOST:PORT. Give such as {scheme}://127.0.0.1:8000"
        )
    return parts.hostname, port


def check_address(address: str, scheme: str) -> None:
    """Refuse an address that this machine cannot listen on; nothing listens there afterwards."""
    kind = socket.SOCK_DGRAM if scheme == "osc" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as trial:
        if kind == socket.SOCK_STREAM:  # as the page's server does
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(parse_address(address, scheme))
        except OSError as error:
            raise make_address_error(address, error) from error
    if scheme == "osc":
        import_extra("pythonosc.osc_packet", "OSC")


def make_address_error(address: str, error: OSError) -> UsageError:
    """Make the error for an address that cannot be listened on."""
    return UsageError(
        f"{address!r} cannot be listened on: {error.strerror}. Give another port, or 127.0.0.1 as "
        "the host"
    )


class PageOutput(LiveOutput):
    """A page that shows the pictures as MJPEG, with a button for each style.

    ``GET /stream``: the pictures; ``GET /status``: JSON; ``POST /style/2``, ``/next``,
    ``/previous``, ``/glide/3``, ``/strength/0.5``: messages. A page of another origin may not send
    them.
    """

    def __init__(self, address: str, control: StyleControl) -> None:
        self.name = address
        self.control = control
        self.jpeg = b""
        self.changed = threading.Condition()
        self.is_closed = False
        where = parse_address(address, "http")
        try:
            self._server = ThreadingHTTPServer(
                where, type("Handler", (PageHandler,), {"page": self})
            )
        except OSError as error:
            raise make_address_error(address, error) from error
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="vst page", daemon=True).start()

    def has_changed(self, shown: bytes | None) -> bool:
        """Whether there is another picture than ``shown``, or the end."""
        return self.jpeg is not shown or self.is_closed

    def open(self, width: int, height: int, rate: Fraction) -> None:
        """Nothing to open: the page is there from the start."""

    def show(self, frame: LiveFrame, *, is_last: bool) -> None:
        picture = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        with self.changed:
            self.jpeg = data.tobytes()
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()


class PageHandler(BaseHTTPRequestHandler):
    """Answers a request for the page, its stream of pictures and its state, or takes a message."""

    page: PageOutput

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, PAGE.encode(), "text/html; charset=utf-8")
        elif self.path == "/status":
            control = self.page.control
            mix = {"styles": list(control.names), "weights": dict(control.mix().weights)}
            self._answer(200, json.dumps(mix).encode(), "application/json")
        elif self.path == "/stream":
            self._stream()
        else:
            self._answer(404, b"not found", "text/plain")

    def do_POST(self) -> None:
        origin = self.headers.get("Origin")
        if origin and urlsplit(origin).netloc != self.headers.get("Host"):
            self._answer(403, b"messages of other pages are refused", "text/plain")
            return
        command, _, value = unquote(self.path.lstrip("/")).partition("/")
        try:
            self.page.control.obey(command, value or None)
        except UsageError as error:
            self._answer(400, str(error).encode(), "text/plain; charset=utf-8")
            return
        self._answer(200, b"done", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        shown: bytes | None = None
        try:
            while not self.page.is_closed:
                with self.page.changed:
                    self.page.changed.wait_for(functools.partial(self.page.has_changed, shown), 5)
                    shown = self.page.jpeg
                if shown:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shown)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + shown + b"\r\n")
        except OSError:  # the viewer has left
            return

    def log_message(self, format: str, *values: Any) -> None:
        """Print nothing."""


class OscControl(Closable):
    """Takes OSC messages by UDP: ``/vst/style 2``, ``/vst/next``, ``/vst/glide 3.0``."""

    def __init__(self, address: str, control: StyleControl) -> None:
        self._packet = import_extra("pythonosc.osc_packet", "OSC").OscPacket
        self._control = control
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(parse_address(address, "osc"))
        except OSError as error:
            self._socket.close()
            raise make_address_error(address, error) from error
        self._socket.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="vst osc", daemon=True)
        self._thread.start()

    def take(self, data: bytes) -> None:
        """Carry out the messages of one packet; what is damaged or unknown is ignored."""
        try:
            messages = [timed.message for timed in self._packet(data).messages]
        except Exception:  # the library's own errors, and whatever a damaged packet raises
            return
        for message in messages:
            prefix, _, command = message.address.lstrip("/").partition("/")
            values = list(message.params)
            try:
                if prefix == "vst":
                    self._control.obey(command, values[0] if values else None)
            except UsageError:
                continue

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                self.take(self._socket.recv(4096))
            except (TimeoutError, ConnectionError):
                continue

    def close(self) -> None:
        self._over.set()
        self._thread.join(1.0)
        self._socket.close()
