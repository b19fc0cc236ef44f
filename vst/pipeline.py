"""The one loop of the house: source -> engine -> stabiliser -> finish -> sink, a few frames at a
time.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from vst.colours import SHARE, luminance_only
from vst.cuts import CutDetector
from vst.effects import Ghost
from vst.finish import finish, painted_share, scaled
from vst.frames import Frame, OnProgress, Picture, Progress
from vst.masks.base import Alpha, layered
from vst.painting import Batch, Easel
from vst.sinks.base import Sink
from vst.stabilisers.base import Stabiliser
from vst.stages import Ahead, Behind
from vst.timeline import Mix, Timeline

Shot = tuple[Frame, Alpha | None]
"""A frame and its mask, where there is one."""

EDGE_REACH = 0.004
"""Part of the picture's longer side up to which the ground is the edge's, not the content's own."""
AHEAD = 3
"""Batches that may wait to be painted."""
BEHIND = 3
"""Frames that may wait to be written."""
PAINT = "paint"
"""The stage of the `Progress` that counts frames."""


@dataclass(frozen=True)
class Line:
    """The parts that a video runs through, ready to go; ``width`` and ``height`` are the size of
    the painting.
    """

    easel: Easel
    timeline: Timeline
    stabiliser: Stabiliser
    sink: Sink
    ghost: Ghost | None = None
    start: float = 0.0
    speed: float = 1.0

    def mix_at(self, seconds: float) -> Mix:
        """The mix of the frame that is shown at ``seconds``: the timeline goes by the content's
        clock, which runs ``speed`` times as fast as the output's from ``start`` on.
        """
        return self.timeline.at(self.start + (seconds - self.start) * self.speed)


@dataclass(frozen=True)
class Passed:
    """What went through: frames, the clock (``time.perf_counter``) when the first one was read, and
    whether it went to the end, not only to the end of a chunk.
    """

    frames: int
    first_read: float
    whole: bool = True


@dataclass
class Chunking:
    """Where a video is cut into chunks: at the first scene cut after ``least`` frames of a chunk,
    and after ``most`` at the latest. Frames that a stabiliser still holds go to the next chunk.

    ``carried``: what the chunk before has left, where the line does not start at the beginning; its
    first shots are then the frames that waited for the stabiliser. ``go_on``: asked at each
    chunk's end whether the next one is to be painted.
    """

    least: int
    most: int
    go_on: Callable[[], bool]
    carried: dict[str, Any] | None = None

    def ends(self, frames: int, cut: bool) -> bool:
        """Whether a chunk of so many frames ends before the frame at hand."""
        return frames >= self.most or (cut and frames >= self.least)


def run_line(
    line: Line,
    shots: Iterable[Shot],
    total: int | None,
    on_progress: OnProgress,
    chunking: Chunking | None = None,
    patience: float | None = None,
) -> Passed:
    """Paint every frame and write it: one thread reads, one paints and steadies, one writes.

    Nothing is held but a few batches, and what the stabiliser looks ahead. With ``chunking`` the
    sink is told each chunk's end, and reading, painting and writing go on over it side by side.
    ``patience``: seconds after which reading or writing that does not go on is an error.
    """
    started = time.perf_counter()
    done = 0
    shots = iter(shots)
    waiting = taken_up(line, shots, chunking.carried if chunking is not None else None)
    easel = line.easel
    prepared = batches(shots, easel.engine.batch, easel.width, easel.height, chunking)
    with (
        Ahead(prepared, AHEAD, patience) as ahead,
        Behind(_writer(line), BEHIND, patience) as write,
    ):
        for batch in ahead:
            if batch.new_scene:
                done += _hand_over(write, waiting, line.stabiliser.flush())
                line.stabiliser.reset()
                line.easel.reset()
            if chunking is not None and batch.chunk_start is not None:
                write(carried_on(line, waiting, batch))
                if not chunking.go_on():
                    write.finish()
                    return Passed(done, started, whole=False)
            mixes = [line.mix_at(frame.time) for frame in batch.frames]
            paintings = line.easel.paint(batch, mixes)
            for index, (content, painting) in enumerate(zip(batch.contents, paintings)):
                new_scene = batch.new_scene and index == 0
                waiting.append(
                    Waiting(batch.frames[index], batch.alphas[index], mixes[index], new_scene)
                )
                done += _hand_over(write, waiting, line.stabiliser.step(content, painting))
            on_progress(Progress(PAINT, done, total, time.perf_counter() - started))
        done += _hand_over(write, waiting, line.stabiliser.flush())
        write.finish()
    return Passed(done, started)


def batches(
    shots: Iterable[Shot], size: int, width: int, height: int, chunking: Chunking | None = None
) -> Iterator[Batch]:
    """Groups of at most ``size`` frames of one scene and chunk, scaled to ``width`` x ``height``
    too.
    """
    cuts = CutDetector()
    carried = chunking.carried if chunking is not None else None
    if carried is not None:
        cuts.restore(carried["cuts"])
    batch = Batch(new_scene=carried is None)
    in_chunk = 0
    for frame, alpha in shots:
        content = scaled(frame.picture, width, height)
        known = cuts.state() if chunking is not None else None
        cut = cuts.is_cut(content)
        ends = chunking is not None and chunking.ends(in_chunk, cut)
        if cut or ends or len(batch.frames) == size:
            if batch.frames:
                yield batch
            batch = Batch(new_scene=cut, chunk_start=known if ends else None)
        in_chunk = 1 if ends else in_chunk + 1
        batch.frames.append(frame)
        batch.contents.append(content)
        batch.alphas.append(alpha)
    if batch.frames:
        yield batch


@dataclass(frozen=True)
class Waiting:
    """A frame that has been painted and waits for the stabiliser."""

    frame: Frame
    alpha: Alpha | None
    mix: Mix
    new_scene: bool


@dataclass(frozen=True)
class ChunkEnd:
    """Stands among the frames to be written where a chunk ends, with what is carried over it."""

    state: dict[str, Any] = field(default_factory=dict)


Steady = tuple[Waiting, Picture] | ChunkEnd
"""A frame with all that is known of it, and its steady painting."""


def carried_on(line: Line, waiting: deque[Waiting], batch: Batch) -> ChunkEnd:
    """What the next chunk, which starts with ``batch``, must know. ``first``: the time of the first
    frame that it has to read, with the ``index`` and a checksum that tell it again.
    """
    first = waiting[0].frame if waiting else batch.frames[0]
    return ChunkEnd(
        {
            "first": first.time,
            "index": first.index,
            "checksum": checksum(first.picture),
            "scenes": [shot.new_scene for shot in waiting],
            "cuts": batch.chunk_start,
            "stabiliser": line.stabiliser.state(),
            "easel": line.easel.state(),
        }
    )


def taken_up(line: Line, shots: Iterator[Shot], carried: dict[str, Any] | None) -> deque[Waiting]:
    """Let the parts of the line go on from what `carried_on` told; returns the frames that wait for
    the stabiliser, taken from ``shots``.
    """
    waiting: deque[Waiting] = deque()
    if carried is None:
        return waiting
    line.stabiliser.restore(carried["stabiliser"])
    line.easel.restore(carried["easel"])
    if line.ghost is not None:
        line.ghost.restore(carried["ghost"])
    for new_scene, (frame, alpha) in zip(carried["scenes"], shots):
        waiting.append(Waiting(frame, alpha, line.mix_at(frame.time), new_scene))
    return waiting


def checksum(picture: Picture) -> int:
    """A number that tells a picture from others."""
    return zlib.crc32(np.ascontiguousarray(picture).data)


def _hand_over(write: Behind[Steady], waiting: deque[Waiting], steady: list[Picture]) -> int:
    """Pass the stabiliser's pictures on, each with the frame that waits for it; returns how
    many.
    """
    for painting in steady:
        write((waiting.popleft(), painting))
    return len(steady)


def _writer(line: Line) -> Callable[[Steady], None]:
    """What finishes a painting and writes it."""

    def write(item: Steady) -> None:
        if isinstance(item, ChunkEnd):
            ghost = line.ghost.state() if line.ghost is not None else {}
            line.sink.end_chunk({**item.state, "ghost": ghost})
            return
        shot, painting = item
        picture = finished(line, shot, painting)
        if line.ghost is not None:
            if shot.new_scene:
                line.ghost.reset()
            picture = line.ghost.step(picture)
        line.sink.write(Frame(shot.frame.index, shot.frame.time, picture))

    return write


def finished(line: Line, shot: Waiting, painting: Picture) -> Picture:
    """The painting at the content's size, in its colours, faded by its strength."""
    content, mix = shot.frame.picture, shot.mix
    share = painted_share(mix.painted, line.easel.engine.fades_below)
    if shot.alpha is None:
        return finish(content, recoloured_by(mix, content, painting), share)
    # Figure and ground were faded apart already.
    whole = finish(content, recoloured_by(mix, content, painting), 1.0)
    if mix.ground is not None and mix.ground.painted > 0:
        return whole
    # A ground as filmed is the content itself, not what came back from the size of the painting,
    # up to a few pixels from the figure: there the edge has parted them.
    reach = 1 + 2 * max(2, round(EDGE_REACH * max(content.shape[:2])))
    near = cv2.dilate(shot.alpha, np.ones((reach, reach), np.uint8))
    return layered(whole, content, cv2.blur(near, (reach, reach)))


def recoloured_by(mix: Mix, content: Picture, painting: Picture) -> Picture:
    """The painting, brought to the content's size where it takes colours of the content."""
    palette = mix.palette or {mix.colours: 1.0}
    share = sum(SHARE[name] * part for name, part in palette.items())
    if share == 0:
        return painting
    return luminance_only(content, finish(content, painting, 1.0), share=share)
