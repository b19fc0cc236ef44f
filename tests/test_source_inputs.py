"""Sources: bad input, odd names, pictures, folders, and a constant rate."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests import clips
from tests.clips import ENCODINGS
from vst.core.limits import Limits
from vst.core.types import Frame
from vst.errors import MediaError, MissingFileError, UsageError
from vst.video.sources import open_source
from vst.video.sources.picture import read_picture
from vst.video.sources.rate import resample

# Bad input


def test_a_truncated_clip_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    noise = [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(40)]
    for name in ("cut.mp4", "cut.mkv", "cut.avi"):
        extra = ("-movflags", "+faststart") if name.endswith("mp4") else ()
        path = clips.encode(tmp_path / name, noise, *ENCODINGS["h264.mp4"], *extra)
        size = path.stat().st_size
        os.truncate(path, size * 6 // 10)
        source = open_source(path)
        frames = list(source.frames())
        assert 10 < len(frames) < 35, name
        assert source.info.frames == len(frames)
        assert any("ends early" in line for line in source.warnings), name


@pytest.mark.parametrize(
    "name,data",
    [
        ("empty.mp4", b""),
        ("text.mp4", b"this is not a video\n" * 100),
        ("noise.mp4", bytes(np.random.default_rng(0).integers(0, 256, 20000, np.uint8))),
        ("header.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nother.ts\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile other.mp4\n"),
        ("noise.png", b"\x89PNG\r\n\x1a\n" + b"\7" * 200),
        ("page.html", b"<html><body>hello</body></html>" * 20),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MediaError) as error:
        list(open_source(path).frames())
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_sound_alone_a_cover_and_nothing_at_all(tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    clips.run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", sound)
    with pytest.raises(MediaError, match="only sound"):
        open_source(sound)
    cover, song = tmp_path / "cover.png", tmp_path / "song.mp3"
    Image.fromarray(clips.draw_numbered_frame(1)).save(cover)
    clips.run_ffmpeg(
        "-i", sound, "-i", cover, "-map", 0, "-map", 1, "-c:v", "copy", "-id3v2_version", 3, song
    )
    with pytest.raises(MediaError, match="cover"):
        open_source(song)
    with pytest.raises(MissingFileError):
        open_source(tmp_path / "nowhere.mp4")
    with pytest.raises(UsageError):
        open_source("")
    (tmp_path / "void").mkdir()
    with pytest.raises(MediaError, match="no pictures"):
        open_source(tmp_path / "void")
    with pytest.raises(UsageError, match="device"):
        open_source("/dev/zero")


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    source = open_source(clips.write_clip(tmp_path / "one.mp4", 1))
    assert [f.time for f in source.frames()] == [0.0] and source.info.frames == 1
    assert source.info.duration == pytest.approx(0.04)


def test_names_of_every_sort(tmp_path: Path) -> None:
    plain = clips.write_clip(tmp_path / "plain.mp4", 2)
    for name in (
        "-dash.mp4",
        "a b'c\"d.mp4",
        "über 影.mp4",
        "50%d.mp4",
        "file:x.mp4",
        "new\nline.mp4",
    ):
        path = tmp_path / name
        path.write_bytes(plain.read_bytes())
        assert len(list(open_source(path).frames())) == 2
        picture = path.with_suffix(".png")
        Image.fromarray(clips.draw_numbered_frame(3)).save(picture)
        assert clips.read_number(next(open_source(picture).frames()).picture) == 3


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    picture, film = tmp_path / "big.png", clips.write_clip(tmp_path / "big.mp4", 2)
    for width in (11000, 20000):
        Image.new("1", (width, 10000)).save(picture)
        with pytest.raises(MediaError, match="100,000,000"):
            open_source(picture)
    with pytest.raises(MediaError):
        open_source(film, Limits(pixels=1000))


# Pictures and folders


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    base = Image.fromarray(clips.draw_numbered_frame(5, 80, 60))
    want = clips.draw_numbered_frame(5, 80, 60).astype(int)
    base.save(tmp_path / "a.jpg", quality=97, subsampling=0)
    base.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=97)
    base.quantize(64).save(tmp_path / "palette.png")
    base.save(tmp_path / "a.webp", lossless=True)
    base.save(tmp_path / "a.bmp")
    base.save(tmp_path / "a.tiff")
    for path in sorted(tmp_path.iterdir()):
        got = next(open_source(path).frames()).picture
        assert got.dtype == np.uint8 and np.abs(got.astype(int) - want).mean() < 6, path.name
    deep = (np.arange(60 * 80).reshape(60, 80) * 13).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    got = read_picture(tmp_path / "deep.png")
    assert got.shape == (60, 80, 3) and np.abs(got[..., 0] - deep / 257).max() <= 0.51
    clear = base.convert("RGBA")
    clear.putalpha(128)
    clear.save(tmp_path / "clear.png")
    assert np.abs(read_picture(tmp_path / "clear.png").astype(int) - want / 2).max() <= 2


def test_exif_turns_a_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(clips.draw_numbered_frame(0, 80, 60)).save(
        tmp_path / "turned.jpg", exif=exif, quality=95
    )
    picture = read_picture(tmp_path / "turned.jpg")
    assert picture.shape == (80, 60, 3) and clips.read_corners(picture) == [2, 0, 3, 1]


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for index in range(12):
        Image.fromarray(clips.draw_numbered_frame(index)).save(tmp_path / f"frame{index}.png")
    (tmp_path / "notes.txt").write_text("not a frame", encoding="utf-8")
    (tmp_path / ".hidden.png").write_text("not a frame", encoding="utf-8")
    source = open_source(tmp_path, rate=Fraction(30000, 1001))
    assert [clips.read_number(f.picture) for f in source.frames()] == list(range(12))
    assert [clips.read_number(f.picture) for f in source.frames(0.1, 0.2)] == [3, 4, 5]
    assert source.info.rate == Fraction(30000, 1001) and source.info.frames == 12
    assert clips.read_number(source.at(0.21)) == 6
    assert open_source(tmp_path).info.rate == 25
    (tmp_path / "frame7.png").unlink()
    assert any("skip 1" in line for line in open_source(tmp_path).warnings)
    Image.fromarray(clips.draw_numbered_frame(7, 32, 32)).save(tmp_path / "frame7.png")
    with pytest.raises(MediaError, match="frame7"):
        list(open_source(tmp_path).frames())


# A constant rate


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=30), st.sampled_from([5, 10, 24, 25, 30, 60])
)
def test_resampled_frames_are_even_and_show_what_is_on(steps: list[int], rate: int) -> None:
    times = np.cumsum([0, *steps]) / 1000
    picture = np.zeros((1, 1, 3), np.uint8)
    frames = [Frame(i, float(t), picture) for i, t in enumerate(times)]
    end = times[-1] + 0.04
    out = list(resample(iter(frames), Fraction(rate), end=end))
    assert [f.index for f in out] == list(range(len(out)))
    assert np.allclose([f.time for f in out], np.arange(len(out)) / rate)
    assert abs(len(out) - end * rate) <= 1.01


def test_resampling_at_its_own_rate_changes_nothing() -> None:
    picture = np.zeros((1, 1, 3), np.uint8)
    rate = Fraction(30000, 1001)
    rounded = [Frame(i, round(float(i / rate), 3), picture) for i in range(300)]
    assert len(list(resample(rounded, rate))) == 300
    with pytest.raises(UsageError):
        list(resample(rounded, Fraction(0)))


def test_a_photoshop_file_named_png_reaches_no_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image, PsdImagePlugin

    def decode(*_: object) -> None:
        raise AssertionError("Pillow's PSD decoder was called")

    Image.init()
    monkeypatch.setattr(PsdImagePlugin.PsdImageFile, "_open", decode)
    # A valid header: RGB of 8 x 8, 8 bits, all sections empty.
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 8, 8, 8, 3)
    (tmp_path / "0001.png").write_bytes(header + bytes(4 * 3) + bytes(2 + 3 * 8 * 8))
    with pytest.raises(MediaError, match="not a readable picture"):
        open_source(tmp_path)


def test_no_format_is_listed_twice() -> None:
    from vst.video.open import FORMATS

    names = FORMATS.split(",")
    assert len(names) == len(set(names))
