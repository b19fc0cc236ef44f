"""The two steps of a live frame, painting and steadying, which overlap from frame to frame."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from vst.core.types import Frame, Picture
from vst.engines.base import Engine
from vst.imaging.resize import resize
from vst.live.outputs import OutputThread
from vst.live.slot import LiveFrame
from vst.live.style_control import StyleControl
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.pipeline.stages import PaintedFrame, PendingFrame, composite
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.off import Off
from vst.stabilizers.steady import Steady
from vst.stabilizers.steady_settings import choose_settings
from vst.video.scene_cuts import CutDetector


@dataclass
class LivePainter:
    """Paints single frames in the mix of the moment, and steadies them with ``latency`` frames of
    look-ahead: two steps, so that one frame is steadied while the next one is painted.
    """

    engine: Engine
    steadiness: float
    control: StyleControl
    latency: int = 0
    size: tuple[int, int] = (0, 0)
    cuts: CutDetector = field(default_factory=CutDetector)
    stabilizer: Stabilizer = field(default_factory=Off)
    waiting: deque[PendingFrame] = field(default_factory=deque)
    """The frames that the stabilizer holds."""

    def resize_to(self, size: tuple[int, int]) -> None:
        """Prepare for paintings of this width and height; frames that still wait are dropped."""
        self.engine.prepare_size(*size)
        self.stabilizer.close()
        settings = choose_settings(self.steadiness, self.latency)
        self.stabilizer = Steady(settings) if self.steadiness > 0 else Off()
        self.waiting.clear()
        self.cuts, self.size = CutDetector(), size

    def paint(self, arrived: LiveFrame) -> PaintedFrame:
        """Paint the newest frame."""
        frame = Frame(arrived.index, arrived.arrived, arrived.picture)
        content = resize(frame.picture, *self.size)
        mix = self.control.mix()
        if is_cut := self.cuts.is_cut(content):
            self.engine.reset()
        painter = FramePainter(self.engine, *self.size)
        painting = painter.paint(FrameBatch([frame], [content], [None]), [mix])[0]
        return PaintedFrame(PendingFrame(frame, None, mix, is_cut), content, painting)

    def steady(self, painted: PaintedFrame) -> list[LiveFrame]:
        """Take a frame, in order; return the pictures to show now, of the frames' size."""
        shown = []
        if painted.pending.new_scene:
            shown = self.finish()
            self.stabilizer.reset()
        self.waiting.append(painted.pending)
        self.stabilizer.set_mix(painted.pending.mix)
        return shown + self._compose(self.stabilizer.step(painted.content, painted.painting))

    def finish(self) -> list[LiveFrame]:
        """Return the pictures of the frames that still wait for the next one."""
        return self._compose(self.stabilizer.flush())

    def _compose(self, steady: list[Picture]) -> list[LiveFrame]:
        found = []
        for picture in steady:
            pending = self.waiting.popleft()
            shown = composite(pending, picture, self.engine.fades_below)
            found.append(LiveFrame(pending.frame.index, pending.frame.time, shown))
        return found


class SteadyingThread:
    """Steadies frames in a thread of its own, one at a time, and passes them to the outputs.

    Painting and steadying take about as long as each other: in turn they would leave one of two
    cores idle.
    """

    def __init__(self, painter: LivePainter, outputs: Sequence[OutputThread]) -> None:
        self._painter, self._outputs = painter, outputs
        self._pool = ThreadPoolExecutor(1, "vst steadying")
        self._running: Future[float] | None = None

    def start(self, painted: PaintedFrame) -> None:
        """Start with a frame, once the frame before is done."""
        self.wait()
        self._running = self._pool.submit(self._work, painted)

    def wait(self) -> float:
        """Wait for the frame that was started last; return the seconds that it took."""
        running, self._running = self._running, None
        return running.result() if running is not None else 0.0

    def finish(self) -> None:
        """Show the frames that still wait for the next one."""
        self.wait()
        self._show(self._painter.finish())

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()

    def _work(self, painted: PaintedFrame) -> float:
        began = time.monotonic()
        self._show(self._painter.steady(painted))
        return time.monotonic() - began

    def _show(self, frames: list[LiveFrame]) -> None:
        for frame in frames:
            for output in self._outputs:
                output.show(frame)
