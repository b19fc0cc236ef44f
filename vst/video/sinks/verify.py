"""Read a finished video back and verify it before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from vst.errors import MediaError, OutputError
from vst.video.open import ANY_SIZE, describe_error, open_container


@dataclass(frozen=True)
class OutputProbe:
    """What a finished file holds: ``rate`` from its header, times in seconds on its clock."""

    frames: int
    rate: Fraction
    first: float
    last: float
    width: int
    height: int
    audio: int
    subtitles: int

    @property
    def span(self) -> float:
        """Seconds from the start of the first frame to the start of the last."""
        return self.last - self.first


def probe_output(path: Path, target: Path) -> OutputProbe:
    """Read the packets of the picture track of ``path`` without decoding. Raises `OutputError` that
    names ``target``.
    """
    times: list[float] = []
    try:
        with open_container(path, ANY_SIZE) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None:
                    times.append(float(packet.pts * packet.time_base))
            context = stream.codec_context
            rate = stream.average_rate or stream.guessed_rate or Fraction(0)
            kinds = [each.type for each in container.streams]
            if context.width and times:
                return OutputProbe(
                    frames=len(times),
                    rate=rate,
                    first=min(times),
                    last=max(times),
                    width=context.width,
                    height=context.height,
                    audio=kinds.count("audio"),
                    subtitles=kinds.count("subtitle"),
                )
    except (av.FFmpegError, MediaError, IndexError, OSError) as error:
        raise OutputError(
            f"{str(target)!r} could not be read back: {describe_error(error)}. Nothing was kept; "
            "run again"
        ) from error
    raise OutputError(
        f"{str(target)!r} could not be read back: it holds no frames. Nothing was kept; run again"
    )


def verify_output(
    found: OutputProbe, frames: int, span: float, size: tuple[int, int], audio: int, target: Path
) -> None:
    """Raise `OutputError` unless the file holds this many frames of this size, the last one
    ``span`` seconds after the first, and this many sound tracks.
    """
    faults = []
    if found.frames != frames:
        faults.append(f"{found.frames} frames instead of {frames}")
    if abs(found.span - span) > 0.01:
        faults.append(f"frames over {found.span:.3f} s instead of {span:.3f}")
    if (found.width, found.height) != size:
        faults.append(f"{found.width} x {found.height} instead of {size[0]} x {size[1]}")
    if found.audio != audio:
        faults.append(f"{found.audio} sound tracks instead of {audio}")
    if faults:
        raise OutputError(
            f"{str(target)!r} is incomplete: {', '.join(faults)}. Nothing was kept; run again"
        )


def measure_rate(found: OutputProbe, wanted: Fraction) -> Fraction:
    """Return the file's rate: ``wanted`` if its times fit that grid, else the measured one."""
    if found.frames < 2:
        return found.rate or wanted
    grid = (found.frames - 1) / wanted
    # Matroska rounds to milliseconds.
    if abs(found.span - float(grid)) <= 0.0015:
        return wanted
    return Fraction((found.frames - 1) / found.span).limit_denominator(100_000)
