"""Folders of TIFF and OpenEXR frames, and the patterns of their names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vst.api import make_job, stylize
from vst.cli.checks import check_video_output
from vst.errors import (
    DependencyError,
    MediaError,
    OutputExistsError,
    UnsupportedFileError,
    UsageError,
)
from vst.imaging.exr_file import read_light, write_exr
from vst.pipeline.checks import check_job
from vst.video.frame_names import FrameNames, locate_output, parse_output_names
from vst.video.sources import open_source
from vst.video.sources.picture import read_picture

OpenEXR = pytest.importorskip("OpenEXR")

COUNT, HEIGHT, WIDTH = 3, 40, 56
Half = npt.NDArray[np.float16]


def write_light(path: Path, pixels: npt.NDArray[Any], **header: Any) -> Path:
    """Write an EXR by OpenEXR itself: RGB or RGBA."""
    kind = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    name = "RGBA" if pixels.shape[2] == 4 else "RGB"
    with OpenEXR.File({**kind, **header}, {name: np.ascontiguousarray(pixels)}) as file:
        file.write(str(path))
    return path


def read_half(path: Path) -> Half:
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
        return np.array(channels["RGBA" if "RGBA" in channels else "RGB"].pixels)


def draw_light(index: int, opaque: bool = False) -> Half:
    """A smooth ramp of light, from 0.002 to 1, behind a soft disc of opacity."""
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    light = np.dstack([x, y, (x + y) / 2]) ** 2 * (0.9 + 0.04 * index) + 0.002
    if opaque:
        return light.astype(np.float16)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(alpha, (28 + index, 20), 14, 255, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.5)
    share = alpha[..., None].astype(np.float32) / 255
    return np.concatenate([light * share, share], 2).astype(np.float16)


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("style") / "warm.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), (40, 120, 210), np.uint8))
    return str(path)


@pytest.fixture(scope="module", params=[True, False], ids=["opaque", "alpha"])
def shot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three EXR frames, frame.1001.exr and on."""
    folder = tmp_path_factory.mktemp("exr") / "shot"
    folder.mkdir()
    for index in range(COUNT):
        write_light(folder / f"frame.{1001 + index}.exr", draw_light(index, request.param))
    return folder


def test_a_strength_of_0_keeps_half_floats_to_the_bit(
    shot: Path, tmp_path: Path, style: str
) -> None:
    out = tmp_path / "out" / "frame.1001.exr"
    out.parent.mkdir()
    stylize(shot / "frame.####.exr", style, out, engine="tint", strength=0)
    for one in sorted(shot.iterdir()):
        true, found = read_half(one), read_half(out.parent / one.name)
        assert found.dtype == np.float16 and found.shape == true.shape
        visible = true[..., -1] == 1 if true.shape[2] == 4 else np.full(true.shape[:2], True)
        assert (found[visible] == true[visible]).all()
        assert np.abs(found.astype(float) - true).max() < 0.004  # opacity has 8 bits


def test_painted_light_has_no_bands(shot: Path, tmp_path: Path, style: str) -> None:
    stylize(shot, style, tmp_path / "out" / "f_%04d.exr", engine="tint", strength=0.5)
    found = read_half(tmp_path / "out" / "f_0001.exr")
    assert len(np.unique(found[..., 2])) > 600  # 8 bits have 256


@pytest.mark.parametrize("codec", ["png", "tiff", "exr"])
def test_all_kinds_of_frames_show_the_same(
    shot: Path, tmp_path: Path, style: str, codec: str
) -> None:
    stylize(shot, style, tmp_path / "out", engine="tint", codec=codec, stabilize="off")
    stylize(shot, style, tmp_path / "like", engine="tint", stabilize="off")
    suffix = {"png": ".png", "tiff": ".tif", "exr": ".exr"}[codec]
    with open_source(tmp_path / "out") as source, open_source(tmp_path / "like") as like:
        assert source.keep_depth() and source.keep_alpha() == like.keep_alpha()
        assert (
            sorted(path.suffix for path in (tmp_path / "out").glob("frame_*")) == [suffix] * COUNT
        )
        for one, other in zip(source.frames(), like.frames(), strict=True):
            seen = np.full((HEIGHT, WIDTH), True) if one.alpha is None else one.alpha > 128
            assert cv2.absdiff(one.picture, other.picture)[seen].max() <= 1


def test_a_tiff_of_16_bits_comes_back_to_the_bit(tmp_path: Path, style: str) -> None:
    (tmp_path / "in").mkdir()
    deep = np.random.default_rng(1).integers(0, 65535, (HEIGHT, WIDTH, 3)).astype(np.uint16)
    for number in (7, 8):
        cv2.imwrite(str(tmp_path / "in" / f"a{number}.tif"), deep)
    stylize(tmp_path / "in", style, tmp_path / "out/b_####.tiff", engine="tint", strength=0)
    assert (cv2.imread(str(tmp_path / "out" / "b_0001.tiff"), -1) == deep).all()


def test_a_pattern_reads_its_own_frames_alone(tmp_path: Path) -> None:
    for name in ("a.0001.png", "a.0002.png", "b.0001.png", "a.12.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    with open_source(tmp_path / "a.####.png") as source:
        assert source.info.frames == 2
    with pytest.raises(UnsupportedFileError, match=r"no picture is called .*c.####.png"):
        open_source(tmp_path / "c.####.png")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("p/frame.####.exr", FrameNames(Path("p"), "frame.", 4, ".exr")),
        ("p/f%06d.png", FrameNames(Path("p"), "f", 6, ".png")),
        ("p/frame.1001.exr", FrameNames(Path("p"), "frame.", 4, ".exr", 1001)),
        ("p/shot_##_left.tif", FrameNames(Path("p"), "shot_", 2, "_left.tif")),
        ("p/film.mp4", None),
        ("p/take2.png", None),
    ],
)
def test_names_of_outputs_are_parsed(path: str, names: FrameNames | None) -> None:
    assert parse_output_names(path) == names
    assert locate_output(path) == (Path("p") if names else Path(path))


def test_numbers_grow_past_their_digits() -> None:
    names = FrameNames(Path("p"), "f.", 2, ".exr")
    assert names.format(100) == "f.100.exr"
    assert names.matches("f.100.exr") and names.matches("f.07.exr")
    assert not names.matches("f.007.exr") and not names.matches("f.7.exr")


def test_an_exr_is_cut_to_its_display_window(tmp_path: Path) -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3) / 72
    window = (np.array([-1, 1], np.int32), np.array([4, 4], np.int32))
    shown = (np.array([0, 0], np.int32), np.array([3, 5], np.int32))
    path = write_light(tmp_path / "w.exr", pixels, dataWindow=window, displayWindow=shown)
    light = read_light(path)
    assert light.shape == (6, 4, 3)
    assert (light[1:5] == pixels[:, 1:5]).all() and not light[0].any() and not light[5].any()


def test_light_above_white_is_reported(tmp_path: Path) -> None:
    (tmp_path / "hot").mkdir()
    write_light(tmp_path / "hot" / "a.01.exr", np.full((8, 8, 3), 4.0, np.float16))
    with open_source(tmp_path / "hot") as source:
        assert any("light up to 4 times white" in line for line in source.warnings)
        assert (source.at(0) == 255).all()


def test_light_above_white_is_kept_where_that_is_asked(tmp_path: Path, style: str) -> None:
    (tmp_path / "hot").mkdir()
    light = (draw_light(0, opaque=True).astype(np.float32) * 30).astype(np.float16)
    for number in range(2):
        write_light(tmp_path / "hot" / f"a.{number:02}.exr", light)
    words, options = (tmp_path / "hot", style), {"engine": "tint", "hdr": "keep"}
    done = stylize(*words, tmp_path / "same" / "a.##.exr", strength=0, **options)
    same = read_half(tmp_path / "same" / "a.01.exr").astype(np.float32)
    assert not done.warnings
    bright = light > 0.05
    assert (same[bright] == light[bright]).all() and same.max() > 25
    assert np.abs(same - light).max() < 0.001
    stylize(*words, tmp_path / "half" / "a.##.exr", strength=0.3, **options)
    half = read_half(tmp_path / "half" / "a.01.exr").astype(np.float32)
    assert 1 < half.max() <= light.max() and np.abs(half - light).mean() > 0.1


def test_light_of_frames_is_kept_in_exr_alone(shot: Path, tmp_path: Path, style: str) -> None:
    for output in (tmp_path / "out.mov", tmp_path / "out"):
        job = make_job(shot, style, output, hdr="keep", codec=None)
        with pytest.raises(UsageError, match="Give EXR frames"):
            check_job(job)


def test_a_damaged_exr_is_named(tmp_path: Path) -> None:
    whole = write_light(tmp_path / "a.exr", draw_light(0)).read_bytes()
    (tmp_path / "b.exr").write_bytes(whole[:-200])
    (tmp_path / "c.exr").write_bytes(whole[:40])
    write_light(tmp_path / "d.exr", draw_light(0))
    depth = {"Z": np.zeros((4, 4), np.float32)}
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, depth) as file:
        file.write(str(tmp_path / "d.exr"))
    for name, text in (("b", "damaged"), ("c", "not a readable EXR"), ("d", r"found: Z")):
        with pytest.raises(MediaError, match=text):
            read_picture(tmp_path / f"{name}.exr")


@pytest.mark.parametrize(
    ("output", "codec", "text"),
    [
        ("frame.####.exr", None, "has no folder"),
        ("refused-frames/frame.####.jpg", None, "written as .png, .tif, .tiff, .exr"),
        ("refused-frames/frame.####.exr", "png", "beside frames named"),
        ("refused-frames/", "jpeg", "frames of exr, tiff, png"),
    ],
)
def test_a_wrong_output_is_named(
    shot: Path, style: str, output: str, codec: str | None, text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        stylize(shot, style, output, engine="tint", codec=codec)
    assert not Path("refused-frames").exists()


def test_the_contents_own_frames_are_not_replaced(shot: Path, style: str) -> None:
    before = {path: path.read_bytes() for path in shot.iterdir()}
    job = make_job(shot, style, shot / "frame.####.exr", overwrite=True)
    with pytest.raises(UsageError, match="also an input"):
        check_job(job)
    assert {path: path.read_bytes() for path in shot.iterdir()} == before


def test_frames_are_replaced_only_where_that_is_asked(
    shot: Path, tmp_path: Path, style: str
) -> None:
    words = shot, style, tmp_path / "out" / "x.####.exr"
    stylize(*words, engine="tint")
    with pytest.raises(OutputExistsError, match="exists"):
        stylize(*words, engine="tint")
    stylize(*words, engine="tint", overwrite=True)
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputExistsError, match=r"notes\.txt"):
        stylize(*words, engine="tint", overwrite=True)
    check_video_output(str(words[2]), overwrite=False)


def test_without_openexr_the_extra_is_named(
    tmp_path: Path, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(DependencyError, match=r"vst-video\[exr\]"):
        stylize(tmp_path / "in", style, tmp_path / "out" / "a.####.exr", engine="tint")
    assert not (tmp_path / "out").exists()


def test_a_mask_is_written_and_read_as_values_not_as_light(tmp_path: Path, style: str) -> None:
    ramp = np.repeat(np.linspace(0, 255, WIDTH).astype(np.uint8)[None], HEIGHT, 0)
    (tmp_path / "in").mkdir()
    for number in range(2):
        cv2.imwrite(
            str(tmp_path / "in" / f"{number}.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        )
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    words, options = (tmp_path / "in", style), {"engine": "tint", "mask_edge": "soft"}
    mattes = tmp_path / "m" / "m.####.exr"
    stylize(*words, tmp_path / "a", mask=tmp_path / "ramp.png", save_mask=mattes, **options)
    values = read_half(tmp_path / "m" / "m.0001.exr")[0, :, 0]
    assert np.abs(values - ramp[0] / 255).max() < 0.04  # a mask's levels are stretched by 8
    stylize(*words, tmp_path / "b", mask=tmp_path / "m", **options)
    one, other = (cv2.imread(str(tmp_path / name / "frame_000001.png")) for name in "ab")
    assert cv2.absdiff(one, other).max() <= 8


def test_a_gray_exr_and_one_of_8_bits_are_read(tmp_path: Path) -> None:
    kind = {"type": OpenEXR.scanlineimage}
    with OpenEXR.File(kind, {"Y": np.full((4, 4), 0.25, np.float32)}) as file:
        file.write(str(tmp_path / "y.exr"))
    assert (read_picture(tmp_path / "y.exr") == 137).all()  # sRGB's curve of a quarter
    write_exr(tmp_path / "b.exr", np.full((4, 4, 3), 137, np.uint8))
    assert (read_picture(tmp_path / "b.exr") == 137).all()
