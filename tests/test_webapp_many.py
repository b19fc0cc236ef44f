"""Many visitors at once: jobs take turns and survive a killed server, and memory stays flat."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import STARTING, free_port
from tests.conftest import make_clip
from tests.fault_tally import TALLY
from tests.memory_watch import measure_resident
from vst.video.sources import open_source

pytest.importorskip("gradio")
pytestmark = [pytest.mark.slow, pytest.mark.huge]
VISITORS, JOBS_EACH, FRAMES = 20, 10, 20
SERVER = """
import sys, threading
from dataclasses import replace
from pathlib import Path
from vst.pipeline.run import run
from vst.web.limits import VisitorLimits
from vst.web.server import PageAddress, serve

def run_tint(job, *given, **named):
    return run(replace(job, engine="tint"), *given, **named)

at, state = PageAddress(port=int(sys.argv[1])), Path(sys.argv[2])
limits = VisitorLimits(jobs=2, waiting=200, waiting_each=10)
with serve(at, limits=limits, state=state, run_job=run_tint):
    threading.Event().wait()
"""
"""A server whose jobs are painted by the engine `tint`, which is fast."""


@dataclass
class Visitor:
    """A visitor with a network address of their own."""

    port: int
    address: str
    token: str = ""
    content: str = ""
    jobs: list[str] = field(default_factory=list)

    def send(self, path: str, body: bytes | None = None) -> bytes:
        """Send a request; returns the answer's body."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=60, source_address=(self.address, 0)
        )
        try:
            method = "GET" if body is None else "POST"
            connection.request(method, f"/{path}", body, {"content-type": "application/json"})
            reply = connection.getresponse()
            assert reply.status == 200, (reply.status, path)
            return reply.read()
        finally:
            connection.close()

    def call(self, name: str, **sent: Any) -> dict[str, Any]:
        """Call a function of the page."""
        body = json.dumps({"token": self.token, "sent": sent}).encode()
        return dict(json.loads(self.send(f"call/{name}", body)))

    def enter(self, clip: Path) -> None:
        """Open the page and upload a clip."""
        self.token = self.call("start")["token"]
        self.content = self.upload(clip, "content")

    def upload(self, file: Path, role: str) -> str:
        """Upload a file; returns its id."""
        path = f"upload/{self.token}/{role}?name={file.name}"
        return str(json.loads(self.send(path, file.read_bytes()))["id"])

    def add_style(self, picture: Path) -> str:
        """Upload a style; returns the id of its keyframe."""
        file = self.upload(picture, "style")
        return str(self.call("styles", file=file)["styles"][0]["id"])

    def paint(self, style: str) -> None:
        """Add a job to the queue."""
        form = {"content": self.content, "keys": [{"style": style, "at": 0}]}
        answer = self.call("paint", **form, settings={"size": 128, "stabilize": "off"})
        assert "error" not in answer, answer
        self.jobs.append(answer["id"])

    def list_states(self) -> dict[str, str]:
        """The visitor's jobs and their states."""
        return {task["id"]: task["state"] for task in self.call("tasks")["tasks"]}

    def count_done(self) -> int:
        states = list(self.list_states().values())
        assert "failed" not in states, self.call("tasks")["tasks"][-1]["error"]
        return states.count("done")


def start_server(program: list[str], port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a server, and wait until it answers."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, *program], stdout=file, stderr=file)
    end = time.monotonic() + STARTING
    while True:
        assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
        try:
            Visitor(port, "127.0.0.1").send("")
            return process
        except OSError:
            time.sleep(0.1)


def test_200_jobs_of_20_visitors_survive_a_killed_server(media: Path, tmp_path: Path) -> None:
    """Each visitor's jobs are done, after a SIGKILL in the middle; until then no visitor got more
    than two jobs more than another; nobody sees another's jobs or files.
    """
    clip, port, log = tmp_path / "clip.mp4", free_port(), tmp_path / "server.log"
    make_clip(clip, frames=FRAMES)
    program = ["-c", SERVER, str(port), str(tmp_path / "state")]
    visitors = [Visitor(port, f"127.0.0.{2 + number}") for number in range(VISITORS)]
    process = start_server(program, port, log)
    try:
        for visitor in visitors:
            visitor.enter(clip)
        for visitor in visitors:  # one visitor after another: who comes last must not wait longest
            style = visitor.add_style(media / "red.png")
            for _ in range(JOBS_EACH):
                visitor.paint(style)
        before = [one.count_done() for one in visitors]  # while others had not sent theirs yet
        with TALLY.fault("the page's server killed (SIGKILL) with 200 jobs") as fault:
            while sum(counts := [one.count_done() for one in visitors]) < 4 * VISITORS:
                time.sleep(1.0)
            process.send_signal(signal.SIGKILL)
            process.wait()
            gained = [after - first for after, first in zip(counts, before)]
            assert max(gained) - min(gained) <= 2, gained
            process = start_server(program, port, log)
            end = time.monotonic() + 300
            while sum(one.count_done() for one in visitors) < VISITORS * JOBS_EACH:
                assert time.monotonic() < end, [one.list_states() for one in visitors]
                time.sleep(1.0)
            for visitor in visitors:
                assert sorted(visitor.list_states()) == sorted(visitor.jobs)
                check_videos(visitor, tmp_path / "painted.mp4", fault)
            check_nobody_sees_another(visitors[0], visitors[1])
    finally:
        process.kill()
        process.wait()


def check_videos(visitor: Visitor, place: Path, fault: Any) -> None:
    """Each video of a visitor has all frames, and all are the same."""
    expected: list[np.ndarray] = []
    for task in visitor.call("tasks")["tasks"]:
        place.write_bytes(visitor.send(f"media/{visitor.token}/{task['outcome']['video']}"))
        with open_source(place) as source:
            found = [frame.picture for frame in source.frames()]
        expected = expected or found
        assert len(found) == FRAMES
        fault.compare(expected, found)
    assert fault.lost == 0


def check_nobody_sees_another(one: Visitor, other: Visitor) -> None:
    assert "gone" in one.call("cancel", id=other.jobs[0])["error"]
    video = other.call("tasks")["tasks"][0]["outcome"]["video"]
    with pytest.raises(AssertionError, match="404"):
        one.send(f"media/{one.token}/{video}")


def test_memory_is_flat_over_500_previews(tmp_path: Path) -> None:
    clip, port = tmp_path / "clip.mp4", free_port()
    make_clip(clip, frames=50, size=(320, 240))
    program = ["-m", "vst", "app", "--port", str(port), "--state", str(tmp_path / "state")]
    process = start_server(program, port, tmp_path / "log")
    try:
        visitor = Visitor(port, "127.0.0.1")
        visitor.enter(clip)
        held = []
        for number in range(500):
            keys = [{"style": ("@ink-wash", "@zebra", "@indigo-waves")[number % 3], "at": 0}]
            settings = {"size": (128, 192, 256)[number % 3], "strength": 0.5 + (number % 5) / 10}
            found = visitor.call(
                "frame",
                content=visitor.content,
                keys=keys,
                settings=settings,
                time=number % 40 / 10,
            )
            assert "after" in found, found
            if number % 100 == 99:
                held.append(measure_resident(process.pid) / 1e6)
        print("megabytes after each hundred previews:", [round(one) for one in held])
        assert held[-1] - held[0] < 40
    finally:
        process.terminate()
        process.wait(60)
