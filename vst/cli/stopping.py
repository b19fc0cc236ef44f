"""Stops long runs early: Ctrl-C once or twice, SIGTERM, and an output that is never assembled."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from vst.errors import Cancelled, StalledError
from vst.pipeline.control import RunControl

GRACE = 15.0
"""Seconds that a hung run has to end by itself before the process exits."""
LATER = 5.0
"""Seconds after those who wait for ffmpeg: their own errors say more, and come first."""


@contextlib.contextmanager
def handle_interrupts() -> Iterator[RunControl]:
    """Handle Ctrl-C and SIGTERM: a run with chunks stops at the end of its chunk, and at once on a
    second Ctrl-C; a run without chunks stops at once. Assembling the output that hangs ends the
    run: the other steps find that out by themselves.
    """
    stop = RunControl()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    hung = threading.Event()

    def interrupted(number: int, frame: Any) -> None:
        if not stop.paints_chunks or stop.stop_requested:
            raise Cancelled("stopped")
        stop.stop_requested = True
        write_line("\nvst: finishing this chunk, which is then kept; Ctrl-C again stops now\n")

    def ended(number: int, frame: Any) -> None:
        raise StalledError(describe_stall(stop)) if hung.is_set() else Cancelled("stopped")

    before = signal.signal(signal.SIGINT, interrupted), signal.signal(signal.SIGTERM, ended)
    over = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(stop, hung, over), name="vst watching", daemon=True
    )
    watch.start()
    try:
        yield stop
    finally:
        over.set()
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
        watch.join()


@contextlib.contextmanager
def explain_stop(describe_kept: Callable[[], str], again: str) -> Iterator[None]:
    """Make an interrupt a `Cancelled` that says what is kept, and how to resume.

    ``describe_kept`` is called when it happens; ``again``: the command that resumes.
    """
    try:
        yield
    except (Cancelled, KeyboardInterrupt) as error:
        raise Cancelled(f"stopped: {describe_kept()}. Resume with: {again}") from error


def write_line(text: str) -> None:
    """Write a line from a signal handler, where Python's own files may be in use."""
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), text.encode())


def describe_stall(stop: RunControl) -> str:
    """Describe an output that is not assembled any further."""
    return (
        f"assembling the output made no progress for {stop.patience:g} s. Check the disk, or allow "
        "more time with --patience"
    )


def _watch(stop: RunControl, hung: threading.Event, over: threading.Event) -> None:
    last, since = None, time.monotonic()
    while not over.wait(1.0):
        pulse, now = stop.pulse, time.monotonic()
        found = pulse() if pulse is not None else None
        if pulse is None or found != last:
            last, since = found, now
        if now - since < stop.patience + LATER:
            continue
        hung.set()
        main = threading.main_thread().ident
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGTERM)
        if not over.wait(GRACE):
            # The main thread hangs in native code. Chunks on the disk are complete or absent.
            write_line(f"vst: {describe_stall(stop)}\n")
            os._exit(1)
        return
