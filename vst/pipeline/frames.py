"""The content's frames: which of them a job paints, how many, and from where a chunk reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from vst.checkpoint.handover import ReadPoint
from vst.core.types import Frame, VideoInfo
from vst.errors import MediaError
from vst.job import Job, compute_painted_seconds
from vst.masks.base import Alpha, Mask
from vst.video.retime import retime_frames
from vst.video.sinks import can_keep_alpha, can_keep_depth
from vst.video.sources import open_source
from vst.video.sources.base import Source
from vst.video.sources.graded import GradedSource
from vst.video.sources.hdr import KEEP
from vst.video.sources.rate import resample

MaskedFrame = tuple[Frame, Alpha | None]
"""A frame and its mask, where there is one."""


def open_job_content(job: Job) -> Source:
    """Open the job's content, as its lookup table shows it; the caller closes it."""
    source = open_source(job.content, job.limits)
    return source if job.lut is None else GradedSource(source, Path(job.lut))


def open_painted_content(job: Job) -> Source:
    """Open the job's content to be painted into its output: with opacity and more than
    8 bits a color, if that can hold them.
    """
    source = open_job_content(job)
    if can_keep_alpha(job.output, job.codec):
        source.keep_alpha()
    if can_keep_depth(job.output, job.codec):
        source.keep_depth()
    if job.hdr == KEEP and not source.keep_hdr():
        source.warnings.append(f"{job.content!r} is not HDR, so that there is none to keep")
    return source


def count_frames(job: Job, info: VideoInfo) -> int:
    """How many frames the output has, by the content's header."""
    return round(compute_painted_seconds(job, info) / job.speed * float(job.fps or info.rate))


def read_frames(job: Job, source: Source) -> Iterator[Frame]:
    """The frames that are painted: a part of the content, at another rate or speed if wanted."""
    frames = source.frames(job.start, job.end)
    if job.speed != 1:
        return retime_frames(frames, job.speed, job.fps or source.info.rate)
    return resample(frames, job.fps) if job.fps is not None else frames


def read_masked_frames(
    job: Job, source: Source, mask: Mask | None, start: ReadPoint | None = None
) -> Iterator[MaskedFrame]:
    """The frames that are painted, with their masks, from ``start`` on (None: all).

    A plain content is read from that frame on. All frames before it are read again where frames are
    made of others or the mask remembers, and where the content has another frame there.
    """
    if start is not None and mask is None and job.speed == 1 and job.fps is None:
        frames = source.frames(start.time, job.end)
        head = next(frames, None)
        if head is not None and start.matches(head):
            return pair_without_mask(_renumber(chain([head], frames), start.index))
    whole = read_frames(job, source)
    masked = mask.apply(whole) if mask is not None else pair_without_mask(whole)
    return islice(masked, start.index, None) if start is not None else masked


def pair_without_mask(frames: Iterable[Frame]) -> Iterator[MaskedFrame]:
    """Each frame, with no mask."""
    return ((frame, None) for frame in frames)


def _renumber(frames: Iterable[Frame], first: int) -> Iterator[Frame]:
    for index, frame in enumerate(frames, first):
        yield replace(frame, index=index)


class ChangeGuard:
    """Detects whether a file was changed or removed since this was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = self._stat()

    def check(self) -> None:
        """Raise `MediaError` if the file was changed or removed."""
        if self._stat() != self._before:
            raise MediaError(
                f"{str(self.path)!r} was changed or removed while it was read; run again"
            )

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_size, found.st_mtime_ns) if self.path.is_file() else (0, 0)
