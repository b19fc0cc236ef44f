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
from vst.batch import Outcome, failed, is_there, run_batch
from vst.checkpoint.fingerprint import inputs_of, is_file_name
from vst.cluster.chunks import paint_with, working_folder
from vst.cluster.crew import Crew
from vst.cluster.crew import Outcome as Ended
from vst.cluster.files import Post, put_into
from vst.cluster.orders import ClipOrder, Painted, Settings, Task
from vst.core.types import OnProgress, Progress, silent
from vst.errors import Cancelled, UsageError, VSTError
from vst.job import Job, check_paths
from vst.pipeline.run import Result
from vst.pipeline.session import Stop, frames_in_all
from vst.schedule.score import read_score
from vst.styles.from_score import check_files
from vst.video.sinks import kind_of
from vst.video.sinks.place import Place
from vst.video.sources import open_source

LONG = 120.0
"""Seconds of a clip from which on it is shared out in chunks."""


@dataclass
class Clips:
    """The clips of a batch on their way: those that wait, those that are done, those too long."""

    jobs: list[Job]
    post: Post
    on_outcome: Callable[[Outcome], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
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
            if is_there(Path(job.output)) and not job.overwrite:
                self.note(Outcome(job.output, job.content, list(job.styles), "there"))
                continue
            began = time.perf_counter()
            try:
                if self._is_long(job):
                    self.long.append(job)
                    continue
                order = self._order(job)
            except (VSTError, OSError, ValueError) as error:
                self.note(failed(job, error, time.perf_counter() - began))
                continue
            self.orders[order.key] = job
            self.began[order.key] = began
            yield Task("clip", order)

    def _is_long(self, job: Job) -> bool:
        check_paths(job)
        Path(job.output).absolute().parent.mkdir(parents=True, exist_ok=True)
        kind = kind_of(job.output)
        if kind == "folder":
            raise UsageError(
                f"output {job.output!r} is a folder of frames, which a cluster does not send back; "
                "give a video, or run it without --cluster"
            )
        with open_source(job.content) as source:
            frames = frames_in_all(job, source.info)
            seconds = frames / float(job.fps or source.info.rate)
        if seconds > LONG and kind == "video":
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
            for name, given in inputs_of(job).items()
            if is_file_name(given)
        }
        return ClipOrder(uuid.uuid4().hex, job, inputs, self.post, __version__)

    def take(self, ended: Ended) -> None:
        """Put what a worker has made under its name, or note why not."""
        key = ended.task.order.key
        job, seconds = self.orders.pop(key), time.perf_counter() - self.began.pop(key)
        if ended.error is not None:
            self.note(failed(job, ended.error, seconds))
            return
        painted: Painted = ended.value
        try:
            place = Place(Path(job.output), job.overwrite)
            try:
                finished = place.folder / Path(job.output).name
                put_into(painted.parcels["output"], finished)
                place.publish(finished)
            finally:
                place.discard()
        except (VSTError, OSError) as error:
            self.note(failed(job, error, seconds))
            return
        self.frames += painted.frames
        about = (job.output, job.content, list(job.styles))
        self.note(
            Outcome(*about, "done", painted.frames, round(painted.seconds, 3),
                    warnings=painted.warnings)
        )  # fmt: skip

    def note(self, outcome: Outcome) -> None:
        """What became of a clip."""
        self.outcomes[outcome.output] = outcome
        self.on_outcome(outcome)


@contextlib.contextmanager
def clip_post(settings: Settings, output: Path) -> Iterator[Post]:
    """How clips travel."""
    if not settings.shares_folder:
        yield Post(None)
    elif settings.storage is None:
        with tempfile.TemporaryDirectory(prefix="vst-") as place:
            yield Post(place)
    else:
        with working_folder(Path(settings.storage), output) as folder:
            yield Post(str(folder))


def batch_with(
    crew: Crew,
    jobs: list[Job],
    on_progress: OnProgress = silent,
    *,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    stop: Stop | None = None,
) -> list[Outcome]:
    """Run the jobs whose output is missing on a crew's machines, in any order; returns what became
    of each, in theirs.
    """
    stop = stop or Stop()
    began = time.perf_counter()
    with clip_post(crew.settings, Path(jobs[0].output)) as post:
        clips = Clips(jobs, post, on_outcome)
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
        return paint_with(crew, job, heard, stop)

    long = run_batch(clips.long, on_progress, on_outcome=on_outcome, runner=runner)
    clips.outcomes.update({one.output: one for one in long})
    return [clips.outcomes[job.output] for job in jobs]
