"""The page behind Gradio's server: its functions as Gradio's API, its files as plain routes."""

from __future__ import annotations

import base64
import contextlib
import logging
import mimetypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vst import __version__
from vst.errors import DependencyError, UsageError, VSTError
from vst.job import Job, check_option
from vst.keyframes import PICKERS
from vst.styles.library import builtin_styles
from vst.styles.resolve import PICTURE_SUFFIXES
from vst.web.desk import Desk, still
from vst.web.form import controls
from vst.web.guard import Guard
from vst.web.queue import Queue
from vst.web.rooms import FILM_SUFFIXES, Limits, Room, Rooms
from vst.web.work import measure_task, paint_task

PAGE = Path(__file__).parent / "page"
TYPES = {".yaml": "text/plain; charset=utf-8", ".mkv": "video/x-matroska", ".m4v": "video/mp4"}
"""Media types that the system may not know."""
CALLS = (
    "start", "looks", "forget", "plot", "moment", "paint", "measure", "tasks", "cancel", "remove",
)  # fmt: skip
"""What the page asks for; each is a method of `Calls`."""
HELD = {name: Job.__dataclass_fields__[name] for name in ("keyframes", "picker")}

log = logging.getLogger(__name__)
Values = dict[str, Any]


class Calls:
    """What the page can ask for: a room's token and plain values in, plain values out."""

    def __init__(self, rooms: Rooms, desk: Desk, queue: Queue) -> None:
        self.rooms, self.desk, self.queue = rooms, desk, queue

    def answer(self, name: str, token: str, sent: Values) -> Values:
        """Call a function by its name; an error becomes a line for the visitor."""
        room: Room | None = None
        try:
            if name == "start":
                return self.start(token)
            room = self.rooms.room(token)
            found: Values = getattr(self, name)(room, sent if isinstance(sent, dict) else {})
            return found
        except VSTError as error:
            text = str(error)
            return {"error": room.spoken(text) if room is not None else text}
        except Exception as error:
            log.exception("%s failed", name)
            return {"error": f"unexpected {type(error).__name__}; the server's log says more"}

    def start(self, token: str) -> Values:
        """All that the page shows when it is loaded; a new room where the token's is gone."""
        room = self.rooms.rooms.get(token) or self.rooms.open()
        self.queue.forget(lambda one: one.token not in self.rooms.rooms)
        self.rooms.room(room.token)
        styles = [
            {"name": style.name, "about": style.description} for style in builtin_styles().values()
        ]
        limits = {"upload": room.limits.upload, "length": room.limits.length}
        return {
            "version": __version__,
            "token": room.token,
            "controls": controls(),
            "keyframes": {
                "default": HELD["keyframes"].default,
                "picker": HELD["picker"].default,
                "pickers": [name for name in PICKERS if name != "manual"],
            },
            "styles": styles,
            "limits": limits,
            "accept": {
                "content": ",".join(sorted(FILM_SUFFIXES)),
                "style": ",".join(sorted(FILM_SUFFIXES | PICTURE_SUFFIXES)),
            },
            "files": [kept.as_dict() for kept in room.files.values()],
            "looks": [look.as_dict() for look in room.looks.values()],
            "tasks": self.tasks(room, {})["tasks"],
        }

    def looks(self, room: Room, sent: Values) -> Values:
        """The keyframes of an uploaded style."""
        count = sent.get("keyframes", HELD["keyframes"].default)
        picker = sent.get("picker", HELD["picker"].default)
        if not isinstance(count, int) or isinstance(count, bool):
            raise UsageError(f"keyframes {count!r}; give a whole number")
        if count > room.limits.looks:
            raise UsageError(f"{count} keyframes; the page takes {room.limits.looks}")
        check_option("keyframes", count, HELD["keyframes"].metadata)
        check_option("picker", picker, HELD["picker"].metadata)
        found = self.desk.looks(room, room.file(sent.get("file")), count, picker)
        return {"looks": [look.as_dict() for look in found]}

    def forget(self, room: Room, sent: Values) -> Values:
        """Remove an uploaded file."""
        room.forget(room.file(sent.get("file")).id)
        return {}

    def plot(self, room: Room, sent: Values) -> Values:
        """The curves of the score."""
        return {"picture": data_url(self.desk.plot(room, sent), "image/png")}

    def moment(self, room: Room, sent: Values) -> Values:
        """One frame, as filmed and painted."""
        found = self.desk.moment(room, sent)
        packed = {name: data_url(found[name], "image/jpeg") for name in ("before", "after")}
        return {**found, **packed}

    def paint(self, room: Room, sent: Values) -> Values:
        """Put a job into the row."""
        return {"id": self.queue.add(paint_task(room, sent)).id}

    def measure(self, room: Room, sent: Values) -> Values:
        """Put a measurement into the row."""
        return {"id": self.queue.add(measure_task(room, self.queue, sent)).id}

    def tasks(self, room: Room, sent: Values) -> Values:
        """The room's jobs."""
        found = [
            {**task.as_dict(), "ahead": self.queue.ahead_of(task)}
            for task in self.queue.of_room(room)
        ]
        return {"tasks": found}

    def cancel(self, room: Room, sent: Values) -> Values:
        """Stop a job."""
        self.queue.cancel(self.queue.task(room, sent.get("id")))
        return {}

    def remove(self, room: Room, sent: Values) -> Values:
        """Take a job that is over off the list, with its files."""
        self.queue.remove(self.queue.task(room, sent.get("id")))
        return {}


def data_url(packed: bytes, kind: str) -> str:
    """Bytes as an address that carries them."""
    return f"data:{kind};base64," + base64.b64encode(packed).decode("ascii")


def build(calls: Calls) -> Any:
    """Gradio's server with the page's functions and files."""
    server = gradio_server()(title="vst", docs_url=None, redoc_url=None, openapi_url=None)
    for name in CALLS:
        server.api(function_named(calls, name), name=name, queue=False)
    add_page(server)
    add_files(server, calls)
    return server


def gradio_server() -> Any:
    """Gradio's server class; a clear word where Gradio is missing, or too old to have it."""
    # It reports on its use, and asks for its latest version, unless it is told not to.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from gradio import Server
    except ImportError as error:
        raise DependencyError(
            "the page needs Gradio 6.10 or later; install the extra 'web': pip install '.[web]'"
        ) from error
    return Server


def function_named(calls: Calls, name: str) -> Callable[[str, Values], Values]:
    """One function of the page, as Gradio takes it: what it takes and gives is read from its
    annotations.
    """

    def call(token: str, sent: dict) -> dict:  # type: ignore[type-arg]
        return calls.answer(name, token, sent)

    call.__name__ = name
    call.__annotations__ = {"token": str, "sent": dict, "return": dict}
    return call


def add_page(server: Any) -> None:
    """The page's own files: those of the package, by their names in this list."""
    from fastapi.responses import FileResponse, PlainTextResponse

    known = {path.name: path for path in PAGE.iterdir() if path.is_file()}
    fresh = {"cache-control": "no-cache"}

    def index() -> FileResponse:
        return FileResponse(known["index.html"], headers=fresh)

    def part(name: str) -> Any:
        if name not in known:
            return PlainTextResponse("not here", 404)
        return FileResponse(known[name], headers=fresh)

    server.add_api_route("/", index, methods=["GET", "HEAD"], include_in_schema=False)
    server.add_api_route("/page/{name}", part, methods=["GET"], include_in_schema=False)
    # Browsers ask for it by themselves.
    server.router.routes[:] = [r for r in server.routes if getattr(r, "path", "") != "/favicon.ico"]
    server.add_api_route(
        "/favicon.ico", lambda: part("mark.svg"), methods=["GET"], include_in_schema=False
    )


def add_files(server: Any, calls: Calls) -> None:
    """The rooms' files in and out: each is known by its id, never by a path."""
    from fastapi import Request
    from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
    from starlette.concurrency import run_in_threadpool

    def media(token: str, number: str, download: bool = False) -> Any:
        try:
            kept = calls.rooms.room(token).file(number)
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        suffix = kept.path.suffix
        kind = TYPES.get(suffix) or mimetypes.guess_type(kept.path.name)[0]
        # A report is HTML: it is taken away, not shown on this page's address.
        name = kept.name if download or suffix == ".html" else None
        return FileResponse(kept.path, media_type=kind, filename=name)

    def frame(token: str, number: str, t: float = 0.0) -> Any:
        try:
            picture = still(calls.rooms.room(token).file(number), t)
        except VSTError as error:
            return PlainTextResponse(calls.rooms.room(token).spoken(str(error)), 404)
        return Response(picture, media_type="image/jpeg")

    def swatch(name: str) -> Any:
        try:
            return Response(calls.desk.swatch(name), media_type="image/jpeg")
        except VSTError as error:
            return PlainTextResponse(str(error), 404)

    def picture(token: str, number: str) -> Any:
        try:
            found = calls.queue.task(calls.rooms.room(token), number).picture
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        return Response(found, media_type="image/jpeg") if found else Response(status_code=204)

    async def upload(token: str, role: str, request: Request, name: str = "") -> Any:
        room: Room | None = None
        try:
            room = calls.rooms.room(token)
            kept = await received(room, name, role, request)
            kept = await run_in_threadpool(room.keep, kept)
            if kept.role == "content":
                calls.desk.expect(kept)
            return JSONResponse(kept.as_dict())
        except VSTError as error:
            text = room.spoken(str(error)) if room is not None else str(error)
            return JSONResponse({"error": text})  # answered as the calls are

    # The annotations are names of this function, which FastAPI cannot look up.
    upload.__annotations__ = {"token": str, "role": str, "request": Request, "name": str}
    routes: tuple[tuple[str, Any, str], ...] = (
        ("/media/{token}/{number}", media, "GET"),
        ("/still/{token}/{number}", frame, "GET"),
        ("/swatch/{name}", swatch, "GET"),
        ("/picture/{token}/{number}", picture, "GET"),
        ("/upload/{token}/{role}", upload, "POST"),
    )
    for path, function, method in routes:
        server.add_api_route(
            path, function, methods=[method], include_in_schema=False, response_model=None
        )


async def received(room: Room, name: str, role: str, request: Any) -> Any:
    """Write the body of a request into the room, up to the limit; a part of a file is removed."""
    kept = room.place_for(name, role)
    left = room.bytes_left()
    try:
        with kept.path.open("wb") as file:
            async for part in request.stream():
                left -= len(part)
                if left < 0:
                    raise UsageError(
                        f"{kept.name} is larger than the page takes "
                        f"({room.limits.upload} MB a file, {room.limits.kept} MB in all)"
                    )
                file.write(part)
    except BaseException:
        kept.path.unlink(missing_ok=True)
        raise
    return kept


@contextlib.contextmanager
def served(
    host: str = "127.0.0.1",
    port: int = 7860,
    auth: tuple[str, str] | None = None,
    limits: Limits | None = None,
) -> Iterator[str]:
    """The page, served while this is open; gives its address. Everything that visitors brought or
    made goes at the end.
    """
    limits = limits or Limits()
    rooms, desk, queue = Rooms(limits), Desk(), Queue(limits.jobs, limits.waiting)
    try:
        # Read when Gradio is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(rooms.folder / "gradio")
        server = build(Calls(rooms, desk, queue))
        server.add_middleware(Guard, host=host, auth=auth)
        desk.warm()
        try:
            _, address, _ = server.launch(
                server_name=host, server_port=port, prevent_thread_lock=True, quiet=True,
                inbrowser=False, share=False, ssr_mode=False, show_error=False,
                enable_monitoring=False,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(
                f"port {port} of {host} cannot be listened on; give another one with --port"
            ) from error
        try:
            yield str(address).rstrip("/")
        finally:
            server.get_blocks().close(verbose=False)
    finally:
        queue.close()
        desk.close()
        rooms.close()
