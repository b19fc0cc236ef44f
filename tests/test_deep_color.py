"""Content of more than 8 bits keeps its depth where the output can hold it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vst.api import stylize
from vst.core.types import Frame
from vst.imaging.deep_color import apply_difference, reduce_depth
from vst.video.sinks import can_keep_depth, open_sink
from vst.video.sinks.base import SinkSpec
from vst.video.sources import open_source

Deep = npt.NDArray[np.uint16]


def draw_ramp(height: int = 96, width: int = 128) -> Deep:
    """A slow ramp of three colors: neighbors differ by a few of 65,536 levels."""
    steps = np.arange(height * width, dtype=np.float64).reshape(height, width) / (height * width)
    colors = [8000 + 24000 * steps, 40000 - 20000 * steps, 20000 + 12000 * steps]
    return np.dstack(colors).astype(np.uint16)


RAMP = draw_ramp()


@pytest.fixture(scope="module", params=[".png", ".tif"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames of the ramp, in 16 bits."""
    target = tmp_path_factory.mktemp("deep") / "ramp"
    target.mkdir()
    for index in range(3):
        frame = cv2.cvtColor(RAMP + np.uint16(64 * index), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(target / f"{index:03}{request.param}"), frame)
    return target


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("style") / "warm.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), (40, 120, 210), np.uint8))
    return str(path)


def read_pngs(path: Path) -> list[Deep]:
    found = [cv2.imread(str(name), cv2.IMREAD_UNCHANGED) for name in sorted(path.glob("*.png"))]
    return [np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2RGB)) for one in found]


@pytest.mark.parametrize(
    ("path", "codec", "can"),
    [
        ("out.mp4", None, False),
        ("out.mp4", "hevc", True),
        ("out.mov", "prores", True),
        ("out.webm", None, True),
        ("frames/", None, True),
        ("out.gif", None, False),
    ],
)
def test_outputs_that_can_hold_it_are_known(path: str, codec: str | None, can: bool) -> None:
    assert can_keep_depth(path, codec) is can


def test_a_strength_of_0_keeps_a_ramp_to_the_bit(folder: Path, tmp_path: Path, style: str) -> None:
    stylize(folder, style, tmp_path / "out", engine="tint", strength=0)
    found = read_pngs(tmp_path / "out")
    assert [one.dtype for one in found] == [np.uint16] * 3
    for index, one in enumerate(found):
        assert (one == RAMP + np.uint16(64 * index)).all()


def test_a_strength_of_half_has_no_bands(folder: Path, tmp_path: Path, style: str) -> None:
    stylize(folder, style, tmp_path / "out", engine="tint", strength=0.5)
    found = read_pngs(tmp_path / "out")[0]
    assert cv2.absdiff(reduce_depth(found), reduce_depth(RAMP)).max() > 4  # it was painted
    for channel in range(3):
        assert len(np.unique(found[..., channel])) >= 4000
        # Along a row the ramp rises by two levels a pixel; a band would be a step of 257.
        steps = np.abs(np.diff(found[..., channel].astype(int), axis=1))
        assert np.percentile(steps, 99) <= 4
        assert steps.max() < 257


def test_strokes_stay_as_sharp_as_they_were_painted() -> None:
    painted = reduce_depth(RAMP)
    painted[:, 40:44] = (250, 250, 250)
    found = reduce_depth(apply_difference(RAMP, reduce_depth(RAMP), painted))
    assert cv2.absdiff(found, painted).max() <= 1


def write_deep(path: Path, codec: str | None) -> Path:
    spec = SinkSpec(path, RAMP.shape[1], RAMP.shape[0], Fraction(25), codec=codec, deep=True)
    with open_sink(spec) as sink:
        for index in range(3):
            sink.write(Frame(index, index / 25, reduce_depth(RAMP), None, RAMP))
        sink.finish()
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "level"),
    [
        ("ramp.mp4", "hevc", "yuv420p10le", 3.0),
        ("ramp.mov", "prores", "yuv422p10le", 1.5),
        ("ramp.mov", "prores4444", "yuv444p10le", 1.5),
        ("ramp.webm", None, "yuv420p10le", 3.0),
        ("ramp.mkv", "ffv1", "gbrp16le", 0.0),
    ],
)
def test_a_video_of_more_bits_is_written_and_read(
    tmp_path: Path, name: str, codec: str | None, pixels: str, level: float
) -> None:
    """``level``: mean difference, in levels of 1023, after encoding."""
    path = write_deep(tmp_path / name, codec)
    with av.open(str(path)) as file:
        written = file.streams.video[0].codec_context.pix_fmt
    assert written in (pixels, pixels.replace("10le", "12le"))  # FFmpeg's decoder of ProRes 4444
    with open_source(path) as source:
        assert source.keep_depth()
        frame = next(source.frames())
    assert frame.deep is not None
    apart = np.abs(frame.deep.astype(int) - RAMP).mean() / 64
    assert apart <= level
    assert len(np.unique(frame.deep[..., 0])) > 256


def test_ten_bits_pass_from_video_to_video(tmp_path: Path, style: str) -> None:
    content = write_deep(tmp_path / "ramp.mov", "prores")
    stylize(content, style, tmp_path / "out.mp4", engine="tint", strength=0, codec="hevc", crf=4)
    with open_source(tmp_path / "out.mp4") as source:
        assert source.keep_depth()
        frame = next(source.frames())
    assert frame.deep is not None
    assert np.abs(frame.deep.astype(int) - RAMP).mean() / 64 <= 4
    assert len(np.unique(frame.deep[..., 0])) > 256


def test_a_content_of_8_bits_is_written_in_8(tmp_path: Path, style: str) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    cv2.imwrite(str(plain / "0.png"), reduce_depth(RAMP))
    stylize(plain, style, tmp_path / "out", engine="tint")
    assert cv2.imread(str(tmp_path / "out" / "frame_000001.png"), -1).dtype == np.uint8
