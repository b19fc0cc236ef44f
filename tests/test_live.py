"""Live painting, part by part: newest frame, lost cameras, choice of styles, outputs."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tests.clips import draw_numbered_frame
from vst.core.types import Frame, Picture
from vst.engines.tint import TintEngine
from vst.errors import DependencyError, MediaError, UsageError
from vst.live import capture as captures
from vst.live.capture import Capture, CaptureThread, RawCapture, open_capture
from vst.live.meter import Meter
from vst.live.outputs import OutputForm, OutputThread, SinkOutput, VirtualCameraOutput, WindowOutput
from vst.live.painting import LivePainter, SteadyingThread
from vst.live.remote import OscControl, PageOutput
from vst.live.session import SizeChooser
from vst.live.slot import LiveFrame, NewestSlot
from vst.live.style_control import StyleControl, press_key
from vst.pipeline.stages import PaintedFrame, PendingFrame
from vst.schedule.timeline import Key, Mix, Timeline

PICTURE = draw_numbered_frame(5)


def make_control(glide: float = 2.0, **options: object) -> tuple[StyleControl, list[float]]:
    """A control over three styles, and its clock, whose first item is the time."""
    now = [100.0]
    names = ("ink", "glass", "waves")
    return StyleControl(names, Mix({"ink": 1.0}), glide, clock=lambda: now[0], **options), now  # type: ignore[arg-type]


def test_the_slot_keeps_the_newest_and_counts_what_was_dropped() -> None:
    slot: NewestSlot[int] = NewestSlot()
    for number in range(4):
        slot.put(number)
    assert (slot.take(0), slot.dropped, slot.take(0)) == (3, 3, None)


def test_a_style_is_reached_in_a_glide_from_the_mix_of_the_moment() -> None:
    control, now = make_control()
    control.choose(2)
    now[0] += 1
    assert control.mix().weights == pytest.approx({"ink": 0.5, "glass": 0.5})
    control.choose(3)
    now[0] += 1
    assert control.mix().weights == pytest.approx({"ink": 0.25, "glass": 0.25, "waves": 0.5})
    now[0] += 1
    assert control.mix().weights == {"waves": 1.0}


def test_a_score_is_followed_until_a_key_is_pressed() -> None:
    timeline = Timeline((Key(0, {"ink": 1}), Key(10, {"waves": 1})), ease="linear")
    control, now = make_control(glide=0, timeline=timeline)
    now[0] += 5
    assert control.mix().weights == pytest.approx({"ink": 0.5, "waves": 0.5})
    press_key(control, "2")
    assert control.mix().weights == {"glass": 1.0}


@pytest.mark.parametrize(
    ("keys", "style"), [("3", "waves"), ("space", "glass"), ("left", "waves"), ("9", "ink")]
)
def test_a_key_chooses_a_style(keys: str, style: str) -> None:
    control, _ = make_control(glide=0)
    press_key(control, keys)
    assert control.mix().weights == {style: 1.0}


@pytest.mark.parametrize(
    ("command", "value"), [("style", "4"), ("style", "oil"), ("glide", "nan"), ("fly", None)]
)
def test_a_wrong_message_is_refused(command: str, value: str | None) -> None:
    control, _ = make_control()
    with pytest.raises(UsageError):
        control.obey(command, value)


class FlakyCamera(Capture):
    """Gives two pictures each time it is opened, then is unplugged."""

    comes_back = True

    def frames(self) -> Iterator[Picture]:
        yield PICTURE
        yield PICTURE
        raise MediaError("camera unplugged")


def test_a_lost_camera_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "RETRY_SECONDS", 0.01)
    lines: list[str] = []
    thread = CaptureThread(FlakyCamera(), NewestSlot(), lines.append)
    until = time.monotonic() + 10
    while thread.arrived < 6 and time.monotonic() < until:
        time.sleep(0.01)
    thread.close()
    assert thread.arrived >= 6 and "camera unplugged; opening it again" in lines[0]


def test_a_camera_that_never_gave_a_picture_is_an_error() -> None:
    slot: NewestSlot[LiveFrame] = NewestSlot()
    thread = CaptureThread(open_capture("/dev/video-missing"), slot, print)
    thread._thread.join(10)
    assert slot.is_closed and "gives no picture" in str(thread.error)


def test_raw_frames_are_cut_out_of_the_pipe_and_a_cut_off_one_is_an_error() -> None:
    data = [PICTURE.tobytes()[:5000], PICTURE.tobytes()[5000:], b"123", b""]
    frames = RawCapture("64x48@30000/1001", lambda count: data.pop(0)).frames()
    assert np.array_equal(next(frames), PICTURE)
    with pytest.raises(MediaError, match="3 of 9216 bytes"):
        next(frames)


class ShownFrames:
    """An output that keeps the indices of what it shows."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def show(self, frame: LiveFrame) -> None:
        self.shown.append(frame.index)


class PatientPainter:
    """Steadies a frame only when it is told that the next one was painted."""

    def __init__(self) -> None:
        self.next_is_painted = threading.Event()

    def steady(self, painted: PaintedFrame) -> list[LiveFrame]:
        assert self.next_is_painted.wait(10)
        if painted.pending.frame.index == 3:
            raise MediaError("no flow")
        return [LiveFrame(painted.pending.frame.index, 0.0, painted.painting)]


def make_painted(index: int) -> PaintedFrame:
    frame = Frame(index, 0.0, PICTURE)
    return PaintedFrame(PendingFrame(frame, None, Mix({"ink": 1.0}), False), PICTURE, PICTURE)


def test_a_frame_is_steadied_while_the_next_one_is_painted() -> None:
    painter, output = PatientPainter(), ShownFrames()
    with contextlib.closing(SteadyingThread(painter, [output])) as steadying:  # type: ignore[arg-type, list-item]
        steadying.start(make_painted(1))
        assert output.shown == []
        painter.next_is_painted.set()
        steadying.start(make_painted(2))
        steadying.wait()
        assert output.shown == [1, 2]
        steadying.start(make_painted(3))
        with pytest.raises(MediaError, match="no flow"):
            steadying.wait()


@pytest.mark.parametrize("latency", [0, 1])
def test_each_frame_is_shown_once_after_the_frames_of_look_ahead(latency: int) -> None:
    control, _ = make_control(glide=0)
    with TintEngine() as engine:
        engine.prepare({"ink": np.zeros(3, np.float32)})
        painter = LivePainter(engine, 0.5, control, latency)
        painter.resize_to((64, 48))
        shown, waiting = [], []
        for index, level in enumerate((40, 40, 220)):
            picture = np.full_like(PICTURE, level)
            found = painter.steady(painter.paint(LiveFrame(index, 0.0, picture)))
            shown += [frame.index for frame in found]
            waiting.append(index + 1 - len(shown))
        shown += [frame.index for frame in painter.finish()]
        painter.stabilizer.close()
    assert shown == [0, 1, 2]
    assert waiting == [latency] * 3


@pytest.mark.parametrize(("seconds", "size"), [(0.06, 192), (0.03, 256), (0.01, 320)])
def test_the_size_adapts_to_hold_the_rate(seconds: float, size: int) -> None:
    chooser = SizeChooser("auto", Fraction(25))
    for _ in range(50):
        chooser.add(seconds)
    assert chooser.size == size


def test_a_file_repeats_pictures_for_frames_that_were_dropped(tmp_path) -> None:  # type: ignore[no-untyped-def]
    output = SinkOutput(str(tmp_path / "out.mkv"))
    output.open(64, 48, Fraction(25))
    for index in (7, 8, 12):
        output.show(LiveFrame(index, 0.0, PICTURE), is_last=True)
    output.close()
    assert int(cv2.VideoCapture(str(tmp_path / "out.mkv")).get(cv2.CAP_PROP_FRAME_COUNT)) == 6


def test_an_output_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyvirtualcam", None)
    thread = OutputThread(
        VirtualCameraOutput(), OutputForm(64, 48, Fraction(25)), Meter(), lambda: None
    )
    with pytest.raises(DependencyError, match="extra 'live'"):
        thread.wait_until_opened()


def test_the_virtual_camera_gets_rgb_pictures_of_its_size() -> None:
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    sent: list[Picture] = []

    class Backend(pyvirtualcam.Backend):  # type: ignore[misc, name-defined]
        def __init__(self, **options: object) -> None:
            self.options = options

        def close(self) -> None:
            sent.append(np.zeros(0, np.uint8))

        def send(self, frame: Picture) -> None:
            sent.append(frame.reshape(48, 64, 3).copy())

        def device(self) -> str:
            return "test"

        def native_fourcc(self) -> None:
            return None

    before = dict(pyvirtualcam.camera.BACKENDS)
    pyvirtualcam.camera.BACKENDS.clear()
    pyvirtualcam.register_backend("test", Backend)
    try:
        output = VirtualCameraOutput()
        output.open(64, 48, Fraction(25))
        output.show(LiveFrame(0, 0.0, PICTURE), is_last=True)
        output.close()
    finally:
        pyvirtualcam.camera.BACKENDS.clear()
        pyvirtualcam.camera.BACKENDS.update(before)
    assert np.array_equal(sent[0], PICTURE) and sent[1].size == 0


def test_a_window_shows_the_picture_and_takes_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    control, _ = make_control(glide=0)
    window = WindowOutput(control)
    window.open(64, 48, Fraction(25))
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_3))
    window.show(LiveFrame(0, 0.0, PICTURE), is_last=True)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    assert np.array_equal(shown, PICTURE) and control.mix().weights == {"waves": 1.0}
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(BrokenPipeError):
        window.idle()
    window.close()


def find_free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_page_shows_the_picture_and_takes_messages() -> None:
    control, _ = make_control(glide=0)
    address = f"http://127.0.0.1:{find_free_port(socket.SOCK_STREAM)}"
    page = PageOutput(address, control)
    try:
        page.show(LiveFrame(0, 0.0, PICTURE), is_last=True)
        with urllib.request.urlopen(f"{address}/stream", timeout=5) as stream:
            while line := stream.readline().strip():
                length = line.rpartition(b" ")[2]
            jpeg = np.frombuffer(stream.read(int(length)), np.uint8)
        assert np.abs(cv2.imdecode(jpeg, 1)[:, :, ::-1].astype(int) - PICTURE).mean() < 10
        post = urllib.request.Request(f"{address}/style/2", method="POST")
        urllib.request.urlopen(post, timeout=5).close()
        with urllib.request.urlopen(f"{address}/status", timeout=5) as answer:
            assert json.load(answer)["weights"] == {"glass": 1.0}
        post.add_header("Origin", "http://elsewhere.example")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(post, timeout=5)
    finally:
        page.close()


def test_osc_messages_choose_a_style_and_damaged_ones_do_nothing() -> None:
    builder = pytest.importorskip("pythonosc.osc_message_builder").OscMessageBuilder("/vst/style")
    builder.add_arg(3)
    control, _ = make_control(glide=0)
    port = find_free_port(socket.SOCK_DGRAM)
    with (
        OscControl(f"osc://127.0.0.1:{port}", control),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for data in (b"\x00junk", builder.build().dgram):
            sender.sendto(data, ("127.0.0.1", port))
        until = time.monotonic() + 10
        while control.chosen != 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert control.mix().weights == {"waves": 1.0}
