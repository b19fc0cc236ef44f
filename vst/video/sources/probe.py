"""Read a video file's properties from its header and its packets, without decoding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from vst.core.limits import LIMITS, Limits
from vst.errors import MediaError, UnsupportedFileError
from vst.video.open import open_container
from vst.video.sources.timestamps import JUMP, repair_ticks

_STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_WHOLE_RATES = (8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)


def select_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Select the stream that a player shows, not a cover or a thumbnail.

    Raises `MediaError` where there is none, or its codec is unknown.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & _STILL]
    if not streams:
        what = "only a cover picture" if container.streams.video else "no pictures, only sound"
        raise UnsupportedFileError(f"{str(path)!r} has {what}. Give a file with moving pictures")
    best = container.streams.best("video")
    stream = next(
        (one for one in streams if best is not None and one.index == best.index), streams[0]
    )
    if stream.codec_context is None:
        raise MediaError(
            f"{str(path)!r} has a video stream of an unsupported codec. Convert it to H.264"
        )
    return stream


@dataclass(frozen=True)
class PacketScan:
    """What the packets of the video stream hold: times in ticks of ``tick`` seconds, in order of
    presentation.
    """

    times: npt.NDArray[np.int64]
    tick: Fraction
    last_duration: int
    furthest: float
    """End of the last packet of any stream, in seconds on the file's clock."""

    timed: bool
    """Whether every packet has a presentation time (not in AVI and raw streams)."""
    repaired: int = 0
    """Number of packets whose implausible times were repaired."""

    @property
    def count(self) -> int:
        return len(self.times)


def scan_packets(path: Path, index: int, limits: Limits = LIMITS) -> PacketScan:
    """Read the packets of the file without decoding, up to one frame more than ``limits`` allows;
    ``index`` is the video stream's.
    """
    times: list[tuple[int, int]] = []
    timed = True
    furthest = 0.0
    with open_container(path, limits.pixels) as container:
        stream = container.streams[index]
        others = [each for each in container.streams if each.type in ("video", "audio")]
        for each in container.streams:
            if each not in others:
                each.discard = Discard.all
        tick = stream.time_base or Fraction(1, 1000)
        try:
            for packet in container.demux(others):
                if packet.size == 0 or packet.is_corrupt:
                    continue
                shown = packet.pts if packet.pts is not None else packet.dts
                if shown is not None:
                    end = float((shown + (packet.duration or 0)) * packet.time_base)
                    furthest = max(furthest, end)
                if packet.stream_index != index or packet.is_discard:
                    continue
                timed = timed and packet.pts is not None
                times.append((shown if shown is not None else len(times), packet.duration or 0))
                if len(times) > limits.frames:
                    break
        except (av.FFmpegError, OSError):
            pass  # report what can be read; reading the frames will warn
    header = [time for time, _ in times]
    repaired = repair_ticks(header, round(JUMP / tick))
    times = sorted(zip(repaired, (length for _, length in times)))
    return PacketScan(
        times=np.array([time for time, _ in times], dtype=np.int64),
        tick=tick,
        last_duration=times[-1][1] if times else 0,
        furthest=furthest,
        timed=timed,
        repaired=sum(a != b for a, b in zip(header, repaired)),
    )


def list_keyframe_ticks(path: Path, index: int, limits: Limits = LIMITS) -> list[int]:
    """List the times of presentation, in ticks, of a stream's keyframes, by its packets."""
    found = []
    with open_container(path, limits.pixels) as container:
        for each in container.streams:
            if each.index != index:
                each.discard = Discard.all
        try:
            for packet in container.demux(container.streams[index]):
                if packet.is_keyframe and packet.pts is not None and not packet.is_discard:
                    found.append(packet.pts)
        except (av.FFmpegError, OSError):
            pass  # what follows is one section
    return sorted(found)


def validate_rate(rate: Fraction | None) -> Fraction | None:
    """Return the rate of a container's header if it is plausible, else None."""
    return rate if rate is not None and 0 < rate <= 1000 else None


def list_header_rates(stream: VideoStream) -> list[Fraction]:
    """List the rates that the header gives, the most reliable first."""
    header = (stream.guessed_rate, stream.average_rate, stream.base_rate)
    return [rate for rate in map(validate_rate, header) if rate is not None]


def estimate_rate(found: PacketScan, header: list[Fraction]) -> tuple[Fraction, bool]:
    """Return the exact rate, and whether it varies (then the rate is the mean).

    A frame may be a tick or a millisecond off the constant grid, because containers round; a larger
    deviation is a variable rate.
    """
    if found.count < 2:
        return (header[0] if header else Fraction(25)), False
    span = Fraction(int(found.times[-1] - found.times[0])) * found.tick
    if span <= 0:
        return (header[0] if header else Fraction(25)), False
    mean = (found.count - 1) / span
    for rate in list_candidate_rates(mean, header):
        allowed = min(max(1.01 * float(found.tick), 0.00101), 0.3 / float(rate))
        if _measure_grid_error(found, rate) <= allowed:
            return rate, False
    return mean.limit_denominator(100_000) or mean, True


def list_candidate_rates(mean: Fraction, header: list[Fraction]) -> list[Fraction]:
    """List possible rates, the likeliest first: the header's, common ones, the measured mean."""
    usual = [Fraction(whole) for whole in _WHOLE_RATES] + [
        Fraction(whole * 1000, 1001) for whole in (24, 30, 60, 120)
    ]
    near = [rate for rate in usual if abs(rate / mean - 1) < Fraction(1, 100)]
    rough = mean.limit_denominator(1001)  # 0 if frames are an hour apart
    return [*header, *near, *([rough] if rough else []), mean]


def _measure_grid_error(found: PacketScan, rate: Fraction) -> float:
    """Return by how many seconds the worst frame misses the grid of ``rate``."""
    seconds = (found.times - found.times[0]) * float(found.tick)
    error = seconds - np.arange(found.count) / float(rate)
    # Rounding may have moved the first frame, too, so let the grid start anywhere in the spread.
    return float(error.max() - error.min()) / 2


def list_codecs(container: InputContainer, kind: str) -> tuple[str, ...]:
    """List the codecs of the streams of one kind (``audio``, ``subtitle``), in order."""
    streams: list[Any] = [stream for stream in container.streams if stream.type == kind]
    return tuple(_name_codec(stream) for stream in streams)


def _name_codec(stream: Any) -> str:
    context = stream.codec_context
    # The canonical name is the codec's; "mp3float" and the like name decoders.
    return context.codec.canonical_name if context is not None else "unknown"


def find_tag(container: InputContainer, stream: VideoStream, name: str) -> str:
    """Return a tag of the video stream, of a data stream such as QuickTime's timecode, or of the
    file; empty where none has it.
    """
    data = [each for each in container.streams if each.type == "data"]
    holders: list[Any] = [stream, *data, container]
    for holder in holders:
        for key, value in holder.metadata.items():
            if key.lower() == name:
                return str(value)
    return ""
