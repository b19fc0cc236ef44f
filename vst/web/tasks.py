"""The page's jobs: paint a form's job, or measure a painted video. Each calls the library's `run`
or `evaluate` and stores the results in the session.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vst.core.types import OnProgress
from vst.errors import MissingFileError, UsageError, VSTError
from vst.evaluation.measure import evaluate
from vst.evaluation.report import build_report
from vst.job import NATIVE, Job
from vst.pipeline.control import RunControl
from vst.pipeline.run import run
from vst.schedule.score import write_score
from vst.web.form import Form, build_download_score, build_job, pick_form, read_form
from vst.web.queue import FINISHED, SAVED, Outcome, QueuedTask, RunJob, TaskQueue
from vst.web.sessions import Session, Sessions, StoredFile

SCORE_NAME = "download-score.yaml"
CHUNK_SECONDS = 4.0
"""Seconds of video after which a job is saved on disk, to go on from there after a kill."""
BYTES_PER_PIXEL = 0.25
"""Bytes for each painted pixel while a job runs, its chunks and the joined file together; the
sample clip takes half of it.
"""
MEASURE_BYTES = 2_000_000
"""Bytes that a report may take."""


def create_paint_task(
    session: Session, sent: Mapping[str, Any], number: str | None = None, run_job: RunJob = run
) -> QueuedTask:
    """Create the task that paints the form's job; ``number`` is its id if it goes on."""
    form = read_form(session, sent)
    content = session.file(sent.get("content"))
    number = number or session.new_id()
    folder = session.folder / f"job-{number}"
    folder.mkdir(exist_ok=True)
    try:
        job = build_job(form, folder, up="../")
        write_score(build_download_score(form, session), folder / SCORE_NAME, introduction=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise

    def work(on_progress: OnProgress) -> Outcome:
        stem = Path(content.name).stem
        names = {"video": f"{stem}-painted.mp4", "score": f"{stem}-score.yaml"}
        own = {
            job.content: content.name,
            job.output: names["video"],
            str(job.score): names["score"],
        }
        before = make_comparable(session, content, job, on_progress)
        # A server that was killed between finishing the file and noting it paints it again.
        result = run_job(
            replace(job, overwrite=True),
            on_progress,
            RunControl(names=own),
            chunk_seconds=CHUNK_SECONDS,
        )
        return {
            "video": store_result(session, folder / "painted.mp4", names["video"]).id,
            "score": store_result(session, folder / SCORE_NAME, names["score"]).id,
            "before": before.id,
            "content": content.id,
            "frames": result.frames,
            "seconds": result.seconds,
            "speed": result.frames_per_second,
            "warnings": [session.hide_paths(text) for text in result.warnings],
        }

    return QueuedTask(
        number, session, content.name, folder, work, sent=pick_form(sent), size=estimate_bytes(form)
    )


def estimate_bytes(form: Form) -> int:
    """Estimate, from above, the bytes that a painting and its chunks take on the disk."""
    about, speed = form.content.about, float(form.settings.get("speed", 1.0))
    frames = form.seconds * about["rate"] / speed
    copies = 1 if about.get("playable") and form.trim is None and speed == 1 else 2
    return round(copies * frames * about["width"] * about["height"] * BYTES_PER_PIXEL)


def make_comparable(
    session: Session, content: StoredFile, job: Job, on_progress: OnProgress
) -> StoredFile:
    """Return the content as a video that browsers play, with the frames that are painted: the file
    itself, or a converted copy.
    """
    if content.about.get("playable") and job.end is None and job.speed == 1:
        return content
    copy = Path(job.output).with_name("before.mp4")
    plain = Job(
        job.content, ("none",), str(copy), engine="tint", stabilize="off", size=NATIVE,
        start=job.start, end=job.end, speed=job.speed, metadata=False, overwrite=True,
    )  # fmt: skip
    run(plain, on_progress)
    return store_result(session, copy, f"{Path(content.name).stem}.mp4")


def create_measure_task(
    session: Session, queue: TaskQueue, sent: Mapping[str, Any], number: str | None = None
) -> QueuedTask:
    """Create the task that measures a job's painting, or an upload against an uploaded content."""
    if sent.get("job") is not None:
        done = queue.task(session, sent["job"])
        if done.state != "done" or done.kind != "paint":
            raise UsageError(
                "this job has no painting to measure: it is not done. Wait until it is."
            )
        painted, content = (
            session.file(done.outcome["video"]),
            session.file(done.outcome["before"]),
        )
    else:
        painted, content = session.file(sent.get("painted")), session.file(sent.get("content"))
    number = number or session.new_id()
    folder = session.folder / f"job-{number}"
    known = {name: sent.get(name) for name in ("job", "painted", "content")}

    def work(on_progress: OnProgress) -> Outcome:
        evaluation = evaluate(str(painted.path), str(content.path), on_progress=on_progress)
        evaluation.content, evaluation.videos[0].path = content.name, painted.name
        evaluation.verdict = evaluation.verdict.replace(painted.path.name, painted.name)
        page = build_report(evaluation)
        page.save(folder / "report.html")
        stem = Path(painted.name).stem
        return {
            "verdict": evaluation.verdict,
            "report": store_result(session, folder / "report.html", f"{stem}-report.html").id,
            "html": "".join(page.parts),
            "of": sent.get("job"),
            "warnings": [session.hide_paths(text) for text in evaluation.warnings],
        }

    return QueuedTask(
        number, session, painted.name, folder, work, "measure", sent=known, size=MEASURE_BYTES
    )


def restore_tasks(sessions: Sessions, queue: TaskQueue) -> int:
    """Take over the tasks of a killed server; return how many of them go on."""
    count = 0
    for token, number, body in sessions.store.read("task"):
        session = sessions.sessions.get(token)
        if session is None:
            sessions.store.drop(token, "task", number)
            continue
        folder = session.folder / f"job-{number}"
        task = QueuedTask(number, session, body["title"], folder, lambda on_progress: {})
        try:
            if body["state"] not in FINISHED:
                task = (
                    create_paint_task(session, body["sent"], number, queue.run_job)
                    if body["kind"] == "paint"
                    else create_measure_task(session, queue, body["sent"], number)
                )
                count += 1
        except VSTError as error:
            body |= {"state": "failed", "error": session.hide_paths(str(error))}
        for name in SAVED:
            setattr(task, name, body[name])
        queue.restore(task)
    return count


def store_result(session: Session, path: Path, name: str) -> StoredFile:
    """Add a file that a task wrote to the session's files."""
    if not path.is_file():
        raise MissingFileError(f"{name} was not written")
    return session.keep_file(StoredFile(session.new_id(), path, name, "result"))
