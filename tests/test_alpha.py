"""Content with transparency keeps it: painted, not on black, and without a fringe."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.clips import run_ffmpeg
from vst.api import make_job, stylize
from vst.core.types import Frame
from vst.pipeline.run import run
from vst.video.sinks import can_keep_alpha, open_sink
from vst.video.sinks.base import SinkSpec
from vst.video.sources import open_source

HEIGHT, WIDTH, COUNT = 48, 64, 4
Rgba = npt.NDArray[np.uint8]


def draw_disc(index: int = 0) -> Rgba:
    """A red disc with a soft edge; what is transparent is black, as programs write it."""
    large = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
    cv2.circle(large, (120 + 8 * index, 96), 60, 255, -1)
    alpha = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[alpha > 0, :3] = (220, 30, 40)
    pixels[..., 3] = alpha
    return pixels


DISCS = [draw_disc(index) for index in range(COUNT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disc as a folder of PNG frames."""
    target = tmp_path_factory.mktemp("alpha") / "disc"
    target.mkdir()
    for index, pixels in enumerate(DISCS):
        cv2.imwrite(str(target / f"{index:03}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
    return target


@pytest.fixture(scope="module")
def style(folder: Path) -> str:
    """A blue picture."""
    path = folder.parent / "blue.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), (200, 90, 20), np.uint8))
    return str(path)


def read_pngs(path: Path) -> list[Rgba]:
    found = [cv2.imread(str(name), cv2.IMREAD_UNCHANGED) for name in sorted(path.glob("*.png"))]
    return [np.asarray(cv2.cvtColor(one, cv2.COLOR_BGRA2RGBA), np.uint8) for one in found]


def read_with_alpha(path: Path) -> list[Frame]:
    with open_source(path) as source:
        assert source.keep_alpha() and source.info.alpha
        return list(source.frames())


def write_discs(path: Path, codec: str | None = None) -> Path:
    """Write the disc over its own color, as a video."""
    spec = SinkSpec(path, WIDTH, HEIGHT, Fraction(25), codec=codec, alpha=True)
    with open_sink(spec) as sink:
        for index, pixels in enumerate(DISCS):
            picture = np.full((HEIGHT, WIDTH, 3), (220, 30, 40), np.uint8)
            sink.write(Frame(index, index / 25, picture, np.ascontiguousarray(pixels[..., 3])))
        sink.finish()
    return path


@pytest.mark.parametrize(
    ("path", "codec", "can"),
    [
        ("out.mp4", None, False),
        ("out.mov", None, False),
        ("out.mov", "prores4444", True),
        ("out.webm", None, True),
        ("out.mkv", "ffv1", True),
        ("out.gif", None, False),
        ("frames/", None, True),
    ],
)
def test_outputs_that_can_hold_it_are_known(path: str, codec: str | None, can: bool) -> None:
    assert can_keep_alpha(path, codec) is can


def test_png_frames_keep_it_to_the_bit(folder: Path, tmp_path: Path, style: str) -> None:
    stylize(folder, style, tmp_path / "out", engine="tint")
    for found, true in zip(read_pngs(tmp_path / "out"), DISCS, strict=True):
        assert (found[..., 3] == true[..., 3]).all()


def test_there_is_no_black_edge(folder: Path, tmp_path: Path) -> None:
    """A red figure on transparent black, not painted at all, stays red up to its last pixel, also
    where it passes the smaller size of the painting.
    """
    stylize(folder, "none", tmp_path / "out", engine="tint", size=24, colors="content")
    for found in read_pngs(tmp_path / "out"):
        edge = found[(found[..., 3] > 0) & (found[..., 3] < 255)][:, :3].astype(int)
        assert len(edge) > 20
        assert np.abs(edge - (220, 30, 40)).max() <= 4


def test_painted_edges_are_as_bright_as_inside(folder: Path, tmp_path: Path, style: str) -> None:
    stylize(folder, style, tmp_path / "out", engine="tint", size=24, stabilize="off")
    found = read_pngs(tmp_path / "out")[0]
    edge = found[(found[..., 3] > 0) & (found[..., 3] < 255)][:, :3].mean(0)
    inside = found[found[..., 3] == 255][:, :3].mean(0)
    assert np.abs(edge - inside).max() <= 6


@pytest.mark.parametrize(
    ("name", "codec", "level"),
    [("disc.mov", "prores4444", 1), ("disc.webm", None, 6), ("disc.mkv", "ffv1", 0)],
)
def test_a_video_keeps_it(tmp_path: Path, name: str, codec: str | None, level: int) -> None:
    for frame, true in zip(
        read_with_alpha(write_discs(tmp_path / name, codec)), DISCS, strict=True
    ):
        assert frame.alpha is not None
        ends = (true[..., 3] == 0) | (true[..., 3] == 255)
        assert cv2.absdiff(frame.alpha, true[..., 3])[ends].max() <= level
        assert np.abs(frame.picture[true[..., 3] == 255].astype(int) - (220, 30, 40)).max() <= 8


def test_prores_becomes_webm_with_its_opacity(tmp_path: Path, style: str) -> None:
    content = write_discs(tmp_path / "disc.mov", "prores4444")
    stylize(content, style, tmp_path / "out.webm", engine="tint")
    found = read_with_alpha(tmp_path / "out.webm")
    assert len(found) == COUNT
    assert all(np.ptp(frame.alpha) > 240 for frame in found if frame.alpha is not None)
    with av.open(str(tmp_path / "out.webm")) as file:
        tags = {name.lower(): value for name, value in file.streams.video[0].metadata.items()}
    assert tags["alpha_mode"] == "1"


def test_a_gif_keeps_it(folder: Path, tmp_path: Path, style: str) -> None:
    gif = tmp_path / "disc.gif"
    palette = "split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse"
    run_ffmpeg("-framerate", 10, "-i", folder / "%03d.png", "-vf", palette, gif)
    stylize(gif, style, tmp_path / "out", engine="tint")
    found = read_pngs(tmp_path / "out")
    assert len(found) == COUNT
    for pixels, true in zip(found, DISCS):
        ends = (true[..., 3] == 0) | (true[..., 3] == 255)
        assert (pixels[..., 3] == true[..., 3])[ends].all()


def test_slow_motion_and_another_rate_keep_it(folder: Path, tmp_path: Path, style: str) -> None:
    for name, more in (("slow", {"speed": 0.5}), ("rate", {"fps": Fraction(50)})):
        stylize(folder, style, tmp_path / name, engine="tint", **more)
        found = read_pngs(tmp_path / name)
        assert len(found) == 2 * COUNT
        assert (found[2][..., 3] == DISCS[1][..., 3]).all()


def test_an_output_without_opacity_shows_black_as_before(folder: Path, tmp_path: Path) -> None:
    stylize(folder, "none", tmp_path / "out.mkv", engine="tint", codec="ffv1")
    stylize(folder, "none", tmp_path / "out.mp4", engine="tint")
    with open_source(tmp_path / "out.mp4") as source:
        assert not source.keep_alpha()
        assert source.at(0)[2:6, 2:6].max() <= 3


def test_a_video_painted_in_chunks_keeps_it(folder: Path, tmp_path: Path, style: str) -> None:
    job = make_job(folder, style, tmp_path / "out.webm", engine="tint", stabilize="off")
    run(job, chunk_seconds=0.08)
    for frame, true in zip(read_with_alpha(tmp_path / "out.webm"), DISCS, strict=True):
        assert frame.alpha is not None
        ends = (true[..., 3] == 0) | (true[..., 3] == 255)
        assert cv2.absdiff(frame.alpha, true[..., 3])[ends].max() <= 6
