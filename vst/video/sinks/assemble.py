"""The output put together: the picture track, and everything else of the content, joined by one
call of ffmpeg.

Nothing of the pictures is encoded again. `vst.video.sinks.remux` brings several parts into one
track first, and frames with times of their own onto them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vst.core.types import VideoInfo
from vst.video.open import FORMATS
from vst.video.sinks import verify as check
from vst.video.sinks.base import SinkReport, SinkSpec
from vst.video.sinks.ffmpeg import SAFE_INPUT, RefusedError, format_file_url, run_ffmpeg
from vst.video.sinks.formats import ENCODERS, choose_format
from vst.video.sinks.metadata import build_job_options
from vst.video.sinks.remux import TrackClock, remux
from vst.video.sinks.stream_mapping import StreamMapping, map_streams
from vst.video.sinks.track import pad_size

LEAD = 0.1
"""Seconds by which a content's sound may begin before its first picture without being kept: more is
kept, and the pictures begin that much later, as in the content.
"""


@dataclass(frozen=True)
class Timing:
    """When the frames of the tracks are shown, on the content's clock: ``first`` is the time of the
    first of them.

    ``times`` None: evenly, at the rate of the specification.
    """

    frames: int
    first: float = 0.0
    times: Sequence[float] | None = None

    def last(self, rate: Fraction) -> float:
        """Seconds for which the last frame stands: as long as the one before it."""
        if self.times is None or len(self.times) < 2:
            return float(1 / rate)
        return self.times[-1] - self.times[-2]

    def span(self, rate: Fraction) -> float:
        """Seconds from the first frame to the beginning of the last one."""
        if self.times is None:
            return float((self.frames - 1) / rate)
        return self.times[-1] - self.times[0]

    def seconds(self, rate: Fraction) -> float:
        """Seconds from the first frame to the end of the last one."""
        return self.span(rate) + self.last(rate)


def assemble(tracks: Sequence[Path], spec: SinkSpec, timing: Timing, finished: Path) -> SinkReport:
    """Join ``tracks``, which hold the frames of ``timing`` in order, with what comes along of the
    content.

    The result is written to ``finished``, read back, and must hold what it should; the report is of
    what was read. Working files are put next to it. Where ffmpeg refuses something of the content,
    it is tried again with the sound alone, then with the pictures alone, and the warnings say so.
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
    for carried, without in _list_attempts(everything):
        try:
            command = _build_command(track, content, carried, spec, timing, finished)
            run_ffmpeg(command, spec.path, spec.patience)
            break
        except RefusedError as error:
            if not without:
                raise
            lost.append(f"the content's {without} could not be taken along: {error}")
    carried.warnings += lost
    return _verify_and_report(spec, timing, carried, finished)


def _list_attempts(everything: StreamMapping) -> list[tuple[StreamMapping, str]]:
    """What is tried to be carried, less each time, and what is lost where it is refused."""
    found: list[tuple[StreamMapping, str]] = []
    sound, nothing = everything.sound_alone(), everything.nothing()
    if everything != sound:
        found.append((everything, "subtitles, covers and attachments"))
    if sound != nothing:
        found.append((sound, "sound"))
    return [*found, (nothing, "")]


def _build_command(
    track: Path,
    content: VideoInfo | None,
    carried: StreamMapping,
    spec: SinkSpec,
    timing: Timing,
    finished: Path,
) -> list[str]:
    """ffmpeg's arguments: the track is its first input, the content its second."""
    kind, codec, _ = choose_format(spec.path, spec.codec, spec.crf)
    lead = 0.0
    source: list[str] = []
    if content is not None:
        place, lead = _align_content(content, carried, timing)
        source = [
            *SAFE_INPUT,
            "-format_whitelist",
            FORMATS,
            *place,
            "-i",
            format_file_url(content.path),
        ]
    delay = ["-itsoffset", f"{lead:.6f}"] if lead else []
    options = [
        *carried.options,
        *build_job_options(spec.job, spec.path.suffix.lower(), carried.tags),
    ]
    if timing.first > 1e-3:  # else all sound since the content's last keyframe would come along
        options += ["-copypriorss", "0"]
    if spec.end is not None:
        options += ["-t", f"{timing.seconds(spec.rate) + lead:.6f}"]
    if codec == "hevc" and kind.muxer in ("mp4", "mov"):
        options += ["-tag:v:0", "hvc1"]  # the name under which Apple's players take it
    return [
        *(*SAFE_INPUT, *delay, "-i", format_file_url(track), *source),
        *("-map", "0:v:0", "-c:v:0", "copy", *options, *kind.options),
        *("-f", kind.muxer, "-y", format_file_url(finished)),
    ]


def _verify_and_report(
    spec: SinkSpec, timing: Timing, carried: StreamMapping, finished: Path
) -> SinkReport:
    found = check.probe_output(finished, spec.path)
    size = (spec.width, spec.height)
    check.verify_output(
        found, timing.frames, timing.span(spec.rate), size, carried.audio, spec.path
    )
    rate = check.measure_rate(found, spec.rate)
    # Even times are known exactly; Matroska's are rounded to milliseconds.
    even = timing.times is None
    seconds = float(found.frames / rate) if even else found.span + timing.last(rate)
    return SinkReport(spec.path, found.frames, rate, seconds, list(carried.warnings))


def _align_content(
    content: VideoInfo, carried: StreamMapping, timing: Timing
) -> tuple[list[str], float]:
    """Options that put the content onto the output's clock, whose zero is the first frame, and the
    seconds by which the pictures begin later.

    All is reckoned on the file's own clock: versions of ffmpeg differ in what they take for its
    start (sound in MP4 begins with samples that are not played).
    """
    if timing.first > 1e-3:
        return ["-seek_timestamp", "1", "-ss", f"{content.origin + timing.first:.6f}"], 0.0
    lead = content.origin - carried.start
    lead = lead if lead >= LEAD else 0.0
    return ["-copyts", "-itsoffset", f"{lead - content.origin:.6f}"], lead


def _merge_tracks(
    tracks: Sequence[Path], spec: SinkSpec, codec: str, timing: Timing, folder: Path
) -> Path:
    """The track itself, or a new one where parts are to be joined, times to be set or a size to be
    told.
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


def get_track_suffix(codec: str) -> str:
    """The ending of a picture track's file name for a codec."""
    return {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv"}[ENCODERS[codec].track]
