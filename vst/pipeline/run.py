"""Running a job: open its parts, paint, finish the output, report what was done."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vst.checkpoint.fingerprint import fingerprint_styles
from vst.checkpoint.sink import ChunkSink
from vst.checkpoint.store import STYLES_FINGERPRINT, ChunkFolder
from vst.core.html_repr import render_html
from vst.core.timecode import format_time
from vst.core.types import OnProgress, VideoInfo, ignore_progress
from vst.core.workers import call_back
from vst.engines.base import Engine
from vst.errors import MediaError
from vst.job import Job
from vst.masks.base import Mask
from vst.pipeline.build_schedule import Schedule, apply_score, build_schedule, read_job_score
from vst.pipeline.checks import check_job
from vst.pipeline.control import RunControl
from vst.pipeline.frames import ChangeGuard, open_painted_content
from vst.pipeline.loop import LoopResult
from vst.pipeline.object_files import ObjectFiles, names_objects
from vst.pipeline.parts import (
    build_parts,
    build_sink_spec,
    open_job_engine,
    open_job_mask,
    open_mattes,
)
from vst.pipeline.session import CHUNK_SECONDS, RenderSession, check_limits, open_chunks
from vst.pipeline.sidecar import describe_output, write_sidecar
from vst.styles.resolve import ResolvedStyle
from vst.video.retime import plan_sound
from vst.video.sinks import open_sink
from vst.video.sinks.base import Sink, SinkReport
from vst.video.sources.base import Source


@dataclass(frozen=True)
class Result:
    """What a job did. ``seconds``: from the first frame read to the finished file; ``startup``:
    the seconds before.
    """

    output: str
    frames: int
    fps: str
    seconds: float
    startup: float
    frames_per_second: float
    engine: str
    keyframes: list[dict[str, Any]]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    def clip(self) -> Any:
        """Open the output as a clip of MoviePy: a video or GIF, or a folder of frames."""
        from moviepy import ImageSequenceClip, VideoFileClip

        if Path(self.output).is_dir():  # beside the frames it contains job.json
            frames = sorted(str(path) for path in Path(self.output).glob("frame_*.png"))
            return ImageSequenceClip(frames, fps=float(Fraction(self.fps)))
        return VideoFileClip(self.output)

    def __getitem__(self, key: str) -> Any:
        return self.as_dict()[key]

    def _repr_html_(self) -> str:
        return render_html("result", self)


class ChunkPainter(Protocol):
    """Paints the chunks that a folder misses in place of this process."""

    @property
    def workers(self) -> int:
        """How many workers share the chunks."""

    def paint(self, session: RenderSession, folder: ChunkFolder, schedule: Schedule) -> LoopResult:
        """Paint them, or raise."""


def run(
    job: Job,
    on_progress: OnProgress = ignore_progress,
    control: RunControl | None = None,
    *,
    engine: Engine | None = None,
    chunk_painter: ChunkPainter | None = None,
    chunk_seconds: float = CHUNK_SECONDS,
) -> Result:
    """Run the job; the output appears when it is whole. What ``on_progress`` raises stops the job
    cleanly; a video longer than ``chunk_seconds`` can then be resumed.

    ``engine``: one that is open, and stays open. ``chunk_painter`` paints the chunks of a long
    video in place of this process. Files in object storage are downloaded first and uploaded last.
    """
    control = control or RunControl()
    settings = (engine, chunk_painter, chunk_seconds)
    if not names_objects(job):
        return _run_files(job, on_progress, control, *settings)
    with ObjectFiles(job, on_progress) as files:
        control.addresses, control.keep_chunk = files.names, files.keep_chunk
        control.keeps_chunks = True  # until the output is uploaded
        result = _run_files(files.job, on_progress, control, *settings)
        files.publish()
    warnings = [files.restore_names(text) for text in result.warnings]
    return replace(result, output=job.output, warnings=warnings)


def _run_files(
    job: Job,
    on_progress: OnProgress,
    control: RunControl,
    engine: Engine | None,
    chunk_painter: ChunkPainter | None,
    chunk_seconds: float,
) -> Result:
    """Run a job whose files are all on this machine."""
    began = time.perf_counter()
    check_job(job)
    score = read_job_score(job)
    job = apply_score(job, score)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_painted_content(job))
        check_limits(job, source.info)
        workers = chunk_painter.workers if chunk_painter is not None else 1
        folder = stack.enter_context(open_chunks(job, source.info, control, workers, chunk_seconds))
        spec = build_sink_spec(job, source.info, {**control.addresses, **control.names})
        guard = ChangeGuard(Path(job.content))
        # The engine last: an output that cannot be written is found in a moment, loading an engine
        # takes seconds.
        sink = stack.enter_context(
            ChunkSink(spec, folder) if folder is not None else open_sink(spec)
        )
        mattes = stack.enter_context(open_mattes(job, source.info))
        if engine is None:
            loaded = open_job_engine(job, lambda event: call_back(partial(on_progress, event)))
            engine = stack.enter_context(loaded)
        schedule = build_schedule(job, score, engine, source)
        if folder is not None:
            folder.add_fingerprint(STYLES_FINGERPRINT, fingerprint_styles(schedule.styles))
        with open_job_mask(job, source.info.rate) as mask:
            masked = mask is not None
            parts = build_parts(job, source.info, engine, schedule.timeline, sink, masked=masked)
            parts = replace(parts, mattes=mattes)
            session = RenderSession(job, source, parts, mask, control, guard, on_progress)
            with contextlib.closing(parts.stabilizer):
                painted = _paint(session, sink, schedule, chunk_painter)
        if painted.frames == 0 and (folder is None or folder.frames == 0):
            raise MediaError(
                f"{job.content} has no frame from {format_time(job.start)} on that can be read"
            )
        warnings = _collect_warnings(job, source, schedule, mask)
        with control.watch_output(job):
            report = sink.finish()
        _finish_companions(job, source.info, schedule, report, mattes)
    startup = painted.first_read - began
    return build_result(job, painted, report, schedule.styles, warnings, startup)


def _collect_warnings(job: Job, source: Source, schedule: Schedule, mask: Mask | None) -> list[str]:
    """What the user should know of the content, the schedule, the mask and the sound."""
    warnings = [*source.warnings, *schedule.notes, *(mask.warnings if mask else [])]
    if job.audio and source.info.audio and (note := plan_sound(job.speed).note):
        warnings.append(note)
    return warnings


def _finish_companions(
    job: Job, info: VideoInfo, schedule: Schedule, report: SinkReport, mattes: tuple[Sink, ...]
) -> None:
    """Complete what is written beside the finished output: the mask, and the sidecar."""
    for matte in mattes:
        matte.finish()
    if job.sidecar is not None:
        sheet = describe_output(job, info, schedule.timeline, report.frames)
        write_sidecar(Path(job.sidecar), sheet)


def build_result(
    job: Job,
    painted: LoopResult,
    report: SinkReport,
    styles: list[ResolvedStyle],
    warnings: list[str],
    startup: float,
) -> Result:
    """Describe a finished run; ``startup``: seconds before the first frame was read."""
    seconds = time.perf_counter() - painted.first_read
    return Result(
        output=str(report.path),
        frames=report.frames,
        fps=f"{report.rate.numerator}/{report.rate.denominator}",
        seconds=round(seconds, 3),
        startup=round(startup, 3),
        frames_per_second=round(painted.frames / seconds, 2),
        engine=job.engine,
        keyframes=list_keyframes(styles),
        warnings=[*warnings, *report.warnings],
    )


def _paint(
    session: RenderSession, sink: Sink, schedule: Schedule, chunk_painter: ChunkPainter | None
) -> LoopResult:
    """Paint all frames, or the missing chunks, here or with ``chunk_painter``; raises `MediaError`
    if the content was changed meanwhile.
    """
    if not isinstance(sink, ChunkSink):
        painted = session.paint_all()
    elif chunk_painter is not None:
        painted = chunk_painter.paint(session, sink.folder, schedule)
    else:
        painted = session.paint_missing(sink.folder, sink)
    session.guard.check()
    return painted


def list_keyframes(styles: list[ResolvedStyle]) -> list[dict[str, Any]]:
    """Styles as plain values: name and time."""
    return [{"name": style.name, "time": round(style.time, 3)} for style in styles]
