"""What the tests of sinks share: specifications, a way through, a look at what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import clips
from vst.core.types import VideoInfo
from vst.video.sinks import open_sink
from vst.video.sinks.base import SinkReport, SinkSpec
from vst.video.sources import open_source

RATE = Fraction(25)
ENDINGS = [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif"]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """After each test: no thread of ffmpeg's, no process, and no working folder."""
    yield
    assert not [thread for thread in threading.enumerate() if "ffmpeg" in thread.name]
    assert not list(tmp_path.rglob(".*.part"))
    children = psutil.Process().children()
    assert not [child for child in children if "ffmpeg" in child.name()]


def spec_for(path: Path, content: VideoInfo | None = None, **changes: Any) -> SinkSpec:
    spec = SinkSpec(path, 64, 48, RATE)
    if content is not None:
        spec = SinkSpec(
            path,
            content.width,
            content.height,
            content.rate,
            variable=content.variable,
            sample_aspect=content.sample_aspect,
            content=content,
        )
    return replace(spec, **changes)


def write(spec: SinkSpec, count: int = 10) -> SinkReport:
    """Write ``count`` numbered frames."""
    pictures = clips.draw_numbered_frames(count, spec.width, spec.height)
    with open_sink(spec) as sink:
        for frame in clips.as_frames(pictures, spec.rate):
            sink.write(frame)
        return sink.finish()


def through(content: Path, output: Path, **changes: Any) -> SinkReport:
    """Write the frames of a content as they are, with what comes along."""
    with open_source(content) as source:
        spec = spec_for(output, source.info, **changes)
        with open_sink(spec) as sink:
            for frame in source.frames(spec.start, spec.end):
                sink.write(frame)
            return sink.finish()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def seen(path: Path) -> list[int]:
    return [clips.read_number(frame.picture) for frame in open_source(path).frames()]
