"""Reliable downloads: resumable, with a time limit, and renamed only when complete and verified.

Nothing waits longer than its patience (seconds without a new byte): a name lookup can block for
half a minute in the C library, so each request opens in a thread of its own, which is abandoned
when it takes too long.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import queue
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vst.core.files import has_hash
from vst.core.locks import Lock
from vst.core.types import OnProgress, Progress, ignore_progress
from vst.errors import AssetError, OutputError

PATIENCE = 9.0
"""Seconds without a new byte after which a download fails."""

BLOCK = 1 << 18
LEAST_BYTES = 1024
"""A connection that delivers fewer bytes within the patience counts as stalled."""
RESUMPTIONS = 8
"""How often a download resumes after the connection was cut."""


class _FetchError(Exception):
    """A URL failed; the text says why. ``cut``: another request may deliver the rest."""

    def __init__(self, why: str, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut


@dataclass
class _Deadline:
    """The time of the last new byte, and how many seconds to wait for the next."""

    limit: float
    last: float

    def left(self) -> float:
        return self.last + self.limit - time.monotonic()

    def renew(self) -> None:
        self.last = time.monotonic()


@dataclass(frozen=True)
class _Request:
    """A URL, the partial file for it, the time limit, and who hears of the progress."""

    url: str
    part: Path
    clock: _Deadline
    listen: OnProgress
    stage: str


def fetch(
    urls: Sequence[str],
    target: Path,
    *,
    digest: str | None = None,
    patience: float = PATIENCE,
    on_progress: OnProgress = ignore_progress,
    stage: str = "download",
) -> str:
    """Download the first of ``urls`` that works to the file ``target``; return its URL.
    ``digest``: the SHA-256 or MD5 that it must have.

    A partial file stays next to the target, and the next call resumes it. Raises `AssetError` that
    names each host and how it failed; ``target`` is then unchanged.
    """
    clock = _Deadline(patience, time.monotonic())
    tried = []
    for index, url in enumerate(urls):
        if index and clock.left() <= 0.5:
            break
        first_answer = clock.left() / (1 if index == len(urls) - 1 else 2)
        part, lock = target, None
        try:
            part, lock = _claim_part(target, url)
            _download(_Request(url, part, clock, on_progress, stage), first_answer, digest)
            part.replace(target)
            return url
        except _FetchError as failure:
            tried.append(f"{urlsplit(url).netloc or url} ({failure})")
        except OSError as error:
            raise AssetError(
                f"{target.parent} cannot be written: {error.strerror or error}. Free space there, "
                "or set TFHUB_CACHE_DIR to another folder"
            ) from error
        finally:
            _release(part, lock)
    raise AssetError("tried " + ", ".join(tried))


def _download(request: _Request, wait: float, digest: str | None) -> None:
    """Download to the partial file, resuming what is there, and verify the hash."""
    part, clock = request.part, request.clock
    resumed = part.exists() and part.stat().st_size > 0
    for _ in range(RESUMPTIONS):
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(request, wait)
            break
        except _FetchError as failure:
            grown = part.exists() and part.stat().st_size > before
            if not (failure.cut and grown and clock.left() > 0.5):
                raise
            wait = clock.left()
    else:
        raise _FetchError("the connection was cut again and again")
    if digest is None or has_hash(part, digest):
        return
    part.unlink()
    if resumed:  # the resumed bytes may be of another version: download again from the start
        return _download(request, clock.left(), digest)
    raise _FetchError(
        f"delivered a file that is not the known one (its hash is not {digest[:12]}…)"
    )


def _transfer(request: _Request, wait: float) -> None:
    """Send one request: append what is missing, or restart if the server cannot resume."""
    part, clock = request.part, request.clock
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "vst", "Accept-Encoding": "identity"}
    version = _read_version(part)
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": version} if version else {})
    try:
        answer = _open(request.url, headers, wait, clock.limit)
    except _FetchError as failure:
        if not (have and "416" in str(failure)):
            raise
        part.unlink()  # the partial file does not fit the server's: restart
        return _transfer(request, clock.left())
    with answer:
        if answer.status != 206 or not answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        ):
            have = 0
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        _get_version_path(part).write_text(json.dumps({"version": version}), encoding="utf-8")
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with part.open("r+b" if have else "wb") as stream:
            stream.seek(have)
            stream.truncate()
            done = _copy_body(request, answer, stream, have, total)
    if total is not None and done < total:
        raise _FetchError(f"cut short at {done:,} of {total:,} bytes", cut=True)
    if done == 0:
        raise _FetchError("delivered an empty file")


def _copy_body(request: _Request, answer: Any, stream: Any, done: int, total: int | None) -> int:
    """Copy the body of a response to ``stream``; return the file's size afterward."""
    clock = request.clock
    began, first, mark = time.monotonic(), done, done
    while True:
        try:
            block = answer.read1(BLOCK)
        except TimeoutError as error:
            raise _FetchError(f"stalled at {done:,} bytes for {clock.limit:.0f} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise _FetchError(f"cut short at {done:,} bytes", cut=True) from error
        if not block:
            return done
        stream.write(block)
        done += len(block)
        if done - mark >= LEAST_BYTES or done == total:
            mark = done
            clock.renew()
        elif clock.left() <= 0:
            raise _FetchError(f"stalled at {done:,} bytes")
        seconds = time.monotonic() - began
        request.listen(Progress(request.stage, done, total, seconds, {"resumed": first}))


def _open(url: str, headers: dict[str, str], wait: float, read_limit: float) -> Any:
    """Open ``url`` within ``wait`` seconds, including redirects and the name lookup."""
    if not url.startswith(("http://", "https://")):
        raise _FetchError("not an http(s) address")
    answers: queue.Queue[Any] = queue.Queue(maxsize=1)
    late = threading.Event()

    def work() -> None:
        try:
            answer: Any = urllib.request.urlopen(
                urllib.request.Request(url, headers=headers), timeout=read_limit
            )
        except Exception as error:  # passed to the waiting thread, which interprets it
            answer = error
        if late.is_set() and hasattr(answer, "close"):
            answer.close()
        answers.put(answer)

    threading.Thread(target=work, daemon=True, name="vst-fetch").start()
    try:
        answer = answers.get(timeout=max(0.1, wait))
    except queue.Empty:
        late.set()
        raise _FetchError(f"no answer within {wait:.0f} s") from None
    if isinstance(answer, Exception):
        raise _FetchError(_describe_error(answer)) from answer
    return answer


def _describe_error(error: BaseException) -> str:
    """Describe a failed request in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        words = {
            401: "refused, 401",
            403: "refused, 403",
            404: "not found, 404",
            416: "nothing to resume, 416",
        }
        return words.get(error.code, f"the server answered {error.code}")
    cause = getattr(error, "reason", error)
    if isinstance(cause, socket.gaierror):
        return "no such host, or no network"
    if isinstance(cause, ssl.SSLError):
        return f"no safe connection: {cause.reason or 'TLS failed'}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause) or "the connection failed").lower()
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _claim_part(target: Path, url: str) -> tuple[Path, Lock | None]:
    """Lock the partial file for ``url``, or name another one while a process writes that one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{hashlib.sha1(url.encode()).hexdigest()[:8]}.part")
    try:
        return part, Lock(part.with_suffix(".lock"), str(target))
    except OutputError:
        return part.with_name(f"{part.stem}.{os.getpid()}.part"), None


def _release(part: Path, lock: Lock | None) -> None:
    """Release a partial file; delete its version if the file is gone."""
    with contextlib.suppress(OSError):
        if not part.exists():
            _get_version_path(part).unlink(missing_ok=True)
    if lock is not None:
        lock.release()


def _get_version_path(part: Path) -> Path:
    """Return where a partial file's version is stored, so that two versions are never mixed."""
    return part.with_suffix(".json")


def _read_version(part: Path) -> str:
    try:
        return str(json.loads(_get_version_path(part).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def probe_url(url: str, patience: float = PATIENCE) -> None:
    """Check that ``url`` works by fetching one byte; raise `AssetError` if it fails."""
    try:
        _open(url, {"User-Agent": "vst", "Range": "bytes=0-0"}, patience, patience).close()
    except _FetchError as failure:
        raise AssetError(f"{urlsplit(url).netloc or url} ({failure})") from failure
