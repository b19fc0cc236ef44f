"""The page of a rating, served to this machine alone.

Nothing that a request says becomes the name of a file: a video is reached by the token of an open
pair. Requests that name another host are refused, so that no other page in the same browser can
reach this one under a name of its own; answers are JSON, which other pages may not send.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vst.errors import OutputError, UsageError, VSTError
from vst.research.study.rating import PLAYABLE, Rating
from vst.research.study.rating_page import PAGE
from vst.research.study.votes import QUESTIONS, to_plain

LOG = logging.getLogger(__name__)
HERE = "127.0.0.1"
LARGEST_BODY = 4096
"""Bytes of an answer at most."""
BLOCK = 1 << 18
"""Bytes of a video that are read at once."""
WAIT = 30.0
"""Seconds that a connection may be idle."""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class RatingServer(ThreadingHTTPServer):
    """Serves one rating on ``port`` (0: any that is free) of this machine."""

    daemon_threads = True

    def __init__(self, rating: Rating, port: int = 0) -> None:
        self.rating = rating
        try:
            super().__init__((HERE, port), Handler)
        except (OSError, OverflowError) as error:
            raise OutputError(
                f"port {port} cannot be used ({getattr(error, 'strerror', None) or error}); "
                "give another, or 0 for any"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HERE}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes a video halfway is not an error."""
        LOG.debug("a request was broken off", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: RatingServer
    protocol_version = "HTTP/1.1"
    server_version = "vst"
    sys_version = ""
    timeout = WAIT

    def do_GET(self) -> None:
        """The page, a pair, its videos, the ranking."""
        self.answered(self._get)

    def do_POST(self) -> None:
        """An answer."""
        self.answered(self._post)

    def answered(self, work: Callable[[], None]) -> None:
        """Do the work for a request that may be answered; say what is wrong as JSON."""
        try:
            if not self._ours():
                self._refuse(HTTPStatus.FORBIDDEN, "this page is for this machine alone")
                return
            work()
        except UsageError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except VSTError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    def log_message(self, format: str, *args: Any) -> None:
        """To the log, not to the terminal."""
        LOG.debug(format, *args)

    def _ours(self) -> bool:
        port = self.server.server_address[1]
        names = {f"{HERE}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in names and (
            origin is None or origin in {f"http://{name}" for name in names}
        )

    def _get(self) -> None:
        rating = self.server.rating
        if self.path == "/":
            self._send(PAGE.encode(), "text/html; charset=utf-8")
        elif self.path == "/pair":
            pair = rating.next_pair()
            asked = [{"name": name, "text": text} for name, text in QUESTIONS.items()]
            self._json({"token": pair.token, "questions": asked, "votes": len(rating.votes)})
        elif self.path == "/ranking":
            self._json({"ranking": to_plain(rating.standings()), "questions": QUESTIONS})
        elif found := re.fullmatch(r"/video/([\w-]{1,64})/(left|right)", self.path):
            path = rating.file(found[1], found[2])
            if path is None:
                self._refuse(HTTPStatus.NOT_FOUND, "this pair is over")
            else:
                self._film(path)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self) -> None:
        if self.path != "/vote":
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json" or not length.isdecimal():
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "an answer is JSON")
            return
        if int(length) > LARGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "an answer is short")
            return
        try:
            said = json.loads(self.rfile.read(int(length)))
            token, answers = str(said["token"]), dict(said["answers"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError("an answer has a token and answers") from error
        if self.server.rating.answer(token, answers):
            self._json({"votes": len(self.server.rating.votes)})
        else:
            self._refuse(HTTPStatus.GONE, "this pair is over")

    def _film(self, path: Path) -> None:
        """A video, whole or the part that is asked for: phones ask for parts, and play nothing
        without.
        """
        try:
            file = path.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, "the video cannot be read")
            return
        with file:
            size = path.stat().st_size
            first, last, partly = parse_range(self.headers.get("Range"), size)
            if first > last:
                self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "there is no such part")
                return
            self.send_response(HTTPStatus.PARTIAL_CONTENT if partly else HTTPStatus.OK)
            if partly:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Accept-Ranges", "bytes")
            self._heads(PLAYABLE[path.suffix.lower()], last - first + 1)
            file.seek(first)
            left = last - first + 1
            while left > 0 and (block := file.read(min(BLOCK, left))):
                self.wfile.write(block)
                left -= len(block)

    def _json(self, value: Any) -> None:
        self._send(json.dumps(value).encode(), "application/json")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        # What of the request was not read would be taken for the next one.
        self.close_connection = True
        self._send(json.dumps({"error": text}).encode(), "application/json", status)

    def _send(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self._heads(kind, len(data))
        self.wfile.write(data)

    def _heads(self, kind: str, length: int) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()


def parse_range(asked: str | None, size: int) -> tuple[int, int, bool]:
    """First and last byte of what a Range header asks for, and whether it asks for a part.

    >>> part_of("bytes=2-", 10), part_of("bytes=-3", 10), part_of(None, 10)
    ((2, 9, True), (7, 9, True), (0, 9, False))
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked or "")
    if not found or not (found[1] or found[2]):
        return 0, size - 1, False
    if not found[1]:
        return max(0, size - int(found[2])), size - 1, True
    return int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1), True
