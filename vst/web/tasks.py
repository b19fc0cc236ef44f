"""The page's jobs: paint a form's job, or measure a painted video. Each calls the library's `run`
or `evaluate` and stores the results in the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vst.core.types import OnProgress
from vst.errors import MissingFileError, UsageError
from vst.evaluation.measure import evaluate
from vst.evaluation.report import build_report
from vst.job import NATIVE, Job
from vst.pipeline.run import run
from vst.schedule.score import write_score
from vst.web.form import build_download_score, build_job, read_form
from vst.web.queue import Outcome, QueuedTask, TaskQueue
from vst.web.sessions import Session, StoredFile

SCORE_NAME = "download-score.yaml"


def create_paint_task(session: Session, sent: Mapping[str, Any]) -> QueuedTask:
    """Create the task that paints the form's job."""
    form = read_form(session, sent)
    content = session.file(sent.get("content"))
    number = session.new_id()
    folder = session.folder / f"job-{number}"
    folder.mkdir()
    job = build_job(form, folder, up="../")
    write_score(build_download_score(form, session), folder / SCORE_NAME, introduction=True)

    def work(on_progress: OnProgress) -> Outcome:
        result = run(job, on_progress)
        stem = Path(content.name).stem
        painted = store_result(session, folder / "painted.mp4", f"{stem}-painted.mp4")
        return {
            "video": painted.id,
            "score": store_result(session, folder / SCORE_NAME, f"{stem}-score.yaml").id,
            "before": make_playable(session, content, folder, on_progress).id,
            "content": content.id,
            "frames": result.frames,
            "seconds": result.seconds,
            "speed": result.frames_per_second,
            "warnings": [session.hide_paths(text) for text in result.warnings],
        }

    return QueuedTask(number, session, content.name, folder, work)


def make_playable(
    session: Session, content: StoredFile, folder: Path, on_progress: OnProgress
) -> StoredFile:
    """Return the content in a form that browsers play: the file itself, or a converted copy."""
    if content.about.get("playable"):
        return content
    copy = folder / "before.mp4"
    run(
        Job(str(content.path), ("none",), str(copy), engine="tint", stabilize="off", size=NATIVE),
        on_progress,
    )
    return store_result(session, copy, f"{Path(content.name).stem}.mp4")


def create_measure_task(session: Session, queue: TaskQueue, sent: Mapping[str, Any]) -> QueuedTask:
    """Create the task that measures a job's painting, or an upload against an uploaded content."""
    if sent.get("job") is not None:
        done = queue.task(session, sent["job"])
        if done.state != "done" or done.kind != "paint":
            raise UsageError(
                "this job has no painting to measure: it is not done. Wait until it is."
            )
        painted, content = (
            session.file(done.outcome["video"]),
            session.file(done.outcome["content"]),
        )
    else:
        painted, content = session.file(sent.get("painted")), session.file(sent.get("content"))
    number = session.new_id()
    folder = session.folder / f"job-{number}"

    def work(on_progress: OnProgress) -> Outcome:
        evaluation = evaluate(str(painted.path), str(content.path), on_progress=on_progress)
        evaluation.content, evaluation.videos[0].path = content.name, painted.name
        page = build_report(evaluation)
        page.save(folder / "report.html")
        stem = Path(painted.name).stem
        return {
            "report": store_result(session, folder / "report.html", f"{stem}-report.html").id,
            "html": "".join(page.parts),
            "of": sent.get("job"),
            "warnings": [session.hide_paths(text) for text in evaluation.warnings],
        }

    return QueuedTask(number, session, painted.name, folder, work, kind="measure")


def store_result(session: Session, path: Path, name: str) -> StoredFile:
    """Add a file that a task wrote to the session's files."""
    if not path.is_file():
        raise MissingFileError(f"{name} was not written")
    kept = StoredFile(session.new_id(), path, name, "result")
    session.files[kept.id] = kept
    return kept
