"""The page's functions as named endpoints of Gradio, for `gradio_client` and curl.

Gradio carries the calls only. Files travel by the page's own addresses for uploads and downloads,
which count them against the visitor's limits; Gradio's file handling stays closed.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, MutableMapping
from typing import Any

from vst.web.calls import FIELDS, Calls
from vst.web.guard import App, Receive, Scope, Send, send_text
from vst.web.routes import refuse_constant

Parameters = dict[str, tuple[Any, Any]]
"""Name of a parameter -> its type and default; ``REQUIRED`` if it has none."""
REQUIRED = inspect.Parameter.empty
FILE: Parameters = {"file": (str, REQUIRED)}
TASK: Parameters = {"id": (str, REQUIRED)}
JOB: Parameters = {
    "content": (str, REQUIRED),
    "keys": (list[dict[str, Any]], REQUIRED),
    "settings": (dict[str, Any], {}),
    "mask": (list[float], None),
    "drawn": (list[dict[str, Any]], None),
    "background": (str, "none"),
    "trim": (list[float], None),
}
"""The form of a job, as the page sends it."""
ENDPOINTS: dict[str, Parameters] = {
    "start": {},
    "sample": {},
    "styles": {
        **FILE,
        "keyframes": (int, FIELDS["keyframes"].default),
        "picker": (str, FIELDS["picker"].default),
    },
    "frame": {**JOB, "time": (float, 0.0)},
    "mask": {**JOB, "time": (float, 0.0)},
    "box": {**JOB, "time": (float, 0.0), "box": (list[float], None)},
    "clip": JOB,
    "curves": JOB,
    "marks": FILE,
    "estimate": JOB,
    "paint": JOB,
    "measure": {"job": (str, None), "painted": (str, None), "content": (str, None)},
    "tasks": {},
    "report": TASK,
    "cancel": TASK,
    "remove": TASK,
    "forget": FILE,
    "gif": TASK,
    "pack": JOB,
    "unpack": FILE,
}
"""Endpoint -> its parameters after the session's token."""
UNREAD_SESSIONS = 128
"""Gradio sessions whose answers are kept until they are fetched; the oldest go first."""
UNREAD_EACH = 16
"""Answers that one Gradio session may leave unfetched."""


def add_endpoints(server: Any, calls: Calls) -> None:
    """Register every function of the page under its name with Gradio."""
    for name, parameters in ENDPOINTS.items():
        about = inspect.getdoc(getattr(calls, name))
        endpoint = build_endpoint(calls, name, parameters)
        # The functions wait in the page's own pools: Gradio's queue passes all of them on.
        server.api(endpoint, name=name, description=about, concurrency_limit=None)
    server.add_middleware(EndpointFilter, server=server)


def build_endpoint(calls: Calls, name: str, parameters: Parameters) -> Callable[..., Any]:
    """Return the function for an endpoint, with the signature from which Gradio describes it."""
    from gradio import Error, Request

    async def endpoint(request: Any, token: str, *values: Any) -> dict[str, Any]:
        sent = dict(zip(parameters, values))
        address = request.client.host if request.client else ""
        found = await calls.answer(name, token, sent, address)
        if "error" in found:
            raise Error(found["error"], print_exception=False)
        return found

    token_default = "" if name == "start" else REQUIRED
    kinds = {"request": (Request, REQUIRED), "token": (str, token_default), **parameters}
    position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(one, position, annotation=kind, default=default)
            for one, (kind, default) in kinds.items()
        ],
        return_annotation=dict[str, Any],
    )
    endpoint.__annotations__ = {one: kind for one, (kind, _) in kinds.items()}
    return endpoint


class EndpointFilter:
    """ASGI middleware before Gradio's endpoints: it refuses values that Gradio would take for files
    to fetch, and bounds the answers that nobody fetches.
    """

    def __init__(self, app: App, server: Any) -> None:
        self.app, self.server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_call = scope["type"] == "http" and scope["path"].startswith("/gradio_api/")
        if not is_call or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        try:
            sent = json.loads(body, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            await send_text(send, 400, "the request is not JSON")
            return
        if has_file(sent):
            await send_text(send, 400, "files go to /upload/TOKEN/ROLE; see docs/api.md")
            return
        if not self.has_room(sent):
            await send_text(send, 503, "fetch the answers to earlier calls first")
            return

        bodies = [body]

        async def replay() -> MutableMapping[str, Any]:
            if not bodies:
                return await receive()
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}

        await self.app(scope, replay, send)

    def has_room(self, sent: Any) -> bool:
        """Return whether the request's Gradio session may call; drop the oldest sessions' answers
        where there are too many.
        """
        queue = self.server.get_blocks()._queue
        waiting = queue.pending_event_ids_session
        while len(waiting) >= UNREAD_SESSIONS:
            oldest = next(iter(waiting))
            waiting.pop(oldest)
            queue.pending_messages_per_session.pop(oldest, None)
        session = sent.get("session_hash") if isinstance(sent, dict) else None
        return not isinstance(session, str) or len(waiting.get(session, ())) < UNREAD_EACH


async def read_body(receive: Receive) -> bytes:
    """Return the request's body; the guard has limited its length."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def has_file(value: Any) -> bool:
    """Return whether a value contains what Gradio takes for a file."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            if "meta" in one or "_type" in one:
                return True
            rest += one.values()
        elif isinstance(one, list):
            rest += one
    return False
