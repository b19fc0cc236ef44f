"""What the page's jobs do: paint a form's job, or measure a painted video. Each is the library's
`run` or `evaluate`, and what it leaves is put into the room.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vst.core.types import OnProgress
from vst.errors import MissingFileError, UsageError
from vst.evaluation.evaluate import evaluate, report_of
from vst.job import NATIVE, Job
from vst.pipeline.run import run
from vst.schedule.score import write_score
from vst.web.form import job_of_form, read_form, score_to_take_away
from vst.web.queue import Outcome, Queue, Task
from vst.web.rooms import Kept, Room

SCORE_NAME = "score-to-take-away.yaml"


def paint_task(room: Room, sent: Mapping[str, Any]) -> Task:
    """The task that paints what the page says."""
    form = read_form(room, sent)
    content = room.file(sent.get("content"))
    number = room.new_id()
    folder = room.folder / f"job-{number}"
    folder.mkdir()
    job = job_of_form(form, folder, up="../")
    write_score(score_to_take_away(form, room), folder / SCORE_NAME, introduction=True)

    def work(heard: OnProgress) -> Outcome:
        result = run(job, heard)
        stem = Path(content.name).stem
        painted = keep(room, folder / "painted.mp4", f"{stem}-painted.mp4")
        return {
            "video": painted.id,
            "score": keep(room, folder / SCORE_NAME, f"{stem}-score.yaml").id,
            "before": before(room, content, folder, heard).id,
            "content": content.id,
            "frames": result.frames,
            "seconds": result.seconds,
            "speed": result.frames_per_second,
            "warnings": [room.spoken(text) for text in result.warnings],
        }

    return Task(number, room, content.name, folder, work)


def before(room: Room, content: Kept, folder: Path, heard: OnProgress) -> Kept:
    """The content as browsers play it: itself, or the same frames written anew."""
    if content.about.get("playable"):
        return content
    copy = folder / "before.mp4"
    run(
        Job(str(content.path), ("none",), str(copy), engine="tint", stabilise="off", size=NATIVE),
        heard,
    )
    return keep(room, copy, f"{Path(content.name).stem}.mp4")


def measure_task(room: Room, queue: Queue, sent: Mapping[str, Any]) -> Task:
    """The task that measures a job's painting, or an uploaded one against an uploaded content."""
    if sent.get("job") is not None:
        done = queue.task(room, sent["job"])
        if done.state != "done" or done.kind != "paint":
            raise UsageError("this job has no painting to measure; wait until it is done")
        painted, content = room.file(done.outcome["video"]), room.file(done.outcome["content"])
    else:
        painted, content = room.file(sent.get("painted")), room.file(sent.get("content"))
    number = room.new_id()
    folder = room.folder / f"job-{number}"

    def work(heard: OnProgress) -> Outcome:
        evaluation = evaluate(str(painted.path), str(content.path), on_progress=heard)
        evaluation.content, evaluation.videos[0].path = content.name, painted.name
        page = report_of(evaluation)
        page.save(folder / "report.html")
        stem = Path(painted.name).stem
        return {
            "report": keep(room, folder / "report.html", f"{stem}-report.html").id,
            "html": "".join(page.parts),
            "of": sent.get("job"),
            "warnings": [room.spoken(text) for text in evaluation.warnings],
        }

    return Task(number, room, painted.name, folder, work, kind="measure")


def keep(room: Room, path: Path, name: str) -> Kept:
    """Let the visitor have a file that was made here."""
    if not path.is_file():
        raise MissingFileError(f"{name} was not written")
    kept = Kept(room.new_id(), path, name, "result")
    room.files[kept.id] = kept
    return kept
