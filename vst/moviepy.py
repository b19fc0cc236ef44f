"""A MoviePy effect that paints a clip: ``clip.with_effects([Stylize(["@ink-wash", "film.mp4"])])``.

Size, duration, mask and sound of the clip stay as they are. Frames are painted when MoviePy asks
for them, in its thread; no file is written, and memory does not grow with the clip.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from moviepy import Effect, VideoClip

from vst.api import PathLike, make_job
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError
from vst.job import Job
from vst.masks.base import Mask
from vst.masks.open import DRAWN
from vst.pipeline.build_schedule import Schedule, apply_score, build_schedule, read_job_score
from vst.pipeline.frames import pair_without_mask
from vst.pipeline.loop import paint_on_demand
from vst.pipeline.memory_estimate import check_estimated_memory
from vst.pipeline.parts import build_parts, build_sink_spec, open_job_engine, open_job_mask
from vst.schedule.timeline import NONE
from vst.styles.resolve import check_style_exists
from vst.video.scene_cuts import MEMORY as CUT_MEMORY
from vst.video.sinks.memory import MemorySink
from vst.video.sources.base import Source
from vst.video.sources.rate import check_rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from vst.api import JobOptions
    from vst.engines.base import Engine

LOGGER = logging.getLogger(__name__)
CONTENT = "the clip"
"""The content's name in errors and notes."""
RECENT = 8
"""Painted frames that are kept: MoviePy asks for some frames twice."""
ELSEWHERE = {
    "start": "clip.subclipped(start, end)",
    "end": "clip.subclipped(start, end)",
    "painted": "",
    "speed": "vfx.MultiplySpeed",
    "audio": "clip.without_audio()",
    "codec": "write_videofile(codec=…)",
    "crf": "write_videofile(ffmpeg_params=['-crf', …])",
    "overwrite": "",
    "sidecar": "",
    "hdr": "",
    "first_number": "",
    "mask_regions": "",
    "save_mask": "",
    "keep_chunks": "",
    "metadata": "",
    "patience": "",
    "max_frames": "",
}
"""Options of a job that an effect does not take -> what MoviePy has in their place."""


class Stylize(Effect):  # type: ignore[misc]
    """Paints a clip in one or more styles, from the first to the last over its duration.

    ``styles`` and ``options``: as those of `vst.stylize`, except for what concerns the output, for
    which MoviePy has its own. ``fps``: the rate to paint at (default: the clip's). Raises
    `UsageError`, `MissingFileError` or `UnknownNameError` at once, before anything is loaded.

    Frames lie on the grid ``n / fps``; a time shows the last one that is not later. Played in
    order, each frame is painted once. A time that lies before the last `RECENT` frames, or far
    ahead, starts the painting anew: as many frames earlier as the stabilizer remembers or, with a
    mask, a ghost, a strength below 1 or an engine that remembers, at the clip's beginning.
    """

    def __init__(
        self, styles: PathLike | Sequence[PathLike], **options: Unpack[JobOptions]
    ) -> None:
        for name in options:
            if name in ELSEWHERE:
                instead = f". Use {ELSEWHERE[name]}" if ELSEWHERE[name] else ". Leave it out"
                raise UsageError(f"{name} is not an option of the effect{instead}")
        job = make_job(CONTENT, styles, "", **options)
        if job.mask is not None and job.mask.startswith(DRAWN):
            raise UsageError(
                f"mask {job.mask!r} needs a file, not a clip. Write it with `vst stylize "
                "--save-mask`, and give that"
            )
        score = read_job_score(job)
        if job.align == "beats" or (score is not None and score.needs_beats):
            raise UsageError("align beats needs a file, not a clip. Give the times in a score")
        for style in (*job.styles, job.mask_background):
            check_style_exists(style)
        self.job = apply_score(job, score)

    def apply(self, clip: VideoClip) -> VideoClip:
        """Return a copy of the clip that paints its frames. Raises `UsageError` for a clip without
        duration or rate, and for a mask.
        """
        if clip.is_mask:
            raise UsageError("Stylize paints pictures, and this clip is a mask. Apply it to a clip")
        if clip.duration is None:
            raise UsageError("the clip has no duration. Set one with clip.with_duration(seconds)")
        rate = self.job.fps or getattr(clip, "fps", None)
        if not rate:
            raise UsageError("the clip has no frame rate. Set clip.with_fps(24), or give fps")
        painted = clip.copy()
        painted.frame_function = ClipPainter(self.job, ClipSource(clip, rate))
        return painted


class ClipSource(Source):
    """The frames of a MoviePy clip at ``rate`` frames a second."""

    def __init__(self, clip: VideoClip, rate: Fraction | float) -> None:
        super().__init__()
        self.clip, self.rate = clip, float(rate)
        width, height = clip.size
        count = max(1, math.ceil(clip.duration * self.rate - 1e-6))
        exact = check_rate(Fraction(rate).limit_denominator(1001))
        self.info = VideoInfo(
            Path(CONTENT), width, height, exact, count, count / self.rate, exact_count=True
        )

    def find_index(self, time: float) -> int:
        """The frame that is shown at ``time`` seconds: the last one that is not later."""
        return min(max(0, int(time * self.rate + 1e-5)), self.info.frames - 1)

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        first = max(0, math.ceil(start * self.rate - 1e-5))
        for frame in self.frames_from(first):
            if end is not None and frame.time >= end:
                return
            yield Frame(frame.index - first, frame.time, frame.picture)

    def frames_from(self, first: int) -> Iterator[Frame]:
        """The frames from index ``first`` on, with their indices in the clip."""
        for index in range(first, self.info.frames):
            yield Frame(index, index / self.rate, self._read(index))

    def at(self, time: float) -> Picture:
        return self._read(self.find_index(time))

    def _read(self, index: int) -> Picture:
        picture = np.asarray(self.clip.get_frame(index / self.rate))[..., :3]
        if picture.dtype != np.uint8:
            picture = np.rint(picture).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(picture)


class ClipPainter:
    """The ``frame_function`` of a painted clip: time in seconds -> RGB uint8.

    The engine is opened for the first frame, and closed after the last one. Copies of a clip share
    their painter, as they share MoviePy's readers; one thread at a time is served.
    """

    def __init__(self, job: Job, source: ClipSource) -> None:
        self.job, self.source = job, source
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._recent: deque[Frame] = deque(maxlen=RECENT)

    def __call__(self, time: float) -> Picture:
        index = self.source.find_index(time)
        with self._lock:
            for frame in self._recent:
                if frame.index == index:
                    return frame.picture.copy()
            return self._paint(index).copy()

    def close(self) -> None:
        """Close the engine and end the threads; the next frame opens them again."""
        if self._run is not None:
            self._run.close()
        self._run = None

    def __del__(self) -> None:
        self.close()

    def _paint(self, index: int) -> Picture:
        if self._run is None:
            self._run = _Run(self.job, self.source)
        try:
            self._run.seek(index)
            while True:
                frame = self._run.next_frame()
                self._recent.append(frame)
                if frame.index == index:
                    break
        except BaseException:
            self.close()
            raise
        if index == self.source.info.frames - 1:
            self.close()
        return frame.picture


class _Run:
    """An engine with its schedule, and the frames that it paints."""

    def __init__(self, job: Job, source: ClipSource) -> None:
        check_estimated_memory(job, source.info)
        self._job, self._source = job, source
        self._stack = ExitStack()
        with ExitStack() as opened:
            self._engine: Engine = opened.enter_context(open_job_engine(job))
            score = read_job_score(job)
            self._schedule: Schedule = build_schedule(job, score, self._engine, source)
            mask = open_job_mask(job, source.info.rate)
            self._mask: Mask | None = opened.enter_context(mask)
            self._sink = MemorySink(build_sink_spec(job, source.info))
            self._parts = build_parts(
                job,
                source.info,
                self._engine,
                self._schedule.timeline,
                self._sink,
                masked=self._mask is not None,
            )
            opened.enter_context(closing(self._parts.stabilizer))
            self._stack = opened.pop_all()
        for note in self._schedule.notes:
            LOGGER.warning("%s", note)
        self._frames: Iterator[Frame] = iter(())
        self._next: int | None = None

    def close(self) -> None:
        self._stack.close()

    def seek(self, index: int) -> None:
        """Make sure that frame ``index`` is still to come, and soon."""
        reach = self._find_reach()
        far = math.inf if reach is None else reach + self._parts.stabilizer.lookahead
        if self._next is not None and 0 <= index - self._next <= far:
            return
        first = 0 if reach is None else max(0, index - reach)
        self._restart(first, index if reach is not None else 0)

    def next_frame(self) -> Frame:
        frame = next(self._frames)
        self._next = frame.index + 1
        return frame

    def _restart(self, first: int, index: int) -> None:
        parts = self._parts
        parts.stabilizer.flush()
        parts.stabilizer.reset()
        parts.stabilizer.seek(first)
        parts.painter.reset()
        if parts.trail is not None:
            parts.trail.reset()
        self._sink.frames.clear()
        frames = self._source.frames_from(first)
        masked = self._mask.apply(frames) if self._mask is not None else pair_without_mask(frames)
        self._frames, self._next = paint_on_demand(parts, self._sink, masked, index), index

    def _find_reach(self) -> int | None:
        """How many frames before one its painting depends on; None: on all since the beginning."""
        keys = self._schedule.timeline.keys
        whole = (
            self._mask is not None
            or self._parts.trail is not None
            or self._engine.warmup > 0
            or any(key.strength < 1 or NONE in key.weights for key in keys)
        )
        return None if whole else self._parts.stabilizer.warmup + CUT_MEMORY + 1


__all__ = ["ClipPainter", "ClipSource", "Stylize"]
