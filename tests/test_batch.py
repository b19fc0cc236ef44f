"""Many jobs from one file."""

from __future__ import annotations

import json
import shutil
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


def write_batch(folder: Path, text: str) -> Path:
    path = folder / "jobs.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def run_fake(job: Job, on_progress: OnProgress) -> Result:
    if "broken" in job.content:
        raise EngineError("engine 'tint' failed at frame 3")
    Path(job.output).write_bytes(b"painted")
    return Result(job.output, 20, "25/1", 1.0, 0.5, 20.0, job.engine, [], ["a warning"])


@pytest.fixture
def folder(media: Path, tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    for name in ("b.mp4", "a.mp4", "broken.mp4"):
        shutil.copy(media / "clip.mp4", tmp_path / "clips" / name)
    shutil.copy(media / "red.png", tmp_path)
    return tmp_path


CROSSED = """
contents: clips/*.mp4
styles: ["@ink-wash", red.png, [red.png, "@ink-wash"]]
output: out/{content}-{style}.mp4
options: {engine: tint, strength: 0.5}
"""


def test_every_content_meets_every_style(folder: Path) -> None:
    jobs = read_batch(write_batch(folder, CROSSED))
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
    one, two = read_batch(write_batch(folder, text))
    assert (one.engine, one.size, one.start, two.size) == ("tint", 32, 1.0, 64)


def test_existing_outputs_are_skipped_and_a_failed_job_stops_nothing(folder: Path) -> None:
    jobs = read_batch(write_batch(folder, CROSSED))
    (folder / "out").mkdir()
    (folder / "out" / "a-red.mp4").write_bytes(b"earlier")
    outcomes = run_batch(jobs, runner=run_fake)
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
    again = run_batch(jobs, runner=run_fake)
    assert [one.state for one in again] == [*["there"] * 6, *["failed"] * 3]


@pytest.mark.parametrize("wrong", ["mask_edge: soft", "mask: no.png", "score: art.yaml"])
def test_a_job_with_a_mistake_makes_no_folder(folder: Path, wrong: str) -> None:
    styles = "" if wrong.startswith("score") else 'styles: "@ink-wash", '
    (folder / "art.yaml").write_text(
        "styles: {a: no.png}\nkeys: [{at: 0, style: a}]\n", encoding="utf-8"
    )
    text = f"options: {{{wrong}}}\n"
    text += f"jobs: [{{content: clips/a.mp4, {styles}output: new/one.mp4}}]"
    (outcome,) = run_batch(read_batch(write_batch(folder, text)), runner=run_fake)
    assert outcome.state == "failed"
    assert not (folder / "new").exists()


def test_old_spellings_of_options_are_accepted(folder: Path) -> None:
    text = "options: {stabilise: light, colours: content}\n"
    text += "jobs: [{content: clips/a.mp4, styles: red.png, output: one.mp4}]"
    (job,) = read_batch(write_batch(folder, text))
    plain = job.as_dict().values()
    assert "gaussian" in plain and "content" in plain


def test_ctrl_c_stops_them_all(folder: Path) -> None:
    def cancelled(job: Job, on_progress: OnProgress) -> Result:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run_batch(read_batch(write_batch(folder, CROSSED)), runner=cancelled)


def test_an_output_name_that_is_too_long_stops_nothing(folder: Path) -> None:
    jobs = read_batch(write_batch(folder, CROSSED))[:2]
    long = replace(jobs[0], output=str(folder / f"{'x' * 300}.mp4"))
    outcomes = run_batch([long, jobs[1]], runner=run_fake)
    assert [one.state for one in outcomes] == ["failed", "done"]
    assert "name too long" in outcomes[0].error


@pytest.mark.slow
def test_a_job_that_hangs_fails_and_the_rest_is_painted(
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
    (tmp_path / "jobs.yaml").write_text("\n".join(lines), encoding="utf-8")
    began = time.monotonic()
    done = run("batch", tmp_path / "jobs.yaml", "--json")
    assert done.code == 1 and time.monotonic() - began < 40
    first, second = json.loads(done.out)["jobs"]
    assert first["state"] == "failed" and "1 s" in first["error"]
    assert second["state"] == "done"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("- a", "has no keys"),
        ("{}", "has no jobs"),
        ("contents: clips/*.mp4", "styles is missing"),
        ("contents: clips/*.mp4\nstyles: red.png", "output is missing"),
        ("contents: nothing/*.mp4\nstyles: red.png\noutput: o.mp4", r"no file matches .*nothing"),
        ("contents: [3]\nstyles: red.png\noutput: o.mp4", "contents: 3 is not text"),
        ("contents: []\nstyles: red.png\noutput: o.mp4", "contents is empty"),
        ("contents: clips/*.mp4\nstyles: red.png\noutput: o.mp4", "two jobs write"),
        ("contents: a.mp4\nstyles: red.png\noutput: '{name}.mp4'", "unknown name 'name'.*content"),
        ("content: a.mp4", "unknown key 'content'. Did you mean 'contents'"),
        ("jobs: a.mp4", "jobs: 'a.mp4' is not a list"),
        ("jobs: [a.mp4]", r"jobs\[1\]: 'a.mp4' has no keys"),
        ("jobs: [{content: a.mp4, styles: b}]", r"jobs\[1\].output is missing"),
        ("options: {strenght: 1}\njobs: []", "unknown key 'strenght'. Did you mean 'strength'"),
        ("options: {strength: high}", "options.strength: 'high' is not a number"),
        ("options: {strength: [1]}", r"options.strength: \[1\] is not a single value"),
        ("options: {ghost: ~}", "options.ghost: no value is given. Write 0"),
        ("options: {audio: 1}", "options.audio: 1 has the wrong type. Write true or false"),
        (
            "options: {strength: 7}\njobs: [{content: a, styles: b, output: c.mp4}]",
            r"jobs\[1\].options: strength 7 is out of range\. Give 0 to 1",
        ),
        (
            "jobs: [{content: a, styles: b, output: c.mp4, options: {engine: tnt}}]",
            r"jobs\[1\].options: unknown engine 'tnt'; did you mean 'tint'",
        ),
        ("contents: [a.mp4\nstyles: b", "line 2"),
        ("contents: !!python/object:os.system x", "could not determine a constructor"),
        (
            "a: &a [1]\nb: [" + ", ".join(["*a"] * 200) + "]",
            "200 references; the limit is 100",
        ),
        ("# " + "x" * 1_000_001, "bytes"),
    ],
)
def test_errors_name_the_key_and_the_remedy(folder: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        read_batch(write_batch(folder, text))
    assert "\n" not in str(caught.value)


def test_a_tilde_without_a_home_is_part_of_the_name(folder: Path) -> None:
    text = CROSSED.replace("clips/*.mp4", "~nobody-of-this-name/a.mp4")
    assert read_batch(write_batch(folder, text))[0].content == str(
        folder / "~nobody-of-this-name/a.mp4"
    )


def test_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"jobs\.yml"):
        read_batch(tmp_path / "jobs.yml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(UsageError):
        read_batch(tmp_path / "jobs.yaml")


def test_an_empty_folder_does_not_count_as_written(tmp_path: Path) -> None:
    assert not batch.is_written(str(tmp_path))
    (tmp_path / "1.png").write_bytes(b"x")
    assert batch.is_written(str(tmp_path))
    assert JobOutcome("o", "c", ["s"], "done").as_dict()["state"] == "done"


def test_the_command_runs_and_runs_again(run: Run, media: Path, tmp_path: Path) -> None:
    text = f"""
contents: {media}/clip.mp4
styles: [{media}/red.png, missing.png]
output: "{{style}}.mp4"
options: {{engine: tint, end: 0.5}}
"""
    path = write_batch(tmp_path, text)
    done = run("batch", path, "--json", "--progress", "none")
    report = json.loads(done.out)
    assert (done.code, report["done"], report["there"], report["failed"]) == (1, 1, 0, 1)
    assert report["jobs"][0]["frames"] == 5 and "missing.png" in report["jobs"][1]["error"]
    done = run("batch", path, "--progress", "none")
    assert done.code == 1 and "0 done, 1 there, 1 failed" in done.out
    done = run("batch", path, "--overwrite", "--progress", "none")
    assert "1 done, 0 there, 1 failed" in done.out
    assert run("batch", tmp_path / "no.yaml").code == 2
