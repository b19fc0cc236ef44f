"""Keeps the messages of libraries off the screen; -v shows them again."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

import click

VERBOSE = "VST_VERBOSE"
"""Environment variable that is set while -v is in force."""
SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "NONE"}

_screen: int | None = None
"""A copy of stderr's file descriptor while the real one is redirected to the null device."""


def is_verbose() -> bool:
    """Whether -v was given."""
    return os.environ.get(VERBOSE) == "1"


@contextlib.contextmanager
def silence_libraries() -> Iterator[None]:
    """Let only Python's own ``sys.stderr`` reach the screen.

    TensorFlow's and FFmpeg's C libraries write to file descriptor 2 before they read any setting.
    So this redirects the descriptor to the null device, and ``sys.stderr`` to a copy of it.
    """
    global _screen
    before = sys.stderr
    silence = logging.NullHandler()
    logging.getLogger().addHandler(silence)  # else Python prints unhandled records
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
    """Show logs, warnings, and the traceback of an unexpected error (-v)."""
    if not value:
        return
    os.environ[VERBOSE] = "1"
    for name in SETTINGS:
        os.environ.pop(name, None)
    if _screen is not None:
        os.dup2(_screen, 2)
    warnings.resetwarnings()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", force=True)
