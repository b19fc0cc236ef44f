"""How a long run ends before its end: Ctrl-C once or twice, SIGTERM, and a step that hangs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from vst.errors import Cancelled, StalledError
from vst.pipeline.control import RunControl

GRACE = 15.0
"""Seconds that a run has to end by itself after it was found to hang."""
LATER = 5.0
"""The threads that read and write are found out first: they can say more."""


@contextlib.contextmanager
def handle_interrupts() -> Iterator[RunControl]:
    """While it is open, Ctrl-C once ends a run with chunks at the end of its chunk, and twice at
    once; a run without chunks ends at once. A step that hangs ends the run.
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
        write_line("\nvst: finishing this chunk, then stopping; Ctrl-C again stops now\n")

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


def write_line(text: str) -> None:
    """A line from within a signal's handler, where Python's own files may be in use."""
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), text.encode())


def describe_stall(stop: RunControl) -> str:
    """What is said of a step that hangs."""
    if stop.pulse is not None:
        return (
            f"putting the output together has not gone on for {stop.patience:g} s; look at the "
            "disk, or give it more time with --patience"
        )
    return (
        f"painting has not gone on for {stop.patience:g} s; try a smaller --size or another "
        "engine, or give it more time with --patience"
    )


def _watch(stop: RunControl, hung: threading.Event, over: threading.Event) -> None:
    last: object = None
    while not over.wait(1.0):
        pulse = stop.pulse
        if pulse is not None and (now := pulse()) != last and stop.beat is not None:
            last, stop.beat = now, time.monotonic()
        beat = stop.beat
        if beat is None or time.monotonic() - beat < stop.patience + LATER:
            continue
        hung.set()
        main = threading.main_thread().ident
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGTERM)
        if not over.wait(GRACE):
            # It hangs in code that listens to nothing. Chunks are whole on the disk or not there.
            write_line(f"vst: {describe_stall(stop)}\n")
            os._exit(1)
        return
