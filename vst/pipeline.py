"""The one loop of the house: source -> engine -> stabiliser -> finish -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vst.cuts import CutDetector
from vst.engines.base import Engine
from vst.errors import EngineError
from vst.finish import finish, painted_share, scaled
from vst.frames import Frame, OnProgress, Picture, Progress
from vst.sinks.base import Sink
from vst.stabilisers.base import Stabiliser
from vst.stages import Ahead, Behind
from vst.timeline import Mix, Timeline

AHEAD = 3
"""Batches that may wait to be painted."""
BEHIND = 3
"""Frames that may wait to be written."""


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


@dataclass(frozen=True)
class Batch:
    """Some frames of one scene, and each at the size of the painting."""

    frames: list[Frame]
    contents: list[Picture]
    new_scene: bool


def run_line(
    line: Line, frames: Iterable[Frame], total: int | None, on_progress: OnProgress
) -> Passed:
    """Paint every frame and write it: one thread reads, one paints and steadies, one writes.

    Nothing is held but a few batches, and what the stabiliser looks ahead.
    """
    waiting: deque[tuple[Frame, Mix]] = deque()
    started = time.perf_counter()
    done = 0
    prepared = batches(frames, line.engine.batch, line.width, line.height)
    with Ahead(prepared, AHEAD) as ahead, Behind(_writer(line), BEHIND) as write:
        for batch in ahead:
            if batch.new_scene:
                done += _hand_over(write, waiting, line.stabiliser.flush())
                line.stabiliser.reset()
                line.engine.reset()
            mixes = [line.timeline.at(frame.time) for frame in batch.frames]
            first = batch.frames[0]
            paintings = paint(line.engine, batch.contents, mixes, first.index, first.time)
            waiting.extend(zip(batch.frames, mixes))
            for content, painting in zip(batch.contents, paintings):
                done += _hand_over(write, waiting, line.stabiliser.step(content, painting))
            on_progress(Progress("paint", done, total, time.perf_counter() - started))
        done += _hand_over(write, waiting, line.stabiliser.flush())
        write.finish()
    return Passed(done, started)


def batches(frames: Iterable[Frame], size: int, width: int, height: int) -> Iterator[Batch]:
    """Groups of at most ``size`` frames of one scene, scaled to ``width`` x ``height`` too."""
    cuts = CutDetector()
    batch = Batch([], [], True)
    for frame in frames:
        content = scaled(frame.picture, width, height)
        cut = cuts.is_cut(content)
        if batch.frames and (cut or len(batch.frames) == size):
            yield batch
            batch = Batch([], [], cut)
        batch.frames.append(frame)
        batch.contents.append(content)
    if batch.frames:
        yield batch


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


Steady = tuple[Frame, Mix, Picture]
"""A frame of the content, its mix, and its steady painting."""


def _hand_over(
    write: Behind[Steady], waiting: deque[tuple[Frame, Mix]], steady: list[Picture]
) -> int:
    """Pass the stabiliser's pictures on, each with the frame that waits for it; returns how
    many.
    """
    for painting in steady:
        write((*waiting.popleft(), painting))
    return len(steady)


def _writer(line: Line) -> Callable[[Steady], None]:
    """What finishes a painting and writes it."""

    def write(item: Steady) -> None:
        frame, mix, painting = item
        share = painted_share(mix.painted, line.engine.fades_below)
        picture = finish(frame.picture, painting, share)
        line.sink.write(Frame(frame.index, frame.time, picture))

    return write
