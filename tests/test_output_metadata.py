"""The job that an output carries says nothing about the folders of the machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from vst.evaluation.style_target import read_styles_job
from vst.job import Job
from vst.pipeline.record import build_record
from vst.pipeline.run import run
from vst.video.sinks.metadata import read_job


def make_job(media: Path, folder: Path, **options: object) -> Job:
    (folder / "out").mkdir(exist_ok=True)
    styles = (str(media / "red.png"), "@ink-wash")
    return Job(
        str(media / "clip.mp4"), styles, str(folder / "out" / "o.mp4"), engine="tint", **options
    )  # type: ignore[arg-type]


def test_paths_in_the_metadata_are_relative_to_the_output(media: Path, tmp_path: Path) -> None:
    job = make_job(media, tmp_path)
    record = json.loads(build_record(job))
    assert str(tmp_path) not in build_record(job) and not build_record(job).count('"/')
    assert (tmp_path / "out" / record["content"]).resolve() == (media / "clip.mp4").resolve()
    assert record["output"] == "o.mp4" and record["styles"][1] == "@ink-wash"


def test_a_job_without_metadata_writes_none(media: Path, tmp_path: Path) -> None:
    job = replace(make_job(media, tmp_path, metadata=False), styles=(str(media / "red.png"),))
    run(job)
    assert build_record(job) == "" and read_job(job.output) is None


def test_the_styles_of_a_moved_command_are_found_beside_its_output(
    media: Path, tmp_path: Path
) -> None:
    job = Job(str(media / "clip.mp4"), (str(media / "red.png"),), str(tmp_path / "o.mp4"))
    run(Job(job.content, job.styles, job.output, engine="tint"))
    [style] = read_styles_job(job.output).styles
    assert Path(style).resolve() == (media / "red.png").resolve()
