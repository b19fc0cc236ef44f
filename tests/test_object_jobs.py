"""Jobs whose content, styles and output are in a bucket of a real S3 server."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chunk_helpers import (
    CHUNK_SECONDS,
    films,
    is_same,
    make_chunk_job,
    paint_whole,
    read_pictures,
    run_in_chunks,
)
from tests.conftest import CommandResult
from tests.fault_tally import TALLY
from tests.object_server import ObjectServer, run_server
from tests.test_plan import SeparatePainter
from vst import storage
from vst.batch import read_batch, run_batch
from vst.cluster import ClusterSettings, run_batch_on_cluster, run_on_cluster
from vst.cluster.transport import FileTransport
from vst.core.types import Progress
from vst.errors import Cancelled, MissingFileError, OutputError, OutputExistsError, UsageError
from vst.job import Job
from vst.pipeline.object_files import find_working_folder
from vst.pipeline.resume import resume
from vst.video.sinks.metadata import read_job

__all__ = ["films", "paint_whole"]

pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages' own
Run = Callable[..., CommandResult]
Paint = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    yield from run_server()


@pytest.fixture
def bucket(
    server: ObjectServer,
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A bucket with the content and the styles; local copies go to a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server.store.rate, server.store.denied = 0.0, ()
    found = server.make_bucket()
    for name in ("content.mp4", "red.png", "blue.png"):
        storage.upload(films / name, f"{found}/in/{name}")
    yield found
    server.store.rate, server.store.denied = 0.0, ()


def make_object_job(bucket: str, output: str = "out/a.mkv", **options: Any) -> Job:
    options = {"engine": "tint", "codec": "ffv1", "size": 48, **options}
    styles = (f"{bucket}/in/red.png", f"{bucket}/in/blue.png")
    return Job(f"{bucket}/in/content.mp4", styles, f"{bucket}/{output}", **options)


def read_output(address: str, folder: Path) -> list[Any]:
    return read_pictures(storage.fetch(address, folder))


def test_an_output_in_a_bucket_has_the_frames_of_a_local_one(
    bucket: str,
    tmp_path: Path,
    paint_whole: Paint,
) -> None:
    result = run_in_chunks(make_object_job(bucket))
    assert result.output == f"{bucket}/out/a.mkv"
    local = storage.fetch(result.output, tmp_path / "read")
    assert is_same(read_pictures(local), paint_whole())
    record = read_job(local) or ""
    assert f'"content": "{bucket}/in/content.mp4"' in record and str(tmp_path) not in record
    assert not storage.exists(f"{bucket}/out/a.mkv.vst")
    assert not list((tmp_path / "cache").rglob("*.*")), "local copies are removed"


def test_a_folder_of_frames_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    run_in_chunks(make_object_job(bucket, "frames/", codec=None, end=1.0))
    names = sorted(storage.list_objects(f"{bucket}/frames/"))
    assert names == [*(f"frame_{number:06d}.png" for number in range(1, 11)), "job.json"]


def stop_after(frames: int) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.stage == "paint" and progress.done >= frames:
            raise Cancelled("stopped")

    return listen


def test_another_machine_continues_with_the_uploaded_chunks(
    bucket: str,
    tmp_path: Path,
    paint_whole: Paint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = make_object_job(bucket)
    with pytest.raises(Cancelled, match=f"Resume with: vst resume {job.output}"):
        run_in_chunks(job, stop_after(60))
    assert not storage.exists(job.output)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))  # has none of the local files
    painted: list[int] = []
    done = resume(job.output, lambda p: painted.append(p.done), runner=run_in_chunks)
    assert done is not None and 0 < max(painted) < 80
    assert is_same(read_output(job.output, tmp_path / "read"), paint_whole())
    assert not storage.exists(f"{job.output}.vst")
    assert resume(job.output) is None
    with pytest.raises(MissingFileError, match="nothing to resume"):
        resume(f"{bucket}/none.mkv")


def test_what_cannot_be_done_is_refused_before_it_is_painted(
    bucket: str, server: ObjectServer, tmp_path: Path
) -> None:
    storage.upload(Path(__file__), f"{bucket}/out/a.mkv")
    with pytest.raises(OutputExistsError, match=r"exists\. Set overwrite=True"):
        run_in_chunks(make_object_job(bucket))
    with pytest.raises(UsageError, match="unsupported suffix"):
        run_in_chunks(make_object_job(bucket, "a.txt"))
    with pytest.raises(UsageError, match=r"names a bucket only. Give a name in it"):
        run_in_chunks(make_object_job(bucket, ""))
    with pytest.raises(UsageError, match=r"names single frames.*Give a folder, such as .*/shot/"):
        run_in_chunks(make_object_job(bucket, "shot/f.####.png"))
    with pytest.raises(UsageError, match="Give a local file"):
        run_in_chunks(make_object_job(bucket, "b.mkv", sidecar=f"{bucket}/a.otio"))
    server.store.denied = ("PUT",)
    with pytest.raises(OutputError, match=r"/b\.mkv.* may not be written"):
        run_in_chunks(make_object_job(bucket, "b.mkv"))


def test_errors_name_the_address(bucket: str, tmp_path: Path, run: Run) -> None:
    storage.upload(Path(__file__), f"{bucket}/text.mp4")
    words = ("-s", f"{bucket}/in/red.png", "-o", tmp_path / "o.mp4", "--engine", "tint")
    done = run("stylize", f"{bucket}/text.mp4", *words)
    assert (done.code, f"'{bucket}/text.mp4' is text" in done.err) == (2, True)
    done = run("stylize", f"{bucket}/none.mp4", *words)
    assert (done.code, f"'{bucket}/none.mp4' does not exist" in done.err) == (2, True)


def test_the_command_line_paints_from_bucket_to_bucket(bucket: str, run: Run) -> None:
    words = (f"{bucket}/in/content.mp4", "-s", f"{bucket}/in/red.png", "--engine", "tint")
    done = run("stylize", *words, "-o", f"{bucket}/o.mp4", "--end", 1)
    assert done.code == 0 and f"{bucket}/o.mp4: 10 frames" in done.out
    assert storage.exists(f"{bucket}/o.mp4")
    done = run("resume", f"{bucket}/o.mp4")
    assert (done.code, "is complete" in done.out) == (0, True)


def test_a_batch_paints_what_a_pattern_in_a_bucket_names(bucket: str, tmp_path: Path) -> None:
    copy = storage.fetch(f"{bucket}/in/content.mp4", tmp_path / "copied")
    storage.upload(copy, f"{bucket}/in/second.mp4")
    (tmp_path / "jobs.yaml").write_text(
        f"contents: {bucket}/in/*.mp4\nstyles: {bucket}/in/red.png\n"
        f"output: {bucket}/out/{{content}}.mp4\noptions: {{engine: tint, end: 1}}\n",
        encoding="utf-8",
    )
    jobs = read_batch(tmp_path / "jobs.yaml")
    assert [one.state for one in run_batch(jobs)] == ["done", "done"]
    assert sorted(storage.list_objects(f"{bucket}/out")) == ["content.mp4", "second.mp4"]
    assert [one.state for one in run_batch(jobs)] == ["there", "there"]


def test_workers_exchange_chunks_through_a_bucket(
    server: ObjectServer, bucket: str, films: Path, tmp_path: Path, paint_whole: Paint
) -> None:
    output = tmp_path / "parts.mkv"
    transport = FileTransport(None, f"{bucket}/work")
    server.store.rate = 0.1
    painter = SeparatePainter(workers=3, transport=transport)
    run_in_chunks(make_chunk_job(films, output), chunk_painter=painter)
    server.store.rate = 0.0
    assert is_same(read_pictures(output), paint_whole())
    left = storage.list_objects(f"{bucket}/work")
    assert left and all(name.startswith("inputs/") for name in left), "chunks are removed"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["local", "bucket"])
def test_a_cluster_works_through_a_bucket(
    server: ObjectServer, bucket: str, films: Path, tmp_path: Path, paint_whole: Paint, where: str
) -> None:
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    in_bucket = where == "bucket"
    job = make_object_job(bucket) if in_bucket else make_chunk_job(films, tmp_path / "a.mkv")
    settings = ClusterSettings("local", workers=2, cores=1, storage=f"{bucket}/work")
    server.store.rate = 0.1
    run_on_cluster(settings, job, chunk_seconds=CHUNK_SECONDS)
    clips = [make_object_job(bucket, f"clips/{number}.mkv", end=1.0) for number in range(3)]
    outcomes = run_batch_on_cluster(settings, clips)
    server.store.rate = 0.0
    painted = storage.fetch(job.output, tmp_path / "read") if in_bucket else Path(job.output)
    assert is_same(read_pictures(painted), paint_whole())
    assert [(one.state, one.frames) for one in outcomes] == [("done", 10)] * 3
    assert sorted(storage.list_objects(f"{bucket}/clips")) == ["0.mkv", "1.mkv", "2.mkv"]
    assert not storage.exists(f"{bucket}/work"), "what was exchanged is removed"


def paint_in_a_failing_bucket(
    server: ObjectServer, bucket: str, tmp_path: Path, expected: list[Any], rate: float
) -> None:
    with TALLY.fault("object storage fails at random") as fault:
        server.store.rate = rate
        run_in_chunks(make_object_job(bucket))
        server.store.rate = 0.0
        fault.compare(expected, read_output(f"{bucket}/out/a.mkv", tmp_path / "read"))
        fault.left += storage.exists(f"{bucket}/out/a.mkv.vst")
        assert (fault.lost, fault.left) == (0, 0)


def test_a_bucket_that_fails_at_random_costs_no_frame(
    server: ObjectServer,
    bucket: str,
    tmp_path: Path,
    paint_whole: Paint,
) -> None:
    server.store.faults.clear()
    paint_in_a_failing_bucket(server, bucket, tmp_path, paint_whole(), 0.3)
    assert sum(server.store.faults.values()) > 5


@pytest.mark.slow
def test_eight_jobs_at_once_share_a_cache_and_a_bucket(
    server: ObjectServer, bucket: str, tmp_path: Path, paint_whole: Paint
) -> None:
    """Eight processes with outputs of their own; two more with an output that one of them has."""
    program = (
        "import sys; from tests.chunk_helpers import run_in_chunks; "
        "from tests.test_object_jobs import make_object_job; "
        "run_in_chunks(make_object_job(sys.argv[1], sys.argv[2]))"
    )
    names = [f"out/{number}.mkv" for number in (*range(8), 0, 0)]
    server.store.rate = 0.05
    with TALLY.fault("8 jobs at once on one cache") as fault:
        running = [
            subprocess.Popen(
                [sys.executable, "-c", program, bucket, name], stderr=subprocess.PIPE, text=True
            )
            for name in names
        ]
        ends = [(process.communicate()[1], process.returncode) for process in running]
        server.store.rate = 0.0
        assert [code for _, code in ends[1:8]] == [0] * 7
        same = [ends[0], *ends[8:]]
        assert sorted(code for _, code in same) == [0, 1, 1], "one run has the output"
        refused = [said for said, code in same if code]
        assert all("another run" in said or "exists" in said for said in refused)
        expected = paint_whole()
        for name in names[:8]:
            fault.compare(expected, read_output(f"{bucket}/{name}", tmp_path / "read"))
            fault.left += find_working_folder(f"{bucket}/{name}").joinpath("output").exists()
        assert (fault.lost, fault.left) == (0, 0)


def wait_for_a_chunk(process: subprocess.Popen[bytes], folder: str, seconds: float) -> None:
    """Wait until a chunk is in the bucket or the process has ended, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None and not storage.exists(folder):
        time.sleep(0.02)


@pytest.mark.huge
@pytest.mark.slow
def test_killed_at_random_moments_while_the_bucket_fails(
    server: ObjectServer,
    bucket: str,
    tmp_path: Path,
    paint_whole: Paint,
) -> None:
    """SIGKILL in the middle of downloads, chunks and uploads; every second time the next run is on
    another machine, without the local files.
    """
    rng = random.Random(4)
    expected, landed = paint_whole(), 0
    program = (
        "import sys; from tests.chunk_helpers import run_in_chunks; "
        "from tests.test_object_jobs import make_object_job; "
        "run_in_chunks(make_object_job(sys.argv[1], sys.argv[2], overwrite=True))"
    )
    for number in range(12):
        name = f"out/{number}.mkv"
        words = [sys.executable, "-c", program, bucket, name]
        server.store.rate = 0.1
        with TALLY.fault("killed (SIGKILL) with all files in object storage") as fault:
            for _ in range(rng.randint(1, 2)):
                process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
                wait_for_a_chunk(process, f"{bucket}/{name}.vst", rng.choice((0.0, 60.0)))
                time.sleep(rng.uniform(0.0, 1.0))
                process.send_signal(signal.SIGKILL)
                process.wait()
                landed += storage.exists(f"{bucket}/{name}.vst")
                if rng.random() < 0.5:
                    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
            subprocess.run(words, check=True, capture_output=True)
            server.store.rate = 0.0
            fault.compare(expected, read_output(f"{bucket}/{name}", tmp_path / "read"))
            fault.left += storage.exists(f"{bucket}/{name}.vst")
            fault.left += find_working_folder(f"{bucket}/{name}").joinpath("output").exists()
            assert (fault.lost, fault.left) == (0, 0)
    assert landed > 0, "no kill came between two chunks"
    assert os.environ["AWS_ENDPOINT_URL"] == server.url
