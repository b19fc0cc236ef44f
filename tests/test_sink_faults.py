"""Sinks broken off at every point, and asked for what cannot be written."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from tests.sink_helpers import (
    RATE,
    names,
    nothing_left_behind,  # noqa: F401
    seen,
    spec_for,
    through,
    write,
)
from vst.errors import OutputError, OutputExistsError, UsageError
from vst.video.sinks import detect_sink_kind, open_sink
from vst.video.sinks.base import SinkSpec


def some_output(path: Path) -> bytes:
    path.write_bytes(b"the old output")
    return path.read_bytes()


@pytest.mark.fault("the engine raises")
@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "frames"])
def test_leaving_without_finish_drops_everything(name: str, tmp_path: Path) -> None:
    spec = spec_for(tmp_path / name)
    with pytest.raises(KeyError), open_sink(spec) as sink:
        for frame in clips.as_frames(clips.draw_numbered_frames(3), RATE):
            sink.write(frame)
        raise KeyError("an engine fails")
    sink.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("ffmpeg killed under the program")
@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif"])
def test_a_killed_ffmpeg_raises_an_error_and_leaves_the_old_output(
    name: str, tmp_path: Path
) -> None:
    spec = spec_for(tmp_path / name, overwrite=True, width=640, height=480)
    old = some_output(spec.path)
    frames = clips.as_frames(clips.draw_numbered_frames(60, 640, 480), RATE)
    with pytest.raises(OutputError, match="signal 9"), open_sink(spec) as sink:
        for frame in frames:
            if frame.index == 5:
                sink._writer.proc.kill()  # type: ignore[attr-defined]
            sink.write(frame)
        sink.finish()
    assert spec.path.read_bytes() == old and names(tmp_path) == [name]


@pytest.mark.fault("ffmpeg killed under the program")
def test_an_ffmpeg_killed_after_the_last_frame_raises_an_error(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "out.mp4")
    with pytest.raises(OutputError, match="signal 9"), open_sink(spec) as sink:
        for frame in clips.as_frames(clips.draw_numbered_frames(5), RATE):
            sink.write(frame)
        sink._writer.proc.kill()  # type: ignore[attr-defined]
        sink.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.fault("the disk is full")
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.gif", "frames"])
def test_a_full_disk_raises_an_error_and_leaves_nothing(name: str, small_disk: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(20)]
    spec = spec_for(small_disk / name, width=320, height=240)
    with pytest.raises(OutputError, match=r"disk is full|No space left"), open_sink(spec) as sink:
        for frame in clips.as_frames(noise, RATE):
            sink.write(frame)
        sink.finish()
    assert list(small_disk.iterdir()) == []


@pytest.mark.fault("the disk is full")
def test_a_disk_that_fills_up_at_the_end_raises_an_error(small_disk: Path) -> None:
    """The picture track fits, the joined file does not."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(25)]
    spec = spec_for(small_disk / "out.mp4", width=128, height=96)
    with pytest.raises(OutputError, match="disk is full"), open_sink(spec) as sink:
        for frame in clips.as_frames(noise, RATE):
            sink.write(frame)
        sink.finish()
    assert list(small_disk.iterdir()) == []


@pytest.mark.fault("the disk is full")
def test_a_file_size_limit_raises_an_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(20)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        spec = spec_for(tmp_path / "out.mp4", width=320, height=240)
        with pytest.raises(OutputError, match="size limit"), open_sink(spec) as sink:
            for frame in clips.as_frames(noise, RATE):
                sink.write(frame)
            sink.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_did_not_come_out_whole_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vst.video.sinks.assemble as assemble

    run = assemble.run_ffmpeg

    def short(arguments: list[str], target: Path, patience: float | None) -> list[str]:
        return run(["-t", "0.2", *arguments], target, patience)

    monkeypatch.setattr(assemble, "run_ffmpeg", short)
    spec = spec_for(tmp_path / "out.mp4", overwrite=True)
    old = some_output(spec.path)
    with pytest.raises(OutputError, match=r"\d frames instead of 10"):
        write(spec)
    assert spec.path.read_bytes() == old


def broken(
    change: Callable[[SinkSpec], SinkSpec], kind: type[Exception], text: str, tmp_path: Path
) -> None:
    spec = change(spec_for(tmp_path / "out.mp4"))
    with pytest.raises(kind, match=text) as error:
        open_sink(spec)
    assert "\n" not in str(error.value)


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    def at(name: str, **changes: Any) -> Callable[[SinkSpec], SinkSpec]:
        return lambda spec: replace(spec, path=tmp_path / name, **changes)

    some_output(tmp_path / "old.mp4")
    before = sorted(names(tmp_path))
    broken(at("old.mp4"), OutputExistsError, "exists. Set overwrite", tmp_path)
    broken(at("no/folder/out.mp4"), OutputError, "does not exist", tmp_path)
    broken(at("old.mp4/out.mp4"), OutputError, "cannot be written", tmp_path)
    broken(lambda spec: replace(spec, path=Path("/proc/out.mp4")), OutputError, "/proc", tmp_path)
    broken(at("out.avi"), UsageError, r"\.mp4", tmp_path)
    broken(at("out.mp4", codec="h246"), UsageError, "h264", tmp_path)
    broken(at("out.mp4", codec="prores"), UsageError, r"\.mov", tmp_path)
    broken(at("out.mp4", crf=99), UsageError, "0 .* to 51", tmp_path)
    broken(at("out.mov", codec="prores", crf=20), UsageError, "crf", tmp_path)
    broken(at("out.gif", codec="h264"), UsageError, "gif", tmp_path)
    broken(at("out.mp4", rate=Fraction(0)), UsageError, "rate", tmp_path)
    broken(at("out.mp4", width=0), UsageError, "size", tmp_path)
    broken(at("x" * 252 + ".mp4"), OutputError, "longer than 255", tmp_path)
    assert sorted(names(tmp_path)) == before


def test_frames_of_another_size_and_no_frames_are_refused(tmp_path: Path) -> None:
    with (
        open_sink(spec_for(tmp_path / "out.mp4")) as sink,
        pytest.raises(OutputError, match="32 x 32"),
    ):
        sink.write(clips.as_frames(clips.draw_numbered_frames(1, 32, 32), RATE)[0])
    for name in ("out.mp4", "out.gif", "frames"):
        with (
            open_sink(spec_for(tmp_path / name)) as sink,
            pytest.raises(OutputError, match="there are no frames"),
        ):
            sink.finish()
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "out.mp4")
    with open_sink(spec) as sink:
        sink.write(clips.as_frames(clips.draw_numbered_frames(1), RATE)[0])
        old = some_output(spec.path)
        with pytest.raises(OutputExistsError):
            sink.finish()
    assert spec.path.read_bytes() == old


def test_names_of_every_sort(tmp_path: Path) -> None:
    content = clips.write_clip(tmp_path / "-in 'put' %03d:x.mp4", 5, 25, True, "-c:a", "aac")
    for name in (
        "-dash.mp4",
        "a b'c\"d.mp4",
        "über 影.mkv",
        "50%d.gif",
        "file:x.mp4",
        "new\nline.mp4",
        "x" * 251 + ".mp4",
    ):
        assert through(content, tmp_path / name).frames == 5
        assert seen(tmp_path / name) == list(range(5))


def test_kinds_by_name(tmp_path: Path) -> None:
    assert [
        detect_sink_kind(name) for name in ("a.MP4", "b.webm", "c.gif", "frames/", "frames")
    ] == [
        "video",
        "video",
        "gif",
        "folder",
        "folder",
    ]
    assert detect_sink_kind(str(tmp_path / "v1.5") + "/") == "folder"
