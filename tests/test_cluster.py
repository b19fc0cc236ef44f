"""The same job on several machines: Ray's own test cluster, a few of its nodes on this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from tests.chunk_helpers import CHUNK_SECONDS, is_same, read_pictures, run_in_chunks
from tests.cluster_machines import (
    FRAMES,
    ROOT,
    Machines,
    films_fixture,  # noqa: F401
    job,
    join_fixture,  # noqa: F401
    machines_fixture,  # noqa: F401
    numbers_of,
    run_on,
)
from tests.conftest import CommandResult
from vst.api import make_job
from vst.checkpoint.store import get_chunk_folder, read_manifest
from vst.cluster import LOCAL, OBJECT, ClusterSettings, run_batch_on_cluster, run_on_cluster
from vst.errors import (
    Cancelled,
    DependencyError,
    MissingFileError,
    UsageError,
)
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.pipeline.resume import resume
from vst.pipeline.run import run as run_here

Run = Callable[..., CommandResult]

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of Ray's own
    pytest.mark.usefixtures("no_thread_is_left"),
]


def test_two_nodes_paint_what_one_machine_paints(films: Path, tmp_path: Path, join: Any) -> None:
    events: list[Any] = []
    output = tmp_path / "out.mkv"
    result = run_on(join(slow=0.005), job(films, output), events.append)
    assert (result.frames, result.warnings) == (FRAMES, [])
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))
    assert clips.read_sound_packets(output) == clips.read_sound_packets(films / "whole.mkv")
    last = events[-1]
    assert (last.done, last.total, last.detail["workers"]) == (FRAMES, FRAMES, 2)
    assert last.detail["chunks"] == last.detail["all_chunks"] > 8
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


@pytest.mark.slow
def test_a_node_killed_in_the_middle(
    films: Path, tmp_path: Path, machines: Machines, join: Any
) -> None:
    node = machines.add()
    output = tmp_path / "out.mkv"
    settings = join(slow=0.1)

    def kill(progress: Any) -> None:
        if progress.detail["chunks"] == 2:
            assert progress.detail["workers"] >= 2
            machines.cluster.remove_node(node, allow_graceful=False)

    result = run_on(settings, job(films, output), kill)
    assert result.frames == FRAMES
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["folder", OBJECT])
@pytest.mark.parametrize("name", ["steady", "off"])
def test_storages(films: Path, tmp_path: Path, join: Any, storage: str, name: str) -> None:
    (tmp_path / "shared").mkdir()
    place = OBJECT if storage == OBJECT else str(tmp_path / "shared")
    output = tmp_path / "out.mkv"
    run_on(join(place), job(films, output, stabilize=name))
    run_here(job(films, tmp_path / "here.mkv", stabilize=name))
    pairs = list(zip(read_pictures(output), read_pictures(tmp_path / "here.mkv"), strict=True))
    if name == "off":
        assert all(np.array_equal(*pair) for pair in pairs)
    assert np.mean([np.abs(one.astype(int) - other).mean() for one, other in pairs]) < 1
    assert not list((tmp_path / "shared").iterdir())


@pytest.mark.slow
def test_asked_to_stop_and_resumed_on_the_cluster(films: Path, tmp_path: Path, join: Any) -> None:
    control = RunControl()
    output = tmp_path / "out.mkv"
    settings = join(slow=0.02)

    def listen(progress: Any) -> None:
        control.stop_requested = True

    with pytest.raises(Cancelled, match=f"Resume with: vst resume {output}"):
        run_on(settings, job(films, output), listen, control)
    kept = numbers_of(output)
    assert 1 <= len(kept) <= 3

    def again(painting: Job, heard: Any, control: RunControl | None) -> Any:
        return run_on(settings, painting, heard, control)

    assert resume(str(output), runner=again) is not None
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))


@pytest.mark.slow
def test_the_page_paints_on_after_a_job_was_stopped(films: Path, tmp_path: Path, join: Any) -> None:
    """The workers that paint for a stopped job paint the next one when they are done."""
    from vst.web.cluster_runner import ClusterRunner

    def stop(progress: Any) -> None:
        raise Cancelled("stopped")

    with ClusterRunner(join(slow=0.02)) as runner:
        with pytest.raises(Cancelled):
            runner(job(films, tmp_path / "stopped.mkv"), stop, chunk_seconds=CHUNK_SECONDS)
        result = runner(job(films, tmp_path / "out.mkv"), chunk_seconds=CHUNK_SECONDS)
    assert result.frames == FRAMES
    assert is_same(read_pictures(tmp_path / "out.mkv"), read_pictures(films / "whole.mkv"))


DRIVER = """
import ray
from vst.api import make_job
from vst.cluster import ClusterSettings, run_on_cluster
from tests.cluster_faults import VARIABLE
ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={{
    "worker_process_setup_hook": "tests.cluster_faults.install",
    "env_vars": {{VARIABLE: '{{"slow": 0.1}}', "PYTHONPATH": {root!r}}}}})
job = make_job({content!r}, {style!r}, {output!r}, engine="tint",
    codec="ffv1", stabilize="gaussian")
run_on_cluster(ClusterSettings("local", cores=1), job, chunk_seconds=2.0)
"""


@pytest.mark.slow
def test_the_driver_killed_and_resumed(films: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    output = tmp_path / "out.mkv"
    words = {
        "root": str(ROOT), "content": str(films / "content.mp4"),
        "style": str(films / "red.png"), "output": str(output),
    }  # fmt: skip
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DRIVER).format(**words)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(1200):
            if read_manifest(output) is not None and len(numbers_of(output)) >= 2:
                break
            assert driver.poll() is None
            time.sleep(0.1)
    finally:
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    kept = numbers_of(output)
    assert 2 <= len(kept) < 8
    assert resume(str(output), runner=run_in_chunks) is not None
    assert is_same(read_pictures(output), read_pictures(films / "whole.mkv"))
    assert not get_chunk_folder(output).exists()


@pytest.mark.slow
def test_the_command_line_on_this_machine_and_ctrl_c(films: Path, tmp_path: Path) -> None:
    """Ten seconds a chunk: the content is long enough for two."""
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    output = tmp_path / "out.mp4"
    words = [
        *("stylize", str(films / "content.mp4"), "-s", str(films / "red.png"), "-o", str(output)),
        *("--engine", "tint", "--cluster", LOCAL, "--workers", "2", "--threads", "1"),
    ]
    command = [sys.executable, "-m", "vst", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "2 workers" in done.stderr and "Traceback" not in done.stderr
    assert f"{FRAMES} frames" in done.stdout
    process = subprocess.Popen(
        [*command, "--overwrite"], stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert "Traceback" not in said
    assert len(read_pictures(output)) == FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("storage", [None, OBJECT])
def test_a_batch_of_clips(films: Path, tmp_path: Path, join: Any, storage: str | None) -> None:
    jobs = [job(films, tmp_path / f"o{number}.mkv", end=1 + number) for number in range(3)]
    jobs.append(make_job(films / "none.mp4", films / "red.png", tmp_path / "n.mkv", engine="tint"))
    jobs.append(make_job(films / "red.png", films / "red.png", tmp_path / "f" / "", engine="tint"))
    (tmp_path / "o1.mkv").write_bytes(b"there")
    outcomes = run_batch_on_cluster(join(storage), jobs)
    assert [one.state for one in outcomes] == ["done", "there", "done", "failed", "failed"]
    assert [one.frames for one in outcomes] == [10, 0, 30, 0, 0]
    assert "none.mp4" in outcomes[3].error
    run_here(job(films, tmp_path / "here.mkv", end=3))
    assert is_same(read_pictures(tmp_path / "o2.mkv"), read_pictures(tmp_path / "here.mkv"))


def test_unusable_settings_are_refused(films: Path, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        ClusterSettings(LOCAL, storage=str(tmp_path / "none"))
    with pytest.raises(UsageError, match="Give 'local'"):
        ClusterSettings(" ")
    words = (films / "content.mp4", "-s", films / "red.png", "-o", tmp_path / "o.mp4")
    done = run("stylize", *words, "--workers", 2)
    assert (done.code, "without --cluster" in done.err) == (2, True)


def test_without_ray_the_extra_is_named(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DependencyError, match=r"pip install 'vst-video\[cluster\]'"):
        run_on_cluster(ClusterSettings(LOCAL), job(films, tmp_path / "o.mkv"))
    words = (films / "content.mp4", "-s", films / "red.png", "-o", tmp_path / "o.mkv")
    done = run("stylize", *words, "--engine", "tint", "--cluster", "local")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "vst-video[cluster]" in done.err
    assert run("stylize", *words, "--engine", "tint", "--progress", "none").code == 0


def test_an_input_that_a_machine_does_not_see_raises(tmp_path: Path) -> None:
    from vst.cluster.transport import FileTransport, Inputs

    content = tmp_path / "in.mp4"
    content.write_bytes(b"one")
    sent = FileTransport(str(tmp_path)).send(content)
    assert Inputs().locate("content", sent) == str(content)
    content.write_bytes(b"two")
    with pytest.raises(MissingFileError, match=r"is another file on .*--storage object"):
        Inputs().locate("content", sent)
    content.unlink()
    with pytest.raises(MissingFileError, match="does not exist on"):
        Inputs().locate("content", sent)
