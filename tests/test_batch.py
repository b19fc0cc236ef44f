"""Many jobs from one file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import CommandResult
from vst import batch
from vst.batch import JobOutcome, format_outcomes, read_batch, run_batch
from vst.core.types import OnProgress
from vst.engines.tint import TintEngine
from vst.errors import Cancelled, EngineError, MissingFileError, UsageError
from vst.job import Job
from vst.pipeline.run import Result
from vst.plotting import save_picture

Run = Callable[..., CommandResult]


def written(folder: Path, text: str) -> Path:
    path = folder / "jobs.yaml"
    path.write_text(text)
    return path


def fake(job: Job, on_progress: OnProgress) -> Result:
    if "broken" in job.content:
        raise EngineError("engine 'tint' failed at frame 3")
    Path(job.output).write_bytes(b"painted")
    return Result(job.output, 20, "25/1", 1.0, 0.5, 20.0, job.engine, [], ["a warning"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    for name in ("b.mp4", "a.mp4", "broken.mp4"):
        (tmp_path / "clips" / name).write_bytes(b"x")
    (tmp_path / "red.png").write_bytes(b"x")
    return tmp_path


CROSSED = """
contents: clips/*.mp4
styles: ["@ink-wash", red.png, [red.png, "@ink-wash"]]
output: out/{content}-{style}.mp4
options: {engine: tint, strength: 0.5}
"""


def test_every_content_meets_every_style(folder: Path) -> None:
    jobs = read_batch(written(folder, CROSSED))
    assert len(jobs) == 9
    names = [str(Path(job.output).relative_to(folder)) for job in jobs[:3]]
    assert names == ["out/a-ink-wash.mp4", "out/a-red.mp4", "out/a-red+ink-wash.mp4"]
    assert jobs[2].styles == (str(folder / "red.png"), "@ink-wash")
    assert {(job.engine, job.strength) for job in jobs} == {("tint", 0.5)}


def test_single_jobs_have_their_own_options_over_the_shared_ones(folder: Path) -> None:
    text = """
options: {engine: tint, size: 64}
jobs:
  - {content: clips/a.mp4, styles: red.png, output: one.mp4, options: {size: 32, start: "0:01"}}
  - {content: clips/a.mp4, styles: ["@ink-wash"], output: two.mp4}
"""
    one, two = read_batch(written(folder, text))
    assert (one.engine, one.size, one.start, two.size) == ("tint", 32, 1.0, 64)


def test_what_is_there_is_left_and_what_fails_stops_nothing(folder: Path) -> None:
    jobs = read_batch(written(folder, CROSSED))
    (folder / "out").mkdir()
    (folder / "out" / "a-red.mp4").write_bytes(b"earlier")
    outcomes = run_batch(jobs, runner=fake)
    assert [one.state for one in outcomes] == [
        "done",
        "there",
        "done",
        *["done"] * 3,
        *["failed"] * 3,
    ]
    assert (folder / "out" / "a-red.mp4").read_bytes() == b"earlier"
    text = format_outcomes(outcomes)
    assert "5 done, 1 there, 3 failed" in text and "failed at frame 3" in text
    again = run_batch(jobs, runner=fake)
    assert [one.state for one in again] == [*["there"] * 6, *["failed"] * 3]


def test_ctrl_c_stops_them_all(folder: Path) -> None:
    def cancelled(job: Job, on_progress: OnProgress) -> Result:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run_batch(read_batch(written(folder, CROSSED)), runner=cancelled)


def test_an_output_whose_name_no_disk_takes_stops_nothing(folder: Path) -> None:
    jobs = read_batch(written(folder, CROSSED))[:2]
    long = replace(jobs[0], output=str(folder / f"{'x' * 300}.mp4"))
    outcomes = run_batch([long, jobs[1]], runner=fake)
    assert [one.state for one in outcomes] == ["failed", "done"]
    assert "name too long" in outcomes[0].error


@pytest.mark.slow
def test_a_job_that_hangs_has_an_end_and_the_rest_is_painted(
    run: Run, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = TintEngine.stylize, []

    def hanging(engine: Any, frames: Any, numbers: Any) -> Any:
        calls.append(len(frames))
        if len(calls) == 2:
            time.sleep(60)
        return real(engine, frames, numbers)

    monkeypatch.setattr(TintEngine, "stylize", hanging)
    lines = ["options: {engine: tint, patience: 1}", "output: '{style}.mp4'"]
    for name in ("red", "blue"):
        save_picture(tmp_path / f"{name}.png", np.full((8, 8, 3), 200, np.uint8))
    lines += [f"contents: {media / 'clip.mp4'}", "styles: [red.png, blue.png]"]
    (tmp_path / "jobs.yaml").write_text("\n".join(lines))
    began = time.monotonic()
    done = run("batch", tmp_path / "jobs.yaml", "--json")
    assert done.code == 1 and time.monotonic() - began < 40
    first, second = json.loads(done.out)["jobs"]
    assert first["state"] == "failed" and "painting has not gone on for 1 s" in first["error"]
    assert second["state"] == "done"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no keys"),
        ("- a", "has no keys"),
        ("{}", "has no jobs"),
        ("contents: clips/*.mp4", "styles is missing"),
        ("contents: clips/*.mp4\nstyles: red.png", "output is missing"),
        ("contents: nothing/*.mp4\nstyles: red.png\noutput: o.mp4", r"nothing fits .*nothing"),
        ("contents: [3]\nstyles: red.png\noutput: o.mp4", "contents: 3 is no text"),
        ("contents: []\nstyles: red.png\noutput: o.mp4", "contents is empty"),
        ("contents: clips/*.mp4\nstyles: red.png\noutput: o.mp4", "two jobs write"),
        ("contents: a.mp4\nstyles: red.png\noutput: '{name}.mp4'", "'name' is not known.*content"),
        ("content: a.mp4", "unknown key 'content'; did you mean 'contents'"),
        ("jobs: a.mp4", "jobs: 'a.mp4' is no list"),
        ("jobs: [a.mp4]", r"jobs\[1\]: 'a.mp4' has no keys"),
        ("jobs: [{content: a.mp4, styles: b}]", r"jobs\[1\].output is missing"),
        ("options: {strenght: 1}\njobs: []", "unknown key 'strenght'; did you mean 'strength'"),
        ("options: {strength: high}", "options.strength: 'high' is no number"),
        ("options: {strength: [1]}", r"options.strength: \[1\] is no single value"),
        ("options: {ghost: ~}", "options.ghost: nothing is given; write 0"),
        ("options: {audio: 1}", "options.audio: 1 cannot be used; write true or false"),
        (
            "options: {strength: 7}\njobs: [{content: a, styles: b, output: c.mp4}]",
            r"jobs\[1\].options: strength 7; allowed is 0 to 1",
        ),
        (
            "jobs: [{content: a, styles: b, output: c.mp4, options: {engine: tnt}}]",
            r"jobs\[1\].options: unknown engine 'tnt'; did you mean 'tint'",
        ),
        ("contents: [a.mp4\nstyles: b", "line 2"),
        ("contents: !!python/object:os.system x", "could not determine a constructor"),
        (
            "a: &a [1]\nb: [" + ", ".join(["*a"] * 200) + "]",
            "200 references; 100",
        ),
        ("# " + "x" * 1_000_001, "bytes"),
    ],
)
def test_mistakes_are_named_with_key_and_mend(folder: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        read_batch(written(folder, text))
    assert "\n" not in str(caught.value)


def test_a_tilde_that_is_no_home_is_part_of_the_name(folder: Path) -> None:
    text = CROSSED.replace("clips/*.mp4", "~nobody-of-this-name/a.mp4")
    assert read_batch(written(folder, text))[0].content == str(
        folder / "~nobody-of-this-name/a.mp4"
    )


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"jobs\.yml"):
        read_batch(tmp_path / "jobs.yml")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(UsageError):
        read_batch(tmp_path / "jobs.yaml")


def test_an_empty_folder_is_no_output(tmp_path: Path) -> None:
    assert not batch.is_written(tmp_path)
    (tmp_path / "1.png").write_bytes(b"x")
    assert batch.is_written(tmp_path)
    assert JobOutcome("o", "c", ["s"], "done").as_dict()["state"] == "done"


def test_the_command_runs_and_runs_again(run: Run, media: Path, tmp_path: Path) -> None:
    text = f"""
contents: {media}/clip.mp4
styles: [{media}/red.png, missing.png]
output: "{{style}}.mp4"
options: {{engine: tint, end: 0.5}}
"""
    path = written(tmp_path, text)
    done = run("batch", path, "--json", "--progress", "none")
    told = json.loads(done.out)
    assert (done.code, told["done"], told["there"], told["failed"]) == (1, 1, 0, 1)
    assert told["jobs"][0]["frames"] == 5 and "missing.png" in told["jobs"][1]["error"]
    done = run("batch", path, "--progress", "none")
    assert done.code == 1 and "0 done, 1 there, 1 failed" in done.out
    done = run("batch", path, "--overwrite", "--progress", "none")
    assert "1 done, 0 there, 1 failed" in done.out
    assert run("batch", tmp_path / "no.yaml").code == 2
