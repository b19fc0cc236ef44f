"""Broken off at every point and gone on with: the frames are those of a run that was left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vst
from tests import clips
from tests.conftest import CommandResult
from tests.tally import TALLY, FaultCounts
from vst.checkpoint import store as chunks
from vst.checkpoint.store import get_chunk_folder, read_manifest
from vst.core import workers as stages
from vst.engines.tint import TintEngine
from vst.errors import EngineError, MediaError, OutputError, StalledError
from vst.pipeline.resume import resume
from vst.pipeline.session import RunControl
from vst.video.sources import open_source

Run = Callable[..., CommandResult]
SECONDS, RATE = 60, 10


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert not [each for each in threading.enumerate() if each.name.startswith(("vst", "ffmpeg"))]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """content.mp4: a minute of numbered frames, 160 x 120, a scene cut at 0:27, with sound;
    red.png; whole.mp4: painted without a break, which took as many seconds as took.txt says.
    """
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("long")
    pictures = clips.draw_numbered_frames(SECONDS * RATE, 160, 120)
    for picture in pictures[270:]:
        picture //= 3
    clips.encode(folder / "content.mp4", pictures, "-c:a", "aac", rate=RATE, inputs=clips.SOUND)
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    began = time.monotonic()
    subprocess.run(command(folder, folder / "whole.mp4"), check=True, capture_output=True)
    (folder / "took.txt").write_text(str(time.monotonic() - began))
    return folder


def words(long: Path, output: Path) -> list[str]:
    options = ["--engine", "tint", "--stabilise", "light", "--ghost", "0.3", "--progress", "none"]
    return ["stylize", str(long / "content.mp4"), "-s", str(long / "red.png"), "-o", str(output),
            *options]  # fmt: skip


def command(long: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "vst", *words(long, output), *more]


def started(long: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(long, output, *more), stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def frames_of(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.picture for frame in source.frames()]


def check_same(long: Path, output: Path, fault: FaultCounts) -> None:
    """The output has the frames, times and sound of the unbroken one; nothing is beside it."""
    with open_source(long / "whole.mp4") as whole, open_source(output) as found:
        pairs = list(zip(whole.frames(), found.frames(), strict=True))
    assert len(pairs) == SECONDS * RATE
    assert all(one.time == two.time for one, two in pairs)
    fault.compare((one.picture for one, _ in pairs), (two.picture for _, two in pairs))
    fault.count_leftovers(output.parent, output.name)
    assert (fault.lost, fault.left) == (0, 0)
    assert clips.read_sound_packets(output) == clips.read_sound_packets(long / "whole.mp4")
    assert not get_chunk_folder(output).exists()


def no_process_names(path: Path) -> bool:
    """Whether no process has ``path`` in its command line, within a few seconds."""
    for _ in range(50):
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.append(os.fsencode(path) in entry.read_bytes())
            except OSError:
                continue
        if not any(found):
            return True
        time.sleep(0.1)
    return False


def wait_for_chunks(output: Path, count: int) -> None:
    """Wait until so many chunks are whole."""
    for _ in range(600):
        manifest = read_manifest(output)
        if manifest is not None and len(manifest["chunks"]) >= count:
            return
        time.sleep(0.02)
    raise AssertionError("no chunk came")


def killed_and_gone_on_with(long: Path, tmp_path: Path, run: Run, seed: int, times: int) -> None:
    rng = random.Random(seed)
    took = float((long / "took.txt").read_text())
    landed = 0
    for number in range(times):
        output = tmp_path / f"out{number}.mp4"
        with TALLY.fault("killed (SIGKILL) at a random moment") as fault:
            process = started(long, output)
            time.sleep(rng.uniform(0.25, 1.0) * took)
            process.kill()
            process.communicate()
            assert no_process_names(output)
            if output.exists():
                frames_of(output)  # whole, or it would not be there
            else:
                landed += get_chunk_folder(output).exists()
                again = rng.random() < 0.5 and read_manifest(output) is not None
                done = run("resume", output) if again else run(*words(long, output))
                assert done.code == 0, done.err
            assert run("resume", output).code == 0
            check_same(long, output, fault)
            output.unlink()
    assert landed > 0


def test_a_killed_run_is_gone_on_with(long: Path, tmp_path: Path, run: Run) -> None:
    killed_and_gone_on_with(long, tmp_path, run, seed=1, times=5)


@pytest.mark.slow
def test_a_run_killed_fifty_times(long: Path, tmp_path: Path, run: Run) -> None:
    killed_and_gone_on_with(long, tmp_path, run, seed=2, times=50)


@pytest.mark.fault("killed twice in one job")
def test_a_run_killed_again_and_again_ends(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    for count in (1, 3):
        process = started(long, output)
        wait_for_chunks(output, count)
        process.kill()
        process.communicate()
    done = run("resume", output, "--json", "--progress", "none")
    assert done.code == 0, done.err
    assert json.loads(done.out)["frames"] == SECONDS * RATE
    check_same(long, output, fault)


@pytest.mark.fault("Ctrl-C once, twice, SIGTERM")
def test_ctrl_c_once_finishes_the_chunk_and_says_how_to_go_on(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    process = started(long, output)
    wait_for_chunks(output, 1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "finishing this chunk" in said
    assert said.strip().splitlines()[-1].endswith(f"go on with: vst resume {output}")
    manifest = read_manifest(output)
    assert manifest is not None
    assert not [path for path in get_chunk_folder(output).iterdir() if "unfinished" in path.name]
    assert not (get_chunk_folder(output) / "lock").exists()
    assert run("resume", output).code == 0
    check_same(long, output, fault)


@pytest.mark.fault("Ctrl-C once, twice, SIGTERM")
@pytest.mark.parametrize(
    "signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGTERM]], ids=["twice", "term"]
)
def test_stopped_at_once_and_gone_on_with(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts, signals: list[signal.Signals]
) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"the old output")
    process = started(long, output, "--overwrite")
    wait_for_chunks(output, 2)
    for each in signals:
        process.send_signal(each)
        time.sleep(0.05)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert f"go on with: vst resume {output}" in said
    assert "Traceback" not in said
    assert output.read_bytes() == b"the old output"
    assert no_process_names(output)
    assert run("resume", output).code == 0
    check_same(long, output, fault)


@pytest.mark.fault("a second run with the same output")
def test_the_second_run_is_refused_and_the_first_goes_on(
    long: Path, tmp_path: Path, run: Run, fault: FaultCounts
) -> None:
    output = tmp_path / "out.mp4"
    process = started(long, output)
    wait_for_chunks(output, 1)
    process.send_signal(signal.SIGSTOP)
    try:
        for again in (words(long, output), ["resume", str(output)]):
            done = run(*again)
            assert done.code == 1
            assert f"being written by another run (process {process.pid})" in done.err
    finally:
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    check_same(long, output, fault)


def test_whole_and_nothing(long: Path, tmp_path: Path, run: Run) -> None:
    shutil.copy(long / "whole.mp4", tmp_path / "out.mp4")
    done = run("resume", tmp_path / "out.mp4")
    assert (done.code, "is whole" in done.out) == (0, True)
    done = run("resume", tmp_path / "none.mp4")
    assert (done.code, "nothing to go on with" in done.err) == (1, True)
    (tmp_path / "text.mp4").write_text("no video")
    assert run("resume", tmp_path / "text.mp4").code == 1
    assert len(list(tmp_path.iterdir())) == 2


# In this process, with small chunks: faults at chosen frames.


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "SECONDS", 2.0)


@pytest.fixture
def job(tmp_path: Path, small: None) -> Callable[..., Any]:
    """Paint 8 seconds into out.mkv, without loss."""
    from vst.plotting import save_picture

    picture = np.add.outer(np.arange(48) * 4, np.arange(64) * 3).clip(0, 255).astype(np.uint8)
    pictures = [np.roll(picture, index, 1)[..., None].repeat(3, 2) for index in range(80)]
    clips.encode(tmp_path / "in.mp4", pictures, rate=RATE)
    save_picture(tmp_path / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))

    def paint(name: str = "out.mkv", **options: Any) -> vst.Result:
        chosen = {"engine": "tint", "codec": "ffv1", "stabilise": "light", **options}
        return vst.stylize(tmp_path / "in.mp4", tmp_path / "red.png", tmp_path / name, **chosen)

    return paint


def check_files(output: Path, whole: Path, fault: FaultCounts) -> None:
    """The output has the frames of the unbroken one."""
    found = frames_of(output)
    assert len(found) == 80
    fault.compare(frames_of(whole), found)
    assert fault.lost == 0


class Failing:
    """The tint engine's `stylize`, which does something else from a frame on."""

    def __init__(self, after: int, fault: Callable[[Any], Any]) -> None:
        self.count, self.after, self.fault = 0, after, fault
        self.real = TintEngine.stylize

    def __get__(self, engine: Any, kind: Any) -> Any:
        def stylize(frames: Any, embeddings: Any) -> Any:
            self.count += len(frames)
            painted = self.real(engine, frames, embeddings)
            return self.fault(painted) if self.count > self.after else painted

        return stylize


def no_memory(painted: Any) -> Any:
    raise MemoryError


FAULTS: dict[str, Callable[[Any], Any]] = {
    "nan": lambda painted: painted * np.float32(np.nan),
    "wrong size": lambda painted: painted[:, 1:],
    "out of memory": no_memory,
}


@pytest.mark.fault("engine returns NaN or the wrong size, has no memory")
@pytest.mark.parametrize("failure", FAULTS)
def test_an_engine_that_fails_keeps_what_was_painted(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts, failure: str
) -> None:
    job("whole.mkv")
    with monkeypatch.context() as patch:
        patch.setattr(TintEngine, "stylize", Failing(55, FAULTS[failure]))
        with pytest.raises(EngineError) as error:
            job()
    assert "\n" not in str(error.value)
    manifest = read_manifest(tmp_path / "out.mkv")
    assert manifest is not None
    assert len(manifest["chunks"]) == 2
    done = resume(str(tmp_path / "out.mkv"))
    assert done is not None
    assert done.frames == 80
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)
    assert not get_chunk_folder(tmp_path / "out.mkv").exists()


@pytest.mark.fault("ffmpeg killed under the program")
def test_a_killed_ffmpeg_keeps_what_was_painted(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts
) -> None:
    from vst.checkpoint.sink import ChunkSink

    job("whole.mkv")
    write = ChunkSink.write

    def killing(sink: ChunkSink, frame: Any) -> None:
        if frame.index == 50 and sink._writer is not None:
            sink._writer.proc.kill()
            sink._writer.proc.wait()
        write(sink, frame)

    with monkeypatch.context() as patch:
        patch.setattr(ChunkSink, "write", killing)
        with pytest.raises(OutputError, match="signal 9"):
            job()
    assert resume(str(tmp_path / "out.mkv")) is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("reading, painting, writing or joining hangs")
def test_a_stage_that_hangs_has_an_end(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vst.checkpoint.sink import ChunkSink

    free = threading.Event()
    write = ChunkSink.write

    def hanging(sink: ChunkSink, frame: Any) -> None:
        if frame.index == 50:
            free.wait(30)
        write(sink, frame)

    monkeypatch.setattr(ChunkSink, "write", hanging)
    monkeypatch.setattr(stages, "LEAVING", 0.2)
    try:
        with pytest.raises(StalledError, match="writing behind has not gone on for 1 s"):
            job(patience=1.0)
    finally:
        free.set()
        time.sleep(0.3)
    assert read_manifest(tmp_path / "out.mkv") is not None


@pytest.mark.fault("reading, painting, writing or joining hangs")
@pytest.mark.slow
def test_painting_that_hangs_has_an_end(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(TintEngine, "stylize", Failing(55, lambda painted: time.sleep(60)))
    began = time.monotonic()
    styles = ("-s", tmp_path / "red.png", "-o", tmp_path / "out.mkv")
    done = run("stylize", tmp_path / "in.mp4", *styles, "--engine", "tint", "--patience", 1)
    assert done.code == 1
    assert "painting has not gone on for 1 s" in done.err
    assert time.monotonic() - began < 20
    assert read_manifest(tmp_path / "out.mkv") is not None


def broken_off(job: Any, at: int = 50, **options: Any) -> None:
    def stop(progress: vst.Progress) -> None:
        if progress.done > at:
            raise vst.VSTError("enough")

    with pytest.raises(vst.VSTError, match="enough"):
        job(on_progress=stop, **options)


@pytest.mark.fault("content or style changed before going on")
@pytest.mark.parametrize("name", ["in.mp4", "red.png"])
def test_a_changed_input_is_refused(job: Any, tmp_path: Path, run: Run, name: str) -> None:
    broken_off(job)
    with (tmp_path / name).open("ab") as file:
        file.write(b"\0" * 16)
    before = sorted(get_chunk_folder(tmp_path / "out.mkv").iterdir())
    done = run("resume", tmp_path / "out.mkv")
    assert done.code == 2
    what = {"in.mp4": "another content", "red.png": "another style 1"}[name]
    assert what in done.err
    assert "begin anew" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert sorted(get_chunk_folder(tmp_path / "out.mkv").iterdir()) == before


@pytest.mark.fault("content removed or changed while it is read")
@pytest.mark.parametrize("removed", [True, False])
def test_an_input_that_goes_or_changes_while_it_is_read_is_told(
    job: Any, tmp_path: Path, removed: bool
) -> None:
    def meddle(progress: vst.Progress) -> None:
        if progress.done >= 30 and (tmp_path / "in.mp4").exists():
            if removed:
                (tmp_path / "in.mp4").unlink()
            else:
                os.utime(tmp_path / "in.mp4", (1, 1))

    with pytest.raises(MediaError, match="changed or removed while it was read"):
        job(on_progress=meddle)
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.fault("gone on with from another folder")
def test_resumed_from_another_folder(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts
) -> None:
    job("whole.mkv")
    monkeypatch.chdir(tmp_path)

    def stop(progress: vst.Progress) -> None:
        if progress.done > 50:
            raise vst.VSTError("enough")

    with pytest.raises(vst.VSTError, match="enough"):
        vst.stylize("in.mp4", "red.png", "out.mkv", on_progress=stop, engine="tint",
                    codec="ffv1", stabilise="light")  # fmt: skip
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume("../out.mkv") is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("a chunk damaged or lost")
def test_a_damaged_chunk_is_painted_again(job: Any, tmp_path: Path, fault: FaultCounts) -> None:
    job("whole.mkv")
    broken_off(job, 70)
    track = sorted(get_chunk_folder(tmp_path / "out.mkv").glob("*.mkv"))[1]
    data = bytearray(track.read_bytes())
    data[len(data) // 2] ^= 0xFF
    track.write_bytes(data)
    assert resume(str(tmp_path / "out.mkv")) is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("killed just after the output appeared")
def test_broken_off_after_the_output_appeared(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vst.video.sinks.atomic_output import AtomicOutput

    publish = AtomicOutput.publish

    def dying(place: AtomicOutput, finished: Path) -> None:
        publish(place, finished)
        raise KeyError("the power goes")

    with monkeypatch.context() as patch:
        patch.setattr(AtomicOutput, "publish", dying)
        with pytest.raises(KeyError):
            job()
    assert get_chunk_folder(tmp_path / "out.mkv").exists()
    assert resume(str(tmp_path / "out.mkv")) is None
    assert not get_chunk_folder(tmp_path / "out.mkv").exists()
    assert len(frames_of(tmp_path / "out.mkv")) == 80


@pytest.mark.fault("the disk is full")
@pytest.mark.parametrize("size", [40, 80, 140, 200, 260])
def test_a_full_disk_leaves_chunks_to_go_on_with(
    job: Any, tmp_path: Path, fault: FaultCounts, size: int
) -> None:
    job("whole.mkv")
    disk = tmp_path / "disk"
    disk.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(disk)]
    if subprocess.run(small, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        with pytest.raises(OutputError, match=r"disk is full|No space left"):
            job("disk/out.mkv")
        kept = read_manifest(disk / "out.mkv")
        assert (size == 40) == (kept is None)  # not even the first chunk fitted
        assert not (disk / "out.mkv").exists()
        more = ["mount", "-o", "remount,size=20m", str(disk)]
        subprocess.run(more, check=True, capture_output=True)
        if kept is None:
            job("disk/out.mkv")
        else:
            assert resume(str(disk / "out.mkv")) is not None
        check_files(disk / "out.mkv", tmp_path / "whole.mkv", fault)
        assert [path.name for path in disk.iterdir()] == ["out.mkv"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_asked_to_stop_from_python(job: Any, tmp_path: Path) -> None:
    from vst.api import job_of
    from vst.pipeline.run import run as run_job

    stop = RunControl()
    told: list[vst.Progress] = []

    def listen(progress: vst.Progress) -> None:
        told.append(progress)
        stop.asked = True

    chosen = {"engine": "tint", "codec": "ffv1"}
    painting = job_of(tmp_path / "in.mp4", tmp_path / "red.png", tmp_path / "out.mkv", **chosen)
    with pytest.raises(vst.VSTError, match="20 frames are kept"):
        run_job(painting, listen, stop)
    assert resume(str(tmp_path / "out.mkv"), told.append) is not None
    assert told[-1].done == 60  # what was missing
