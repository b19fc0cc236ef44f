"""Write a GIF with one palette, computed from all frames."""

from __future__ import annotations

import contextlib
import shutil
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from vst.core.files import atomic_write
from vst.core.types import Frame
from vst.errors import OutputError, UsageError
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec
from vst.video.sinks.ffmpeg import SAFE_INPUT, format_file_url, run_ffmpeg
from vst.video.sinks.metadata import build_comment_block, count_table_bytes
from vst.video.sinks.remux import TrackClock, remux
from vst.video.sinks.track import TrackEncoding, TrackWriter, round_rate
from vst.video.sinks.verify import probe_output, verify_output
from vst.video.sinks.video import check_frame, check_numbers

TICK = Fraction(1, 100)
"""Seconds: GIF counts time in hundredths."""

SHORTEST = 2
"""Ticks: players show frames that last less at only ten a second."""
MOST_FRAMES = 1 / (SHORTEST * TICK)
"""Frames a second above which some are dropped."""
PICTURES = TrackEncoding("ffv1")
"""How frames are stored until the palette is known."""

_PALETTE = ("-vf", "palettegen", "-frames:v", "1", "-update", "1")
_ENDLESS = ("-fps_mode", "passthrough", "-loop", "0")


class GifSink(Sink):
    """Stores frames losslessly on disk until the palette is known, so that memory does not grow
    with length.

    Times are rounded to hundredths of a second without accumulating errors; above 50 frames a
    second some are dropped.
    """

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        check_gif_spec(spec)
        self._ticks = array("q")
        self._first = 0.0
        self._last = 0.0
        self._received = 0
        self._output = AtomicOutput(spec.path, spec.overwrite)
        self._tracks: list[Path] = []
        self._writer: TrackWriter | None = None

    def take_tracks(self, tracks: Sequence[Path], frames: int) -> None:
        """Take frames that were encoded as `PICTURES` in place of writing them, at a constant rate
        of at most `MOST_FRAMES` a second.
        """
        self._tracks, self._received = list(tracks), frames
        self._ticks.extend(round(index / self.spec.rate / TICK) for index in range(frames))

    def write(self, frame: Frame) -> None:
        check_frame(frame, self.spec, self._last if self._received else None)
        if self._received == 0:
            self._first = frame.time
        seconds = (
            frame.time - self._first
            if self.spec.variable
            else float(self._received / self.spec.rate)
        )
        tick = round(seconds / float(TICK))
        self._received += 1
        self._last = frame.time
        if self._ticks and tick - self._ticks[-1] < SHORTEST:
            return
        self._ticks.append(tick)
        if self._writer is None:
            track = self._output.folder / "pictures.mkv"
            size, rate = (self.spec.width, self.spec.height), round_rate(self.spec.rate)
            self._writer = TrackWriter(track, size, rate, PICTURES, target=self.spec.path)
            self._tracks = [track]
        self._writer.write_frame(frame.picture)

    def finish(self) -> SinkReport:
        try:
            if self._received == 0:
                raise OutputError(
                    f"{str(self.spec.path)!r} was not written: there are no frames. "
                    "Check start and end"
                )
            if self._writer is not None:
                self._writer.close(self.spec.patience)
            finished = self._encode()
            found = probe_output(finished, self.spec.path)
            frames, span = len(self._ticks), self._ticks[-1] * float(TICK)
            size = (self.spec.width, self.spec.height)
            verify_output(found, frames, span, size, 0, self.spec.path)
            self.before_publishing(finished)
            self._output.publish(finished)
            seconds = found.span + self._count_last_ticks() * float(TICK)
            even = frames == self._received and not self.spec.variable
            rate = self.spec.rate if even else Fraction(frames / seconds).limit_denominator(1000)
            return SinkReport(self.spec.path, frames, rate, seconds, self._warnings())
        finally:
            self.abort()

    def abort(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.abort()
        self._output.discard()

    def _count_last_ticks(self) -> int:
        """Return the ticks of the last frame: as many as the frame before it."""
        if len(self._ticks) < 2:
            return max(SHORTEST, round(1 / self.spec.rate / TICK))
        return self._ticks[-1] - self._ticks[-2]

    def _encode(self) -> Path:
        """Encode the stored frames in two passes: the palette, then the GIF; return its path."""
        folder = self._output.folder
        timed, palette, finished = (
            folder / name for name in ("timed.mkv", "palette.png", "whole.gif")
        )
        times = [tick * float(TICK) for tick in self._ticks]
        clock = TrackClock(self.spec.rate, TICK, times, self._count_last_ticks() * float(TICK))
        size = (self.spec.width, self.spec.height)
        remux(self._tracks, round_rate(self.spec.rate), clock, size, timed)
        if self._writer is not None:
            self._writer.path.unlink()
        source = [*SAFE_INPUT, "-i", format_file_url(timed)]
        self._run("-y", format_file_url(palette), before=[*source, *_PALETTE])
        # Without patterns, a percent sign in the folder's name stays a percent sign.
        colors = "-f image2 -pattern_type none -i".split()
        filters = ["-lavfi", "[0:v][1:v]paletteuse=diff_mode=rectangle"]
        self._run(
            *("-final_delay", str(self._count_last_ticks())),
            *("-f", "gif", "-y", format_file_url(finished)),
            before=[*source, *SAFE_INPUT, *colors, format_file_url(palette), *filters, *_ENDLESS],
        )
        if self.spec.job:
            add_comment(finished, self.spec.job)
        return finished

    def _run(self, *output: str, before: list[str]) -> None:
        run_ffmpeg([*before, *output], self.spec.path, self.spec.patience)

    def _warnings(self) -> list[str]:
        lines = []
        dropped = self._received - len(self._ticks)
        if dropped:
            lines.append(
                f"a .gif shows at most 50 frames a second; {dropped} of {self._received} frames "
                "are left out"
            )
        if self.spec.audio and self.spec.content is not None and self.spec.content.audio:
            lines.append("a .gif has no sound; the content's sound is left out")
        if self.spec.sample_aspect != 1:
            lines.append(
                "a .gif has square pixels; the content's pixel aspect ratio of "
                f"{self.spec.sample_aspect} is lost"
            )
        return lines


def check_gif_spec(spec: SinkSpec) -> None:
    """Raise `UsageError` where ``spec`` does not fit a GIF."""
    if spec.codec not in (None, "gif"):
        raise UsageError(f"codec {spec.codec!r}: .gif does not support it. Leave codec out")
    if spec.crf is not None:
        raise UsageError(f"crf {spec.crf}: a .gif has no quality setting. Leave it out")
    check_numbers(spec)


def add_comment(path: Path, job: str) -> None:
    """Write ``job`` as a comment extension after the GIF's global color table.

    Every decoder skips a comment there, before the first picture; FFmpeg takes one at the end for
    another picture.
    """
    try:
        with atomic_write(path) as draft, path.open("rb") as old, draft.open("wb") as new:
            screen = old.read(13)
            if screen[:6] not in (b"GIF87a", b"GIF89a"):
                raise OutputError(f"{path.name} is not a GIF. Nothing was kept; run again")
            table = old.read(count_table_bytes(screen[10]))
            new.write(b"GIF89a" + screen[6:] + table + build_comment_block(job))
            shutil.copyfileobj(old, new)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path.name} cannot be written: {error.strerror or error}") from error
