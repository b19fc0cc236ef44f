"""What is too large is refused, by its header, in a moment; the limits are options."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vst
from tests import clips, memory_watch
from tests.conftest import CommandResult, make_clip
from tests.fault_tally import TALLY
from tools.fuzz_counts import Ending
from vst.core import limits
from vst.core.limits import LIMITS, Limits
from vst.errors import LimitError, MediaError, UsageError
from vst.pipeline.memory_estimate import estimate_memory
from vst.video.sources import open_source
from vst.video.sources.picture import read_picture

Run = Callable[..., CommandResult]
SIDE = 9_999
"""Of a picture just below the limit."""
LARGEST = 2_000_000_000
"""Bytes that any input may take."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_clip(tmp_path / "good.mp4", frames=10)
    Image.new("RGB", (8, 8), (200, 30, 20)).save(tmp_path / "good.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylize(run: Run, content: str, *more: object, style: str = "good.png") -> CommandResult:
    words = ("-s", style, "-o", "out.mp4", "--engine", "tint", "--progress", "none")
    return run("stylize", content, *words, *more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ("--max-pixels", 3000),
            "has 64 x 48 pixels: at most 3,000 are allowed. Give a smaller one",
        ),
        (
            ("--max-frames", 9),
            "good.mp4' has 10 frames: at most 9 are allowed. Choose a shorter part",
        ),
        (("--max-memory", 100), "MB of memory: 100 MB are allowed. Choose a smaller size"),
        (("--max-frames", 15, "--speed", 0.5), "has 20 frames: at most 15 are allowed"),
        (("--max-frames", 99, "--fps", 1000), "has 1,000 frames: at most 99 are allowed"),
    ],
)
def test_an_input_above_a_limit_is_refused_with_its_option(
    desk: Path, run: Run, more: tuple[object, ...], said: str
) -> None:
    done = stylize(run, "good.mp4", *more)
    assert (done.code, len(done.err.strip().splitlines())) == (1, 1)
    assert said in done.err
    assert f"raise {more[0]}" in done.err
    assert not (desk / "out.mp4").exists()


def test_a_part_of_a_video_that_is_too_long_may_be_painted(desk: Path, run: Run) -> None:
    assert stylize(run, "good.mp4", "--max-frames", 5).code == 1
    done = stylize(run, "good.mp4", "--max-frames", 5, "--end", 0.45)
    assert (done.code, done.err) == (0, "")


def test_the_limits_apply_to_styles_masks_and_pictures(desk: Path, run: Run) -> None:
    Image.new("RGB", (80, 80)).save(desk / "large.png")
    for words in (
        ["stylize", "good.mp4", "-s", "large.png", "-o", "out.mp4"],
        ["stylize", "good.mp4", "-s", "good.png", "-o", "out.mp4", "--mask", "large.png"],
        ["image", "large.png", "-s", "good.png", "-o", "out.png"],
    ):
        done = run(*words, "--engine", "tint", "--max-pixels", 5000)
        assert done.code == 1
        assert "80 x 80 pixels: at most 5,000" in done.err, words
    done = stylize(run, "good.mp4", "--max-frames", 9, "--end", 0.45, style="good.mp4")
    assert "style 'good.mp4' has 10 frames: at most 9" in done.err


def test_a_limit_can_be_raised(tmp_path: Path) -> None:
    Image.new("1", (20_000, 10_000)).save(tmp_path / "large.png")
    with pytest.raises(MediaError, match="20000 x 10000 pixels: at most 100,000,000"):
        open_source(tmp_path / "large.png")
    with open_source(tmp_path / "large.png", Limits(pixels=200_000_000)) as source:
        assert source.info.width == 20_000
    assert Image.MAX_IMAGE_PIXELS is not None  # Pillow's own is as it was


def test_limits_below_1_are_refused(desk: Path, run: Run) -> None:
    for more in (("--max-pixels", 0), ("--max-frames", -1), ("--max-memory", "nan")):
        done = stylize(run, "good.mp4", *more)
        assert done.code == 2
        assert "is out of range. Give 1 to" in done.err


def test_the_defaults_of_a_job_are_the_default_limits() -> None:
    job = vst.Job("a", ("b",), "c")
    assert job.limits == LIMITS == Limits()


def test_frames_beyond_the_header_s_count_are_limited_too(desk: Path) -> None:
    """The frames are counted while they are read, too."""
    with open_source(desk / "good.mp4", Limits(frames=6)) as source:
        with pytest.raises(LimitError, match="has 7 frames: at most 6"):
            list(source.frames())
        assert len(list(source.frames(0.35, 0.85))) == 5


def test_a_job_that_needs_more_memory_than_is_free_is_refused(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda: 12.0)
    done = stylize(run, "good.mp4")
    assert done.code == 1
    assert "12 MB are free here" in done.err
    assert stylize(run, "good.mp4", "--max-memory", 4000).code == 0


def test_without_a_known_amount_of_free_memory_no_job_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda: None)
    limits.check_memory(1e9, None)


def test_more_pixels_need_more_memory(desk: Path) -> None:
    with open_source(desk / "good.mp4") as source:
        info = source.info
    small = vst.Job("a", ("b",), "c", size=48)
    large = vst.Job("a", ("b",), "c", size=480)
    assert estimate_memory(small, info) < estimate_memory(large, info)
    with pytest.raises(UsageError):
        vst.Job("a", ("b",), "c", max_memory=0.0)


def test_painting_without_tensorflow_needs_less_memory_and_more_with_more_cores(
    desk: Path,
) -> None:
    pytest.importorskip("ai_edge_litert")
    with open_source(desk / "good.mp4") as source:
        info = source.info
    lite, many, tensorflow = (
        estimate_memory(vst.Job("a", ("@ink-wash",), "c", **options), info)
        for options in (
            {"threads": 1},
            {"threads": 8},
            {"engine_options": (("precision", "bfloat16"),)},
        )
    )
    assert lite < many < tensorflow


def test_pictures_in_strips_are_those_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(0, 65535, (30, 20), np.uint16))
    colour = Image.fromarray(rng.integers(0, 255, (30, 20, 4), np.uint8))
    grey.save(tmp_path / "grey.png")
    colour.save(tmp_path / "clear.png")
    colour.convert("RGB").convert("P").save(tmp_path / "palette.png", transparency=3)
    colour.convert("RGB").save(tmp_path / "turned.jpg", exif=b"Exif\0\0" + turned_by(6))
    Image.fromarray(rng.random((30, 20), np.float32)).save(tmp_path / "float.tif")
    paths = sorted(tmp_path.iterdir())
    whole = [read_picture(path) for path in paths]
    monkeypatch.setattr("vst.video.sources.picture._STRIP", 7 * 20)
    for path, picture in zip(paths, whole):
        assert np.array_equal(read_picture(path), picture), path.name


def turned_by(orientation: int) -> bytes:
    """EXIF that says how a picture is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def a_million_frames(data: bytes, count: int) -> bytes:
    """An MP4 whose tables say that its video has so many frames."""
    changed = bytearray(data)
    for name in (b"stts", b"stsz"):  # the first track is the video's
        at = data.index(name) + 12
        changed[at : at + 4] = struct.pack(">I", count)
    return bytes(changed)


HEADERS = (100_000, 1_000_000, 100_000_000, 2**31 - 1, 2**32 - 1)


@pytest.mark.parametrize("count", HEADERS)
def test_a_header_of_a_million_frames(desk: Path, count: int) -> None:
    (desk / "many.mp4").write_bytes(a_million_frames((desk / "good.mp4").read_bytes(), count))
    done = memory_watch.run_vst(
        "stylize", "many.mp4", "-s", "good.png", "-o", "out.mp4", "--engine", "tint",
        "--progress", "none", timeout=20,
    )  # fmt: skip
    TALLY.bad_input("headers of a million frames and more").record(
        Ending(done.code, done.err, done.seconds)
    )
    assert done.code in (0, 1), done.err
    assert "vst: unexpected " not in done.err
    assert done.peak < LARGEST


def far_apart(folder: Path, seconds: int) -> str:
    """A clip of four frames, the last one so much later; its name."""
    even = clips.write_clip(folder / "even.mp4", 4, 1, False, "-bf", "0")
    ticks = [0, 1000, 2000, 1000 * seconds]
    return clips.write_with_ticks(folder / "gap.mkv", even, ticks, Fraction(1, 1000)).name


def test_frames_an_hour_apart_are_painted_and_a_year_apart_refused(desk: Path, run: Run) -> None:
    done = stylize(run, far_apart(desk, 3600))
    assert (done.code, done.err) == (0, "")
    with open_source("out.mp4") as source:
        assert [frame.time for frame in source.frames()] == [0, 1, 2, 3600]
    name = far_apart(desk, 31_536_000)
    for more, said in ((("--fps", 25), "has 788,400,"), ((), "0.0001 to 1000")):
        done = stylize(run, name, "--overwrite", *more)
        assert done.code in (1, 2)
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1


BOMBS = ("I;16", "RGBA", "RGB", "P", "CMYK")


@pytest.mark.slow
@pytest.mark.parametrize("mode", BOMBS)
def test_a_bomb_just_below_the_limit(desk: Path, mode: str) -> None:
    name = "bomb.jpg" if mode == "CMYK" else "bomb.png"
    Image.new(mode, (SIDE, SIDE)).save(desk / name)
    done = memory_watch.run_vst(
        "stylize", "good.mp4", "-s", name, "-o", "out.mp4", "--engine", "tint",
        "--progress", "none", timeout=60,
    )  # fmt: skip
    TALLY.bad_input("pictures of 100 million pixels").record(
        Ending(done.code, done.err, done.seconds)
    )
    assert done.code == 0, done.err
    assert done.peak < LARGEST
    print(mode, f"{done.peak / 1e6:.0f} MB, {done.seconds:.1f} s")
