"""Write a folder of numbered PNG frames."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from array import array
from fractions import Fraction
from pathlib import Path

import cv2

from vst.core.files import sync_to_disk
from vst.core.types import Frame
from vst.errors import OutputError, OutputExistsError, UsageError
from vst.video.sinks.atomic_output import AtomicOutput
from vst.video.sinks.base import Sink, SinkReport, SinkSpec, join_pixels
from vst.video.sinks.metadata import JOB_FILE
from vst.video.sinks.timecode import find_start_timecode
from vst.video.sinks.video import check_frame, check_numbers

# Level 3 writes three times as fast as level 6 and 3 % larger.
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)


class FolderSink(Sink):
    """Writes ``frame_000001.png`` and so on, from the first number on, and ``job.json`` with the
    job, the exact rate, the timecode, and the times where they are uneven.

    The folder appears in one step, complete. An existing folder is replaced only if it is empty or
    holds nothing but what this class wrote.
    """

    def __init__(self, spec: SinkSpec) -> None:
        super().__init__(spec)
        if spec.codec not in (None, "png"):
            raise UsageError(
                f"codec {spec.codec!r}: a folder holds PNG frames. Leave codec out, or give a "
                "file name"
            )
        if spec.crf is not None:
            raise UsageError(f"crf {spec.crf}: PNG frames have no quality setting. Leave it out")
        check_numbers(spec)
        _check_replaceable(spec.path, spec.overwrite)
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
        self._times.append(frame.time)
        order = cv2.COLOR_RGBA2BGRA if self.spec.alpha else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(join_pixels(frame, self.spec), order)
        fine, data = cv2.imencode(".png", pixels, _PNG)
        if not fine:
            raise OutputError(f"frame {len(self._times)} could not be encoded as PNG. Run again")
        number = self.spec.first_number + len(self._times) - 1
        self._write_file(f"frame_{number:06d}.png", data.tobytes())

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
        names = sorted(path.name for path in self._frames.glob("frame_*.png"))
        last = cv2.imread(str(self._frames / names[-1])) if names else None
        if (
            len(names) != len(self._times)
            or last is None
            or last.shape[:2] != (self.spec.height, self.spec.width)
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
            _check_replaceable(target, self.spec.overwrite)
            if target.exists():
                target.replace(old)
            try:
                self._frames.replace(target)
            except OSError:
                if old.exists():
                    old.replace(target)
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


def _check_replaceable(folder: Path, overwrite: bool) -> None:
    """Raise `OutputError` unless the folder does not exist, is empty, or holds only frames by vst
    that may be overwritten.
    """
    try:
        if not os.path.lexists(folder):
            return
        if not folder.is_dir():
            raise OutputExistsError(
                f"{str(folder)!r} is a file. Give another name for the folder of frames"
            )
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{str(folder)!r} cannot be written: {error.strerror}. Choose another name"
        ) from error
    if not names:
        return
    if not overwrite:
        raise OutputExistsError(
            f"{str(folder)!r} exists. Set overwrite=True to replace it, or give another name"
        )
    foreign = sorted(name for name in names if name != JOB_FILE and not _is_frame(name))
    if foreign:
        raise OutputExistsError(
            f"{str(folder)!r} holds other files ({foreign[0]!r}) and is not replaced. "
            "Choose another name"
        )


def _is_frame(name: str) -> bool:
    return name.startswith("frame_") and name.endswith(".png") and name[6:-4].isdecimal()
