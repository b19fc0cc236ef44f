"""What the frames of a chunk are kept in, by the kind of the output: an encoded picture track for a
video, a lossless one for a GIF, encoded pictures in one tar file for a folder.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from vst.errors import OutputError
from vst.imaging.exr_file import write_exr
from vst.video.sinks import get_spec_kind
from vst.video.sinks.assemble import get_track_suffix
from vst.video.sinks.base import SinkSpec
from vst.video.sinks.folder import check_folder_spec, choose_light_curve, encode_frame
from vst.video.sinks.formats import choose_format
from vst.video.sinks.gif import PICTURES, check_gif_spec
from vst.video.sinks.track import TrackWriter, round_rate
from vst.video.sinks.video import check_numbers, choose_encoding


class ChunkTrack(Protocol):
    """Takes the frames of one chunk."""

    path: Path
    frames: int

    def write_frame(self, img_array: npt.NDArray[Any]) -> None:
        """Add a frame with the pixels of `join_pixels`."""

    def close(self) -> None:
        """Complete the file."""

    def abort(self) -> None:
        """Delete the file."""


def check_chunk_spec(spec: SinkSpec) -> None:
    """Raise `UsageError` where codec, quality, size or rate do not fit the output."""
    kind = get_spec_kind(spec)
    if kind == "folder":
        check_folder_spec(spec)
    elif kind == "gif":
        check_gif_spec(spec)
    else:
        choose_format(spec.path, spec.codec, spec.crf)
        check_numbers(spec)


def get_chunk_suffix(spec: SinkSpec) -> str:
    """The suffix of a chunk's file."""
    kind = get_spec_kind(spec)
    if kind == "folder":
        return ".tar"
    codec = PICTURES.codec if kind == "gif" else choose_format(spec.path, spec.codec, spec.crf)[1]
    return get_track_suffix(codec, spec.alpha)


def open_chunk_track(spec: SinkSpec, path: Path) -> ChunkTrack:
    """Open the file ``path`` for the frames of a chunk."""
    kind = get_spec_kind(spec)
    if kind == "folder":
        return FrameArchiveWriter(spec, path)
    encoding = PICTURES if kind == "gif" else choose_encoding(spec)
    size = (spec.width, spec.height)
    return TrackWriter(path, size, round_rate(spec.rate), encoding, target=spec.path)


class FrameArchiveWriter:
    """Stores frames in one file, encoded as they will be in the folder."""

    def __init__(self, spec: SinkSpec, path: Path) -> None:
        self.path = path
        self.frames = 0
        self._spec = spec
        self._names = check_folder_spec(replace(spec, overwrite=True))
        self._file = tarfile.open(path, "w")

    def write_frame(self, img_array: npt.NDArray[Any]) -> None:
        if self._names.codec == "exr":  # which is written into files only
            draft = self.path.with_suffix(self._names.after[-4:])
            write_exr(draft, img_array, choose_light_curve(self._spec))
            data = draft.read_bytes()
            draft.unlink()
        else:
            data = encode_frame(img_array, self._names, self._spec)
        about = tarfile.TarInfo(f"{self.frames:06d}")
        about.size = len(data)
        try:
            self._file.addfile(about, BytesIO(data))
        except OSError as error:
            raise self._explain(error) from error
        self.frames += 1

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise self._explain(error) from error

    def abort(self) -> None:
        if self._file.fileobj is not None:
            self._file.fileobj.close()
        self.path.unlink(missing_ok=True)

    def _explain(self, error: OSError) -> OutputError:
        return OutputError(
            f"{str(self._spec.path)!r} cannot be written: {error.strerror or error}. Free some "
            "space, or choose another output"
        )


def read_archive(path: Path) -> Iterator[bytes]:
    """The encoded frames of a chunk, in order."""
    with tarfile.open(path) as file:
        for member in file:
            content = file.extractfile(member)
            if content is not None:
                yield content.read()
