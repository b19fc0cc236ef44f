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
from vst.styles.library import load_builtin_styles
from vst.styles.resolve import PICTURE_SUFFIXES
from vst.web.form import list_controls
from vst.web.guard import Guard
from vst.web.previews import Previews, read_still
from vst.web.queue import TaskQueue
from vst.web.sessions import FILM_SUFFIXES, Session, Sessions, VisitorLimits
from vst.web.tasks import create_measure_task, create_paint_task

PAGE = Path(__file__).parent / "page"
TYPES = {".yaml": "text/plain; charset=utf-8", ".mkv": "video/x-matroska", ".m4v": "video/mp4"}
"""Media types that the system may not know."""
CALLS = (
    "start", "styles", "forget", "plot", "frame", "paint", "measure", "tasks", "cancel", "remove",
)  # fmt: skip
"""The functions that the page calls; each is a method of `Calls`."""
FIELDS = {name: Job.__dataclass_fields__[name] for name in ("keyframes", "picker")}

log = logging.getLogger(__name__)
Values = dict[str, Any]


class Calls:
    """The page's functions: a session's token and JSON values in, JSON values out."""

    def __init__(self, sessions: Sessions, previews: Previews, queue: TaskQueue) -> None:
        self.sessions, self.previews, self.queue = sessions, previews, queue

    def answer(self, name: str, token: str, sent: Values) -> Values:
        """Call a function by its name; return an error as one line for the visitor."""
        session: Session | None = None
        try:
            if name == "start":
                return self.start(token)
            session = self.sessions.find(token)
            found: Values = getattr(self, name)(session, sent if isinstance(sent, dict) else {})
            return found
        except VSTError as error:
            text = str(error)
            return {"error": session.hide_paths(text) if session is not None else text}
        except Exception as error:
            log.exception("%s failed", name)
            return {"error": f"unexpected {type(error).__name__}; the server's log says more"}

    def start(self, token: str) -> Values:
        """Return what the page shows when it loads; open a new session if the token's is gone."""
        session = self.sessions.sessions.get(token) or self.sessions.open()
        self.queue.forget(lambda one: one.token not in self.sessions.sessions)
        self.sessions.find(session.token)
        builtin = [
            {"name": style.name, "about": style.description}
            for style in load_builtin_styles().values()
        ]
        limits = {"upload": session.limits.upload, "length": session.limits.length}
        return {
            "version": __version__,
            "token": session.token,
            "controls": list_controls(),
            "keyframes": {
                "default": FIELDS["keyframes"].default,
                "picker": FIELDS["picker"].default,
                "pickers": [name for name in PICKERS if name != "manual"],
            },
            "builtin": builtin,
            "limits": limits,
            "accept": {
                "content": ",".join(sorted(FILM_SUFFIXES)),
                "style": ",".join(sorted(FILM_SUFFIXES | PICTURE_SUFFIXES)),
            },
            "files": [kept.as_dict() for kept in session.files.values()],
            "styles": [style.as_dict() for style in session.styles.values()],
            "tasks": self.tasks(session, {})["tasks"],
        }

    def styles(self, session: Session, sent: Values) -> Values:
        """Take the keyframes of an uploaded style."""
        count = sent.get("keyframes", FIELDS["keyframes"].default)
        picker = sent.get("picker", FIELDS["picker"].default)
        if not isinstance(count, int) or isinstance(count, bool):
            raise UsageError(f"keyframes {count!r}; give a whole number")
        if count > session.limits.keyframes:
            raise UsageError(f"{count} keyframes; the page accepts {session.limits.keyframes}")
        check_option("keyframes", count, FIELDS["keyframes"].metadata)
        check_option("picker", picker, FIELDS["picker"].metadata)
        found = self.previews.take_styles(session, session.file(sent.get("file")), count, picker)
        return {"styles": [style.as_dict() for style in found]}

    def forget(self, session: Session, sent: Values) -> Values:
        """Delete an uploaded file."""
        session.forget(session.file(sent.get("file")).id)
        return {}

    def plot(self, session: Session, sent: Values) -> Values:
        """Plot the curves of the score."""
        return {"picture": encode_data_url(self.previews.plot(session, sent), "image/png")}

    def frame(self, session: Session, sent: Values) -> Values:
        """Paint one frame; return it as filmed and painted."""
        found = self.previews.paint_frame(session, sent)
        packed = {name: encode_data_url(found[name], "image/jpeg") for name in ("before", "after")}
        return {**found, **packed}

    def paint(self, session: Session, sent: Values) -> Values:
        """Add a job to the queue."""
        return {"id": self.queue.add(create_paint_task(session, sent)).id}

    def measure(self, session: Session, sent: Values) -> Values:
        """Add a measurement to the queue."""
        return {"id": self.queue.add(create_measure_task(session, self.queue, sent)).id}

    def tasks(self, session: Session, sent: Values) -> Values:
        """List the session's jobs."""
        found = [
            {**task.as_dict(), "ahead": self.queue.ahead_of(task)}
            for task in self.queue.list_of(session)
        ]
        return {"tasks": found}

    def cancel(self, session: Session, sent: Values) -> Values:
        """Stop a job."""
        self.queue.cancel(self.queue.task(session, sent.get("id")))
        return {}

    def remove(self, session: Session, sent: Values) -> Values:
        """Remove a finished job from the list, with its files."""
        self.queue.remove(self.queue.task(session, sent.get("id")))
        return {}


def encode_data_url(packed: bytes, kind: str) -> str:
    """Encode bytes as a data URL."""
    return f"data:{kind};base64," + base64.b64encode(packed).decode("ascii")


def build_server(calls: Calls) -> Any:
    """Create Gradio's server with the page's functions and files."""
    server = import_gradio_server()(title="vst", docs_url=None, redoc_url=None, openapi_url=None)
    for name in CALLS:
        server.api(wrap_call(calls, name), name=name, queue=False)
    add_page(server)
    add_files(server, calls)
    return server


def import_gradio_server() -> Any:
    """Import Gradio's server class; raise `DependencyError` if Gradio is missing or too old."""
    # Gradio sends usage reports and looks up its latest version by default.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from gradio import Server
    except ImportError as error:
        raise DependencyError(
            "the page needs Gradio 6.10 or later; install the extra 'web': pip install '.[web]'"
        ) from error
    return Server


def wrap_call(calls: Calls, name: str) -> Callable[[str, Values], Values]:
    """One function of the page, as Gradio takes it: what it takes and gives is read from its
    annotations.
    """

    def call(token: str, sent: dict) -> dict:  # type: ignore[type-arg]
        return calls.answer(name, token, sent)

    call.__name__ = name
    call.__annotations__ = {"token": str, "sent": dict, "return": dict}
    return call


def add_page(server: Any) -> None:
    """Serve the page's own files, by their names in the package's folder."""
    from fastapi.responses import FileResponse, PlainTextResponse

    known = {path.name: path for path in PAGE.iterdir() if path.is_file()}
    fresh = {"cache-control": "no-cache"}

    def index() -> FileResponse:
        return FileResponse(known["index.html"], headers=fresh)

    def part(name: str) -> Any:
        if name not in known:
            return PlainTextResponse("not found", 404)
        return FileResponse(known[name], headers=fresh)

    server.add_api_route("/", index, methods=["GET", "HEAD"], include_in_schema=False)
    server.add_api_route("/page/{name}", part, methods=["GET"], include_in_schema=False)
    # Browsers request it unasked.
    server.router.routes[:] = [r for r in server.routes if getattr(r, "path", "") != "/favicon.ico"]
    server.add_api_route(
        "/favicon.ico", lambda: part("mark.svg"), methods=["GET"], include_in_schema=False
    )


def add_files(server: Any, calls: Calls) -> None:
    """Serve uploads and downloads; a file is addressed by its id, never by a path."""
    from fastapi import Request
    from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
    from starlette.concurrency import run_in_threadpool

    def media(token: str, number: str, download: bool = False) -> Any:
        try:
            kept = calls.sessions.find(token).file(number)
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        suffix = kept.path.suffix
        kind = TYPES.get(suffix) or mimetypes.guess_type(kept.path.name)[0]
        # A report is HTML: it is sent as a download, so it never runs under this page's address.
        name = kept.name if download or suffix == ".html" else None
        return FileResponse(kept.path, media_type=kind, filename=name)

    def frame(token: str, number: str, t: float = 0.0) -> Any:
        try:
            picture = read_still(calls.sessions.find(token).file(number), t)
        except VSTError as error:
            return PlainTextResponse(calls.sessions.find(token).hide_paths(str(error)), 404)
        return Response(picture, media_type="image/jpeg")

    def swatch(name: str) -> Any:
        try:
            return Response(calls.previews.swatch(name), media_type="image/jpeg")
        except VSTError as error:
            return PlainTextResponse(str(error), 404)

    def picture(token: str, number: str) -> Any:
        try:
            found = calls.queue.task(calls.sessions.find(token), number).picture
        except VSTError as error:
            return PlainTextResponse(str(error), 404)
        return Response(found, media_type="image/jpeg") if found else Response(status_code=204)

    async def upload(token: str, role: str, request: Request, name: str = "") -> Any:
        session: Session | None = None
        try:
            session = calls.sessions.find(token)
            kept = await receive_upload(session, name, role, request)
            kept = await run_in_threadpool(session.add, kept)
            if kept.role == "content":
                calls.previews.expect(kept)
            return JSONResponse(kept.as_dict())
        except VSTError as error:
            text = session.hide_paths(str(error)) if session is not None else str(error)
            return JSONResponse({"error": text})  # the same form as for the calls

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


async def receive_upload(session: Session, name: str, role: str, request: Any) -> Any:
    """Write a request's body into the session, up to the limit; delete an incomplete file."""
    kept = session.reserve_file(name, role)
    left = session.bytes_left()
    try:
        with kept.path.open("wb") as file:
            async for part in request.stream():
                left -= len(part)
                if left < 0:
                    raise UsageError(
                        f"{kept.name} is larger than the page accepts "
                        f"({session.limits.upload} MB a file, {session.limits.kept} MB in all)"
                    )
                file.write(part)
    except BaseException:
        kept.path.unlink(missing_ok=True)
        raise
    return kept


@contextlib.contextmanager
def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    auth: tuple[str, str] | None = None,
    limits: VisitorLimits | None = None,
) -> Iterator[str]:
    """Serve the page while the context is open; yield its address. At the end, delete every file
    that visitors uploaded or made.
    """
    limits = limits or VisitorLimits()
    sessions, previews, queue = Sessions(limits), Previews(), TaskQueue(limits.jobs, limits.waiting)
    try:
        # Read when Gradio is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(sessions.folder / "gradio")
        server = build_server(Calls(sessions, previews, queue))
        server.add_middleware(Guard, host=host, auth=auth)
        previews.warm()
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
        previews.close()
        sessions.close()
