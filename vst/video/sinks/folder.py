"""Write a folder of numbered frames: PNG, TIFF or OpenEXR."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy.typing as npt

from vst.core.files import move_file, sync_to_disk
from vst.core.types import Frame
from vst.errors import OutputError, OutputExistsError, UsageError
from vst.imaging.exr_file import SUFFIX as EXR
from vst.imaging.exr_file import Light, import_openexr, read_light, write_exr
from vst.video.frame_names import CODECS, FrameNames
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec, join_pixels
from vst.video.sinks.metadata import JOB_FILE
from vst.video.sinks.timecode import find_start_timecode
from vst.video.sinks.video import check_frame, check_numbers
from vst.video.sources.tone_mapping import get_pq_curve

# Level 3 writes three times as fast as level 6 and 3 % larger.
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)


class FolderSink(Sink):
    """Writes ``frame_000001.png`` and so on, or as ``names`` of the specification has it, from the
    first number on, and ``job.json`` with the job, the exact rate, the timecode, and the times
    where they are uneven.

    The folder appears in one step, complete. An existing folder is replaced only if it is empty or
    holds nothing but what this class wrote.
    """

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        self._names = check_folder_spec(spec)
        self._output = AtomicOutput(spec.path, overwrite=True)
        self._frames = self._output.folder / "frames"
        self._times = array("d")
        try:
            self._frames.mkdir()
        except BaseException:
            self._output.discard()
            raise

    def write(self, frame: Frame) -> None:
        check_frame(frame, self.spec, self._times[-1] if self._times else None)
        pixels = join_pixels(frame, self.spec)
        if self._names.codec == "exr":
            self._times.append(frame.time)
            write_exr(self._frames / self._get_name(), pixels, choose_light_curve(self.spec))
        else:
            self.add_picture(frame.time, encode_frame(pixels, self._names, self.spec))

    def add_picture(self, time: float, data: bytes) -> None:
        """Add the next frame, encoded, with its time in seconds."""
        self._times.append(time)
        self._write_file(self._get_name(), data)

    def _get_name(self) -> str:
        """The name of the last frame."""
        return self._names.format((self._names.first or 0) + len(self._times) - 1)

    def finish(self) -> SinkReport:
        try:
            if not self._times:
                raise OutputError(
                    f"{str(self.spec.path)!r} was not written: there are no frames. "
                    "Check start and end"
                )
            self._write_file(JOB_FILE, json.dumps(self._notes(), indent=1).encode("utf-8"))
            count = self._read_back()
            self._publish()
        finally:
            self.abort()
        return SinkReport(self.spec.path, count, self.spec.rate, self._seconds(), self._warnings())

    def abort(self) -> None:
        self._output.discard()

    def _write_file(self, name: str, data: bytes) -> None:
        try:
            with (self._frames / name).open("wb") as file:
                file.write(data)
        except OSError as error:
            raise OutputError(
                f"{name} in {str(self.spec.path)!r} cannot be written: {error.strerror or error}"
            ) from error

    def _notes(self) -> dict[str, object]:
        notes: dict[str, object] = {"job": self.spec.job, "rate": str(Fraction(self.spec.rate))}
        if self.spec.variable:
            notes["times"] = [round(time - self._times[0], 9) for time in self._times]
        timecode = find_start_timecode(self.spec, self._times[0])
        if timecode:
            notes["timecode"] = timecode
        if timecode and self.spec.content is not None and self.spec.content.reel:
            notes["reel"] = self.spec.content.reel
        if self.spec.sample_aspect != 1:
            notes["sample_aspect"] = str(self.spec.sample_aspect)
        return notes

    def _seconds(self) -> float:
        if not self.spec.variable or len(self._times) < 2:
            return float(len(self._times) / self.spec.rate)
        return 2 * self._times[-1] - self._times[0] - self._times[-2]

    def _read_back(self) -> int:
        names = [path.name for path in self._frames.iterdir() if self._names.matches(path.name)]
        last = self._frames / self._names.format((self._names.first or 0) + len(self._times) - 1)
        shown = read_light(last) if self._names.codec == "exr" else cv2.imread(str(last))
        if (
            len(names) != len(self._times)
            or shown is None
            or shown.shape[:2] != (self.spec.height, self.spec.width)
        ):
            raise OutputError(
                f"{str(self.spec.path)!r} is incomplete: {len(names)} frames of "
                f"{len(self._times)}. Nothing was kept; run again"
            )
        return len(names)

    def _publish(self) -> None:
        target = self.spec.path
        old = self._output.folder / "old"
        try:
            for path in (*self._frames.iterdir(), self._frames):
                sync_to_disk(path)
            _check_replaceable(self._names, self.spec.overwrite)
            if target.exists():
                move_file(target, old)
            self.before_publishing(self._frames)
            try:
                move_file(self._frames, target)
            except OSError:
                if old.exists():
                    move_file(old, target)
                raise
            with contextlib.suppress(OSError):
                sync_to_disk(target.parent)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                f"{str(target)!r} cannot be written: {error.strerror or error}"
            ) from error

    def _warnings(self) -> list[str]:
        if self.spec.audio and self.spec.content is not None and self.spec.content.audio:
            return ["a folder of frames has no sound; the content's is left out"]
        return []


def _choose_names(spec: SinkSpec) -> FrameNames:
    """Return how the frames are called, with the number of the first one. Raises `UsageError` for a
    codec that frames do not have.
    """
    suffixes = {codec: suffix for suffix, codec in reversed(CODECS.items())}
    if spec.codec not in (None, *suffixes):
        raise UsageError(
            f"codec {spec.codec!r}: a folder holds frames of {', '.join(suffixes)}. Leave codec "
            "out, or give a file name"
        )
    names = spec.names or FrameNames(spec.path, after=suffixes[spec.codec or "png"])
    if spec.codec not in (None, names.codec):
        raise UsageError(
            f"codec {spec.codec!r} beside frames named {names.format(1)}. Leave one of them out"
        )
    is_given = names.first is None or spec.first_number != 1
    return replace(names, first=spec.first_number if is_given else names.first)


def check_folder_spec(spec: SinkSpec) -> FrameNames:
    """Return how the frames are called, with the number of the first one. Raises `UsageError`,
    `OutputExistsError` or `DependencyError` where ``spec`` cannot be written.
    """
    names = _choose_names(spec)
    if names.after.lower().endswith(EXR):
        import_openexr()  # before anything is painted
    if spec.crf is not None:
        raise UsageError(f"crf {spec.crf}: frames have no quality setting. Leave it out")
    check_numbers(spec)
    _check_replaceable(names, spec.overwrite)
    return names


def choose_light_curve(spec: SinkSpec) -> Light | None:
    """Return the light of each of 65,536 levels in EXR frames of HDR; None: sRGB's."""
    return None if spec.color is None else get_pq_curve()


def encode_frame(pixels: npt.NDArray[Any], names: FrameNames, spec: SinkSpec) -> bytes:
    """Encode the pixels of `join_pixels` as PNG or TIFF."""
    order = cv2.COLOR_RGBA2BGRA if spec.alpha else cv2.COLOR_RGB2BGR
    options = _PNG if names.codec == "png" else ()
    fine, data = cv2.imencode(Path(names.format(0)).suffix, cv2.cvtColor(pixels, order), options)
    if not fine:
        raise OutputError(f"a frame of {str(spec.path)!r} could not be encoded. Run again")
    return data.tobytes()


def _check_replaceable(names: FrameNames, overwrite: bool) -> None:
    """Raise `OutputError` unless the folder does not exist, is empty, or holds only frames by vst
    that may be overwritten.
    """
    folder = names.folder
    try:
        if not os.path.lexists(folder):
            return
        if not folder.is_dir():
            raise OutputExistsError(
                f"{str(folder)!r} is a file. Give another name for the folder of frames"
            )
        there = [path.name for path in folder.iterdir()]
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{str(folder)!r} cannot be written: {error.strerror}. Choose another name"
        ) from error
    if not there:
        return
    if not overwrite:
        raise OutputExistsError(
            f"{str(folder)!r} exists. Set overwrite=True to replace it, or give another name"
        )
    usual = FrameNames(folder)
    foreign = sorted(
        name
        for name in there
        if name != JOB_FILE and not names.matches(name) and not usual.matches(name)
    )
    if foreign:
        raise OutputExistsError(
            f"{str(folder)!r} holds other files ({foreign[0]!r}) and is not replaced. "
            "Choose another name"
        )
