"""Keep frames in memory instead of writing them: for previews, and for frames on demand."""

from __future__ import annotations

from vst.core.types import Frame
from vst.video.sinks.base import Sink, SinkReport, SinkSpec


class MemorySink(Sink):
    """Collects frames in ``frames``; whoever takes them removes them."""

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        self.frames: list[Frame] = []

    def __enter__(self) -> MemorySink:
        return self

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def finish(self) -> SinkReport:
        return SinkReport(self.spec.path, len(self.frames), self.spec.rate, 0.0)

    def abort(self) -> None:
        self.frames.clear()
