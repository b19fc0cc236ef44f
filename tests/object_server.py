"""A real S3 server on this machine (moto's), whose answers fail at random where a test asks for it:
500, 503, a connection cut before the answer or in the middle of it, or no rights.
"""

from __future__ import annotations

import random
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
FAULTS = ("500", "503", "cut", "half")


@dataclass
class FailingStore:
    """A WSGI application before another one. ``rate``: the part of the requests that fail;
    ``denied``: methods that are refused. ``faults`` counts what was injected, by kind.
    """

    app: Callable[..., Iterable[bytes]]
    rate: float = 0.0
    denied: tuple[str, ...] = ()
    faults: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        with self.lock:
            self.requests.append(f"{method} {environ['PATH_INFO']}")
            fault = self.dice.choice(FAULTS) if self.dice.random() < self.rate else ""
        if method in self.denied:
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [DENIED]
        if not fault:
            return self.app(environ, start)
        self.faults[fault] = self.faults.get(fault, 0) + 1
        if fault in ("500", "503"):
            start(f"{fault} Fault", [("Content-Length", "0")])
            return [b""]
        if fault == "cut":
            start("200 OK", [])
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return [b""]
        return self._cut_in_half(environ, start)

    def _cut_in_half(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        """The request takes effect; its answer breaks off."""
        body = b"".join(self.app(environ, start))
        yield body[: len(body) // 2]
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)


@dataclass
class ObjectServer:
    """The running server: its address, and its faults."""

    url: str
    store: FailingStore

    def make_bucket(self) -> str:
        """Create a bucket; returns its address."""
        import fsspec

        name = f"bucket-{uuid.uuid4().hex[:8]}"
        fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
        return f"s3://{name}"


def run_server() -> Iterator[ObjectServer]:
    """Run the server, and point this process and its children at it."""
    pytest.importorskip("s3fs", reason="needs the extra 'cloud'")
    pytest.importorskip("moto", reason="needs moto, of the extra 'dev'")
    pytest.importorskip("flask_cors", reason="needs flask-cors, of the extra 'dev'")
    import s3fs
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, *words: Any, **named: Any) -> None:
            pass

    store = FailingStore(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, store, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, name="moto", daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")  # no attempts but those of `vst.storage`
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr("vst.storage.PAUSE_SECONDS", 0.01)
        s3fs.S3FileSystem.clear_instance_cache()  # kept for the server of another module
        yield ObjectServer(f"http://127.0.0.1:{server.server_port}", store)
    server.shutdown()
    thread.join()
