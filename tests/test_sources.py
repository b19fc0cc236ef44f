"""Sources: real files of every kind that is promised, read and compared with what was written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests import clips
from tests.clips import ENCODINGS
from vst.core.types import ColorInfo
from vst.video.sources import open_source, tone_mapping
from vst.video.sources.rate import resample


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_kind_is_read_frame_by_frame(name: str, tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / name, 12, 25, False, *ENCODINGS[name])
    with open_source(path) as source:
        frames = list(source.frames())
        assert [clips.read_number(frame.picture) for frame in frames] == list(range(12))
        assert [frame.index for frame in frames] == list(range(12))
        assert np.allclose([frame.time for frame in frames], np.arange(12) / 25, atol=0.0011)
        assert all(clips.read_corners(frame.picture) == [0, 1, 2, 3] for frame in frames)
        assert source.info.rate == 25 and source.info.frames == 12 and not source.info.variable
        assert source.info.duration == pytest.approx(0.48, abs=0.002)
        assert source.warnings == []


@pytest.mark.parametrize("name", ["h264_b.mov", "hevc.mp4", "vp9.webm", "mpeg4.avi", "film.gif"])
def test_a_span_and_a_moment_are_exact(name: str, tmp_path: Path) -> None:
    options = (*ENCODINGS[name], "-g", "10") if name != "film.gif" else ENCODINGS[name]
    path = clips.write_clip(tmp_path / name, 60, 25, False, *options)
    with open_source(path) as source:
        for first, last in ((0, 60), (1, 9), (23, 37), (40, 41), (59, 60), (30, 30)):
            got = [clips.read_number(f.picture) for f in source.frames(first / 25, last / 25)]
            assert got == list(range(first, last))
        for index in (0, 9, 10, 33, 59):
            assert clips.read_number(source.at(index / 25 + 0.02)) == index
            assert clips.read_number(source.at(index / 25)) == index
        assert clips.read_number(source.at(99.0)) == 59
        assert clips.read_number(source.at(-1.0)) == 0


@pytest.mark.parametrize("text", ["30000/1001", "24000/1001", "24", "60", "12.5", "120"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_rate_is_an_exact_fraction(text: str, ending: str, tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / f"rate{ending}", 15, text)
    info = open_source(path).info
    assert info.rate == Fraction(text) and info.frames == 15 and not info.variable


@pytest.mark.parametrize("ending,tick", [(".mp4", Fraction(1, 90000)), (".mkv", Fraction(1, 1000))])
def test_uneven_times_are_kept(ending: str, tick: Fraction, tmp_path: Path) -> None:
    even = clips.write_clip(
        tmp_path / "even.mp4", 12, 25, False, *ENCODINGS["h264.mp4"], "-bf", "0"
    )
    steps = [0, 33, 67, 100, 200, 233, 300, 301, 500, 533, 900, 1000]
    ticks = [round(step * Fraction(1, 1000) / tick) for step in steps]
    path = clips.write_with_ticks(tmp_path / f"uneven{ending}", even, ticks, tick)
    source = open_source(path)
    assert source.info.variable
    assert np.allclose([f.time for f in source.frames()], np.array(steps) / 1000, atol=1e-9)
    assert [clips.read_number(f.picture) for f in source.frames(0.2, 0.5)] == [4, 5, 6, 7]
    evened = list(resample(source.frames(), Fraction(10), end=1.04))
    assert [clips.read_number(f.picture) for f in evened] == [0, 3, 4, 7, 7, 8, 9, 9, 9, 10]


def test_a_clock_that_does_not_start_at_zero(tmp_path: Path) -> None:
    plain = clips.write_clip(tmp_path / "plain.mkv", 20)
    for name in ("late.mkv", "late.ts"):
        late = tmp_path / name
        clips.run_ffmpeg("-itsoffset", 5, "-i", plain, "-c", "copy", "-copyts", late)
        source = open_source(late)
        frames = list(source.frames())
        assert source.info.origin > 4.9
        assert [clips.read_number(f.picture) for f in frames] == list(range(20))
        assert frames[0].time == 0 and frames[-1].time == pytest.approx(19 / 25, abs=0.0011)
        assert [clips.read_number(f.picture) for f in source.frames(0.4, 0.48)] == [10, 11]


def test_an_edit_list_hides_frames(tmp_path: Path) -> None:
    whole = clips.write_clip(
        tmp_path / "whole.mp4", 50, 25, False, *ENCODINGS["h264.mp4"], "-g", "25"
    )
    cut = tmp_path / "cut.mp4"
    clips.run_ffmpeg(
        "-ss", 1.2, "-i", whole, "-c", "copy", cut
    )  # keeps from frame 25, hides up to 30
    source = open_source(cut)
    shown = [clips.read_number(f.picture) for f in source.frames()]
    assert shown == list(range(30, 50)) and source.info.frames == 20
    assert next(source.frames()).time == 0


TURNS = {
    # a, b, c, d of the matrix -> which corners come to the top left and right, the bottom left and
    # right
    (1, 0, 0, 1): [0, 1, 2, 3],
    (0, 1, -1, 0): [2, 0, 3, 1],
    (-1, 0, 0, -1): [3, 2, 1, 0],
    (0, -1, 1, 0): [1, 3, 0, 2],
    (-1, 0, 0, 1): [1, 0, 3, 2],
    (1, 0, 0, -1): [2, 3, 0, 1],
    (0, 1, 1, 0): [0, 2, 1, 3],
    (0, -1, -1, 0): [3, 1, 2, 0],
}


@pytest.mark.parametrize("matrix", TURNS)
def test_phones_turn_and_mirror(matrix: tuple[int, int, int, int], tmp_path: Path) -> None:
    aspect = ("-vf", "scale=out_color_matrix=bt709,setsar=4/3", "-colorspace", "bt709")
    flat = clips.write_clip(tmp_path / "flat.mp4", 3, 25, False, *aspect, *ENCODINGS["h264.mp4"])
    source = open_source(clips.write_rotated(tmp_path / "turned.mp4", flat, matrix))
    frame = next(source.frames())
    swapped = matrix[0] == 0
    assert clips.read_corners(frame.picture) == TURNS[matrix]
    assert frame.picture.shape == ((64, 48, 3) if swapped else (48, 64, 3))
    assert (source.info.width, source.info.height) == ((48, 64) if swapped else (64, 48))
    assert source.info.sample_aspect == (Fraction(3, 4) if swapped else Fraction(4, 3))
    assert frame.picture.flags.c_contiguous


@pytest.mark.parametrize("size", [(63, 47), (65, 49), (64, 47), (17, 33)])
@pytest.mark.parametrize("name", ["vp9.webm", "h264_444.mkv", "mjpeg.avi"])
def test_odd_sizes(size: tuple[int, int], name: str, tmp_path: Path) -> None:
    path = clips.encode(tmp_path / name, clips.draw_numbered_frames(2, *size), *ENCODINGS[name])
    source = open_source(path)
    assert (source.info.width, source.info.height) == size
    assert [f.picture.shape for f in source.frames()] == [(size[1], size[0], 3)] * 2


def test_the_right_stream_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    Image.fromarray(clips.draw_numbered_frame(511, 200, 200)).save(cover)
    path = tmp_path / "many.mp4"
    film = clips.write_clip(tmp_path / "film.mp4", 5, 25, True, "-c:a", "aac", "-ac", 6)
    clips.run_ffmpeg(
        *("-i", cover, "-i", film, "-f", "lavfi", "-i", "sine=duration=0.2"),
        *(
            "-map",
            0,
            "-map",
            "1:v",
            "-map",
            "1:a",
            "-map",
            "2:a",
            "-c",
            "copy",
            "-c:a:1",
            "libmp3lame",
        ),
        *("-disposition:v:0", "attached_pic", "-t", "0.2", path),
    )
    source = open_source(path)
    assert source.info.audio == ("aac", "mp3")
    assert [clips.read_number(f.picture) for f in source.frames()] == [0, 1, 2, 3, 4]
    assert open_source(clips.write_clip(tmp_path / "mute.mp4")).info.audio == ()


def test_two_films_in_one_file_show_one(tmp_path: Path) -> None:
    first = clips.write_clip(tmp_path / "first.mp4", 5)
    second = clips.encode(tmp_path / "second.mp4", clips.draw_numbered_frames(7, 32, 32))
    both = tmp_path / "both.mkv"
    clips.run_ffmpeg("-i", first, "-i", second, "-map", 0, "-map", 1, "-c", "copy", both)
    source = open_source(both)
    count = len(list(source.frames()))
    assert (source.info.width, count) in ((64, 5), (32, 7)) and source.info.frames == count


# Colours


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv422p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", clips.MATRICES)
def test_known_colours_come_out(matrix: str, full: bool, pixels: str, tmp_path: Path) -> None:
    source = open_source(clips.write_patches(tmp_path / "patches.mkv", matrix, full, pixels))
    assert (source.info.color.matrix, source.info.color.full_range) == (matrix, full)
    seen = clips.read_patches(next(source.frames()).picture)
    assert np.abs(seen - np.array(clips.PATCHES)).max() <= 2


@pytest.mark.parametrize("size,matrix", [((320, 64), "smpte170m"), ((1280, 720), "bt709")])
def test_an_unnamed_matrix_goes_by_the_size(
    size: tuple[int, int], matrix: str, tmp_path: Path
) -> None:
    plain = clips.write_patches(tmp_path / "plain.mkv", matrix, False, "yuv444p", "-c:v", "ffv1")
    path = tmp_path / "sized.mkv"
    clips.run_ffmpeg(
        "-i", plain, "-vf", f"scale={size[0]}:{size[1]}:flags=neighbor", "-c:v", "ffv1", path
    )
    source = open_source(path)
    assert source.info.color.matrix == "unspecified"
    picture = next(source.frames()).picture
    seen = picture[size[1] // 2, size[0] // 20 :: size[0] // 10].astype(int)
    assert np.abs(seen - np.array(clips.PATCHES)).max() <= 2


def hdr_clip(path: Path, transfer: str, signal: float) -> Path:
    """One grey of 10 bits, BT.2020, at this part of the signal's range."""
    value = round((16 + 219 * signal) * 4)
    frame = np.concatenate([np.full(64 * 64, value), np.full(2 * 32 * 32, 512)]).astype(np.uint16)
    tags = f"setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}:range=tv"
    shape = ("-f", "rawvideo", "-pixel_format", "yuv420p10le", "-video_size", "64x64")
    clips.run_ffmpeg(
        *shape, "-i", "pipe:0", "-vf", tags, "-c:v", "ffv1", path, data=frame.tobytes() * 2
    )
    return path


@pytest.mark.parametrize("transfer,white", [("smpte2084", 0.5806), ("arib-std-b67", 0.75)])
def test_hdr_is_brought_to_sdr_with_a_warning(transfer: str, white: float, tmp_path: Path) -> None:
    """BT.2408's reference white (58 % PQ, 75 % HLG) becomes a light grey, black stays black."""
    greys = []
    for signal in (0.0, white / 2, white, 1.0):
        source = open_source(hdr_clip(tmp_path / f"{signal}.mkv", transfer, signal))
        assert source.info.color.hdr and source.info.color.bits == 10
        assert sum("HDR" in line for line in source.warnings) == 1
        picture = next(source.frames()).picture
        assert np.ptp(picture.astype(int)) <= 1
        expected = (
            tone_mapping.convert_to_sdr(np.full((1, 3), signal), source.info.color)[0, 0] * 255
        )
        assert abs(float(picture.mean()) - expected) <= 2
        greys.append(float(picture.mean()))
    assert greys[0] <= 1 and greys == sorted(greys) and 215 <= greys[2] <= 245 and greys[3] >= 250


@given(st.tuples(*[st.floats(0, 1)] * 3), st.sampled_from(["smpte2084", "arib-std-b67", "bt709"]))
def test_tone_mapping_stays_inside_and_keeps_grey(colour: tuple[float, ...], transfer: str) -> None:
    kind = ColorInfo("bt2020nc", "bt2020", transfer, bits=10)
    out = tone_mapping.convert_to_sdr(np.array([colour, (colour[0],) * 3]), kind)
    assert np.all(out >= 0) and np.all(out <= 1) and np.ptp(out[1]) < 1e-3


def test_transparency_is_composited_on_black(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (200, 100, 50, 255)
    pixels[:, 16:] = (200, 100, 50, 128)
    shape = ("-f", "rawvideo", "-pixel_format", "rgba", "-video_size", "32x32")
    path = tmp_path / "clear.mov"
    clips.run_ffmpeg(
        *shape, "-i", "pipe:0", "-c:v", "qtrle", "-pix_fmt", "argb", path, data=pixels.tobytes()
    )
    picture = next(open_source(path).frames()).picture
    assert np.array_equal(picture[5, 5], (200, 100, 50))
    assert np.abs(picture[5, 25].astype(int) - (100, 50, 25)).max() <= 1


def test_frames_are_the_callers_own(tmp_path: Path) -> None:
    """What is drawn into one frame does not show in the next, not even where the file holds RGB."""
    still = [clips.draw_numbered_frame(1)] * 4  # of which this codec keeps one, and repeats it
    options = ("-vf", "null", "-c:v", "qtrle", "-pix_fmt", "rgb24")
    path = clips.encode(tmp_path / "rgb.mov", still, *options)
    for frame in open_source(path).frames():
        assert clips.read_number(frame.picture) == 1
        frame.picture[:] = 0


def test_shared_clips_read_the_same_from_any_start(shared: Path) -> None:
    for name in ("cockatoo", "bikes"):
        source = open_source(shared / "video" / f"{name}.mp4")
        whole = {f.time: f.picture for f in source.frames(2.0, 2.6)}
        for start in (2.2, 2.4):
            first = next(source.frames(start))
            assert np.array_equal(first.picture, whole[first.time])
