"""Running ffmpeg: the binary that MoviePy uses, without a shell, a terminal or the network; every
failure is told.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from vst.errors import DependencyError, OutputError, StalledError


class RefusedError(OutputError):
    """ffmpeg ended by itself with an error that is not the disk's: another way may work."""


QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error")
"""Never asks, says nothing but errors."""

SAFE_INPUT = ("-protocol_whitelist", "file,pipe")
"""Put before each input: no network, and no protocol that reads other files."""


def find_ffmpeg() -> str:
    """The path of ffmpeg: the one that MoviePy found, which is imageio-ffmpeg's own unless the user
    set another.
    """
    from moviepy.config import FFMPEG_BINARY

    if FFMPEG_BINARY == "unset":
        raise DependencyError(
            "no ffmpeg was found; install imageio-ffmpeg, or set FFMPEG_BINARY to its path"
        )
    return str(FFMPEG_BINARY)


def format_file_url(path: Path) -> str:
    """A file's name as ffmpeg takes it, whatever characters are in it."""
    return f"file:{path}"


class FFmpegProcess:
    """A running ffmpeg. Its messages are collected by a thread, so that it can never wait for a
    reader.
    """

    def __init__(self, arguments: Sequence[str], feed: bool = False) -> None:
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = (
                subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            )
        else:
            # Its own session: Ctrl-C in the terminal is for this program, which then decides what
            # becomes of ffmpeg.
            options["start_new_session"] = True
        try:
            self.popen = subprocess.Popen(
                [find_ffmpeg(), *QUIET, *arguments],
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                **options,
            )
        except OSError as error:
            raise DependencyError(
                f"ffmpeg cannot be started ({error}); install imageio-ffmpeg anew"
            ) from error
        self._lines: deque[str] = deque(maxlen=50)
        assert self.popen.stderr is not None
        self._reader = threading.Thread(
            target=self._collect, args=(self.popen.stderr,), name="ffmpeg-messages"
        )
        self._reader.daemon = True
        self._reader.start()

    def _collect(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            for line in stream:
                self._lines.append(line.decode(errors="replace").strip())

    def wait(self, patience: float | None = None) -> int:
        """Wait for its end; the exit status, negative where a signal ended it. Raises
        `StalledError` where it does nothing for ``patience`` seconds.
        """
        with contextlib.suppress(OSError):  # what is still to be flushed may meet a broken pipe
            if self.popen.stdin is not None:
                self.popen.stdin.close()
        status = self.popen.wait() if patience is None else self._waited(patience)
        self._reader.join()
        return status

    def _waited(self, patience: float) -> int:
        work, since = self._work(), time.monotonic()
        while True:
            try:
                return self.popen.wait(min(1.0, patience))
            except subprocess.TimeoutExpired:
                now = self._work()
                if now is None or now != work:
                    work, since = now, time.monotonic()
                elif time.monotonic() - since > patience:
                    raise StalledError(
                        f"ffmpeg has not gone on for {patience:g} s; look at the disk, or give it "
                        "more time with --patience"
                    ) from None

    def _work(self) -> list[str] | None:
        """The time that it has computed, in the system's ticks; None where that is not known."""
        try:
            status = Path(f"/proc/{self.popen.pid}/stat").read_text()
        except OSError:
            return None
        return status.rpartition(")")[2].split()[11:13]

    def kill(self) -> None:
        """End it at once, if it still runs, and wait for it."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()

    @property
    def messages(self) -> list[str]:
        """What it said: its last lines."""
        return [line for line in self._lines if line]

    def error(self, target: Path) -> OutputError:
        """What its end means for the output ``target``; to be asked after `wait`."""
        outer = self._outer_cause(target)
        if outer is not None:
            return OutputError(f"{str(target)!r} was not written: {outer}")
        return RefusedError(f"{str(target)!r} was not written: {self._own_cause()}")

    def _outer_cause(self, target: Path) -> str | None:
        """What came from outside: a full disk, a limit, a signal."""
        said = " ".join(self.messages)
        if "No space left on device" in said or "Disk quota exceeded" in said:
            return (
                f"the disk is full ({_format_free_space(target.parent)} free in {str(target.parent)!r}); make "
                "room and run again"
            )
        if "File too large" in said or self.popen.returncode == -25:  # SIGXFSZ
            return (
                "the file grew beyond the largest size allowed here; raise the limit or write less"
            )
        if self.popen.returncode < 0:
            return f"ffmpeg was ended by signal {-self.popen.returncode}; run again"
        return None

    def _own_cause(self) -> str:
        if "Unknown encoder" in " ".join(self.messages):
            return (
                f"this ffmpeg lacks an encoder ({self.messages[-1]}); install imageio-ffmpeg, or "
                "choose another codec"
            )
        last = (
            re.sub(r"\[[^\]]*@ 0x[0-9a-f]+\] *", "", "; ".join(self.messages[-2:]))
            or "it gave no reason"
        )
        return f"ffmpeg ended with status {self.popen.returncode} ({last})"


def run_ffmpeg(arguments: Sequence[str], target: Path, patience: float | None = None) -> list[str]:
    """Run ffmpeg to its end; its messages. Raises `OutputError` naming ``target`` where it fails;
    leaves no process. ``patience``: seconds after which one that does nothing is hung.
    """
    process = FFmpegProcess(arguments)
    try:
        status = process.wait(patience)
    except BaseException:
        process.kill()
        raise
    if status:
        raise process.error(target)
    return process.messages


def _format_free_space(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:.0f} MB"
    except OSError:
        return "nothing"
