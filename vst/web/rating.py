"""The page of `vst study rate`, on the page's server and behind its guard, for this machine alone.

A video is addressed by the token of an open pair: nothing that a request says becomes a path.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import anyio.to_thread

from vst.errors import UsageError, VSTError
from vst.research.study.rating import PLAYABLE, Rating
from vst.research.study.votes import QUESTIONS, to_plain
from vst.web.guard import Guard
from vst.web.routes import add_page, read_object
from vst.web.server import create_server, launch

HERE = "127.0.0.1"
Values = dict[str, Any]


class PairClosed(VSTError):
    """The pair has been answered, or replaced by newer ones."""


def show_pair(rating: Rating, sent: Values) -> Values:
    """Return the next pair's token, and the questions; the page gets no names."""
    pair = rating.next_pair()
    asked = [{"name": name, "text": text} for name, text in QUESTIONS.items()]
    return {"token": pair.token, "questions": asked, "votes": len(rating.votes)}


def keep_vote(rating: Rating, sent: Values) -> Values:
    """Keep the answers to a pair's questions."""
    token, answers = sent.get("token"), sent.get("answers")
    if not isinstance(token, str) or not isinstance(answers, dict):
        raise UsageError("a vote has a token and answers")
    if not rating.answer(token, answers):
        raise PairClosed("this pair is closed")
    return {"votes": len(rating.votes)}


def show_ranking(rating: Rating, sent: Values) -> Values:
    """Return the ranking so far."""
    return {"ranking": to_plain(rating.standings()), "questions": QUESTIONS}


CALLS: dict[str, Callable[[Rating, Values], Values]] = {
    "pair": show_pair,
    "vote": keep_vote,
    "ranking": show_ranking,
}
"""The functions that the page calls."""


def find_status(error: VSTError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, PairClosed):
        return 410
    return 400 if isinstance(error, UsageError) else 500


def add_rating(server: Any, rating: Rating) -> None:
    """Serve the page's functions, and the videos of open pairs."""
    from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
    from starlette.routing import Route

    async def call(request: Any) -> Any:
        function = CALLS.get(request.path_params["name"])
        if function is None:
            return PlainTextResponse("not found", 404)
        sent = await read_object(request)
        if not isinstance(sent, dict):
            return sent
        try:
            return JSONResponse(await anyio.to_thread.run_sync(function, rating, sent))
        except VSTError as error:
            return JSONResponse({"error": str(error)}, find_status(error))

    async def video(request: Any) -> Any:
        path = rating.file(request.path_params["token"], request.path_params["side"])
        if path is None or not path.is_file():
            return PlainTextResponse("this pair is closed", 404)
        kind = PLAYABLE[path.suffix.lower()]
        return FileResponse(path, media_type=kind, headers={"cache-control": "no-store"})

    server.router.routes[:0] = [
        Route("/call/{name}", call, methods=["POST"]),
        Route("/media/{token}/{side}", video),
    ]


def find_free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def build_rating_server(rating: Rating) -> Any:
    """Create the server with the page and its functions, behind the guard."""
    server = create_server()
    add_page(server, "rate.html")
    add_rating(server, rating)
    server.add_middleware(Guard, host=HERE)
    return server


@contextlib.contextmanager
def serve_rating(rating: Rating, port: int = 0) -> Iterator[str]:
    """Serve the page while the context is open; yield its address. ``port`` 0: any free one."""
    server = build_rating_server(rating)
    address = launch(server, HERE, port or find_free_port())
    try:
        yield address
    finally:
        server.get_blocks().close(verbose=False)
