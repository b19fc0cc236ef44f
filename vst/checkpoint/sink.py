"""The sinks of a video that is painted chunk by chunk: one writes chunks, one also joins them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Protocol

from vst.checkpoint.store import JOINING, ChunkFolder
from vst.core.state_io import State
from vst.core.types import Frame
from vst.errors import OutputError
from vst.video.sinks import get_spec_kind, locate_spec, open_sink
from vst.video.sinks.assemble import Timing, assemble
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec, join_pixels
from vst.video.sinks.chunk_track import (
    ChunkTrack,
    check_chunk_spec,
    get_chunk_suffix,
    open_chunk_track,
    read_archive,
)
from vst.video.sinks.folder import FolderSink
from vst.video.sinks.gif import GifSink
from vst.video.sinks.video import check_frame


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
        super().__init__(locate_spec(spec))
        check_chunk_spec(self.spec)
        self._store = store
        self._writer: ChunkTrack | None = None
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

    def _open(self) -> ChunkTrack:
        path = self._store.get_unfinished_path(self._number, get_chunk_suffix(self.spec))
        return open_chunk_track(self.spec, path)

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
        self._kind = get_spec_kind(self.spec)
        # A folder of frames may be replaced by rules of its own, which were checked above.
        overwrite = spec.overwrite or self._kind == "folder"
        self._output = AtomicOutput(self.spec.path, overwrite, folder.path)

    def finish(self) -> SinkReport:
        chunks = self.folder.chunks
        if not chunks or self.folder.missing is not None:
            raise OutputError(
                f"{str(self.spec.path)!r} was not written: no frame came; check start and end"
            )
        if self._kind != "video":
            return self._join_pictures()
        times = self.folder.load_times() if self.spec.variable else None
        timing = Timing(self.folder.frames, chunks[0].first, times)
        finished = self._output.folder / f"{JOINING}{self.spec.path.suffix.lower()}"
        report = assemble(self.folder.tracks, self.spec, timing, finished)
        self.folder.record_published(finished)
        self._output.publish(finished)
        return report

    def _join_pictures(self) -> SinkReport:
        """Join the chunks of a GIF or a folder."""
        with open_sink(self.spec) as sink:
            sink.before_publishing = self.folder.record_published
            if isinstance(sink, GifSink):
                sink.take_tracks(self.folder.tracks, self.folder.frames)
            elif isinstance(sink, FolderSink):
                pictures = (data for path in self.folder.tracks for data in read_archive(path))
                for time, data in zip(self.folder.load_times(), pictures, strict=True):
                    sink.add_picture(time, data)
            return sink.finish()

    def abort(self) -> None:
        super().abort()
        self._output.discard()
