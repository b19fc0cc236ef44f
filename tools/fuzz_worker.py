"""The process in which `tools/fuzz.py` runs its cases, and the limits that it has."""

from __future__ import annotations

import json
import math
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from fuzz_cases import PROJECT, Case
from fuzz_counts import HANG_SECONDS, MEMORY_LIMIT, Ending

CPU_LIMIT = 40
"""Seconds of CPU time, of all threads, that a case may take."""
SPARE_MEMORY = MEMORY_LIMIT * 1000
"""Bytes that cases may reserve (address space) beyond what the process has before them."""
FILE_LIMIT = 200
"""Files that the process may have open."""
LIBRARIES = ("av", "cv2", "moviepy", "matplotlib", "yaml", "vst.live.session", "vst.web.project")
"""Loaded before the limits hold, for they reserve much and use little."""


class Worker:
    """The process, seen from outside."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "VST_HOME": str(folder / "home")}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer(Case(["--version"]), 120)

    def run(self, case: Case) -> Ending:
        """Run a case."""
        return self._answer(case, HANG_SECONDS)

    def _answer(self, case: Case, patience: float) -> Ending:
        began = time.monotonic()
        assert self._process.stdin is not None and self._process.stdout is not None
        line = json.dumps({"words": case.words, "stdin": case.stdin})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        before = self._seconds_preempted()
        while not select.select([self._process.stdout], [], [], 1.0)[0]:
            seconds = time.monotonic() - began - self._seconds_preempted() + before
            if seconds > patience:
                return Ending(None, "no end", seconds)
        answer = self._process.stdout.readline()
        seconds = max(0.0, time.monotonic() - began - self._seconds_preempted() + before)
        if answer:
            return Ending(**json.loads(answer), seconds=seconds)
        status = self._process.wait()
        if status == -signal.SIGXCPU:
            return Ending(None, f"more than {CPU_LIMIT} s of CPU time", seconds)
        return Ending(-1, f"the process died ({status})", seconds)

    def _seconds_preempted(self) -> float:
        """Seconds during which it was ready to run and other programs had the CPU."""
        try:
            waits = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="utf-8").split()
            return int(waits[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()


def run_worker() -> None:
    """Run the cases that arrive on stdin, with stderr captured in a file."""
    cases, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    for name in LIBRARIES:
        __import__(name)
    set_limits()
    start = None
    for line in cases:
        case = Case(**json.loads(line))
        os.dup2(nowhere, 0)
        if case.stdin is not None:
            stream = os.open(case.stdin, os.O_RDONLY)
            os.dup2(stream, 0)
            os.close(stream)
        allow_cpu_time()
        answer = run_case(case)
        found = count_open()
        start = found if start is None else start
        answer["leaked"] = found - start
        print(json.dumps(answer), file=answers, flush=True)


def set_limits() -> None:
    """Limit the address space and the open files, of the programs that it starts too."""
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]
    reserved = int(pages) * resource.getpagesize()
    for limit, most in (
        (resource.RLIMIT_AS, reserved + SPARE_MEMORY),
        (resource.RLIMIT_NOFILE, FILE_LIMIT),
    ):
        resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


def allow_cpu_time() -> None:
    """Limit the CPU time of the next case."""
    used = math.ceil(time.process_time())
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_LIMIT, hard))


def count_open() -> int:
    """How many files are open and how many threads run in this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) + threading.active_count()


def run_case(case: Case) -> dict[str, Any]:
    """Run a command as its program would, or open a project."""
    from vst import cli as commands
    from vst.errors import VSTError

    sys.argv = ["vst", *case.words]
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        code: Any = 0
        try:
            if case.words[0] == PROJECT:
                open_as_page(Path(case.words[1]))
            else:
                commands.main()
        except SystemExit as end:
            code = end.code or 0
        except VSTError as error:
            os.write(2, f"vst: {error}\n".encode())
            code = 1
        except Exception:  # only in `open_as_page`: the command line catches all
            os.write(2, traceback.format_exc().encode())
            code = 1
        sys.stdout.flush()
        captured.seek(0)
        err = captured.read().decode(errors="replace")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"code": code, "err": err, "peak": peak}


def open_as_page(path: Path) -> None:
    """Open a project in a session of its own. Raises `VSTError` where it is refused, and
    `RuntimeError` if that leaves something there.
    """
    from vst.errors import VSTError
    from vst.web.limits import VisitorLimits
    from vst.web.project import open_project
    from vst.web.sessions import Sessions

    with tempfile.TemporaryDirectory(prefix="vst-fuzz-page-") as folder:
        sessions = Sessions(Path(folder) / "state", VisitorLimits())
        try:
            session = sessions.open()
            kept = session.reserve_file("bad.vst.zip", "project")
            kept.path.write_bytes(path.read_bytes())
            try:
                open_project(session, session.add(kept))
            except VSTError:
                if session.files or list(session.folder.iterdir()):
                    raise RuntimeError("files of a refused project are left") from None
                raise
        finally:
            sessions.close()


if __name__ == "__main__":
    run_worker()
