"""Where live pictures go: standard output, files, virtual cameras, windows, pages. Each output has
a thread of its own and gets the newest picture; a slow one delays none of the others.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vst.core.types import Frame
from vst.errors import DependencyError, OutputError
from vst.imaging.resize import resize
from vst.live.meter import Meter
from vst.live.slot import LiveFrame, NewestSlot
from vst.live.style_control import StyleControl, press_key
from vst.video.sinks import open_sink
from vst.video.sinks.base import Sink, SinkSpec
from vst.video.sources import STANDARD_STREAM


class LiveOutput(ABC):
    """Shows pictures. All methods are called in one thread, `open` first."""

    name = ""

    def open(self, width: int, height: int, rate: Fraction) -> None:
        """Open it for pictures of this size and rate."""

    @abstractmethod
    def show(self, frame: LiveFrame, *, is_last: bool) -> None:
        """Show a picture; ``is_last``: no newer one waits. Raises `BrokenPipeError` where the
        viewer has closed the output.
        """

    def idle(self) -> None:
        """Called while no picture comes, several times a second."""

    def close(self) -> None:
        """Complete it."""


class SinkOutput(LiveOutput):
    """A file, or y4m on standard output, at the constant rate of the input: a picture is repeated
    for frames that were dropped. A reader of standard output who is too slow gets no repetitions,
    so that he does not fall further behind.
    """

    def __init__(self, name: str, overwrite: bool = False) -> None:
        self.name = name
        self._overwrite = overwrite
        self._sink: Sink | None = None
        self._size = (0, 0)
        self._rate = Fraction(25)
        self._written = 0
        self._next: int | None = None  # the index of the frame that is due

    def open(self, width: int, height: int, rate: Fraction) -> None:
        self._size, self._rate = (width, height), rate
        spec = SinkSpec(Path(self.name), width, height, rate, overwrite=self._overwrite)
        self._sink = open_sink(spec)

    def show(self, frame: LiveFrame, *, is_last: bool) -> None:
        if self._sink is None:
            return
        picture = resize(frame.picture, *self._size)
        due = frame.index if self._next is None else self._next
        missing = max(1, frame.index + 1 - due)
        repeats = missing if self.name != STANDARD_STREAM or is_last else 1
        for _ in range(repeats):
            self._sink.write(Frame(self._written, float(self._written / self._rate), picture))
            self._written += 1
        self._next = frame.index + 1

    def close(self) -> None:
        if self._sink is not None and self._written:
            self._sink.finish()
        elif self._sink is not None:
            self._sink.abort()


class VirtualCameraOutput(LiveOutput):
    """A camera that other programs see, by pyvirtualcam: v4l2loopback on Linux, OBS's elsewhere."""

    name = "virtual"

    def __init__(self) -> None:
        self._camera: Any = None

    def open(self, width: int, height: int, rate: Fraction) -> None:
        pyvirtualcam = import_extra("pyvirtualcam", "the virtual camera")
        try:
            self._camera = pyvirtualcam.Camera(width=width, height=height, fps=float(rate))
        except RuntimeError as error:
            raise OutputError(
                f"the virtual camera cannot be opened: {' '.join(str(error).split())}. On Linux "
                "load v4l2loopback, elsewhere start OBS's virtual camera once"
            ) from error

    def show(self, frame: LiveFrame, *, is_last: bool) -> None:
        self._camera.send(resize(frame.picture, self._camera.width, self._camera.height))

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()


class WindowOutput(LiveOutput):
    """A window, by pygame; its keys choose styles, Escape or closing it ends the run."""

    name = "window"

    def __init__(self, control: StyleControl) -> None:
        self._control = control
        self._pygame: Any = None
        self._screen: Any = None

    def open(self, width: int, height: int, rate: Fraction) -> None:
        self._pygame = import_extra("pygame", "a window")
        self._pygame.display.init()
        try:
            flags = self._pygame.RESIZABLE
            self._screen = self._pygame.display.set_mode((width, height), flags)
        except self._pygame.error as error:
            raise OutputError(f"no window can be opened: {error}. Use another output") from error
        self._pygame.display.set_caption("vst live")

    def show(self, frame: LiveFrame, *, is_last: bool) -> None:
        picture = resize(frame.picture, *self._screen.get_size())
        surface = self._pygame.image.frombuffer(picture.tobytes(), picture.shape[1::-1], "RGB")
        self._screen.blit(surface, (0, 0))
        self._pygame.display.flip()
        self.idle()

    def idle(self) -> None:
        for event in self._pygame.event.get():
            if event.type == self._pygame.KEYDOWN:
                key = self._pygame.key.name(event.key)
                if key == "escape":
                    raise BrokenPipeError
                press_key(self._control, key)
            elif event.type == self._pygame.QUIT:
                raise BrokenPipeError

    def close(self) -> None:
        if self._pygame is not None:
            self._pygame.display.quit()


def import_extra(module: str, purpose: str) -> Any:
    """Import a package of the extra ``live``; raise `DependencyError` where it is missing."""
    import importlib
    import os

    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would print on standard output
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DependencyError.of_extra(f"{purpose} needs {module}", "live") from error


@dataclass(frozen=True)
class OutputForm:
    """Size and rate of the pictures."""

    width: int
    height: int
    rate: Fraction


class OutputThread:
    """Runs an output: it shows the newest picture, and measures how long after its arrival."""

    def __init__(
        self, output: LiveOutput, form: OutputForm, meter: Meter, on_end: Callable[[], None]
    ) -> None:
        self.output, self.form, self.meter = output, form, meter
        self.slot: NewestSlot[LiveFrame] = NewestSlot()
        self.error: BaseException | None = None
        self.is_open = True
        self._on_end = on_end
        self._is_opened = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"vst {output.name}", daemon=True)
        self._thread.start()

    def wait_until_opened(self) -> None:
        """Wait until the output is open; raise what its opening raised."""
        self._is_opened.wait()
        if self.error is not None:
            raise self.error

    def show(self, frame: LiveFrame) -> None:
        """Pass a picture on; it never waits."""
        if self.is_open:
            self.slot.put(frame)

    def finish(self, seconds: float) -> None:
        """Show the last picture and complete the output, within ``seconds``; raise its error."""
        self.slot.close()
        self._thread.join(seconds)
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        try:
            self.output.open(self.form.width, self.form.height, self.form.rate)
            self._is_opened.set()
            while True:
                frame = self.slot.take(0.05)
                if frame is not None:
                    self.output.show(frame, is_last=self.slot.is_empty)
                    self.meter.add(self.output.name, time.monotonic() - frame.arrived)
                elif self.slot.is_closed:
                    break
                else:
                    self.output.idle()
        except BrokenPipeError:  # the viewer has closed it
            pass
        except Exception as error:
            self.error = error
        finally:
            self.is_open = False
            self._is_opened.set()
            self._complete()
            self._on_end()

    def _complete(self) -> None:
        try:
            self.output.close()
        except Exception as error:
            self.error = self.error or error
