"""Many clips on a cluster: a short one is one task, a long one is painted chunk by chunk."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vst import __version__
from vst.batch import JobOutcome, is_written, make_failure, make_output_folder, run_batch
from vst.checkpoint.fingerprint import is_path, list_inputs
from vst.cluster.paint_chunks import open_shared_address, open_shared_folder, run_with_pool
from vst.cluster.pool import TaskOutcome, WorkerPool
from vst.cluster.tasks import ClipOrder, ClusterSettings, Task, TaskResult, refuse_local_options
from vst.cluster.transport import FileTransport, SentFile, move_into
from vst.core.types import OnProgress, Progress, ignore_progress
from vst.errors import Cancelled, UsageError, VSTError
from vst.job import Job
from vst.pipeline.build_schedule import read_job_score
from vst.pipeline.checks import check_job
from vst.pipeline.control import RunControl
from vst.pipeline.frames import count_frames
from vst.pipeline.loop import PAINT
from vst.pipeline.object_files import names_objects
from vst.pipeline.run import Result
from vst.video.sinks import detect_sink_kind
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sources import open_source

LONG_CLIP_SECONDS = 120.0
"""Seconds of a clip above which it is painted chunk by chunk."""


@dataclass
class ClipQueue:
    """The clips of a batch: those that wait, those that have ended, those too long for one task."""

    jobs: list[Job]
    transport: FileTransport
    on_outcome: Callable[[JobOutcome], None]
    outcomes: dict[str, JobOutcome] = field(default_factory=dict)
    long: list[Job] = field(default_factory=list)
    began: dict[str, float] = field(default_factory=dict)
    orders: dict[str, Job] = field(default_factory=dict)
    frames: int = 0
    expected: int = 0
    handed: int = 0

    @property
    def total(self) -> int | None:
        """Frames of all clips, estimated from those that were opened; None while none was."""
        if self.handed == 0:
            return None
        left = len(self.jobs) - len(self.long) - len(self.outcomes) - len(self.orders)
        return self.expected + round(self.expected / self.handed * left)

    def make_tasks(self) -> Iterator[Task]:
        """One task for each short clip that can be painted; records the outcome of the others."""
        for job in self.jobs:
            if is_written(job.output) and not job.overwrite:
                self.record(JobOutcome(job.output, job.content, list(job.styles), "there"))
                continue
            began = time.perf_counter()
            try:
                order = None if self._is_long(job) else self._make_order(job)
                make_output_folder(job.output)
            except (VSTError, OSError, ValueError) as error:
                self.record(make_failure(job, error, time.perf_counter() - began))
                continue
            if order is None:
                self.long.append(job)
                continue
            self.orders[order.key] = job
            self.began[order.key] = began
            yield Task("paint_clip", order)

    def _is_long(self, job: Job) -> bool:
        refuse_local_options(job)
        if names_objects(job):  # the worker downloads and checks them
            return False
        check_job(job)
        read_job_score(job)
        kind = detect_sink_kind(job.output)
        if kind == "folder":  # sent back in chunks only
            return True
        with open_source(job.content, job.limits) as source:
            frames = count_frames(job, source.info)
            seconds = frames / float(job.fps or source.info.rate)
        if seconds > LONG_CLIP_SECONDS:
            return True
        self.expected, self.handed = self.expected + frames, self.handed + 1
        return False

    def _make_order(self, job: Job) -> ClipOrder:
        if job.score is not None and self.transport.folder is None:
            raise UsageError(
                f"the files that score {job.score!r} names are not sent. Put all into "
                "a folder that every machine sees, and give it with --storage"
            )
        inputs = {
            name: self.transport.send(Path(given))
            for name, given in list_inputs(job).items()
            if is_path(given)
        }
        return ClipOrder(uuid.uuid4().hex, job, inputs, self.transport, __version__)

    def store(self, ended: TaskOutcome) -> None:
        """Publish the output of a clip, or record why it failed."""
        key = ended.task.order.key
        job, seconds = self.orders.pop(key), time.perf_counter() - self.began.pop(key)
        if ended.error is not None:
            self.record(make_failure(job, ended.error, seconds))
            return
        result: TaskResult = ended.value
        try:
            if "output" in result.files:  # else the worker has uploaded it
                publish_clip(job, result.files["output"])
        except (VSTError, OSError) as error:
            self.record(make_failure(job, error, seconds))
            return
        self.frames += result.frames
        about = (job.output, job.content, list(job.styles))
        self.record(
            JobOutcome(*about, "done", result.frames, round(result.seconds, 3),
                    warnings=result.warnings)
        )  # fmt: skip

    def record(self, outcome: JobOutcome) -> None:
        """Record the outcome of a clip."""
        self.outcomes[outcome.output] = outcome
        self.on_outcome(outcome)


def publish_clip(job: Job, sent: SentFile) -> None:
    """Move a clip that a worker has sent to its name."""
    output = AtomicOutput(Path(job.output), job.overwrite)
    try:
        finished = output.folder / Path(job.output).name
        move_into(sent, finished)
        output.publish(finished)
    finally:
        output.discard()


@contextlib.contextmanager
def open_clip_transport(settings: ClusterSettings, output: Path) -> Iterator[FileTransport]:
    """How clips are sent."""
    if settings.address_of_storage:
        with open_shared_address(settings.address_of_storage, output) as address:
            yield FileTransport(None, address)
    elif not settings.shares_folder:
        yield FileTransport(None)
    elif settings.storage is None:
        with tempfile.TemporaryDirectory(prefix="vst-") as place:
            yield FileTransport(place)
    else:
        with open_shared_folder(Path(settings.storage), output) as folder:
            yield FileTransport(str(folder))


def run_batch_with_pool(
    pool: WorkerPool,
    jobs: list[Job],
    on_progress: OnProgress = ignore_progress,
    *,
    on_outcome: Callable[[JobOutcome], None] = lambda outcome: None,
    control: RunControl | None = None,
) -> list[JobOutcome]:
    """Run the jobs whose output is missing with a pool, in any order; returns the outcomes in the
    order of the jobs.
    """
    control = control or RunControl()
    began = time.perf_counter()
    with open_clip_transport(pool.settings, Path(jobs[0].output)) as transport:
        clips = ClipQueue(jobs, transport, on_outcome)
        pool.start(None)
        control.paints_chunks = True
        for ended in pool.run_tasks(clips.make_tasks(), lambda: not control.stop_requested):
            clips.store(ended)
            done = {"clips": len(clips.outcomes), "all_clips": len(jobs)}
            detail = {**done, "workers": pool.size}
            seconds = time.perf_counter() - began
            on_progress(Progress(PAINT, clips.frames, clips.total, seconds, detail))
        if control.stop_requested:
            raise Cancelled(
                f"stopped; {len(clips.outcomes)} of {len(jobs)} clips are done. "
                "Run the batch again for the rest"
            )

    def runner(job: Job, on_progress: OnProgress) -> Result:
        return run_with_pool(pool, job, on_progress, control)

    long = run_batch(clips.long, on_progress, on_outcome=on_outcome, runner=runner)
    clips.outcomes.update({one.output: one for one in long})
    return [clips.outcomes[job.output] for job in jobs]
