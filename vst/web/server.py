"""Starts the page's server. Gradio brings the server; the page's addresses are its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vst.errors import DependencyError, UsageError
from vst.pipeline.run import run
from vst.web.calls import Calls
from vst.web.endpoints import add_endpoints
from vst.web.guard import Guard, is_local
from vst.web.limits import VisitorLimits
from vst.web.preview_pool import PreviewPool
from vst.web.previews import Previews
from vst.web.queue import RunJob, TaskQueue
from vst.web.routes import add_calls, add_files, add_page
from vst.web.sessions import Sessions
from vst.web.store import get_default_folder
from vst.web.tasks import restore_tasks

GRADIO_SESSIONS = 64
"""Sessions of `gradio_client` of which Gradio remembers the last values."""


def import_gradio_server() -> Any:
    """Import Gradio's server class; raise `DependencyError` if Gradio is missing or too old."""
    # Gradio sends usage reports and looks up its latest version by default.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from gradio import Server
    except ImportError as error:
        raise DependencyError.of_extra("the page needs Gradio 6.10 or later", "web") from error
    return Server


def create_server() -> Any:
    """Create a server without addresses of its own."""
    return import_gradio_server()(title="vst", docs_url=None, redoc_url=None, openapi_url=None)


def build_server(calls: Calls, *, endpoints: bool | None) -> Any:
    """Create the server with the page, its functions and its files; with ``endpoints``, the
    functions also by name through Gradio.
    """
    server = create_server()
    add_page(server)
    add_calls(server, calls)
    add_files(server, calls)
    if endpoints:
        add_endpoints(server, calls)
    return server


def launch(server: Any, host: str, port: int) -> str:
    """Start to listen; return the page's address."""
    try:
        _, address, _ = server.launch(
            server_name=host, server_port=port, prevent_thread_lock=True, quiet=True,
            inbrowser=False, share=False, ssr_mode=False, show_error=False,
            enable_monitoring=False, state_session_capacity=GRADIO_SESSIONS,
        )  # fmt: skip
    except OSError as error:
        raise UsageError(
            f"port {port} of {host} cannot be listened on; give another one with --port"
        ) from error
    return str(address).rstrip("/")


def adapt_limits(limits: VisitorLimits, host: str) -> VisitorLimits:
    """The limits of a server at ``host``: a page for this machine alone has one visitor, who may
    use all sessions, the whole queue and, unless set otherwise, the endpoints.
    """
    endpoints = is_local(host) if limits.endpoints is None else limits.endpoints
    limits = replace(limits, endpoints=endpoints)
    if not is_local(host):
        return limits
    return replace(limits, sessions_each=limits.sessions, waiting_each=limits.waiting)


@dataclass(frozen=True)
class PageAddress:
    """Where the page is served: the address and port to listen on, and further host ``names``."""

    host: str = "127.0.0.1"
    port: int = 7860
    names: tuple[str, ...] = ()


@contextlib.contextmanager
def serve(
    at: PageAddress,
    auth: tuple[str, str] | None = None,
    limits: VisitorLimits | None = None,
    *,
    state: Path | None = None,
    run_job: RunJob = run,
) -> Iterator[tuple[str, int]]:
    """Serve the page while the context is open; yield its address, and how many jobs of a killed
    server go on. At the end, delete every file that visitors uploaded or made.

    ``state``: the folder for visitors' files and jobs. ``run_job``: what paints a job.
    """
    limits = adapt_limits(limits or VisitorLimits(), at.host)
    folder = state or get_default_folder(at.port)
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")  # read when Gradio is imported
    import_gradio_server()
    sessions = Sessions(folder, limits)
    previews, pool = Previews(), PreviewPool()
    queue = TaskQueue(limits.jobs, limits.waiting, limits.waiting_each, run_job)
    sessions.is_busy = queue.is_busy
    calls = Calls(sessions, previews, pool, queue)
    try:
        server = build_server(calls, endpoints=limits.endpoints)
        server.add_middleware(
            Guard, host=at.host, auth=auth, names=at.names, endpoints=limits.endpoints,
            frame=limits.frame,
        )  # fmt: skip
        previews.warm()
        going_on = restore_tasks(sessions, queue)  # before a page can miss them
        address = launch(server, at.host, at.port)
        try:
            yield address, going_on
        finally:
            server.get_blocks().close(verbose=False)
    finally:
        queue.close()
        pool.close()
        calls.close()
        previews.close()
        sessions.close()
