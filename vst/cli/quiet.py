"""Keeping the chatter of libraries off the screen, and taking that back with -v."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

import click

VERBOSE = "VST_VERBOSE"
"""Set while -v is in force."""
SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "NONE"}

_screen: int | None = None
"""A copy of the screen's file descriptor while the real one leads nowhere."""


def is_verbose() -> bool:
    """Whether -v was given."""
    return os.environ.get(VERBOSE) == "1"


@contextlib.contextmanager
def silence_libraries() -> Iterator[None]:
    """Let only Python's own ``sys.stderr`` reach the screen.

    TensorFlow logs through a C++ library that writes to file descriptor 2 before it reads any
    setting, and so do FFmpeg's libraries: the descriptor itself is led to nowhere, and
    ``sys.stderr`` to a copy of it.
    """
    global _screen
    before = sys.stderr
    silence = logging.NullHandler()
    logging.getLogger().addHandler(silence)  # else Python prints what nobody listens to
    _screen = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        before.flush()
        os.dup2(nowhere, 2)
        with (
            os.fdopen(
                os.dup(_screen), "w", buffering=1, encoding="utf-8", errors="replace"
            ) as copy,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            sys.stderr = copy
            yield
    finally:
        logging.getLogger().removeHandler(silence)
        sys.stderr = before
        os.dup2(_screen, 2)
        os.close(nowhere)
        os.close(_screen)
        _screen = None
        os.environ.pop(VERBOSE, None)


def enable_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """What -v does: logs and warnings appear, and an unexpected error shows where it happened."""
    if not value:
        return
    os.environ[VERBOSE] = "1"
    for name in SETTINGS:
        os.environ.pop(name, None)
    if _screen is not None:
        os.dup2(_screen, 2)
    warnings.resetwarnings()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", force=True)
