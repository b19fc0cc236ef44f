"""What is painted live: cameras, files at their own speed, streams, and pipes."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vst.core.timecode import parse_rate
from vst.core.types import Picture
from vst.errors import MediaError, UsageError, VSTError
from vst.live.slot import LiveFrame, NewestSlot
from vst.video.open import describe_error
from vst.video.sources import STANDARD_STREAM, open_source
from vst.video.sources.color import RgbConverter, has_alpha, read_color_info
from vst.video.sources.y4m import Y4mSource, read_standard_input

SCHEMES = ("rtsp://", "rtsps://", "http://", "https://", "rtmp://", "udp://", "srt://")
"""Addresses that are opened over the network: the only ones in the program, given by the user."""
NETWORK_SECONDS = 10.0
RETRY_SECONDS = 1.0
"""Seconds between two attempts to open a lost camera or stream."""


class Capture(ABC):
    """Something that delivers pictures. ``rate``: frames a second, known once `frames` has yielded.
    ``comes_back``: an end or an error is a loss, after which it is opened again.
    """

    rate = Fraction(25)
    comes_back = False

    @abstractmethod
    def frames(self) -> Iterator[Picture]:
        """Open it and yield its pictures, RGB uint8, when they arrive. Raises `MediaError`."""


class CameraCapture(Capture):
    """A camera, by its number or device, through OpenCV."""

    comes_back = True

    def __init__(self, device: int | str) -> None:
        self._device = device

    def frames(self) -> Iterator[Picture]:
        camera = cv2.VideoCapture(self._device)
        try:
            camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            self.rate = Fraction(round(camera.get(cv2.CAP_PROP_FPS)) or 25)
            while True:
                is_read, picture = camera.read()
                if not is_read:
                    raise MediaError(
                        f"camera {self._device!r} gives no picture. Check that it is connected and "
                        "that no other program uses it"
                    )
                yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        finally:
            camera.release()


class StreamCapture(Capture):
    """A stream of the network, through FFmpeg."""

    comes_back = True

    def __init__(self, address: str) -> None:
        self._address = address

    def frames(self) -> Iterator[Picture]:
        options = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
        try:
            with av.open(self._address, options=options, timeout=NETWORK_SECONDS) as container:
                stream = container.streams.video[0]
                self.rate = stream.average_rate or stream.guessed_rate or Fraction(25)
                convert = None
                for frame in container.decode(stream):
                    if convert is None:
                        color = read_color_info(frame, stream)
                        size = (frame.width, frame.height)
                        convert = RgbConverter(color, *size, has_alpha(frame))
                    yield convert(frame)
        except (av.FFmpegError, OSError, IndexError) as error:
            raise MediaError(
                f"stream {self._address!r} cannot be read: {describe_error(error)}. Check the "
                "address"
            ) from error


class FileCapture(Capture):
    """A file, played at its own speed."""

    def __init__(self, path: str) -> None:
        self._source = open_source(path)
        self.rate = self._source.info.rate

    def frames(self) -> Iterator[Picture]:
        began = time.monotonic()
        for frame in self._source.frames():
            time.sleep(max(0.0, began + frame.time - time.monotonic()))
            yield frame.picture


class PipeCapture(Capture):
    """y4m from standard input."""

    def __init__(self, read: Callable[[int], bytes] | None = None) -> None:
        self._source = Y4mSource(Path(STANDARD_STREAM), read=read)
        self.rate = self._source.info.rate

    def frames(self) -> Iterator[Picture]:
        return (frame.picture for frame in self._source.frames())


class RawCapture(Capture):
    """RGB frames without a header from standard input; ``form``: such as 640x360@25."""

    def __init__(self, form: str, read: Callable[[int], bytes] | None = None) -> None:
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})@(.+)", form)
        if match is None or not int(match[1]) or not int(match[2]):
            raise UsageError(f"raw {form!r} is not a size and a rate. Give such as 640x360@25")
        self._width, self._height = int(match[1]), int(match[2])
        self.rate = parse_rate(match[3])
        self._read = read or read_standard_input()

    def frames(self) -> Iterator[Picture]:
        count = self._width * self._height * 3
        data = bytearray()
        while piece := self._read(count - len(data)):
            data += piece
            if len(data) == count:
                yield np.frombuffer(bytes(data), np.uint8).reshape(self._height, self._width, 3)
                data.clear()
        if data:
            raise MediaError(
                f"standard input is cut off in a frame: {len(data)} of {count} bytes. Check raw"
            )


def open_capture(name: str, raw: str | None = None) -> Capture:
    """Open what ``name`` says: a number or ``/dev/…`` is a camera, an address a stream, ``-`` a
    pipe with y4m or, with ``raw``, RGB frames; anything else a file.
    """
    if name == STANDARD_STREAM:
        return RawCapture(raw) if raw is not None else PipeCapture()
    if raw is not None:
        raise UsageError(f"raw {raw!r} is for standard input. Give - as the input, or leave it out")
    if name.isdigit():
        return CameraCapture(int(name))
    if name.startswith("/dev/"):
        return CameraCapture(name)
    return StreamCapture(name) if name.startswith(SCHEMES) else FileCapture(name)


class CaptureThread:
    """Puts each arriving picture into ``slot``, and opens a lost camera again.

    ``error``: what ended it, once the slot is closed. ``arrived`` counts frames. ``report`` takes a
    line for the user.
    """

    def __init__(
        self, capture: Capture, slot: NewestSlot[LiveFrame], report: Callable[[str], None]
    ) -> None:
        self.capture, self.slot, self.report = capture, slot, report
        self.arrived = 0
        self.error: VSTError | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="vst capture", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.is_set():
            before = self.arrived
            try:
                for picture in self.capture.frames():
                    if self._over.is_set():
                        return
                    self.slot.put(LiveFrame(self.arrived, time.monotonic(), picture))
                    self.arrived += 1
                lost = "the stream ended"
            except VSTError as error:
                lost = str(error)
                self.error = error
            if not self.capture.comes_back or (self.arrived == 0 and self.error is not None):
                break
            self.error = None
            if self.arrived > before:
                self.report(f"{lost}; opening it again every {RETRY_SECONDS:g} s")
            self._over.wait(RETRY_SECONDS)
        self.slot.close()

    def close(self) -> None:
        """End the thread; one that waits for a pipe ends with the process."""
        self._over.set()
        self._thread.join(1.0)
