"""The sinks of a video that is painted chunk by chunk: one writes chunks, one also joins them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Protocol

from vst.checkpoint.store import JOINING, ChunkFolder
from vst.core.state_io import State
from vst.core.types import Frame
from vst.errors import OutputError
from vst.video.sinks.assemble import Timing, assemble, get_track_suffix
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec, join_pixels
from vst.video.sinks.formats import choose_format
from vst.video.sinks.track import TrackEncoding, TrackWriter, round_rate
from vst.video.sinks.video import check_frame, check_numbers


class ChunkStore(Protocol):
    """Keeps whole chunks."""

    def get_unfinished_path(self, number: int, suffix: str) -> Path:
        """Where a file of chunk ``number`` is written before it is whole."""

    def seal(
        self, number: int, written: Path, state: State, *, frames: int, first: float, last: bool
    ) -> None:
        """Keep the track ``written`` of chunk ``number``, and the ``state`` at its end."""


class ChunkWriter(Sink):
    """Encodes each chunk into a track of its own, and hands it to the ``store``.

    `begin` gives the number of the next chunk; `end_video` ends the video, and its last chunk, with
    what was written.
    """

    def __init__(self, spec: SinkSpec, store: ChunkStore) -> None:
        super().__init__(spec)
        _, self._codec, self._crf = choose_format(spec.path, spec.codec, spec.crf)
        check_numbers(spec)
        self._store = store
        self._writer: TrackWriter | None = None
        self._number = 0
        self._times: list[float] = []
        self._over = False

    def begin(self, number: int) -> None:
        """The next frame is the first of chunk ``number``."""
        self._number = number
        self._times = []

    def write(self, frame: Frame) -> None:
        check_frame(frame, self.spec, self._times[-1] if self._times else None)
        if self._over:  # a thread that was given up on, and is still running
            raise OutputError(f"{str(self.spec.path)!r}: a frame came after the end")
        if self._writer is None:
            self._writer = self._open()
        self._writer.write_frame(join_pixels(frame, self.spec))
        self._times.append(frame.time)

    def _open(self) -> TrackWriter:
        return TrackWriter(
            self._store.get_unfinished_path(
                self._number, get_track_suffix(self._codec, self.spec.alpha)
            ),
            (self.spec.width, self.spec.height),
            round_rate(self.spec.rate),
            TrackEncoding(
                self._codec,
                self._crf,
                self.spec.sample_aspect,
                in_order=self.spec.variable,
                preset=self.spec.preset,
                alpha=self.spec.alpha,
                deep=self.spec.deep,
                color=self.spec.color,
            ),
            target=self.spec.path,
        )

    def end_chunk(self, state: dict[str, Any]) -> None:
        self._seal(state, last=False)
        self.begin(self._number + 1)

    def end_video(self) -> None:
        """The video ends after the frame written last."""
        if self._writer is not None:
            self._seal({}, last=True)

    def _seal(self, carried: dict[str, Any], *, last: bool) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            raise OutputError(
                f"{str(self.spec.path)!r} was not written: chunk {self._number} has no frame"
            )
        writer.close()
        self._store.seal(
            self._number,
            writer.path,
            {"carried": carried, "times": list(self._times)},
            frames=writer.frames,
            first=self._times[0],
            last=last,
        )

    def finish(self) -> SinkReport:
        """Not for chunks alone: `ChunkSink` joins all of them."""
        raise NotImplementedError

    def abort(self) -> None:
        self._over = True
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.abort()
            self._writer = None


class ChunkSink(ChunkWriter):
    """Keeps the chunks in ``folder``; `finish` joins them."""

    def __init__(self, spec: SinkSpec, folder: ChunkFolder) -> None:
        super().__init__(spec, folder)
        self.folder = folder
        self._output = AtomicOutput(spec.path, spec.overwrite, folder.path)

    def finish(self) -> SinkReport:
        chunks = self.folder.chunks
        if not chunks or self.folder.missing is not None:
            raise OutputError(
                f"{str(self.spec.path)!r} was not written: no frame came; check start and end"
            )
        times = self.folder.load_times() if self.spec.variable else None
        timing = Timing(self.folder.frames, chunks[0].first, times)
        finished = self._output.folder / f"{JOINING}{self.spec.path.suffix.lower()}"
        report = assemble(self.folder.tracks, self.spec, timing, finished)
        self.folder.record_published(finished)
        self._output.publish(finished)
        return report

    def abort(self) -> None:
        super().abort()
        self._output.discard()
