"""Join picture tracks and set frame times packet by packet, without decoding or encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer

from vst.errors import OutputError
from vst.video.open import ANY_SIZE, describe_error, open_container


class TrackClock:
    """Maps frame indices to ticks: a constant grid, or the frames' own times.

    ``times``: seconds in rising order, relative to the first. ``last``: duration of the last frame,
    in seconds.
    """

    def __init__(
        self,
        rate: Fraction,
        tick: Fraction,
        times: Sequence[float] | None = None,
        last: float = 0.0,
    ) -> None:
        self.tick = 1 / Fraction(rate.numerator) if times is None else tick
        self._rate = rate
        self._times = times
        self._last = last

    def at(self, index: int) -> int:
        """Return the tick of frame ``index``, extrapolated before the first and after the last."""
        if self._times is None:
            return index * self._rate.denominator
        count = len(self._times)
        if index < 0:
            return index
        if index >= count:
            beyond = max(1, round(Fraction(self._last) / self.tick))
            return self.at(count - 1) + beyond * (index - count + 1)
        return round(Fraction(self._times[index] - self._times[0]) / self.tick)


@dataclass(frozen=True)
class Shift:
    """A track's constant rate, the number of frames before it, and the decoding delay in frames."""

    rate: Fraction
    before: int
    delay: int


def remux(
    tracks: Sequence[Path], rate: Fraction, clock: TrackClock, size: tuple[int, int], target: Path
) -> int:
    """Write the packets of ``tracks``, one after the other, to ``target``, at the times of
    ``clock``; return how many.

    The tracks must be encoded alike, at the constant ``rate``: a packet's time in its track gives
    its index, and the clock gives its new time. ``size`` is the size that the container declares.
    Raises `OutputError`.
    """
    count = 0
    try:
        delay = max(map(partial(_measure_decoding_delay, rate=rate), tracks))
        with av.open(f"file:{target}", "w", format=_choose_muxer(target)) as output:
            stream: Any = None
            for path in tracks:
                with open_container(path, ANY_SIZE) as track:
                    if stream is None:
                        stream = _add_stream(output, track, rate, clock.tick, size)
                    _check_same_encoding(track, stream, path)
                    shift = Shift(rate, count, delay)
                    count += _copy_packets(track, output, stream, clock, shift)
    except (av.FFmpegError, OSError) as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"the picture track {str(target)!r} cannot be written: {describe_error(error)}"
        ) from error
    return count


def _measure_decoding_delay(path: Path, rate: Fraction) -> int:
    """Return by how many frames decoding precedes presentation in the track (B-frames)."""
    with open_container(path, ANY_SIZE) as track:
        stream = track.streams.video[0]
        for packet in track.demux(stream):
            if packet.dts is not None:
                return -round((packet.dts - (stream.start_time or 0)) * packet.time_base * rate)
    return 0


def _check_same_encoding(track: InputContainer, stream: Any, path: Path) -> None:
    """Raise `OutputError` unless the track was encoded like the stream that it continues."""
    if track.streams.video[0].codec_context.extradata != stream.codec_context.extradata:
        raise OutputError(
            f"{path.name} was encoded differently from the tracks before it. Render it again"
        )


def _choose_muxer(target: Path) -> str:
    return {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}[target.suffix]


def _add_stream(
    output: OutputContainer,
    track: InputContainer,
    rate: Fraction,
    tick: Fraction,
    size: tuple[int, int],
) -> Any:
    """Add a stream for packets like those of ``track``, with this tick and this size."""
    source = track.streams.video[0]
    stream: Any = output.add_stream_from_template(source, opaque=True)
    if any(name.lower() == "alpha_mode" for name in source.metadata):
        # Without this tag players and the muxer ignore the opacity beside VP9's pictures.
        stream.metadata["alpha_mode"] = "1"
    stream.codec_context.width, stream.codec_context.height = size
    stream.codec_context.framerate = rate
    stream.time_base = tick
    return stream


def _copy_packets(
    track: InputContainer,
    output: OutputContainer,
    stream: Any,
    clock: TrackClock,
    shift: Shift,
) -> int:
    """Copy the packets of one track in decoding order; return how many.

    The n-th packet of the output is decoded ``delay`` frames before the n-th frame is shown. So the
    decoding times rise from packet to packet, across tracks too, and no packet is decoded after it
    is shown, because the delay is the largest of all tracks.
    """
    source = track.streams.video[0]
    first = source.start_time or 0
    count = 0
    for packet in track.demux(source):
        if packet.size == 0:
            continue
        if packet.pts is None:
            raise OutputError("the picture track has packets without times. Render it again")
        shown = shift.before + round((packet.pts - first) * packet.time_base * shift.rate)
        packet.stream = stream
        packet.time_base = clock.tick
        packet.pts = clock.at(shown)
        packet.dts = clock.at(shift.before + count - shift.delay)
        packet.duration = clock.at(shown + 1) - clock.at(shown)
        output.mux(packet)
        count += 1
    return count
