"""Many clips on a cluster: a short one is one task, a long one is shared out chunk by chunk."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vst import __version__
from vst.batch import JobOutcome, is_written, make_failure, run_batch
from vst.checkpoint.fingerprint import is_path, list_inputs
from vst.cluster.paint_chunks import open_shared_folder, run_with_pool
from vst.cluster.pool import TaskOutcome as Ended
from vst.cluster.pool import WorkerPool
from vst.cluster.tasks import ClipOrder, ClusterSettings, Task, TaskResult
from vst.cluster.transport import FileTransport, move_into
from vst.core.types import OnProgress, Progress, silent
from vst.errors import Cancelled, UsageError, VSTError
from vst.job import Job, check_paths
from vst.pipeline.run import Result
from vst.pipeline.session import RunControl, count_frames
from vst.schedule.score import read_score
from vst.styles.from_score import check_files
from vst.video.sinks import detect_sink_kind
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sources import open_source

LONG_CLIP_SECONDS = 120.0
"""Seconds of a clip from which on it is shared out in chunks."""


@dataclass
class ClipQueue:
    """The clips of a batch on their way: those that wait, those that are done, those too long."""

    jobs: list[Job]
    post: FileTransport
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
        """Frames of all clips, by those that are known; None while none is."""
        if self.handed == 0:
            return None
        left = len(self.jobs) - len(self.long) - len(self.outcomes) - len(self.orders)
        return self.expected + round(self.expected / self.handed * left)

    def tasks(self) -> Iterator[Task]:
        """One task for each short clip that can be painted; what is known of the others is noted
        on the way.
        """
        for job in self.jobs:
            if is_written(Path(job.output)) and not job.overwrite:
                self.note(JobOutcome(job.output, job.content, list(job.styles), "there"))
                continue
            began = time.perf_counter()
            try:
                if self._is_long(job):
                    self.long.append(job)
                    continue
                order = self._order(job)
            except (VSTError, OSError, ValueError) as error:
                self.note(make_failure(job, error, time.perf_counter() - began))
                continue
            self.orders[order.key] = job
            self.began[order.key] = began
            yield Task("clip", order)

    def _is_long(self, job: Job) -> bool:
        check_paths(job)
        Path(job.output).absolute().parent.mkdir(parents=True, exist_ok=True)
        kind = detect_sink_kind(job.output)
        if kind == "folder":
            raise UsageError(
                f"output {job.output!r} is a folder of frames, which a cluster does not send back; "
                "give a video, or run it without --cluster"
            )
        with open_source(job.content) as source:
            frames = count_frames(job, source.info)
            seconds = frames / float(job.fps or source.info.rate)
        if seconds > LONG_CLIP_SECONDS and kind == "video":
            return True
        self.expected, self.handed = self.expected + frames, self.handed + 1
        return False

    def _order(self, job: Job) -> ClipOrder:
        if job.score is not None and self.post.folder is None:
            check_files(read_score(job.score))
            raise UsageError(
                f"the files that score {job.score!r} names are not sent through Ray; put all into "
                "a folder that every machine sees, and give it with --storage"
            )
        inputs = {
            name: self.post.send(Path(given))
            for name, given in list_inputs(job).items()
            if is_path(given)
        }
        return ClipOrder(uuid.uuid4().hex, job, inputs, self.post, __version__)

    def take(self, ended: Ended) -> None:
        """Put what a worker has made under its name, or note why not."""
        key = ended.task.order.key
        job, seconds = self.orders.pop(key), time.perf_counter() - self.began.pop(key)
        if ended.error is not None:
            self.note(make_failure(job, ended.error, seconds))
            return
        painted: TaskResult = ended.value
        try:
            place = AtomicOutput(Path(job.output), job.overwrite)
            try:
                finished = place.folder / Path(job.output).name
                move_into(painted.parcels["output"], finished)
                place.publish(finished)
            finally:
                place.discard()
        except (VSTError, OSError) as error:
            self.note(make_failure(job, error, seconds))
            return
        self.frames += painted.frames
        about = (job.output, job.content, list(job.styles))
        self.note(
            JobOutcome(*about, "done", painted.frames, round(painted.seconds, 3),
                    warnings=painted.warnings)
        )  # fmt: skip

    def note(self, outcome: JobOutcome) -> None:
        """What became of a clip."""
        self.outcomes[outcome.output] = outcome
        self.on_outcome(outcome)


@contextlib.contextmanager
def open_clip_transport(settings: ClusterSettings, output: Path) -> Iterator[FileTransport]:
    """How clips travel."""
    if not settings.shares_folder:
        yield FileTransport(None)
    elif settings.storage is None:
        with tempfile.TemporaryDirectory(prefix="vst-") as place:
            yield FileTransport(place)
    else:
        with open_shared_folder(Path(settings.storage), output) as folder:
            yield FileTransport(str(folder))


def run_batch_with_pool(
    crew: WorkerPool,
    jobs: list[Job],
    on_progress: OnProgress = silent,
    *,
    on_outcome: Callable[[JobOutcome], None] = lambda outcome: None,
    stop: RunControl | None = None,
) -> list[JobOutcome]:
    """Run the jobs whose output is missing on a crew's machines, in any order; returns what became
    of each, in theirs.
    """
    stop = stop or RunControl()
    began = time.perf_counter()
    with open_clip_transport(crew.settings, Path(jobs[0].output)) as post:
        clips = ClipQueue(jobs, post, on_outcome)
        crew.start(None)
        stop.armed = True
        for ended in crew.each(clips.tasks(), lambda: not stop.asked):
            clips.take(ended)
            detail = {"clips": f"{len(clips.outcomes)}/{len(jobs)}", "workers": crew.size}
            seconds = time.perf_counter() - began
            on_progress(Progress("paint", clips.frames, clips.total, seconds, detail))
        if stop.asked:
            raise Cancelled(
                f"stopped; {len(clips.outcomes)} of {len(jobs)} clips are done; run again"
            )

    def runner(job: Job, heard: OnProgress) -> Result:
        return run_with_pool(crew, job, heard, stop)

    long = run_batch(clips.long, on_progress, on_outcome=on_outcome, runner=runner)
    clips.outcomes.update({one.output: one for one in long})
    return [clips.outcomes[job.output] for job in jobs]
