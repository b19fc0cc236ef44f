"""The content's timecode and reel are those of the output."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.clips import run_ffmpeg
from vst.api import stylize
from vst.core.smpte import count_dropped, format_timecode, parse_timecode, shift_timecode
from vst.errors import UsageError
from vst.video.sources import open_source

FILM, PAL = Fraction(24000, 1001), Fraction(25)
NTSC, DOUBLE = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("rate", "text", "count"),
    [
        (PAL, "00:00:01:00", 25),
        (FILM, "01:00:00:00", 86400),
        (NTSC, "00:00:59;29", 1799),
        (NTSC, "00:01:00;02", 1800),
        (NTSC, "00:10:00;00", 17982),
        (NTSC, "01:00:00;00", 107892),
        (NTSC, "01:00:00:00", 108000),
        (DOUBLE, "00:01:00;04", 3600),
        (DOUBLE, "23:59:59;59", 24 * 215784 - 1),
    ],
)
def test_a_timecode_is_a_number_of_frames(rate: Fraction, text: str, count: int) -> None:
    number, drops = parse_timecode(text, rate)
    assert number == count
    assert format_timecode(count, rate, drops) == text


def test_every_frame_of_ten_minutes_has_its_own_drop_frame_timecode() -> None:
    texts = [format_timecode(count, NTSC, True) for count in range(17982)]
    assert len(set(texts)) == 17982
    assert "00:01:00;00" not in texts and "00:01:00;01" not in texts
    assert [parse_timecode(text, NTSC)[0] for text in texts] == list(range(17982))


def test_only_television_rates_drop_numbers() -> None:
    assert [count_dropped(rate) for rate in (FILM, PAL, NTSC, DOUBLE)] == [0, 0, 2, 4]


@pytest.mark.parametrize("text", ["1:2:3:4", "00:00:00:25", "00:61:00:00", "soon"])
def test_what_is_not_a_timecode_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="timecode"):
        parse_timecode(text, PAL)


def test_a_day_starts_again_and_another_rate_keeps_the_clock() -> None:
    assert shift_timecode("23:59:59:24", PAL, 0.04, PAL) == "00:00:00:00"
    assert shift_timecode("10:00:00:12", PAL, 0, Fraction(50)) == "10:00:00:24"


def write_clip(path: Path, rate: Fraction, timecode: str) -> Path:
    source = f"testsrc=size=64x48:rate={rate}:duration=1.2"
    run_ffmpeg(
        "-f", "lavfi", "-i", source, "-timecode", timecode, "-metadata:s:v:0", "reel_name=A012",
        "-c:v", "libx264", path,
    )  # fmt: skip
    return path


def read_tags(path: Path) -> tuple[str, str]:
    with open_source(path) as source:
        return source.info.timecode, source.info.reel


@pytest.mark.parametrize(
    ("rate", "text"), [(FILM, "01:02:03:04"), (PAL, "10:00:00:24"), (NTSC, "01:00:59;28")]
)
@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv", "out"])
def test_timecode_in_is_timecode_out(tmp_path: Path, rate: Fraction, text: str, name: str) -> None:
    content = write_clip(tmp_path / "in.mov", rate, text)
    assert read_tags(content) == (text, "A012")
    result = stylize(content, "none", tmp_path / name, engine="tint")
    assert result.warnings == []
    timecode, reel = read_tags(tmp_path / name)
    assert timecode == text
    assert reel == ("" if name.endswith(".mp4") else "A012")


def test_a_later_start_has_a_later_timecode(tmp_path: Path) -> None:
    content = write_clip(tmp_path / "in.mov", NTSC, "01:00:59;28")
    start = float(5 / NTSC)
    stylize(content, "none", tmp_path / "out.mov", engine="tint", start=start)
    assert read_tags(tmp_path / "out.mov")[0] == "01:01:00;05"


def test_pictures_are_numbered_from_the_first_number_on(tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:duration=0.12", tmp_path / "in.mp4")
    options = {"engine": "tint", "first_number": 1001}
    stylize(tmp_path / "in.mp4", "none", tmp_path / "out", **options)
    names = [path.name for path in sorted((tmp_path / "out").glob("*.png"))]
    assert names == ["frame_001001.png", "frame_001002.png", "frame_001003.png"]
    with pytest.raises(UsageError, match="is not a folder of frames"):
        stylize(tmp_path / "in.mp4", "none", tmp_path / "out.mp4", **options)


def test_content_without_timecode_gets_none(tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:duration=0.4", tmp_path / "in.mp4")
    stylize(tmp_path / "in.mp4", "none", tmp_path / "out.mov", engine="tint")
    assert read_tags(tmp_path / "out.mov") == ("", "")
