"""The one loop of the house: source -> engine -> stabiliser -> finish -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vst.cuts import CutDetector
from vst.engines.base import Engine
from vst.errors import EngineError
from vst.finish import finish, painted_share, scaled
from vst.frames import Frame, OnProgress, Picture, Progress
from vst.sinks.base import Sink
from vst.stabilisers.base import Stabiliser
from vst.timeline import Mix, Timeline


@dataclass(frozen=True)
class Line:
    """The parts that a video runs through, ready to go; ``width`` and ``height`` are the size of
    the painting.
    """

    engine: Engine
    timeline: Timeline
    stabiliser: Stabiliser
    sink: Sink
    width: int
    height: int


@dataclass(frozen=True)
class Passed:
    """What went through: frames, and the clock (``time.perf_counter``) when the first one was
    read.
    """

    frames: int
    first_read: float


def run_line(
    line: Line, frames: Iterable[Frame], total: int | None, on_progress: OnProgress
) -> Passed:
    """Paint every frame and write it. Nothing is held but one batch and what the stabiliser looks
    ahead.
    """
    waiting: deque[tuple[Frame, Mix]] = deque()
    started: float | None = None
    done = 0
    for new_scene, batch in batches(frames, line.engine.batch):
        if started is None:
            started = time.perf_counter()
        if new_scene:
            done += _write(line, waiting, line.stabiliser.flush())
            line.stabiliser.reset()
            line.engine.reset()
        contents = [scaled(frame.picture, line.width, line.height) for frame in batch]
        mixes = [line.timeline.at(frame.time) for frame in batch]
        paintings = paint(line.engine, contents, mixes, batch[0].index, batch[0].time)
        waiting.extend(zip(batch, mixes))
        for content, painting in zip(contents, paintings):
            done += _write(line, waiting, line.stabiliser.step(content, painting))
        on_progress(Progress("paint", done, total, time.perf_counter() - started))
    done += _write(line, waiting, line.stabiliser.flush())
    return Passed(done, started if started is not None else time.perf_counter())


def batches(frames: Iterable[Frame], size: int) -> Iterator[tuple[bool, list[Frame]]]:
    """Groups of at most ``size`` frames of one scene, each with whether a new scene starts with
    it.
    """
    cuts = CutDetector()
    batch: list[Frame] = []
    new_scene = True
    for frame in frames:
        cut = cuts.is_cut(frame.picture)
        if batch and (cut or len(batch) == size):
            yield new_scene, batch
            batch, new_scene = [], False
        new_scene = new_scene or cut
        batch.append(frame)
    if batch:
        yield new_scene, batch


def paint(
    engine: Engine, contents: list[Picture], mixes: list[Mix], index: int, seconds: float
) -> list[Picture]:
    """Let the engine paint; what it raises is told with its name, and number and time of the first
    frame.
    """
    try:
        return list(engine.paint(np.stack(contents), mixes))
    except (ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
        where = f"engine {engine.name!r} failed at frame {index} ({seconds:.3f} s)"
        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EngineError(f"{where}: {text}") from error


def _write(line: Line, waiting: deque[tuple[Frame, Mix]], steady: list[Picture]) -> int:
    """Finish the stabiliser's pictures in the order in which their frames wait, and write them."""
    for painting in steady:
        frame, mix = waiting.popleft()
        share = painted_share(mix.painted, line.engine.fades_below)
        picture = finish(frame.picture, painting, share)
        line.sink.write(Frame(frame.index, frame.time, picture))
    return len(steady)
