"""Run ffmpeg, the binary that MoviePy uses, without a shell, a terminal or the network; report
every failure.
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
    """ffmpeg refused its input or options; other options may work."""


QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error")
"""Never prompt; print only errors."""

SAFE_INPUT = ("-protocol_whitelist", "file,pipe")
"""Options before each input: no network, and no protocol that reads other files."""


def find_ffmpeg() -> str:
    """Return the path of the ffmpeg that MoviePy found: imageio-ffmpeg's unless the user set
    another. Raises `DependencyError` where there is none.
    """
    from moviepy.config import FFMPEG_BINARY

    if FFMPEG_BINARY == "unset":
        raise DependencyError(
            "ffmpeg was not found. Install imageio-ffmpeg, or set FFMPEG_BINARY to its path"
        )
    return str(FFMPEG_BINARY)


def format_file_url(path: Path) -> str:
    """Format a path for ffmpeg, whatever characters it contains."""
    return f"file:{path}"


class FFmpegProcess:
    """A running ffmpeg. A thread collects its messages, so that its pipe never fills up."""

    def __init__(self, arguments: Sequence[str], feed: bool = False) -> None:
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = (
                subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            )
        else:
            # A session of its own: Ctrl-C in the terminal reaches only this program, which then
            # stops ffmpeg in order.
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
                f"ffmpeg cannot be started: {error}. Reinstall imageio-ffmpeg"
            ) from error
        self._lines: deque[str] = deque(maxlen=50)
        self._reader = threading.Thread(
            target=self._collect, args=(self.popen.stderr,), name="ffmpeg-messages", daemon=True
        )
        self._reader.start()

    def _collect(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            for line in stream:
                self._lines.append(line.decode(errors="replace").strip())

    def wait(self, patience: float | None = None) -> int:
        """Wait for the process and return its exit status, negative after a signal. Raises
        `StalledError` where it makes no progress for ``patience`` seconds.
        """
        with contextlib.suppress(OSError):  # flushing may meet a broken pipe
            if self.popen.stdin is not None:
                self.popen.stdin.close()
        status = self.popen.wait() if patience is None else self._wait_with_patience(patience)
        self._reader.join()
        return status

    def _wait_with_patience(self, patience: float) -> int:
        before, since = self._read_cpu_time(), time.monotonic()
        while True:
            try:
                return self.popen.wait(min(1.0, patience))
            except subprocess.TimeoutExpired:
                now = self._read_cpu_time()
                if now is None or now != before:
                    before, since = now, time.monotonic()
                elif time.monotonic() - since > patience:
                    raise StalledError(
                        f"ffmpeg made no progress for {patience:g} s. Check the disk, or allow "
                        "more time with patience"
                    ) from None

    def _read_cpu_time(self) -> tuple[float, float] | None:
        """Return its CPU time in seconds, in user and in system mode; None if it has ended."""
        import psutil

        try:
            times = psutil.Process(self.popen.pid).cpu_times()
        except psutil.Error:
            return None
        return times.user, times.system

    def kill(self) -> None:
        """Kill the process, if it still runs, and wait for it."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()

    @property
    def messages(self) -> list[str]:
        """The last lines that it printed."""
        return [line for line in self._lines if line]

    def error(self, target: Path) -> OutputError:
        """Make the error for ``target`` from how the process ended; call after `wait`."""
        outer = self._outer_cause(target)
        if outer is not None:
            return OutputError(f"{str(target)!r} was not written: {outer}")
        return RefusedError(f"{str(target)!r} was not written: {self._own_cause()}")

    def _outer_cause(self, target: Path) -> str | None:
        """Describe a cause outside ffmpeg (a full disk, a limit, a signal), or return None."""
        text = " ".join(self.messages)
        if "No space left on device" in text or "Disk quota exceeded" in text:
            return (
                f"the disk is full ({_format_free_space(target.parent)} free in "
                f"{str(target.parent)!r}). Free space and run again"
            )
        if "File too large" in text or self.popen.returncode == -25:  # SIGXFSZ
            return "the file exceeds the system's size limit. Raise the limit or write less"
        if self.popen.returncode < 0:
            return f"ffmpeg was killed by signal {-self.popen.returncode}. Run again"
        return None

    def _own_cause(self) -> str:
        if "Unknown encoder" in " ".join(self.messages):
            return (
                f"this ffmpeg lacks an encoder ({self.messages[-1]}). Install imageio-ffmpeg, or "
                "choose another codec"
            )
        last = (
            re.sub(r"\[[^\]]*@ 0x[0-9a-f]+\] *", "", "; ".join(self.messages[-2:]))
            or "it gave no reason"
        )
        return f"ffmpeg ended with status {self.popen.returncode} ({last})"


def run_ffmpeg(arguments: Sequence[str], target: Path, patience: float | None = None) -> list[str]:
    """Run ffmpeg to its end and return its messages; never leaves a process behind.

    ``patience``: seconds without progress after which it counts as hung. Raises `OutputError` that
    names ``target``.
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
