"""The live loop: take the newest frame, paint it, steady it, show it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vst.core.types import VideoInfo
from vst.engines.base import Engine
from vst.errors import Cancelled, MediaError, UsageError
from vst.job import Job, compute_painting_size
from vst.live.capture import Capture, CaptureThread
from vst.live.meter import LiveReport, Meter
from vst.live.outputs import LiveOutput, OutputForm, OutputThread
from vst.live.painting import LivePainter, SteadyingThread
from vst.live.slot import LiveFrame, NewestSlot
from vst.live.style_control import StyleControl
from vst.pipeline.build_schedule import prepare_engine, read_job_score, resolve_listed_styles
from vst.schedule.timeline import Mix
from vst.styles.from_score import resolve_score_styles

AUTO = "auto"
SIZES = (128, 192, 256, 320, 384, 448, 512)
"""Short sides, in pixels, among which ``auto`` chooses; it starts with `START_SIZE`."""
START_SIZE = 256
BUSY, FREE = 0.95, 0.7
"""Parts of a frame's time: above the first the size shrinks, and it grows where the larger one is
expected to stay below the second.
"""
REPORT_SECONDS = 5.0
FINISH_SECONDS = 30.0
"""Seconds that outputs have to complete their files at the end."""
LONGEST = 1_000_000.0
"""Seconds of a score's clock."""


class SizeChooser:
    """Chooses the short side to paint at, so that painting keeps up with ``rate``."""

    def __init__(self, size: int | str | None, rate: Fraction) -> None:
        self.is_fixed = size != AUTO
        self.size: int | str | None = START_SIZE if size == AUTO else size
        self._rate = float(rate)
        self._times: list[float] = []

    def add(self, seconds: float) -> bool:
        """Add the working time of a frame; return whether the size has changed."""
        if self.is_fixed:
            return False
        self._times.append(seconds)
        if len(self._times) < max(10, 2 * self._rate):
            return False
        share = float(np.median(self._times)) * self._rate
        self._times.clear()
        place = SIZES.index(int(self.size or START_SIZE))
        if share > BUSY and place > 0:
            self.size = SIZES[place - 1]
            return True
        if place + 1 < len(SIZES) and share * (SIZES[place + 1] / SIZES[place]) ** 2 < FREE:
            self.size = SIZES[place + 1]
            return True
        return False


def prepare_control(job: Job, engine: Engine, glide: float, notes: list[str]) -> StyleControl:
    """Embed the job's styles, or those of its score, and return the control over them."""
    score = read_job_score(job)
    if score is None:
        styles = resolve_listed_styles(job, engine, notes)
        timeline = None
    else:
        if score.needs_cuts or score.needs_beats:
            raise UsageError(
                f"score {job.score!r} needs the cuts or beats of a file. Give times in seconds"
            )
        styles = resolve_score_styles(score, job.limits)
        clock = VideoInfo(Path(), 1, 1, Fraction(25), 1, LONGEST)
        timeline = score.timeline(clock)
    prepare_engine(job, engine, styles)
    names = [style.name for style in styles]
    base = Mix({names[0]: 1.0}, job.blend, job.strength, job.brush, job.colors)
    return StyleControl(names, base, glide, timeline)


@dataclass
class LiveSession:
    """A live run over what was opened. ``report`` takes lines for the user."""

    capture: Capture
    painter: LivePainter
    outputs: Sequence[LiveOutput]
    size: int | str | None
    report: Callable[[str], None]

    def run(self) -> LiveReport:
        """Paint until the input ends, all outputs are closed, or `Cancelled` is raised."""
        slot: NewestSlot[LiveFrame] = NewestSlot()
        meter = Meter()
        thread = CaptureThread(self.capture, slot, self.report)
        threads: list[OutputThread] = []
        painted = 0
        try:
            first = self._wait_for_first(slot, thread)
            height, width = first.picture.shape[:2]
            chooser = SizeChooser(self.size, self.capture.rate)
            self._prepare(chooser, first)
            form = OutputForm(width, height, self.capture.rate)
            threads = [OutputThread(one, form, meter, slot.close) for one in self.outputs]
            for one in threads:
                one.wait_until_opened()
            meter.restart()
            arrived, slot.dropped = thread.arrived, 0
            with contextlib.suppress(Cancelled, KeyboardInterrupt):
                for _ in self._loop(slot, thread, threads, chooser, meter):
                    painted += 1
            arrived = thread.arrived - arrived
            summary = self._summarize(meter, arrived, painted, slot.dropped)
        finally:
            thread.close()
            self._finish(threads)
            self.painter.stabilizer.close()
        if thread.error is not None:
            raise thread.error
        return summary

    def _wait_for_first(self, slot: NewestSlot[LiveFrame], thread: CaptureThread) -> LiveFrame:
        while (frame := slot.take(0.2)) is None:
            if slot.is_closed:
                raise thread.error or MediaError("the input has no frame. Give another one")
        return frame

    def _prepare(self, chooser: SizeChooser, frame: LiveFrame) -> None:
        """Compile for the size, and paint one frame: the first one takes longer."""
        height, width = frame.picture.shape[:2]
        size = compute_painting_size(chooser.size, width, height)
        self.painter.resize_to(size)
        self.painter.steady(self.painter.paint(frame))
        self.painter.finish()

    def _loop(
        self,
        slot: NewestSlot[LiveFrame],
        thread: CaptureThread,
        threads: Sequence[OutputThread],
        chooser: SizeChooser,
        meter: Meter,
    ) -> Iterator[None]:
        reported = time.monotonic()
        with contextlib.closing(SteadyingThread(self.painter, threads)) as steadying:
            while any(one.is_open for one in threads) and not (slot.is_closed and slot.is_empty):
                frame = slot.take(0.2)
                if frame is not None:
                    began = time.monotonic()
                    painted = self.painter.paint(frame)
                    seconds = max(time.monotonic() - began, steadying.wait())
                    steadying.start(painted)
                    yield
                    if chooser.add(seconds):
                        steadying.finish()
                        self.report(f"painting at a short side of {chooser.size} pixels now")
                        self._prepare(chooser, frame)
                if time.monotonic() - reported > REPORT_SECONDS:
                    reported = time.monotonic()
                    recent = meter.describe_recent(self.outputs[0].name)
                    self.report(f"{recent}, dropped {slot.dropped}")
            steadying.finish()

    def _finish(self, threads: Sequence[OutputThread]) -> None:
        errors = []
        for one in threads:
            try:
                one.finish(FINISH_SECONDS)
            except Exception as error:  # the other outputs must be completed first
                errors.append(error)
        if errors:
            raise errors[0]

    def _summarize(self, meter: Meter, arrived: int, painted: int, dropped: int) -> LiveReport:
        rate, p50, p95 = meter.summarize(self.outputs[0].name)
        shown = {
            one.name: {"shown": meter.count(one.name), "latency_p95": meter.summarize(one.name)[2]}
            for one in self.outputs
        }
        return LiveReport(
            seconds=round(time.monotonic() - meter.began, 2),
            arrived=arrived,
            painted=painted,
            dropped=dropped,
            frames_per_second=rate,
            latency_p50=p50,
            latency_p95=p95,
            processor=meter.measure_processor(painted),
            size=self.painter.size,
            outputs=shown,
        )
