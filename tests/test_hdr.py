"""HDR stays HDR where that is asked: painted in a tone-mapped copy, put back by the difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.clips import run_ffmpeg
from vst.api import make_job, stylize
from vst.core.types import ColorInfo, Frame
from vst.errors import UsageError
from vst.pipeline.checks import check_inputs
from vst.pipeline.run import run
from vst.video.sources import open_source, tone_mapping
from vst.video.sources.hdr import HdrPainting

HEIGHT, WIDTH, COUNT = 48, 96, 3
TRANSFERS = ["smpte2084", "arib-std-b67"]
PEAKS = {"smpte2084": 0.7518, "arib-std-b67": 1.0}
"""Code value of 1000 cd/m2."""


def draw_codes(transfer: str) -> npt.NDArray[np.uint16]:
    """A ramp of grays up to the peak, above one of colors, some of them outside BT.709."""
    steps = np.linspace(0, PEAKS[transfer], WIDTH)
    codes = np.zeros((HEIGHT, WIDTH, 3))
    codes[:] = steps[:, None]
    codes[24:36] *= (1.0, 0.7, 0.5)
    codes[36:] *= (0.3, 0.9, 0.4)
    return np.rint(codes * 65535).astype(np.uint16)


@pytest.fixture(scope="module", params=TRANSFERS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hdr") / f"{request.param}.mkv"
    tags = f"color_primaries=bt2020:color_trc={request.param}:colorspace=bt2020nc:range=tv"
    convert = "scale=in_range=pc:out_range=tv:out_color_matrix=bt2020:flags=accurate_rnd"
    run_ffmpeg(
        *("-f", "rawvideo", "-pixel_format", "rgb48le", "-video_size", f"{WIDTH}x{HEIGHT}"),
        *(
            "-framerate",
            25,
            "-i",
            "pipe:0",
            "-vf",
            f"{convert},format=yuv444p10le,setparams={tags}",
        ),
        *("-c:v", "ffv1", path),
        data=draw_codes(request.param).tobytes() * COUNT,
    )
    return path


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("style") / "warm.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), (40, 120, 210), np.uint8))
    return str(path)


def read_hdr(path: Path) -> tuple[ColorInfo, list[Frame]]:
    with open_source(path) as source:
        assert source.keep_hdr()
        return source.info.color, list(source.frames())


def get_deep(frame: Frame) -> Any:
    assert frame.deep is not None
    return frame.deep.astype(int)


@pytest.mark.parametrize(
    ("name", "codec", "level"),
    [
        ("out.mp4", "hevc", 6),
        ("out.mov", "prores", 4),
        ("out.webm", None, 6),
        ("out.mkv", "ffv1", 1),
    ],
)
def test_tags_and_peak_are_kept(
    clip: Path, tmp_path: Path, style: str, name: str, codec: str | None, level: int
) -> None:
    """``level``: mean difference of the code values after encoding, in levels of 1023."""
    crf = 4 if codec == "hevc" else None
    stylize(
        clip, style, tmp_path / name, engine="tint", strength=0, hdr="keep", codec=codec, crf=crf
    )
    before, content = read_hdr(clip)
    after, found = read_hdr(tmp_path / name)
    assert (after.transfer, after.primaries) == (before.transfer, "bt2020")
    assert after.matrix == ("rgb" if codec == "ffv1" else "bt2020nc") and after.bits >= 10
    assert len(found) == COUNT
    for one, other in zip(found, content):
        assert np.abs(get_deep(one) - get_deep(other)).mean() <= level * 64
    peak = get_deep(content[0])[4:20, -8:].max()
    assert abs(get_deep(found[0])[4:20, -8:].max() - peak) <= 4 * 64


def test_it_is_painted_as_sdr_is(clip: Path, tmp_path: Path, style: str) -> None:
    """Seen through the tone mapping, the painting in HDR is the one in SDR."""
    options = {"engine": "tint", "stabilize": "off"}
    stylize(clip, style, tmp_path / "hdr.mkv", hdr="keep", codec="ffv1", **options)
    stylize(clip, style, tmp_path / "sdr.mkv", codec="ffv1", **options)
    painted = read_hdr(tmp_path / "hdr.mkv")[1][0]
    with open_source(tmp_path / "sdr.mkv") as source:
        like = next(source.frames()).picture
    content = read_hdr(clip)[1][0]
    assert cv2.absdiff(content.picture, like).mean() > 20  # it was painted
    away = cv2.absdiff(painted.picture, like)
    assert away.mean() <= 2


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_the_inverse_of_the_tone_mapping_is_exact_within_bt709(transfer: str) -> None:
    color = ColorInfo("bt2020nc", "bt2020", transfer, bits=10)
    sdr = np.random.default_rng(4).uniform(0.02, 0.99, (32, 32, 3))
    back = tone_mapping.convert_to_sdr(HdrPainting(color).code(sdr.astype(np.float32)), color)
    assert np.abs(back - sdr).max() < 0.004


def test_what_is_not_painted_stays_to_the_bit() -> None:
    color = ColorInfo("bt2020nc", "bt2020", "smpte2084", bits=10)
    deep = draw_codes("smpte2084")
    picture = np.full((HEIGHT, WIDTH, 3), 99, np.uint8)
    assert (HdrPainting(color)(deep, picture, picture) == deep).all()


def test_white_paint_is_not_brighter_than_the_peak() -> None:
    color = ColorInfo("bt2020nc", "bt2020", "smpte2084", bits=10)
    deep = draw_codes("smpte2084")
    sdr = tone_mapping.convert_to_sdr(deep / 65535, color)
    content = np.rint(sdr * 255).astype(np.uint8)
    found = HdrPainting(color)(deep, content, np.full_like(content, 255))
    assert abs(int(found.max()) - round(PEAKS["smpte2084"] * 65535)) <= 70


def test_chunks_are_tagged_alike(clip: Path, tmp_path: Path, style: str) -> None:
    out = tmp_path / "out.mkv"
    job = make_job(clip, style, out, engine="tint", hdr="keep", codec="ffv1", stabilize="off")
    run(job, chunk_seconds=0.04)
    color, frames = read_hdr(out)
    assert color.hdr and len(frames) == COUNT


def test_without_it_one_line_says_what_happens(clip: Path, tmp_path: Path, style: str) -> None:
    done = stylize(clip, style, tmp_path / "out.mp4", engine="tint", codec="hevc")
    lines = [line for line in done.warnings if "HDR" in line]
    assert len(lines) == 1 and "tone-mapped to SDR" in lines[0] and "keep" in lines[0]
    with open_source(tmp_path / "out.mp4") as source:
        assert not source.info.color.hdr
    kept = stylize(clip, style, tmp_path / "b.mp4", engine="tint", codec="hevc", hdr="keep")
    assert not any("HDR" in line for line in kept.warnings)


def test_a_content_without_hdr_is_named(tmp_path: Path, style: str) -> None:
    plain = tmp_path / "plain.mkv"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.1", "-c:v", "ffv1", plain)
    done = stylize(plain, style, tmp_path / "o.mp4", engine="tint", codec="hevc", hdr="keep")
    assert any("is not HDR" in line for line in done.warnings)


@pytest.mark.parametrize(
    ("output", "options", "text"),
    [
        ("out.mp4", {}, "cannot hold it"),
        ("frames/", {}, "cannot hold it"),
        ("out.webm", {"speed": 0.5}, "speed beside hdr"),
    ],
)
def test_what_cannot_keep_it_is_refused(
    clip: Path, style: str, output: str, options: dict[str, Any], text: str
) -> None:
    job = make_job(clip, style, output, hdr="keep", **options)
    with pytest.raises(UsageError, match=text):
        check_inputs(job)
