"""`vst app` is killed in the middle of a job and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import STARTING, free_port
from tests.conftest import make_clip
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source

pytest.importorskip("gradio")
FRAMES = 400
RATE = 25


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server, and wait until it answers."""
    log = (folder / "server.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "vst", "app", "--port", str(port)],
        stdout=log, stderr=log, env={**os.environ, "XDG_STATE_HOME": str(folder)},
    )  # fmt: skip
    end = time.monotonic() + STARTING
    while True:
        assert process.poll() is None and time.monotonic() < end
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/")
            return process
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)


def post(port: int, path: str, body: bytes) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return dict(json.loads(reply.read()))


def call(port: int, name: str, token: str = "", **sent: Any) -> dict[str, Any]:
    found = post(port, f"call/{name}", json.dumps({"token": token, "sent": sent}).encode())
    assert "error" not in found, found
    return found


def wait_task(port: int, token: str, reached: Any) -> dict[str, Any]:
    """Wait until the only job of the session is as wanted."""
    end = time.monotonic() + 300
    while True:
        [task] = call(port, "tasks", token)["tasks"]
        assert task["state"] != "failed", task["error"]
        if reached(task):
            return dict(task)
        assert time.monotonic() < end, task
        time.sleep(0.1)


def read_result(port: int, token: str, task: dict[str, Any], path: Path) -> np.ndarray:
    address = f"http://127.0.0.1:{port}/media/{token}/{task['outcome']['video']}?download=1"
    path.write_bytes(urllib.request.urlopen(address).read())
    with open_source(path) as source:
        return np.stack([frame.picture for frame in source.frames()])


@pytest.mark.slow
def test_a_job_of_a_killed_server_ends_with_the_same_frames(tmp_path: Path) -> None:
    content = tmp_path / "clip.mp4"
    make_clip(content, frames=FRAMES, rate=RATE, size=(64, 48))
    port = free_port()
    process = start(tmp_path, port)
    try:
        token = call(port, "start")["token"]
        file = post(port, f"upload/{token}/content?name=clip.mp4", content.read_bytes())["id"]
        keys = [{"style": "@ink-wash", "at": 0}, {"style": "@zebra", "at": 1}]
        form = {"content": file, "keys": keys, "settings": {"size": 128}}
        number = call(port, "paint", token, **form)["id"]
        wait_task(port, token, lambda task: task["progress"].get("done", 0) > FRAMES // 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = list(tmp_path.glob("vst/*/*/job-*/painted.mp4.vst/*"))
        assert kept, "no chunk was kept before the kill"

        process = start(tmp_path, port)
        again = call(port, "start", token)
        assert again["token"] == token and [one["id"] for one in again["tasks"]] == [number]
        assert [one["name"] for one in again["files"] if one["id"] == file] == ["clip.mp4"]
        task = wait_task(port, token, lambda task: task["state"] == "done")
        resumed = read_result(port, token, task, tmp_path / "resumed.mp4")
        assert len(resumed) == FRAMES
        record = read_job(tmp_path / "resumed.mp4") or ""
        assert str(tmp_path) not in record and '"/' not in record and "content-" not in record
        assert json.loads(record)["content"] == "clip.mp4"
        call(port, "remove", token, id=number)
        call(port, "paint", token, **form)
        task = wait_task(port, token, lambda task: task["state"] == "done")
        whole = read_result(port, token, task, tmp_path / "whole.mp4")
        np.testing.assert_array_equal(resumed, whole)
    finally:
        process.terminate()
        process.wait(60)
    assert not list(tmp_path.glob("vst/*")), "the server leaves its visitors' files"
