"""Locks and processes, by the rules of Linux and, faked, by those of Windows and macOS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import platformdirs
import pytest

from vst.core import files, limits, locks, paths
from vst.core.locks import Lock, check_unlocked
from vst.errors import OutputError
from vst.video.sinks import ffmpeg

HOLD = "import sys, time; from pathlib import Path; from vst.core.locks import Lock\n"
HOLD += "lock = Lock(Path(sys.argv[1]), 'out.mp4'); print('held', flush=True); time.sleep(60)"


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the lock ``lock``."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_another_process_is_named_and_its_death_frees_the_lock(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    for _ in range(2):  # the attempt leaves the owner's number in the file
        with pytest.raises(OutputError, match=rf"another run \(process {holder.pid}\)"):
            Lock(tmp_path / "lock", "out.mp4")
    with pytest.raises(OutputError, match="another run"):
        check_unlocked(tmp_path / "lock", "out.mp4")
    holder.kill()
    holder.wait()
    check_unlocked(tmp_path / "lock", "out.mp4")
    assert (tmp_path / "lock").exists()
    Lock(tmp_path / "lock", "out.mp4").release()
    assert not (tmp_path / "lock").exists()


def test_a_lock_needs_its_folder_and_does_not_make_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path / "gone" / "lock", "out.mp4")
    check_unlocked(tmp_path / "gone" / "lock", "out.mp4")
    assert not (tmp_path / "gone").exists()


def test_a_file_that_is_removed_while_it_is_being_locked_is_locked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends removes its file, which one that begins may have opened just before."""
    acquire = filelock.FileLock.acquire

    def acquire_what_is_removed(lock: Any, **options: Any) -> Any:
        monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
        acquired = acquire(lock, **options)
        (tmp_path / "lock").unlink()
        return acquired

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire_what_is_removed)
    held = Lock(tmp_path / "lock", "out.mp4")
    with pytest.raises(OutputError, match="another run"):
        Lock(tmp_path / "lock", "out.mp4", wait=0)
    held.release()
    assert not (tmp_path / "lock").exists()


class WindowsLock:
    """A lock by Windows' rules: the first byte of a held file is closed to every other handle, and
    a file that is open, or was opened by the next run, is not removed.
    """

    held: list[str]

    def __init__(self, path: str, **options: Any) -> None:
        self.path, self.is_locked = path, False

    def acquire(self, **options: Any) -> None:
        if self.path in self.held:
            raise filelock.Timeout(self.path)
        Path(self.path).touch()
        self.held.append(self.path)
        self.is_locked = True

    def release(self) -> None:
        self.held.remove(self.path)
        self.is_locked = False


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def unlink_closed(path: Path, missing_ok: bool = False) -> None:
        if str(path) in WindowsLock.held:
            raise PermissionError(13, "The process cannot access the file", str(path))
        unlink(path, missing_ok)

    def refuse(*words: object) -> None:
        raise AssertionError("os.kill(pid, 0) is a Ctrl-C to the whole console on Windows")

    WindowsLock.held = []
    monkeypatch.setattr(locks, "IS_WINDOWS", True)
    monkeypatch.setattr(filelock, "FileLock", WindowsLock)
    monkeypatch.setattr(Path, "unlink", unlink_closed)
    monkeypatch.setattr(os, "kill", refuse)


@pytest.mark.usefixtures("windows")
def test_on_windows_a_lock_is_refused_by_its_owner_and_removed_after_release(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lock"
    lock = Lock(path, "out.mp4")
    with pytest.raises(OutputError, match=rf"process {os.getpid()}\)"):
        Lock(path, "out.mp4")
    assert path.read_bytes()[:1] == b"\0"  # the locked byte was not written to
    lock.release()
    lock.release()
    assert not path.exists()


@pytest.mark.usefixtures("windows")
def test_on_windows_a_release_leaves_the_file_that_the_next_run_has_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, released = tmp_path / "lock", WindowsLock.release
    lock = Lock(path, "out.mp4")

    def release_and_lose(self: WindowsLock) -> None:
        released(self)
        self.held.append(self.path)  # the next run is faster than the removal of the file

    monkeypatch.setattr(WindowsLock, "release", release_and_lose)
    lock.release()
    assert path.exists() and not lock.is_held


def test_on_windows_ffmpeg_gets_a_process_group_and_no_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def refuse(words: list[str], **options: Any) -> None:
        seen.update(options)
        raise OSError("not started in this test")

    ffmpeg.find_ffmpeg()  # while the system is the real one
    monkeypatch.setattr(ffmpeg.sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x8000000, raising=False)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(Exception, match="ffmpeg cannot be started"):
        ffmpeg.FFmpegProcess(["-version"])
    assert seen["creationflags"] == 0x8000200 and "start_new_session" not in seen


def test_on_windows_a_folder_s_entries_are_not_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(files.os, "open", lambda *words: opened.append(words))
    monkeypatch.setattr(files.os, "name", "nt")
    files.sync_to_disk(tmp_path)
    assert opened == []


def test_an_ended_process_has_no_cpu_time() -> None:
    process = ffmpeg.FFmpegProcess(["-version"])
    process.wait()
    assert process._read_cpu_time() is None


def test_free_memory_is_what_the_machine_and_the_container_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_read_container_memory", lambda: None)
    machine = limits.find_free_memory()
    assert machine is not None and machine > 50
    monkeypatch.setattr(limits, "_read_container_memory", lambda: 7e6)
    assert limits.find_free_memory() == 7.0


@pytest.mark.parametrize(
    ("system", "data", "cache"),
    [
        ("macos.MacOS", "Library/Application Support/vst", "Library/Caches/vst"),
        ("unix.Unix", ".local/share/vst", ".cache/vst"),
    ],
)
def test_folders_are_where_earlier_versions_made_them(
    system: str, data: str, cache: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module, name = system.split(".")
    kind = getattr(__import__(f"platformdirs.{module}").__dict__[module], name)
    monkeypatch.setattr(platformdirs, "PlatformDirs", kind)
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert paths.find_data_folder() == tmp_path / data
    assert paths.find_cache_folder() == tmp_path / cache
    former = tmp_path / ".local" / "state" / "vst"
    former.mkdir(parents=True)
    assert paths.find_state_folder() == former
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if name == "Unix":
        assert paths.find_state_folder() == tmp_path / "state" / "vst"
