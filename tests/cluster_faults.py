"""Faults in the processes of a cluster's workers: Ray calls `install` as each of them starts.

The variable ``VST_TEST_FAULT`` describes the fault as JSON: ``slow`` (seconds added to each batch);
``how`` painting fails at frame ``at`` (of the whole video): ``raise``, ``kill`` (as the operating
system kills a process that uses too much memory), ``memory`` (allocates more than there is) or
``hang`` (never returns);
``once``: a file that marks that it has happened.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

VARIABLE = "VST_TEST_FAULT"


def install() -> None:
    """Install the fault that the variable describes."""
    fault = json.loads(os.environ.get(VARIABLE, "{}"))
    if not fault:
        return
    from vst.engines.tint import TintEngine
    from vst.pipeline.painter import FramePainter

    real, stylize = FramePainter.paint, TintEngine.stylize
    indices: list[int] = []

    def paint(painter: Any, batch: Any, mixes: Any) -> Any:
        time.sleep(fault.get("slow", 0))
        indices[:] = [frame.index for frame in batch.frames]
        return real(painter, batch, mixes)

    def failing(engine: Any, frames: Any, embeddings: Any) -> Any:
        if fault.get("at") in indices:
            fail(fault["how"], fault.get("once"))
        return stylize(engine, frames, embeddings)

    FramePainter.paint = paint  # type: ignore[method-assign]
    TintEngine.stylize = failing  # type: ignore[method-assign]


def fail(how: str, once: str | None) -> None:
    """Fail, if this has not happened before."""
    if once is not None:
        if Path(once).exists():
            return
        Path(once).touch()
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang":
        time.sleep(3600)
    if how == "memory":
        np.empty(1 << 62, np.uint8)
    raise ValueError("something in this frame")
