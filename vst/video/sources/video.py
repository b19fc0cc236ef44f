"""Read a video file, decoded by FFmpeg's libraries through PyAV."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av import CodecContext, VideoFrame
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vst.core.limits import LIMITS, Limits, check_frames, check_pixels
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import MediaError
from vst.video.open import describe_error, open_container
from vst.video.sources import probe
from vst.video.sources.base import Source
from vst.video.sources.color import RgbConverter, has_alpha, read_color_info
from vst.video.sources.orientation import Orientation, parse_display_matrix
from vst.video.sources.pixels import make_frame
from vst.video.sources.timestamps import repair_times
from vst.video.sources.tone_mapping import needs_table

SCAN_BYTES = 256 * 1024 * 1024
"""Size up to which a file's packets are read at opening, without decoding, for the exact frame
count and times.
"""

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codec -> decoder that reads its opacity, which FFmpeg's own does not."""

_SLACK = 1e-6
"""Seconds: closer times count as equal."""

_NO_TIMES = ("avi", "h264", "hevc", "m4v", "mpegvideo", "mjpeg", "av1", "obu", "vc1")
"""Formats whose packets may lack presentation times; times are derived from the frame count."""

_NO_SEEKING = ("gif", "apng")
"""Formats whose frames depend on all earlier ones without declaring it."""


class VideoSource(Source):
    """Yields the frames of the stream that a player shows, upright, as RGB, with their exact times.

    Each call of `frames` opens the file again, so that several can run side by side. ``threads`` 0:
    FFmpeg chooses. Transparency is composited over black; interlaced frames are not deinterlaced; a
    frame of another size than the first is scaled to it.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS, threads: int = 0) -> None:
        super().__init__()
        self._path = path
        self._limits = limits
        self._threads = threads
        self._decoder: str | None = None
        with self._open() as container:
            stream = probe.select_video_stream(container, path)
            self._stream = stream.index
            self._name = repr(str(path))
            first = self._first_frame(container, stream)
            self._seekable = container.format.name not in _NO_SEEKING
            self._timed = container.format.name not in _NO_TIMES
            self._first_tick = first.pts or 0
            self._orientation = _read_orientation(first)
            self._color = read_color_info(first, stream)
            self._stored = (first.width, first.height)
            self._alpha = has_alpha(first)
            self.info = self._describe(container, stream, first)
        self._count()
        self._warn()

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        convert = RgbConverter(self._color, *self._stored, self._alpha)
        index = 0
        for time, frame in self._decode_from(start):
            if end is not None and time >= end - _SLACK:
                return
            if time >= start - _SLACK:
                check_frames(self._name, index + 1, self._limits.frames)
                yield self._make_frame(index, time, frame, convert)
                index += 1
        if end is None and start <= 0.0:
            self._check_whole(index)

    def at(self, time: float) -> Picture:
        shown: VideoFrame | None = None
        for at, frame in self._decode_from(time):
            if shown is not None and at > time + _SLACK:
                break
            shown = frame
        if shown is None:
            raise MediaError(f"{self._name} has no readable frame. Give another video")
        return self._orientation.apply(RgbConverter(self._color, *self._stored, self._alpha)(shown))

    def keep_alpha(self) -> bool:
        with self._open() as container:
            tags = container.streams[self._stream].metadata
        marked = any(name.lower() == "alpha_mode" and value == "1" for name, value in tags.items())
        self._decoder = ALPHA_DECODERS.get(self.info.codec) if marked else None
        found = self._alpha or self._decoder is not None
        self.info = replace(self.info, alpha=found)
        return found

    def keep_depth(self) -> bool:
        # HDR passes a table that makes 8 bits of it.
        deep = self._color.bits > 8 and not needs_table(self._color)
        self.info = replace(self.info, deep=deep)
        return deep

    def keep_hdr(self) -> bool:
        if self._color.hdr:
            self.info = replace(self.info, deep=True, hdr=True)
            self.warnings = [line for line in self.warnings if line != self._hdr_warning]
        return self._color.hdr

    def _make_frame(
        self, index: int, time: float, frame: VideoFrame, convert: RgbConverter
    ) -> Frame:
        upright = self._orientation.apply
        if not self.info.alpha and not self.info.deep:
            return Frame(index, time, upright(convert(frame)))
        shown = upright(convert(frame)) if self.info.hdr else None
        pixels = convert.read(frame, self.info.alpha, self.info.deep)
        return make_frame(index, time, upright(pixels), shown)

    def exact_count(self) -> int:
        """Count the frames by reading the file without decoding; also updates `info`."""
        if not self.info.exact_count:
            self._apply_scan(probe.scan_packets(self._path, self._stream, self._limits))
        return self.info.frames

    def list_keyframes(self) -> list[float]:
        if not (self._seekable and self._timed):
            return []
        ticks = probe.list_keyframe_ticks(self._path, self._stream, self._limits)
        return [float((tick - self._first_tick) * self.info.tick) for tick in ticks]

    # The file's properties

    def _open(self) -> InputContainer:
        return open_container(self._path, self._limits.pixels)

    def _prepare(self, container: InputContainer) -> VideoStream:
        """Prepare the video stream for decoding and discard all others."""
        stream = container.streams[self._stream]
        if not isinstance(stream, VideoStream):
            raise MediaError(f"{self._name} changed while it was read. Run again")
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
        for frame in self._read(container, self._prepare(container), warn=False):
            return frame
        raise MediaError(
            f"{self._name} has no readable frame: it may be cut off, damaged or encrypted. "
            "Give another file"
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
            rotation=self._orientation.degrees,
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=first.format.name,
            color=self._color,
            audio=probe.list_codecs(container, "audio"),
            subtitles=probe.list_codecs(container, "subtitle"),
            chapters=len(container.chapters()),
            container=container.format.name,
            # Where packets lack times, FFmpeg's guess at the first may be off by a decoding delay.
            origin=float(((first.pts if self._timed else stream.start_time) or 0) * tick),
            tick=tick,
            metadata=dict(container.metadata),
            timecode=probe.find_tag(container, stream, "timecode"),
            reel=probe.find_tag(container, stream, "reel_name"),
        )

    def _count(self) -> None:
        """Determine the exact count and times if the file is small enough to scan."""
        with self._open() as container:
            stream = probe.select_video_stream(container, self._path)
            self._header_rates = probe.list_header_rates(stream)
            self._header_frames = stream.frames
            self._header_end = (
                (container.start_time or 0) + (container.duration or 0)
            ) / av.time_base
            size = container.size
        if 0 <= size <= SCAN_BYTES:
            self._apply_scan(probe.scan_packets(self._path, self._stream, self._limits))

    def _apply_scan(self, found: probe.PacketScan) -> None:
        if found.count == 0 or found.count > self._limits.frames:
            return  # the caller may want only a part, for which the header suffices
        self._timed = found.timed
        rate, variable = (
            probe.estimate_rate(found, self._header_rates)
            if found.timed
            else (self.info.rate, False)
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
        if found.repaired:
            self._add_warning(
                f"{self._name} has implausible times for {found.repaired} of its frames; "
                "they are shown midway between their neighbors"
            )
        self._warn_of_end(found)

    def _warn_of_end(self, found: probe.PacketScan) -> None:
        missing = self._header_end - found.furthest
        if (
            missing > max(0.5, 0.02 * self._header_end)
            or 0 < found.count < 0.98 * self._header_frames - 1
        ):
            expected = (
                f"{self._header_frames} frames"
                if self._header_frames
                else f"{self._header_end:.2f} s"
            )
            self.warnings.append(
                f"{self._name} ends early, after {found.count} frames "
                f"({self.info.duration:.2f} s) of {expected}; the readable part is used"
            )

    @property
    def _hdr_warning(self) -> str:
        return (
            f"{self._name} is HDR ({self._color.transfer}); it is tone-mapped to SDR (BT.709). "
            "With hdr 'keep', an output of 10 bits stays HDR"
        )

    def _warn(self) -> None:
        if self._color.hdr:
            self.warnings.append(self._hdr_warning)
        if self._orientation.is_slanted:
            self.warnings.append(
                f"{self._name} is rotated by an odd angle; the nearest quarter turn is used"
            )

    # Decoding

    def _read(
        self, container: InputContainer, stream: VideoStream, warn: bool = True
    ) -> Iterator[VideoFrame]:
        """Decode from the container's position; skip damaged packets and warn once."""
        damaged = 0
        stopped = ""
        decoder = self._open_alpha_decoder(stream)
        try:
            for packet in container.demux(stream):
                # A packet that the end of the file truncates would decode to a half-gray picture.
                if packet.is_corrupt and container.format.name != "mpegts":
                    damaged += 1
                    continue
                try:
                    yield from packet.decode() if decoder is None else decoder.decode(packet)
                except av.FFmpegError as error:
                    if isinstance(error, MemoryError):
                        raise
                    damaged += 1
        except (av.FFmpegError, OSError) as error:
            stopped = describe_error(error)
        if warn and (damaged or stopped):
            self._add_warning(
                f"{self._name} is damaged ({stopped or f'{damaged} packets'}); the readable part "
                "is used"
            )

    def _open_alpha_decoder(self, stream: VideoStream) -> VideoCodecContext | None:
        """Open the decoder that reads the opacity, where it is kept and another one is needed."""
        if self._decoder is None:
            return None
        decoder = CodecContext.create(self._decoder, "r")
        if not isinstance(decoder, VideoCodecContext):
            raise MediaError(f"{self._name} has opacity that this FFmpeg cannot read")
        decoder.extradata = stream.codec_context.extradata
        return decoder

    def _add_warning(self, line: str) -> None:
        if line not in self.warnings:
            self.warnings.append(line)

    def _decode_from(self, start: float) -> Iterator[tuple[float, VideoFrame]]:
        """Yield decoded frames with their times, from ``start`` or an earlier frame on."""
        for step_back in (0.0, 2.0, 10.0, math.inf):
            position = start - step_back
            seeks = self._seekable and self._timed and position > 0
            frames = self._read_timed(position if seeks else None)
            head = next(frames, None)
            # A seek may land after ``start`` where the file's index is coarse or a group of
            # pictures is open.
            if not seeks or (head is not None and head[0] <= start + _SLACK):
                if head is not None:
                    yield head
                yield from frames
                return
            frames.close()

    def _read_timed(
        self, position: float | None
    ) -> Generator[tuple[float, VideoFrame], None, None]:
        return repair_times(self._read_stamped(position))

    def _read_stamped(
        self, position: float | None
    ) -> Generator[tuple[float, VideoFrame], None, None]:
        with self._open() as container:
            stream = self._prepare(container)
            tick = self.info.tick
            if position is not None:
                try:
                    # x264 states its build only in the first frame, and without it FFmpeg misreads
                    # the 4:4:4 pictures of older builds: decode that frame before seeking.
                    next(self._read(container, stream, warn=False), None)
                    container.seek(int(position / tick) + self._first_tick, stream=stream)
                except (av.FFmpegError, OSError):
                    return  # the caller tries further back, finally from the start without seeking
            origin = None if position is None else self._first_tick
            for index, frame in enumerate(self._read(container, stream)):
                if not self._timed or frame.pts is None:
                    yield float(index / self.info.rate), frame
                    continue
                origin = frame.pts if origin is None else origin
                yield float((frame.pts - origin) * tick), frame

    def _check_whole(self, read: int) -> None:
        if self.info.exact_count and read < 0.98 * self.info.frames - 1:
            self._add_warning(
                f"{self._name} ends early, after {read} of {self.info.frames} frames; the "
                "readable part is used"
            )


def _read_orientation(frame: VideoFrame) -> Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return parse_display_matrix(bytes(matrix) if isinstance(matrix, SideData) else None)
