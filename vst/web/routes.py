"""The server's addresses: the page's own files, its functions, uploads and downloads. None of them
is a function of Gradio, which would process what strangers send before it is checked.
"""

from __future__ import annotations

import json
import mimetypes
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from vst.errors import UsageError, VSTError
from vst.web.calls import POOLED, QUICK, READING, Calls
from vst.web.previews import WIDEST, read_still
from vst.web.sessions import Session

PAGE = Path(__file__).parent / "page"
TYPES = {".yaml": "text/plain; charset=utf-8", ".mkv": "video/x-matroska", ".m4v": "video/mp4"}
"""Media types that the system may not know."""
DECODERS = 4
"""Threads that decode uploaded videos at once."""
STILL_SECONDS = 3600
"""Seconds for which a browser keeps a frame of an upload."""
DISCARDED = 8_000_000
"""Bytes of a refused upload that are read before it is answered."""
DISCARDED_SECONDS = 5.0


def add_page(server: Any, first: str = "index.html") -> None:
    """Serve the files of the package's folder by their names; ``first`` is the page itself."""
    from starlette.responses import FileResponse, PlainTextResponse
    from starlette.routing import Route

    known = {path.name: path for path in PAGE.iterdir() if path.is_file()}
    fresh = {"cache-control": "no-cache"}

    # Functions of the event loop, not of its threads: the page loads however busy those are.
    async def index(request: Any) -> Any:
        return FileResponse(known[first], headers=fresh)

    async def part(request: Any) -> Any:
        name = request.path_params.get("name", "mark.svg")
        if name not in known:
            return PlainTextResponse("not found", 404)
        return FileResponse(known[name], headers=fresh)

    server.router.routes[:0] = [
        Route("/", index, methods=["GET", "HEAD"]),
        Route("/page/{name}", part),
        Route("/favicon.ico", part),  # browsers request it unasked
    ]


def add_calls(server: Any, calls: Calls) -> None:
    """Serve the listed functions: a JSON object with the session's token and the values."""
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    async def call(request: Any) -> Any:
        name = request.path_params["name"]
        if name not in (*QUICK, *POOLED, *READING):
            return PlainTextResponse("not found", 404)
        body = await read_object(request)
        if not isinstance(body, dict):
            return body
        if not isinstance(body.get("sent", {}), dict):
            return PlainTextResponse("the request is not an object", 400)
        address = request.client.host if request.client else ""
        return JSONResponse(
            await calls.answer(name, body.get("token"), body.get("sent", {}), address)
        )

    server.router.routes[:0] = [Route("/call/{name}", call, methods=["POST"])]


async def read_object(request: Any) -> Any:
    """Return the request's body as a dictionary, or the response that refuses it."""
    from starlette.responses import PlainTextResponse

    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return PlainTextResponse("the request is not JSON", 415)
    try:
        body = json.loads(await request.body(), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return PlainTextResponse("the request is not JSON", 400)
    return (
        body if isinstance(body, dict) else PlainTextResponse("the request is not an object", 400)
    )


def refuse_constant(name: str) -> float:
    """Refuse NaN and the infinities, which are not JSON."""
    raise ValueError(f"{name} is not JSON")


def add_files(server: Any, calls: Calls) -> None:
    """Serve uploads and downloads; a file is addressed by its id, never by a path."""
    from starlette.routing import Route

    files = FileRoutes(calls)
    server.router.routes[:0] = [
        Route("/media/{token}/{number}", files.send_file),
        Route("/still/{token}/{number}", files.send_still),
        Route("/swatch/{name}", files.send_swatch),
        Route("/picture/{token}/{number}", files.send_preview),
        Route("/upload/{token}/{role}", files.receive_file, methods=["POST"]),
    ]


class FileRoutes:
    """Answers requests for a visitor's files, and takes his uploads."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._decoders = anyio.CapacityLimiter(DECODERS)
        # Of their own: while the styles are being painted their pictures wait, but nothing else.
        self._painters = anyio.CapacityLimiter(DECODERS)

    def _find_session(self, request: Any) -> Session:
        return self._calls.sessions.find(request.path_params["token"])

    async def send_file(self, request: Any) -> Any:
        """Send an upload or an output."""
        from starlette.responses import FileResponse, PlainTextResponse

        try:
            kept = self._find_session(request).file(request.path_params["number"])
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        if not kept.path.is_file():
            return PlainTextResponse("this file is gone", 404)
        suffix = kept.path.suffix
        kind = TYPES.get(suffix) or mimetypes.guess_type(kept.path.name)[0]
        # A report is HTML: it is sent as a download, so it never runs under this page's address.
        downloaded = "download" in request.query_params or suffix == ".html"
        return FileResponse(kept.path, media_type=kind, filename=kept.name if downloaded else None)

    async def send_still(self, request: Any) -> Any:
        """Send a frame of an upload, at the time ``t`` and of at most ``side`` pixels."""
        from starlette.responses import PlainTextResponse, Response

        session: Session | None = None
        try:
            session = self._find_session(request)
            at = float(request.query_params.get("t", 0.0))
            side = int(request.query_params.get("side", WIDEST))
            read = partial(read_still, session.file(request.path_params["number"]), at, side)
            picture = await anyio.to_thread.run_sync(read, limiter=self._decoders)
        except ValueError:
            return PlainTextResponse("the time or the side is not a number", 404)
        except (VSTError, OSError) as error:
            return PlainTextResponse(describe_error(error, session), 404)
        kept = {"cache-control": f"private, max-age={STILL_SECONDS}"}
        return Response(picture, media_type="image/jpeg", headers=kept)

    async def send_swatch(self, request: Any) -> Any:
        """Send the sample picture in a style of the package."""
        from starlette.responses import PlainTextResponse, Response

        try:
            paint = partial(self._calls.previews.swatch, request.path_params["name"])
            picture = await anyio.to_thread.run_sync(paint, limiter=self._painters)
            return Response(picture, media_type="image/jpeg")
        except VSTError as error:
            return PlainTextResponse(str(error), 404)

    async def send_preview(self, request: Any) -> Any:
        """Send the newest picture of a job, or nothing yet."""
        from starlette.responses import PlainTextResponse, Response

        try:
            session = self._find_session(request)
            found = self._calls.queue.task(session, request.path_params["number"]).picture
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        return Response(found, media_type="image/jpeg") if found else Response(status_code=204)

    async def receive_file(self, request: Any) -> Any:
        """Keep an upload; a refusal has the same form as for the calls."""
        from starlette.responses import JSONResponse

        session: Session | None = None
        try:
            session = self._find_session(request)
            kept = await receive_upload(session, request, self._decoders)
            if kept.role == "content":
                expect = partial(self._calls.previews.expect, kept)
                self._calls.pool.submit(session.address, (session.token, "expect"), expect)
            return JSONResponse(kept.as_dict())
        except VSTError as error:
            await discard_body(request)
            return JSONResponse({"error": describe_error(error, session)})


def describe_error(error: Exception, session: Session | None) -> str:
    """The error's text, without the server's paths."""
    return session.hide_paths(str(error)) if session is not None else str(error)


async def discard_body(request: Any) -> None:
    """Read what remains of a refused upload, up to a limit: a client that is still sending when the
    server closes the connection sees a broken connection in place of the reason.
    """
    from starlette.requests import ClientDisconnect

    size = 0
    # RuntimeError: the body has been read already
    with suppress(RuntimeError, ClientDisconnect), anyio.move_on_after(DISCARDED_SECONDS):
        async for part in request.stream():
            size += len(part)
            if size > DISCARDED:
                return


async def receive_upload(session: Session, request: Any, decoders: Any) -> Any:
    """Write a request's body into the session, within the visitor's limits; delete an incomplete
    file.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise UsageError("the upload does not say how large it is")
    role, name = request.path_params["role"], request.query_params.get("name", "")
    kept, left = session.reserve_file(name, role), int(length)
    with session.receive(kept, left):
        try:
            with kept.path.open("wb") as file:
                async for part in request.stream():
                    left -= len(part)
                    if left < 0:
                        raise UsageError(f"{kept.name} is larger than it said")
                    file.write(part)
        except BaseException:
            kept.path.unlink(missing_ok=True)
            raise
        return await anyio.to_thread.run_sync(session.add, kept, limiter=decoders)
