"""Assemble the output: one call of ffmpeg muxes the picture track with the content's other streams.

The pictures are not encoded again. `vst.video.sinks.remux` first joins several tracks into one and
sets frame times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vst.core.types import VideoInfo
from vst.video.open import FORMATS
from vst.video.sinks.base import SinkReport, SinkSpec
from vst.video.sinks.ffmpeg import SAFE_INPUT, RefusedError, format_file_url, run_ffmpeg
from vst.video.sinks.formats import ENCODERS, choose_format
from vst.video.sinks.metadata import build_job_options
from vst.video.sinks.remux import TrackClock, remux
from vst.video.sinks.stream_mapping import StreamMapping, map_streams
from vst.video.sinks.timecode import build_timecode_options
from vst.video.sinks.track import pad_size
from vst.video.sinks.verify import measure_rate, probe_output, verify_output

LEAD = 0.1
"""Seconds of sound before the first picture that are dropped; more is kept, and the pictures start
later by as much, as in the content.
"""


@dataclass(frozen=True)
class Timing:
    """The times of the tracks' frames on the content's clock; ``first`` is that of the first frame.

    ``times`` None: constant, at the rate of the specification.
    """

    frames: int
    first: float = 0.0
    times: Sequence[float] | None = None

    def last(self, rate: Fraction) -> float:
        """Return the duration of the last frame, in seconds: that of the frame before it."""
        if self.times is None or len(self.times) < 2:
            return float(1 / rate)
        return self.times[-1] - self.times[-2]

    def span(self, rate: Fraction) -> float:
        """Return the seconds from the start of the first frame to the start of the last."""
        if self.times is None:
            return float((self.frames - 1) / rate)
        return self.times[-1] - self.times[0]

    def seconds(self, rate: Fraction) -> float:
        """Return the seconds from the start of the first frame to the end of the last."""
        return self.span(rate) + self.last(rate)


def assemble(tracks: Sequence[Path], spec: SinkSpec, timing: Timing, finished: Path) -> SinkReport:
    """Mux ``tracks``, which hold the frames of ``timing`` in order, with the content's other
    streams.

    Writes the result to ``finished``, reads it back, verifies it and reports what it read. Working
    files go next to it. Where ffmpeg refuses a stream of the content, retries with the sound only,
    then with the pictures only, and adds a warning. Raises `OutputError`.
    """
    kind, codec, _ = choose_format(spec.path, spec.codec, spec.crf)
    track = _merge_tracks(tracks, spec, codec, timing, finished.parent)
    content = spec.content if spec.content is not None and spec.content.container else None
    if content is None:
        command = _build_command(track, None, StreamMapping(), spec, timing, finished)
        run_ffmpeg(command, spec.path, spec.patience)
        return _verify_and_report(spec, timing, StreamMapping(), finished)
    everything = map_streams(content.path, kind, spec.audio, spec.path.suffix.lower(), spec.tempo)
    lost: list[str] = []
    for mapping, without in _list_attempts(everything):
        try:
            command = _build_command(track, content, mapping, spec, timing, finished)
            run_ffmpeg(command, spec.path, spec.patience)
            break
        except RefusedError as error:
            if not without:
                raise
            lost.append(f"the content's {without} could not be copied: {error}")
    mapping.warnings += lost
    return _verify_and_report(spec, timing, mapping, finished)


def _list_attempts(everything: StreamMapping) -> list[tuple[StreamMapping, str]]:
    """List mappings to try, each with fewer streams, and what is lost where ffmpeg refuses one."""
    found: list[tuple[StreamMapping, str]] = []
    sound, nothing = everything.keep_sound(), everything.keep_metadata()
    if everything != sound:
        found.append((everything, "subtitles, covers and attachments"))
    if sound != nothing:
        found.append((sound, "sound"))
    return [*found, (nothing, "")]


def _build_command(
    track: Path,
    content: VideoInfo | None,
    mapping: StreamMapping,
    spec: SinkSpec,
    timing: Timing,
    finished: Path,
) -> list[str]:
    """Build ffmpeg's arguments: the track is its first input, the content its second."""
    kind, codec, _ = choose_format(spec.path, spec.codec, spec.crf)
    lead = 0.0
    source: list[str] = []
    if content is not None:
        shift, lead = _align_content(content, mapping, timing)
        source = [
            *SAFE_INPUT,
            "-format_whitelist",
            FORMATS,
            *shift,
            "-i",
            format_file_url(content.path),
        ]
    delay = ["-itsoffset", f"{lead:.6f}"] if lead else []
    options = [
        *mapping.options,
        *build_job_options(spec.job, spec.path.suffix.lower(), mapping.tags),
    ]
    if timing.first > 1e-3:  # drop the sound between the content's last keyframe and the start
        options += ["-copypriorss", "0"]
    if spec.end is not None:
        options += ["-t", f"{timing.seconds(spec.rate) + lead:.6f}"]
    options += build_timecode_options(spec, timing.first)
    if codec == "hevc" and kind.muxer in ("mp4", "mov"):
        options += ["-tag:v:0", "hvc1"]  # the tag that Apple's players require
    return [
        *(*SAFE_INPUT, *delay, "-i", format_file_url(track), *source),
        *("-map", "0:v:0", "-c:v:0", "copy", *options, *kind.options),
        *("-f", kind.muxer, "-y", format_file_url(finished)),
    ]


def _verify_and_report(
    spec: SinkSpec, timing: Timing, mapping: StreamMapping, finished: Path
) -> SinkReport:
    found = probe_output(finished, spec.path)
    size = (spec.width, spec.height)
    verify_output(found, timing.frames, timing.span(spec.rate), size, mapping.audio, spec.path)
    rate = measure_rate(found, spec.rate)
    # Constant times are exact; those read back from Matroska are rounded to milliseconds.
    even = timing.times is None
    seconds = float(found.frames / rate) if even else found.span + timing.last(rate)
    return SinkReport(spec.path, found.frames, rate, seconds, list(mapping.warnings))


def _align_content(
    content: VideoInfo, mapping: StreamMapping, timing: Timing
) -> tuple[list[str], float]:
    """Return the options that shift the content onto the output's clock, whose zero is the first
    frame, and the seconds by which the pictures start later.

    Uses the file's own clock, because versions of ffmpeg differ in what they take for its start
    (sound in MP4 starts with priming samples).
    """
    if timing.first > 1e-3:
        return ["-seek_timestamp", "1", "-ss", f"{content.origin + timing.first:.6f}"], 0.0
    lead = content.origin - mapping.start
    lead = lead if lead >= LEAD else 0.0
    return ["-copyts", "-itsoffset", f"{lead - content.origin:.6f}"], lead


def _merge_tracks(
    tracks: Sequence[Path], spec: SinkSpec, codec: str, timing: Timing, folder: Path
) -> Path:
    """Return the track itself, or a new one where tracks must be joined, times set, or the padded
    size corrected.
    """
    size = (spec.width, spec.height)
    if len(tracks) == 1 and timing.times is None and pad_size(codec, size) == size:
        return tracks[0]
    tick = (
        spec.content.tick
        if spec.content is not None and spec.content.container
        else Fraction(1, 90_000)
    )
    clock = TrackClock(spec.rate, tick, timing.times, timing.last(spec.rate))
    joined = folder / f"joined{tracks[0].suffix}"
    remux(tracks, spec.rate, clock, size, joined)
    for track in tracks:
        if (
            track.parent == folder
        ):  # working files of this output; parts that lie elsewhere are their owner's
            track.unlink(missing_ok=True)
    return joined


def get_track_suffix(codec: str, alpha: bool = False) -> str:
    """Return the suffix of a picture track's file for a codec."""
    track = ENCODERS[codec].choose_track(alpha)
    return {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv"}[track]
