"""Write a video file."""

from __future__ import annotations

import contextlib
from array import array
from fractions import Fraction

from vst.core.types import Frame
from vst.errors import OutputError, UsageError
from vst.video.sinks.assemble import Timing, assemble, get_track_suffix
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec, join_pixels
from vst.video.sinks.formats import choose_format
from vst.video.sinks.track import TrackEncoding, TrackWriter, round_rate

SLOWEST = Fraction(1, 10_000)
"""Frames a second: encoders refuse much lower rates."""


class VideoSink(Sink):
    """Encodes frames into a picture track; `finish` muxes it with the content's other streams."""

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        codec = choose_format(spec.path, spec.codec, spec.crf)[1]
        check_numbers(spec)
        self._output = AtomicOutput(spec.path, spec.overwrite)
        self._track = self._output.folder / f"pictures{get_track_suffix(codec, spec.alpha)}"
        self._first = 0.0
        self._last = -1.0
        self._times = array("d")
        try:
            self._writer = TrackWriter(
                self._track,
                (spec.width, spec.height),
                round_rate(spec.rate),
                choose_encoding(spec),
                target=spec.path,
            )
        except BaseException:
            self._output.discard()
            raise

    def write(self, frame: Frame) -> None:
        check_frame(frame, self.spec, self._last if self._writer.frames else None)
        if self._writer.frames == 0:
            self._first = frame.time
        self._writer.write_frame(join_pixels(frame, self.spec))
        self._last = frame.time
        if self.spec.variable:
            self._times.append(frame.time)

    def finish(self) -> SinkReport:
        try:
            if self._writer.frames == 0:
                raise OutputError(
                    f"{str(self.spec.path)!r} was not written: there are no frames. "
                    "Check start and end"
                )
            self._writer.close(self.spec.patience)
            timing = Timing(
                self._writer.frames, self._first, self._times if self.spec.variable else None
            )
            finished = self._output.folder / f"whole{self.spec.path.suffix.lower()}"
            report = assemble([self._track], self.spec, timing, finished)
            self._output.publish(finished)
            return report
        finally:
            self.abort()

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.abort()
        self._output.discard()


def choose_encoding(spec: SinkSpec) -> TrackEncoding:
    """How the pictures of a video are encoded."""
    _, codec, crf = choose_format(spec.path, spec.codec, spec.crf)
    return TrackEncoding(
        codec,
        crf,
        spec.sample_aspect,
        in_order=spec.variable,
        preset=spec.preset,
        alpha=spec.alpha,
        deep=spec.deep,
        color=spec.color,
    )


def check_numbers(spec: SinkSpec) -> None:
    """Raise `UsageError` where the size, rate or pixel shape of ``spec`` is out of range."""
    if spec.width < 1 or spec.height < 1 or max(spec.width, spec.height) > 16384:
        raise UsageError(
            f"size {spec.width} x {spec.height} is out of range. Both sides must be 1 to 16384 "
            "pixels"
        )
    if not SLOWEST <= spec.rate <= 1000:
        raise UsageError(
            f"rate {float(spec.rate):g} is out of range. Give {float(SLOWEST):g} to 1000 frames a "
            "second"
        )
    if spec.sample_aspect <= 0:
        raise UsageError(f"pixel aspect ratio {spec.sample_aspect}: it must be above 0")


def check_frame(frame: Frame, spec: SinkSpec, before: float | None) -> None:
    """Raise `OutputError` unless the frame has the size of ``spec`` and, for variable rates, is
    later than ``before`` seconds.
    """
    height, width = frame.picture.shape[:2]
    if frame.picture.shape != (spec.height, spec.width, 3) or frame.picture.dtype != "uint8":
        raise OutputError(
            f"a frame of {width} x {height} ({frame.picture.dtype}) does not fit the output of "
            f"{spec.width} x {spec.height}"
        )
    if spec.variable and before is not None and frame.time <= before:
        raise OutputError(
            f"a frame at {frame.time:.6f} s follows one at {before:.6f} s; times must rise"
        )
