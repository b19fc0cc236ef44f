"""Faults at chosen frames, in this process with short chunks: what was painted is kept, and resumed
to the frames of an uninterrupted run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vst
from tests import clips
from tests.chunk_helpers import read_pictures, run_in_chunks
from tests.conftest import CommandResult
from tests.fault_tally import FaultCounts
from vst.api import make_job
from vst.checkpoint.sink import ChunkSink
from vst.checkpoint.store import get_chunk_folder, read_manifest
from vst.core import workers
from vst.core.types import ignore_progress
from vst.engines.tint import TintEngine
from vst.errors import EngineError, MediaError, OutputError, StalledError, UsageError
from vst.pipeline.control import RunControl
from vst.pipeline.resume import resume

pytestmark = pytest.mark.usefixtures("no_thread_is_left")
Run = Callable[..., CommandResult]


OPTIONS: dict[str, Any] = {"engine": "tint", "codec": "ffv1", "stabilize": "gaussian"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """in.mp4: 8 seconds; red.png; whole.mkv: painted without interruption, without loss."""
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("made")
    picture = np.add.outer(np.arange(48) * 4, np.arange(64) * 3).clip(0, 255).astype(np.uint8)
    pictures = [np.roll(picture, index, 1)[..., None].repeat(3, 2) for index in range(80)]
    clips.encode(folder / "in.mp4", pictures, rate=10)
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    vst.stylize(folder / "in.mp4", folder / "red.png", folder / "whole.mkv", **OPTIONS)
    return folder


@pytest.fixture
def paint(tmp_path: Path, made: Path) -> Callable[..., vst.Result]:
    """Paint in.mp4 into out.mkv, in chunks of two seconds."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)

    def paint(
        name: str = "out.mkv",
        on_progress: Callable[[vst.Progress], None] = ignore_progress,
        **options: Any,
    ) -> vst.Result:
        inputs = tmp_path / "in.mp4", tmp_path / "red.png"
        return run_in_chunks(make_job(*inputs, tmp_path / name, **OPTIONS, **options), on_progress)

    return paint


def resume_in_chunks(output: Path | str, *given: Any) -> vst.Result | None:
    return resume(str(output), *given, runner=run_in_chunks)


def check_files(output: Path, whole: Path, fault: FaultCounts) -> None:
    """The output has the frames of the uninterrupted one."""
    found = read_pictures(output)
    assert len(found) == 80
    fault.compare(read_pictures(whole), found)
    assert fault.lost == 0


class Failing:
    """The tint engine's `stylize`, with a fault after some frames."""

    def __init__(self, after: int, fault: Callable[[Any], Any]) -> None:
        self.count, self.after, self.fault = 0, after, fault
        self.real = TintEngine.stylize

    def __get__(self, engine: Any, kind: Any) -> Any:
        def stylize(frames: Any, embeddings: Any) -> Any:
            self.count += len(frames)
            painted = self.real(engine, frames, embeddings)
            return self.fault(painted) if self.count > self.after else painted

        return stylize


def run_out_of_memory(painted: Any) -> Any:
    raise MemoryError


FAULTS: dict[str, Callable[[Any], Any]] = {
    "nan": lambda painted: painted * np.float32(np.nan),
    "wrong size": lambda painted: painted[:, 1:],
    "out of memory": run_out_of_memory,
}


@pytest.mark.fault("engine returns NaN or the wrong size, has no memory")
@pytest.mark.parametrize("failure", FAULTS)
def test_an_engine_that_fails_keeps_what_was_painted(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts, failure: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TintEngine, "stylize", Failing(55, FAULTS[failure]))
        with pytest.raises(EngineError) as error:
            paint()
    assert "\n" not in str(error.value)
    manifest = read_manifest(tmp_path / "out.mkv")
    assert manifest is not None
    assert len(manifest["chunks"]) == 2
    done = resume_in_chunks(tmp_path / "out.mkv")
    assert done is not None
    assert done.frames == 80
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)
    assert not get_chunk_folder(tmp_path / "out.mkv").exists()


@pytest.mark.fault("ffmpeg killed under the program")
def test_a_killed_ffmpeg_keeps_what_was_painted(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts
) -> None:
    write = ChunkSink.write

    def killing(sink: ChunkSink, frame: Any) -> None:
        if frame.index == 50 and sink._writer is not None:
            sink._writer.proc.kill()
            sink._writer.proc.wait()
        write(sink, frame)

    with monkeypatch.context() as patch:
        patch.setattr(ChunkSink, "write", killing)
        with pytest.raises(OutputError, match="signal 9"):
            paint()
    assert resume_in_chunks(tmp_path / "out.mkv") is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("reading, painting, writing or joining hangs")
def test_a_sink_that_hangs_raises(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    write = ChunkSink.write

    def hanging(sink: ChunkSink, frame: Any) -> None:
        if frame.index == 50:
            free.wait(30)
        write(sink, frame)

    monkeypatch.setattr(ChunkSink, "write", hanging)
    monkeypatch.setattr(workers, "EXIT_SECONDS", 0.2)
    try:
        with pytest.raises(StalledError, match=r"(writing|write).* 1 s"):
            paint(patience=1.0)
    finally:
        free.set()
        time.sleep(0.3)
    assert read_manifest(tmp_path / "out.mkv") is not None


@pytest.mark.fault("reading, painting, writing or joining hangs")
def test_painting_that_hangs_raises_and_keeps_the_chunks(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts
) -> None:
    free = threading.Event()
    monkeypatch.setattr(workers, "EXIT_SECONDS", 0.2)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(TintEngine, "stylize", Failing(55, lambda painted: free.wait(60)))
            with pytest.raises(
                StalledError, match=r"painting .* 1 s\. Try a smaller size"
            ) as found:
                paint(patience=1.0)
    finally:
        free.set()
    assert "\n" not in str(found.value) and "patience=10" in str(found.value)
    manifest = read_manifest(tmp_path / "out.mkv")
    assert manifest is not None and len(manifest["chunks"]) == 2
    while [one for one in threading.enumerate() if one.name.startswith("vst ")]:
        time.sleep(0.05)  # the engine that was waited for in vain ends its frame
    assert resume_in_chunks(tmp_path / "out.mkv") is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("reading, painting, writing or joining hangs")
@pytest.mark.slow
def test_painting_that_hangs_ends_the_command(paint: Any, tmp_path: Path) -> None:
    """The engine never returns; the program ends nevertheless."""
    program = (
        "import time\nfrom vst.engines.tint import TintEngine\nfrom vst.cli import main\n"
        "TintEngine.stylize = lambda *words: time.sleep(3600)\nmain()\n"
    )
    words = ("-s", "red.png", "-o", "out.mkv", "--engine", "tint", "--patience", "1")
    done = subprocess.run(
        [sys.executable, "-c", program, "stylize", "in.mp4", *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "painting has made no progress for 1 s" in done.stderr
    assert "Try a smaller size or another engine" in done.stderr and "--patience 10" in done.stderr
    assert not (tmp_path / "out.mkv").exists()


def interrupt(paint: Any, at: int = 50, **options: Any) -> None:
    def stop(progress: vst.Progress) -> None:
        if progress.done > at:
            raise vst.VSTError("enough")

    with pytest.raises(vst.VSTError, match="enough"):
        paint(on_progress=stop, **options)


@pytest.mark.fault("content or style changed before resuming")
@pytest.mark.parametrize("name", ["in.mp4", "red.png"])
def test_a_changed_input_is_refused(paint: Any, tmp_path: Path, name: str) -> None:
    interrupt(paint)
    with (tmp_path / name).open("ab") as file:
        file.write(b"\0" * 16)
    before = sorted(get_chunk_folder(tmp_path / "out.mkv").iterdir())
    what = {"in.mp4": "another content", "red.png": "another style 1"}[name]
    with pytest.raises(UsageError, match=f"{what}.*start over") as error:
        resume_in_chunks(tmp_path / "out.mkv")
    assert "\n" not in str(error.value)
    assert sorted(get_chunk_folder(tmp_path / "out.mkv").iterdir()) == before


@pytest.mark.fault("content removed or changed while it is read")
@pytest.mark.parametrize("removed", [True, False])
def test_an_input_removed_or_changed_while_it_is_read_raises(
    paint: Any, tmp_path: Path, removed: bool
) -> None:
    def meddle(progress: vst.Progress) -> None:
        if progress.done >= 30 and (tmp_path / "in.mp4").exists():
            if removed:
                (tmp_path / "in.mp4").unlink()
            else:
                os.utime(tmp_path / "in.mp4", (1, 1))

    with pytest.raises(MediaError, match="changed or removed while it was read"):
        paint(on_progress=meddle)
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.fault("resumed from another folder")
def test_resumed_from_another_folder(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultCounts
) -> None:
    monkeypatch.chdir(tmp_path)

    def stop(progress: vst.Progress) -> None:
        if progress.done > 50:
            raise vst.VSTError("enough")

    with pytest.raises(vst.VSTError, match="enough"):
        run_in_chunks(make_job("in.mp4", "red.png", "out.mkv", **OPTIONS), stop)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume_in_chunks("../out.mkv") is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("a chunk damaged or lost")
def test_a_damaged_chunk_is_painted_again(paint: Any, tmp_path: Path, fault: FaultCounts) -> None:
    interrupt(paint, 70)
    track = sorted(get_chunk_folder(tmp_path / "out.mkv").glob("*.mkv"))[1]
    data = bytearray(track.read_bytes())
    data[len(data) // 2] ^= 0xFF
    track.write_bytes(data)
    assert resume_in_chunks(tmp_path / "out.mkv") is not None
    check_files(tmp_path / "out.mkv", tmp_path / "whole.mkv", fault)


@pytest.mark.fault("killed just after the output appeared")
def test_a_run_interrupted_after_the_output_appeared_counts_as_whole(
    paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vst.video.sinks.atomic_output import AtomicOutput

    publish = AtomicOutput.publish

    def dying(place: AtomicOutput, finished: Path) -> None:
        publish(place, finished)
        raise KeyError("a power cut")

    with monkeypatch.context() as patch:
        patch.setattr(AtomicOutput, "publish", dying)
        with pytest.raises(KeyError):
            paint()
    assert get_chunk_folder(tmp_path / "out.mkv").exists()
    assert resume_in_chunks(tmp_path / "out.mkv") is None
    assert not get_chunk_folder(tmp_path / "out.mkv").exists()
    assert len(read_pictures(tmp_path / "out.mkv")) == 80


@pytest.mark.fault("the disk is full")
@pytest.mark.parametrize("size", [20, 40, 80, 110, 140])
def test_a_full_disk_leaves_chunks_that_resume(
    paint: Any, tmp_path: Path, fault: FaultCounts, size: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(disk)]
    if subprocess.run(small, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        with pytest.raises(OutputError, match=r"disk is full|No space left"):
            paint("disk/out.mkv")
        kept = read_manifest(disk / "out.mkv")
        assert (size == 20) == (kept is None)  # not even the first chunk fitted
        assert not (disk / "out.mkv").exists()
        more = ["mount", "-o", "remount,size=20m", str(disk)]
        subprocess.run(more, check=True, capture_output=True)
        if kept is None:
            paint("disk/out.mkv")
        else:
            assert resume_in_chunks(disk / "out.mkv") is not None
        check_files(disk / "out.mkv", tmp_path / "whole.mkv", fault)
        assert [path.name for path in disk.iterdir()] == ["out.mkv"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_control_stops_a_run_at_the_end_of_its_chunk(paint: Any, tmp_path: Path) -> None:
    control = RunControl()
    events: list[vst.Progress] = []

    def listen(progress: vst.Progress) -> None:
        events.append(progress)
        control.stop_requested = True

    inputs = tmp_path / "in.mp4", tmp_path / "red.png"
    job = make_job(*inputs, tmp_path / "out.mkv", **OPTIONS)
    with pytest.raises(vst.VSTError, match="18 frames are kept"):
        run_in_chunks(job, listen, control)
    assert resume_in_chunks(tmp_path / "out.mkv", events.append) is not None
    assert events[-1].done == 62  # the missing frames
