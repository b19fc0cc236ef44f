"""A video file as a content, decoded by FFmpeg's libraries through PyAV."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Discard
from av.video.stream import VideoStream

from vst.core.limits import LIMITS, Limits, check_frames, check_pixels
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError
from vst.video.open import describe_error, open_container
from vst.video.sources import probe
from vst.video.sources.base import Source
from vst.video.sources.color import RgbConverter, has_alpha, read_color_info
from vst.video.sources.orientation import Orientation, parse_display_matrix
from vst.video.sources.timestamps import repair_times

SCAN_BYTES = 256 * 1024 * 1024
"""Files up to this size are read through once at opening, without decoding, for their exact frame
count and times.
"""

_SLACK = 1e-6
"""Seconds: two times nearer than this are the same."""

_NO_TIMES = ("avi", "h264", "hevc", "m4v", "mpegvideo", "mjpeg", "av1", "obu", "vc1")
"""Formats whose packets may not say when they are shown; their frames are counted instead."""

_NO_SEEKING = ("gif", "apng")
"""Formats whose frames build on all earlier ones without saying so."""


class VideoSource(Source):
    """Frames of the stream that a player shows, upright, as RGB, with their exact times.

    Each call of `frames` opens the file anew, so that several may run side by side. ``threads`` 0:
    as many as FFmpeg chooses. Transparency is laid on black; interlaced frames are handed on as
    they are; a frame of another size than the first is scaled to it.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS, threads: int = 0) -> None:
        super().__init__()
        self._path = path
        self._limits = limits
        self._threads = threads
        with self._open() as container:
            stream = probe.select_video_stream(container, path)
            self._stream = stream.index
            self._name = repr(str(path))
            first = self._first_frame(container, stream)
            self._seekable = container.format.name not in _NO_SEEKING
            self._timed = container.format.name not in _NO_TIMES
            self._first_tick = first.pts or 0
            self._orientation = _read_orientation(first)
            self._colour = read_color_info(first, stream)
            self._stored = (first.width, first.height)
            self._alpha = has_alpha(first)
            self.info = self._describe(container, stream, first)
        self._count()
        self._warn()

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        convert = RgbConverter(self._colour, *self._stored, self._alpha)
        index = 0
        for time, frame in self._decoded(start):
            if end is not None and time >= end - _SLACK:
                return
            if time >= start - _SLACK:
                check_frames(self._name, index + 1, self._limits.frames)
                yield Frame(index, time, self._orientation.apply(convert(frame)))
                index += 1
        if end is None and start <= 0.0:
            self._check_whole(index)

    def at(self, time: float) -> Picture:
        shown: VideoFrame | None = None
        for at, frame in self._decoded(time):
            if shown is not None and at > time + _SLACK:
                break
            shown = frame
        if shown is None:
            raise MediaError(f"{self._name} has no frame that can be read")
        return self._orientation.apply(
            RgbConverter(self._colour, *self._stored, self._alpha)(shown)
        )

    def exact_count(self) -> int:
        """The number of frames, by reading the file without decoding it; `info` takes it up."""
        if not self.info.exact_count:
            self._take_up(probe.scan_packets(self._path, self._stream, self._limits))
        return self.info.frames

    # What the file says

    def _open(self) -> InputContainer:
        return open_container(self._path, self._limits.pixels)

    def _ready(self, container: InputContainer) -> VideoStream:
        """The video stream, ready to decode, with all others left unread."""
        stream = container.streams[self._stream]
        assert isinstance(stream, VideoStream)
        for other in container.streams:
            if other.index != self._stream:
                other.discard = Discard.all
        stream.thread_type = "AUTO"  # type: ignore[assignment]  # PyAV takes the name as well
        stream.codec_context.thread_count = self._threads
        stream.codec_context.options = {"max_pixels": str(self._limits.pixels)}
        return stream

    def _first_frame(self, container: InputContainer, stream: VideoStream) -> VideoFrame:
        context = stream.codec_context
        check_pixels(self._name, context.width, context.height, self._limits.pixels)
        for frame in self._read(container, self._ready(container), warn=False):
            return frame
        raise MediaError(
            f"{self._name} has no frame that can be read; it may be cut off, damaged or encrypted"
        )

    def _describe(
        self, container: InputContainer, stream: VideoStream, first: VideoFrame
    ) -> VideoInfo:
        aspect = stream.sample_aspect_ratio
        aspect = aspect if aspect is not None and aspect > 0 else Fraction(1)
        width, height = self._stored
        if self._orientation.swap:
            width, height, aspect = height, width, 1 / aspect
        rate = next(iter(probe.list_header_rates(stream)), Fraction(25))
        tick = stream.time_base or Fraction(1, 1000)
        seconds = (
            stream.duration * tick
            if stream.duration
            else Fraction(container.duration or 0, av.time_base)
        )
        return VideoInfo(
            path=self._path,
            width=width,
            height=height,
            rate=rate,
            frames=max(1, stream.frames or round(seconds * rate)),
            duration=float(seconds),
            sample_aspect=aspect,
            rotation=self._orientation.turned,
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=first.format.name,
            colour=self._colour,
            audio=probe.list_codecs(container, "audio"),
            subtitles=probe.list_codecs(container, "subtitle"),
            chapters=len(container.chapters()),
            container=container.format.name,
            # Without times in the packets, FFmpeg's guess at the first one may be off by a delay.
            origin=float(((first.pts if self._timed else stream.start_time) or 0) * tick),
            tick=tick,
            metadata=dict(container.metadata),
        )

    def _count(self) -> None:
        """Learn the exact count and the times where the file is small enough to be read through."""
        with self._open() as container:
            stream = container.streams[self._stream]
            assert isinstance(stream, VideoStream)
            self._said_rates = probe.list_header_rates(stream)
            self._said_frames = stream.frames
            self._said_end = (
                (container.start_time or 0) + (container.duration or 0)
            ) / av.time_base
            size = container.size
        if 0 <= size <= SCAN_BYTES:
            self._take_up(probe.scan_packets(self._path, self._stream, self._limits))

    def _take_up(self, found: probe.PacketScan) -> None:
        if found.count == 0 or found.count > self._limits.frames:
            return  # of a longer one a part may be wanted, for which its header will do
        self._timed = found.timed
        rate, variable = (
            probe.estimate_rate(found, self._said_rates) if found.timed else (self.info.rate, False)
        )
        span = (
            float((found.times[-1] - found.times[0]) * found.tick)
            if found.timed
            else (found.count - 1) / rate
        )
        last = (
            float(found.last_duration * found.tick)
            if variable and found.last_duration
            else float(1 / rate)
        )
        self.info = replace(
            self.info,
            rate=rate,
            variable=variable,
            frames=found.count,
            duration=float(span) + last,
            exact_count=True,
        )
        if found.strayed:
            self._tell(
                f"{self._name} says times that cannot be meant of {found.strayed} of its frames; "
                "these are shown between their neighbours"
            )
        self._warn_of_end(found)

    def _warn_of_end(self, found: probe.PacketScan) -> None:
        missing = self._said_end - found.furthest
        if (
            missing > max(0.5, 0.02 * self._said_end)
            or 0 < found.count < 0.98 * self._said_frames - 1
        ):
            said = f"{self._said_frames} frames" if self._said_frames else f"{self._said_end:.2f} s"
            self.warnings.append(
                f"{self._name} breaks off after {found.count} frames ({self.info.duration:.2f} "
                f"s) of {said}; "
                "it is used as far as it reads"
            )

    def _warn(self) -> None:
        if self._colour.hdr:
            self.warnings.append(
                f"{self._name} is HDR ({self._colour.transfer}); its colours are brought to SDR "
                "(BT.709)"
            )
        if self._orientation.slanted:
            self.warnings.append(
                f"{self._name} is turned by an odd angle; the nearest quarter turn is used"
            )

    # Decoding

    def _read(
        self, container: InputContainer, stream: VideoStream, warn: bool = True
    ) -> Iterator[VideoFrame]:
        """Decode on from where the container stands; damage is passed over and told once."""
        damaged = 0
        stopped = ""
        try:
            for packet in container.demux(stream):
                # A packet that the end of the file cuts through would be a half-grey picture.
                if packet.is_corrupt and container.format.name != "mpegts":
                    damaged += 1
                    continue
                try:
                    yield from packet.decode()
                except av.FFmpegError as error:
                    if isinstance(error, MemoryError):
                        raise
                    damaged += 1
        except (av.FFmpegError, OSError) as error:
            stopped = describe_error(error)
        if warn and (damaged or stopped):
            self._tell(
                f"{self._name} is damaged ({stopped or f'{damaged} packets'}); it is used as far "
                "as it reads"
            )

    def _tell(self, line: str) -> None:
        if line not in self.warnings:
            self.warnings.append(line)

    def _decoded(self, start: float) -> Iterator[tuple[float, VideoFrame]]:
        """Decoded frames with their times, from ``start`` or any earlier frame on."""
        for step_back in (0.0, 2.0, 10.0, math.inf):
            position = start - step_back
            seeks = self._seekable and self._timed and position > 0
            frames = self._timed_frames(position if seeks else None)
            head = next(frames, None)
            # A seek may land behind the wanted frame, where the file's index is rough or a group is
            # open.
            if not seeks or (head is not None and head[0] <= start + _SLACK):
                if head is not None:
                    yield head
                yield from frames
                return
            frames.close()

    def _timed_frames(
        self, position: float | None
    ) -> Generator[tuple[float, VideoFrame], None, None]:
        return repair_times(self._stamped_frames(position))

    def _stamped_frames(
        self, position: float | None
    ) -> Generator[tuple[float, VideoFrame], None, None]:
        with self._open() as container:
            stream = self._ready(container)
            tick = self.info.tick
            if position is not None:
                try:
                    # x264 names its build in the first frame only, and without it FFmpeg misreads
                    # the 4:4:4 pictures of older builds: let the decoder see that frame before the
                    # jump.
                    next(self._read(container, stream, warn=False), None)
                    container.seek(int(position / tick) + self._first_tick, stream=stream)
                except (av.FFmpegError, OSError):
                    return  # the caller goes further back, at last to the beginning without seeking
            origin = None if position is None else self._first_tick
            for index, frame in enumerate(self._read(container, stream)):
                if not self._timed or frame.pts is None:
                    yield float(index / self.info.rate), frame
                    continue
                origin = frame.pts if origin is None else origin
                yield float((frame.pts - origin) * tick), frame

    def _check_whole(self, read: int) -> None:
        if self.info.exact_count and read < 0.98 * self.info.frames - 1:
            self._tell(
                f"{self._name} breaks off after {read} of {self.info.frames} frames; it is used "
                "as far as it reads"
            )


def _read_orientation(frame: VideoFrame) -> Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return parse_display_matrix(bytes(matrix) if isinstance(matrix, SideData) else None)
