"""Sinks: real files written, read back, and broken off at every point."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests import clips
from vst.errors import MissingFileError, OutputError, OutputExistsError, UsageError
from vst.frames import VideoInfo
from vst.sinks import kind_of, open_sink
from vst.sinks.assemble import Timing, assemble
from vst.sinks.base import SinkReport, SinkSpec
from vst.sinks.metadata import read_job
from vst.sinks.track import TrackWriter
from vst.sources import open_source

RATE = Fraction(25)
ENDINGS = [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif"]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """After each test: no thread of ffmpeg's, no process, and no working folder."""
    yield
    assert not [thread for thread in threading.enumerate() if "ffmpeg" in thread.name]
    assert not list(tmp_path.rglob(".*.part"))
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        running = [
            (Path("/proc") / pid / "comm").read_text() for pid in children.read_text().split()
        ]
        assert not [name for name in running if "ffmpeg" in name]


def spec_for(path: Path, content: VideoInfo | None = None, **changes: Any) -> SinkSpec:
    spec = SinkSpec(path, 64, 48, RATE)
    if content is not None:
        spec = SinkSpec(
            path,
            content.width,
            content.height,
            content.rate,
            variable=content.variable,
            sample_aspect=content.sample_aspect,
            content=content,
        )
    return replace(spec, **changes)


def write(spec: SinkSpec, count: int = 10) -> SinkReport:
    """Write ``count`` numbered frames."""
    pictures = clips.numbered(count, spec.width, spec.height)
    with open_sink(spec) as sink:
        for frame in clips.as_frames(pictures, spec.rate):
            sink.write(frame)
        return sink.finish()


def through(content: Path, output: Path, **changes: Any) -> SinkReport:
    """Write the frames of a content as they are, with what comes along."""
    with open_source(content) as source:
        spec = spec_for(output, source.info, **changes)
        with open_sink(spec) as sink:
            for frame in source.frames(spec.start, spec.end):
                sink.write(frame)
            return sink.finish()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def seen(path: Path) -> list[int]:
    return [clips.number(frame.picture) for frame in open_source(path).frames()]


# Every kind of file


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_keeps_count_rate_and_pictures(ending: str, tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / f"out{ending}", job='{"style": "blau"}'), 12)
    assert (report.frames, report.rate) == (12, 25) and report.duration == pytest.approx(0.48)
    source = open_source(report.path)
    assert seen(report.path) == list(range(12))
    assert (source.info.width, source.info.height) == (64, 48)
    assert source.info.rate == 25 and not source.info.variable
    assert read_job(report.path) == '{"style": "blau"}'
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"out{ending}"]


@pytest.mark.parametrize("rate", ["30000/1001", "24000/1001", "24", "50", "60", "12.5"])
@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_the_rate_stays_an_exact_fraction(rate: str, ending: str, tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / f"out{ending}", rate=Fraction(rate)), 40)
    assert report.rate == Fraction(rate) and report.frames == 40
    with av.open(str(report.path)) as file:
        stream = file.streams.video[0]
        assert stream.average_rate == Fraction(rate)
        ticks = [float(p.pts * p.time_base) for p in file.demux(stream) if p.size]
    exact = 1e-9 if ending in (".mp4", ".mov") else 0.00051
    assert np.allclose(sorted(ticks), np.arange(40) / float(Fraction(rate)), atol=exact)


@pytest.mark.parametrize(
    "codec,ending", [("hevc", ".mp4"), ("prores", ".mov"), ("ffv1", ".mkv"), ("vp8", ".webm")]
)
def test_codecs_by_name(codec: str, ending: str, tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / f"out{ending}", codec=codec))
    assert open_source(report.path).info.codec == codec and seen(report.path) == list(range(10))
    if codec == "ffv1":
        whole = [frame.picture for frame in open_source(report.path).frames()]
        assert all(np.array_equal(a, b) for a, b in zip(whole, clips.numbered(10)))


def test_an_mp4_plays_in_a_browser(tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / "out.mp4"))
    data = report.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # +faststart
    with av.open(str(report.path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.profile in ("High", "Main", "Constrained Baseline")


SIZES = [(63, 47), (65, 48), (64, 49), (17, 33), (2, 2), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", ["mp4", "mov", "mkv", "webm", "gif", "mkv hevc", "mov prores", "mkv ffv1"]
)
def test_odd_sizes_come_out_as_they_went_in(
    size: tuple[int, int], name: str, tmp_path: Path
) -> None:
    ending, _, codec = name.partition(" ")
    if codec == "hevc" and min(size) < 16:
        pytest.skip("x265 takes no such small pictures")
    path = tmp_path / f"out.{ending}"
    grey = np.full((size[1], size[0], 3), 200, np.uint8)
    grey[:, -1] = 110
    spec = spec_for(path, width=size[0], height=size[1], codec=codec or None)
    with open_sink(spec) as sink:
        for frame in clips.as_frames([grey] * 3, RATE):
            sink.write(frame)
        sink.finish()
    source = open_source(path)
    frames = [frame.picture for frame in source.frames()]
    assert [frame.shape for frame in frames] == [(size[1], size[0], 3)] * 3
    with av.open(str(path)) as file:
        assert (
            file.streams.video[0].codec_context.pix_fmt
            == {
                "mp4": "yuv420p",
                "mov": "yuv420p",
                "mkv": "yuv420p",
                "webm": "yuv420p",
                "gif": "bgra",
                "mkv hevc": "yuv444p",
                "mov prores": "yuv444p10le",
                "mkv ffv1": "bgr0",
            }[name]
            or size[0] % 2 == size[1] % 2 == 0
        )
    assert abs(int(frames[1][0, -1, 0]) - 110) < 30  # the last column is its own, not black


def test_odd_sizes_keep_rate_times_and_sound(tmp_path: Path) -> None:
    content = clips.encode(
        tmp_path / "in.mkv",
        clips.numbered(30, 63, 47),
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-c:a",
        "aac",
        "-t",
        "1",
        rate="30000/1001",
        inputs=clips.SOUND,
    )
    report = through(content, tmp_path / "out.mp4")
    assert report.rate == Fraction(30000, 1001) and seen(report.path) == list(range(30))
    assert open_source(report.path).info.audio == ("aac",)


# Colours and shape


@pytest.mark.parametrize("name", ["mp4", "webm", "mov prores", "mkv ffv1", "mp4 hevc"])
def test_colours_are_converted_as_they_are_tagged(name: str, tmp_path: Path) -> None:
    ending, _, codec = name.partition(" ")
    row = np.repeat(np.array(clips.PATCHES, np.uint8), 32, axis=0)
    picture = np.ascontiguousarray(np.broadcast_to(row, (64, *row.shape)))
    spec = spec_for(
        tmp_path / f"out.{ending}",
        width=320,
        height=64,
        codec=codec or None,
        crf=None if codec in ("prores", "ffv1") else 8,
    )
    with open_sink(spec) as sink:
        for frame in clips.as_frames([picture] * 3, RATE):
            sink.write(frame)
        sink.finish()
    source = open_source(spec.path)
    colour = source.info.colour
    if codec != "ffv1":
        assert (colour.matrix, colour.primaries, colour.transfer) == ("bt709", "bt709", "bt709")
        assert not colour.full_range
    error = np.abs(clips.patch_colours(next(source.frames()).picture) - np.array(clips.PATCHES))
    assert error.max() <= (0 if codec == "ffv1" else 4)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(16, 11), Fraction(3, 4)])
def test_the_shape_of_pixels_is_kept(ending: str, aspect: Fraction, tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / f"out{ending}", sample_aspect=aspect), 3)
    found = open_source(report.path).info.sample_aspect
    # WebM has no shapes of pixels but whole numbers of pixels to be shown: 64 x 48 rounds to 1/64.
    assert abs(found - aspect) <= (Fraction(1, 64) if ending == ".webm" else 0)


def test_a_turned_phone_video_comes_out_upright_without_its_flag(tmp_path: Path) -> None:
    flat = clips.clip(tmp_path / "flat.mp4", 6)
    content = clips.turned(tmp_path / "turned.mp4", flat, (0, 1, -1, 0))
    report = through(content, tmp_path / "out.mp4")
    info = open_source(report.path).info
    assert (info.width, info.height, info.rotation) == (48, 64, 0)
    assert clips.corners(next(open_source(report.path).frames()).picture) == [2, 0, 3, 1]


# Times


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_uneven_times_are_kept(ending: str, tmp_path: Path) -> None:
    steps = [0, 33, 67, 100, 200, 233, 300, 301, 500, 533, 900, 1000]
    spec = spec_for(tmp_path / f"out{ending}", rate=Fraction(12), variable=True)
    times = [7 + step / 1000 for step in steps]  # counted from the first frame
    with open_sink(spec) as sink:
        for frame in clips.as_frames(clips.numbered(12), spec.rate, times):
            sink.write(frame)
        report = sink.finish()
    source = open_source(report.path)
    frames = list(source.frames())
    assert source.info.variable and [clips.number(f.picture) for f in frames] == list(range(12))
    assert np.allclose([f.time for f in frames], np.array(steps) / 1000, atol=2e-5)
    assert report.duration == pytest.approx(1.1, abs=0.002)


def test_uneven_times_stay_in_sync_with_the_sound(tmp_path: Path) -> None:
    even = clips.clip(tmp_path / "even.mp4", 12, 25, False, *clips.X264, "-bf", "0")
    ticks = [0, 3000, 6000, 9000, 18000, 21000, 27000, 27090, 45000, 48000, 81000, 90000]
    mute = clips.retimed(tmp_path / "mute.mp4", even, ticks, Fraction(1, 90000))
    content = tmp_path / "in.mp4"
    beep = "aevalsrc=if(between(t\\,0.9\\,0.95)\\,sin(6000*t)\\,0):d=1.1:s=48000"
    clips.ffmpeg("-i", mute, "-f", "lavfi", "-i", beep, "-c:v", "copy", "-c:a", "aac", content)
    report = through(content, tmp_path / "out.mkv")
    frames = list(open_source(report.path).frames())
    assert frames[10].time == pytest.approx(0.9, abs=0.001)
    assert clips.onset(report.path, 0.5) == pytest.approx(0.9, abs=0.02)


def test_times_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    frames = clips.as_frames(clips.numbered(2), RATE, [1.0, 1.0])
    with open_sink(spec_for(tmp_path / "out.mp4", variable=True)) as sink:
        sink.write(frames[0])
        with pytest.raises(OutputError, match="must rise"):
            sink.write(frames[1])


# Sound


def with_sound(
    path: Path, *options: object, source: str = "sine=duration=2", count: int = 50
) -> Path:
    return clips.encode(
        path, clips.numbered(count), *clips.X264, *options, inputs=("-f", "lavfi", "-i", source)
    )


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_surround_sound_is_copied_bit_for_bit(ending: str, tmp_path: Path) -> None:
    content = with_sound(tmp_path / "in.mp4", "-c:a", "aac", "-ac", "6")
    report = through(content, tmp_path / f"out{ending}")
    assert clips.sound_packets(report.path) == clips.sound_packets(content)
    with av.open(str(report.path)) as file:
        assert file.streams.audio[0].codec_context.channels == 6
    assert report.warnings == []


CASES = [
    # codec in, container in, ending out, codec out
    ("libmp3lame", "mkv", ".mp4", "mp3"),
    ("libvorbis", "mkv", ".mp4", "aac"),
    ("libopus", "webm", ".mp4", "opus"),
    ("libopus", "webm", ".mov", "aac"),
    ("libopus", "mkv", ".webm", "opus"),
    ("libvorbis", "mkv", ".webm", "vorbis"),
    ("aac", "mp4", ".webm", "opus"),
    ("pcm_s16le", "avi", ".mp4", "aac"),
    ("pcm_s16le", "mov", ".mov", "pcm_s16le"),
    ("flac", "mkv", ".mkv", "flac"),
    ("ac3", "mkv", ".mp4", "ac3"),
]


@pytest.mark.parametrize("codec,container,ending,expected", CASES)
def test_sound_is_copied_where_it_can_be(
    codec: str, container: str, ending: str, expected: str, tmp_path: Path
) -> None:
    beep = "aevalsrc=if(between(t\\,1.5\\,1.6)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    content = tmp_path / f"in.{container}"
    video = ("-c:v", "libvpx", "-deadline", "realtime") if container == "webm" else clips.X264
    clips.encode(
        content, clips.numbered(50), *video, "-c:a", codec, inputs=("-f", "lavfi", "-i", beep)
    )
    report = through(content, tmp_path / f"out{ending}")
    assert open_source(report.path).info.audio == (expected,)
    copied = expected in codec
    assert (clips.sound_packets(report.path) == clips.sound_packets(content)) == copied
    assert any("re-encoded" in line for line in report.warnings) != copied
    assert clips.onset(report.path, 1.0) == pytest.approx(clips.onset(content, 1.0), abs=0.02)


def test_surround_sound_that_opus_does_not_know_is_re_encoded(tmp_path: Path) -> None:
    source = "anoisesrc=d=1,aformat=channel_layouts=5.1(side)"
    content = with_sound(tmp_path / "in.mkv", "-c:a", "ac3", source=source, count=25)
    report = through(content, tmp_path / "out.webm")
    with av.open(str(report.path)) as file:
        assert file.streams.audio[0].codec_context.channels == 6


def test_all_tracks_come_along_and_none_when_not_wanted(tmp_path: Path) -> None:
    content = tmp_path / "in.mkv"
    film = clips.clip(tmp_path / "film.mp4", 50)
    clips.ffmpeg(
        *(
            "-i",
            film,
            "-f",
            "lavfi",
            "-i",
            "sine=duration=2",
            "-f",
            "lavfi",
            "-i",
            "sine=220:duration=2",
        ),
        *("-map", 0, "-map", 1, "-map", 2, "-c:v", "copy", "-c:a:0", "libvorbis", "-c:a:1", "aac"),
        *("-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra", content),
    )
    report = through(content, tmp_path / "out.mp4")
    with av.open(str(report.path)) as file:
        assert [stream.codec_context.name for stream in file.streams.audio] == ["aac", "aac"]
        assert [stream.language for stream in file.streams.audio] == ["deu", "fra"]
    assert clips.sound_packets(report.path, 1) == clips.sound_packets(content, 1)
    mute = through(content, tmp_path / "mute.mp4", audio=False)
    assert open_source(mute.path).info.audio == ()


def test_the_sound_of_a_span_is_that_spans(tmp_path: Path) -> None:
    beep = "aevalsrc=if(between(t\\,1.5\\,1.55)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    content = with_sound(tmp_path / "in.mp4", "-c:a", "aac", source=beep)
    for ending in (".mp4", ".mkv", ".webm"):
        report = through(content, tmp_path / f"out{ending}", start=1.21, end=1.79)
        assert seen(report.path) == list(range(31, 45))
        assert report.frames == 14
        # The first frame, at 1.24 s, is the new zero.
        assert clips.onset(report.path, 0.1) == pytest.approx(1.5 - 1.24, abs=0.02)
        samples, rate = clips.sound(report.path)
        assert len(samples) / rate == pytest.approx(14 / 25, abs=0.05)


@pytest.mark.parametrize("late", ["sound", "pictures"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_streams_that_start_apart_stay_apart(late: str, ending: str, tmp_path: Path) -> None:
    film = clips.clip(tmp_path / "film.mp4", 50)
    beep = tmp_path / "beep.m4a"
    signal = "aevalsrc=if(between(t\\,1.0\\,1.05)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    clips.ffmpeg("-f", "lavfi", "-i", signal, "-c:a", "aac", beep)
    content = tmp_path / "in.mkv"
    offset = ("-itsoffset", "0.5")
    first, second = ((), offset) if late == "sound" else (offset, ())
    clips.ffmpeg(
        *first, "-i", film, *second, "-i", beep, "-map", 0, "-map", 1, "-c", "copy", content
    )
    report = through(content, tmp_path / f"out{ending}")
    with av.open(str(report.path)) as file:
        begin = min(float(p.pts * p.time_base) for p in file.demux(video=0) if p.size)
    distance = 1.5 if late == "sound" else 0.5
    assert clips.onset(report.path, 0.2) - begin == pytest.approx(distance, abs=0.02)
    assert seen(report.path) == list(range(50))


def test_a_clock_far_from_zero_stays_in_sync(tmp_path: Path) -> None:
    beep = "aevalsrc=if(between(t\\,1.5\\,1.55)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    plain = with_sound(tmp_path / "in.mp4", "-c:a", "aac", source=beep)
    content = tmp_path / "late.ts"
    clips.ffmpeg("-itsoffset", 7, "-i", plain, "-c", "copy", "-copyts", content)
    whole = through(content, tmp_path / "whole.mp4")
    assert clips.onset(whole.path, 1.0) == pytest.approx(1.5, abs=0.02)
    part = through(content, tmp_path / "part.mp4", start=1.0, end=2.0)
    assert clips.onset(part.path, 0.1) == pytest.approx(0.5, abs=0.02) and part.frames == 25


@pytest.mark.slow
@pytest.mark.parametrize(
    "codec,ending", [("aac", ".mp4"), ("aac", ".webm"), ("libvorbis", ".mp4"), ("aac", ".mkv")]
)
def test_ten_minutes_end_in_sync(codec: str, ending: str, tmp_path: Path) -> None:
    """30000/1001 for 600 s; a beep and a bright frame at 599 s are still together to 20 ms."""
    flash = int(599 * 30000 / 1001)
    at = flash * 1001 / 30000
    dark, bright = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    pictures = [dark] * 17982
    pictures[flash] = bright
    beep = f"aevalsrc=if(between(t\\,{at}\\,{at + 0.03})\\,0.8*sin(6000*t)\\,0):d=600:s=44100"
    content = clips.encode(
        tmp_path / "in.mkv",
        pictures,
        *clips.X264,
        "-c:a",
        codec,
        rate="30000/1001",
        inputs=("-f", "lavfi", "-i", beep),
    )
    report = through(content, tmp_path / f"out{ending}")
    assert (report.frames, report.rate) == (17982, Fraction(30000, 1001))
    source = open_source(report.path)
    lit = [frame.time for frame in source.frames(598.5) if frame.picture.mean() > 100]
    assert lit == [pytest.approx(at, abs=0.001)]
    assert clips.onset(report.path, 598.5) - source.info.origin == pytest.approx(at, abs=0.02)


# What else comes along


def rich(path: Path, tmp_path: Path) -> Path:
    """A Matroska file with sound, subtitles, chapters, tags and a font."""
    (tmp_path / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nGrüße\n")
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" + b"\0" * 60)
    (tmp_path / "tags.txt").write_text(
        ";FFMETADATA1\ntitle=A title\nartist=Somebody\ncomment=A comment\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
    )
    film = clips.clip(tmp_path / "film.mp4", 50, 25, True, "-c:a", "aac")
    clips.ffmpeg(
        *("-i", film, "-i", tmp_path / "s.srt", "-i", tmp_path / "tags.txt", "-map", 0, "-map", 1),
        *("-map_metadata", 2, "-map_chapters", 2, "-c", "copy", "-metadata:s:s:0", "language=eng"),
        *("-attach", tmp_path / "font.ttf", "-metadata:s:t", "mimetype=font/ttf", path),
    )
    return path


SUBTITLES = {".mp4": "mov_text", ".mov": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}


@pytest.mark.parametrize("ending", SUBTITLES)
def test_subtitles_chapters_and_tags_come_along(ending: str, tmp_path: Path) -> None:
    content = rich(tmp_path / "in.mkv", tmp_path)
    report = through(content, tmp_path / f"out{ending}", job="the job")
    info = open_source(report.path).info
    assert info.subtitles == (SUBTITLES[ending],) and info.chapters == 2
    tags = {key.lower(): value for key, value in info.metadata.items()}
    assert tags["title"] == "A title" and tags["comment"].startswith("A comment")
    assert read_job(report.path) == "the job"
    with av.open(str(report.path)) as file:
        assert [chapter["metadata"]["title"] for chapter in file.chapters()] == ["One", "Two"]
        assert file.streams.subtitles[0].language == "eng"
        texts = [bytes(packet) for packet in file.demux(file.streams.subtitles[0]) if packet.size]
        assert any("Grüße".encode() in text for text in texts)
        kinds = [stream.type for stream in file.streams]
    assert ("attachment" in kinds) == (ending == ".mkv")
    assert any("attachments" in line for line in report.warnings) == (ending != ".mkv")


def test_a_span_takes_its_own_chapters_and_subtitles(tmp_path: Path) -> None:
    content = rich(tmp_path / "in.mkv", tmp_path)
    report = through(content, tmp_path / "out.mp4", start=1.2)
    with av.open(str(report.path)) as file:
        assert [chapter["metadata"]["title"] for chapter in file.chapters()] == ["Two"]
    assert seen(report.path) == list(range(30, 50))


def test_a_cover_comes_along_into_mp4(tmp_path: Path) -> None:
    from PIL import Image

    cover = tmp_path / "cover.png"
    Image.fromarray(clips.coded(1)).save(cover)
    film = clips.clip(tmp_path / "film.mp4", 10)
    content = tmp_path / "in.mp4"
    clips.ffmpeg(
        "-i",
        film,
        "-i",
        cover,
        "-map",
        0,
        "-map",
        1,
        "-c",
        "copy",
        "-disposition:v:1",
        "attached_pic",
        content,
    )
    report = through(content, tmp_path / "out.mp4")
    with av.open(str(report.path)) as file:
        assert [bool(stream.disposition.value & 0x400) for stream in file.streams.video] == [
            False,
            True,
        ]
    assert seen(report.path) == list(range(10))
    assert any("cover" in line for line in through(content, tmp_path / "out.webm").warnings)


def test_what_ffmpeg_refuses_is_left_out_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vst.sinks.carry as room

    content = rich(tmp_path / "in.mkv", tmp_path)
    monkeypatch.setattr(room, "_encode_audio", lambda *_: ["-c:a:0", "libopus", "-b:a:0", "1"])
    report = through(content, tmp_path / "mute.webm")  # a bit a second: the encoder refuses
    info = open_source(report.path).info
    assert info.audio == () and info.chapters == 2 and seen(report.path) == list(range(50))
    assert any("sound could not be taken along" in line for line in report.warnings)
    monkeypatch.undo()
    monkeypatch.setattr(room, "TEXT_SUBTITLES", frozenset({"subrip"}))
    monkeypatch.setattr(
        room, "_attachment", lambda carried, *_: carried.others.extend(["-map", "1:99"])
    )
    report = through(content, tmp_path / "plain.mp4")
    info = open_source(report.path).info
    assert info.audio == ("aac",) and info.subtitles == ()
    assert any("attachments could not" in line for line in report.warnings)


def test_a_truncated_content_gives_what_it_holds(tmp_path: Path) -> None:
    noise = [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(50)]
    for name in ("cut.mp4", "cut.mkv"):
        extra = ("-movflags", "+faststart") if name.endswith("mp4") else ()
        content = clips.encode(tmp_path / name, noise, "-c:a", "aac", *extra, inputs=clips.SOUND)
        os.truncate(content, content.stat().st_size * 6 // 10)
        frames = open_source(content).info.frames
        report = through(content, tmp_path / "out.mp4", overwrite=True)
        assert report.frames == frames < 40 and open_source(report.path).info.audio == ("aac",)


@pytest.mark.parametrize(
    "job", ['{"a": "ü\\n\\"q\\" = ; # 影"}', "x" * 20000, "line one\nline two = 3; # no\\comment"]
)
@pytest.mark.parametrize("ending", [*ENDINGS, "/"])
def test_the_job_is_read_back_as_it_was(job: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{ending}"
    write(spec_for(path, job=job), 2)
    assert read_job(path) == job


def test_the_job_replaces_the_one_of_a_content_that_has_one(tmp_path: Path) -> None:
    for ending in (".mp4", ".mkv"):
        content = through(
            rich(tmp_path / "in.mkv", tmp_path), tmp_path / f"first{ending}", job="first"
        ).path
        second = through(content, tmp_path / "second.mp4", job="second", overwrite=True).path
        assert read_job(second) == "second"
        comment = open_source(second).info.metadata["comment"]
        assert comment.startswith("A comment") and "first" not in comment
    assert read_job(clips.clip(tmp_path / "none.mp4", 2)) is None
    with pytest.raises(MissingFileError):
        read_job(tmp_path / "nowhere.mp4")


# GIF and folders


def test_a_gif_rounds_times_without_drift_and_drops_above_fifty(tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / "thirty.gif", rate=Fraction(30000, 1001)), 60)
    assert report.frames == 60 and report.duration == pytest.approx(2.0, abs=0.021)
    times = [frame.time for frame in open_source(report.path).frames()]
    assert np.allclose(times, np.arange(60) * 1001 / 30000, atol=0.0051)
    fast = write(spec_for(tmp_path / "fast.gif", rate=Fraction(100)), 60)
    assert fast.frames == 30 and any("50 frames" in line for line in fast.warnings)


def test_a_folder_of_frames_can_be_read_again(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.4]
    for name, variable in (("even", False), ("uneven", True)):
        spec = spec_for(tmp_path / name, rate=Fraction(30000, 1001), variable=variable)
        with open_sink(spec) as sink:
            for frame in clips.as_frames(clips.numbered(4), spec.rate, times if variable else None):
                sink.write(frame)
            assert sink.finish().frames == 4
        assert sorted(names(tmp_path / name)) == [
            *(f"frame_{i:06d}.png" for i in range(1, 5)),
            "job.json",
        ]
        source = open_source(tmp_path / name)
        frames = list(source.frames())
        assert source.info.rate == Fraction(30000, 1001)
        assert all(np.array_equal(f.picture, clips.coded(f.index)) for f in frames)
        if variable:
            assert [f.time for f in frames] == pytest.approx(times)


def test_a_folder_is_replaced_only_where_it_holds_frames(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "frames")
    write(spec, 5)
    with pytest.raises(OutputExistsError):
        open_sink(spec)
    write(replace(spec, overwrite=True), 3)
    assert len(names(spec.path)) == 4
    (spec.path / "diary.txt").write_text("dear diary")
    with pytest.raises(OutputExistsError, match="diary"):
        open_sink(replace(spec, overwrite=True))
    (tmp_path / "empty").mkdir()
    write(spec_for(tmp_path / "empty"), 2)
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputExistsError):
        open_sink(spec_for(tmp_path / "file", overwrite=True))


# Parts


@pytest.mark.parametrize("ending,codec", [(".mp4", "h264"), (".mkv", "vp9"), (".mov", "prores")])
def test_parts_are_joined_without_encoding_again(ending: str, codec: str, tmp_path: Path) -> None:
    content = clips.clip(tmp_path / "in.mkv", 50, "30000/1001", True, "-c:a", "aac")
    info = open_source(content).info
    suffix = {".mp4": ".mp4", ".mkv": ".mp4", ".mov": ".mov"}[ending]
    parts, pictures = [], clips.numbered(50)
    for index, (first, last) in enumerate([(0, 17), (17, 18), (18, 50)]):
        part = tmp_path / f"part{index}{suffix}"
        with TrackWriter(
            part, (64, 48), info.rate, codec=codec, crf=18 if codec != "prores" else None
        ) as writer:
            for picture in pictures[first:last]:
                writer.write_frame(picture)
        parts.append(part)
    (tmp_path / "work").mkdir()
    finished = tmp_path / "work" / f"out{ending}"
    spec = spec_for(tmp_path / f"out{ending}", info, codec=codec)
    report = assemble(parts, spec, Timing(50), finished)
    assert report.frames == 50 and report.rate == Fraction(30000, 1001)
    assert seen(finished) == list(range(50)) and all(part.exists() for part in parts)
    assert open_source(finished).info.audio == ("aac",)


# Failures


def some_output(path: Path) -> bytes:
    path.write_bytes(b"the old output")
    return path.read_bytes()


@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "frames"])
def test_leaving_without_finish_drops_everything(name: str, tmp_path: Path) -> None:
    spec = spec_for(tmp_path / name)
    with pytest.raises(KeyError), open_sink(spec) as sink:
        for frame in clips.as_frames(clips.numbered(3), RATE):
            sink.write(frame)
        raise KeyError("an engine fails")
    sink.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif"])
def test_a_killed_ffmpeg_is_told_and_leaves_the_old_output(name: str, tmp_path: Path) -> None:
    spec = spec_for(tmp_path / name, overwrite=True, width=640, height=480)
    old = some_output(spec.path)
    frames = clips.as_frames(clips.numbered(60, 640, 480), RATE)
    with pytest.raises(OutputError, match="signal 9"), open_sink(spec) as sink:
        for frame in frames:
            if frame.index == 5:
                sink._writer.proc.kill()  # type: ignore[attr-defined]
            sink.write(frame)
        sink.finish()
    assert spec.path.read_bytes() == old and names(tmp_path) == [name]


def test_an_ffmpeg_killed_after_the_last_frame_is_told(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "out.mp4")
    with pytest.raises(OutputError, match="signal 9"), open_sink(spec) as sink:
        for frame in clips.as_frames(clips.numbered(5), RATE):
            sink.write(frame)
        sink._writer.proc.kill()  # type: ignore[attr-defined]
        sink.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.gif", "frames"])
def test_a_full_disk_is_told(name: str, small_disk: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(20)]
    spec = spec_for(small_disk / name, width=320, height=240)
    with pytest.raises(OutputError, match=r"disk is full|No space left"), open_sink(spec) as sink:
        for frame in clips.as_frames(noise, RATE):
            sink.write(frame)
        sink.finish()
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_is_full_only_at_the_end_is_told(small_disk: Path) -> None:
    """The picture track fits, the joined file does not."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(25)]
    spec = spec_for(small_disk / "out.mp4", width=128, height=96)
    with pytest.raises(OutputError, match="disk is full"), open_sink(spec) as sink:
        for frame in clips.as_frames(noise, RATE):
            sink.write(frame)
        sink.finish()
    assert list(small_disk.iterdir()) == []


def test_a_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(20)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        spec = spec_for(tmp_path / "out.mp4", width=320, height=240)
        with pytest.raises(OutputError, match="largest size"), open_sink(spec) as sink:
            for frame in clips.as_frames(noise, RATE):
                sink.write(frame)
            sink.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_did_not_come_out_whole_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vst.sinks.assemble as room

    run = room.run

    def short(arguments: list[str], target: Path) -> list[str]:
        return run(["-t", "0.2", *arguments], target)

    monkeypatch.setattr(room, "run", short)
    spec = spec_for(tmp_path / "out.mp4", overwrite=True)
    old = some_output(spec.path)
    with pytest.raises(OutputError, match=r"\d frames instead of 10"):
        write(spec)
    assert spec.path.read_bytes() == old


def broken(
    change: Callable[[SinkSpec], SinkSpec], kind: type[Exception], text: str, tmp_path: Path
) -> None:
    spec = change(spec_for(tmp_path / "out.mp4"))
    with pytest.raises(kind, match=text) as error:
        open_sink(spec)
    assert "\n" not in str(error.value)


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    def at(name: str, **changes: Any) -> Callable[[SinkSpec], SinkSpec]:
        return lambda spec: replace(spec, path=tmp_path / name, **changes)

    some_output(tmp_path / "old.mp4")
    before = sorted(names(tmp_path))
    broken(at("old.mp4"), OutputExistsError, "exists already", tmp_path)
    broken(at("no/folder/out.mp4"), OutputError, "does not exist", tmp_path)
    broken(at("old.mp4/out.mp4"), OutputError, "cannot be written", tmp_path)
    broken(lambda spec: replace(spec, path=Path("/proc/out.mp4")), OutputError, "/proc", tmp_path)
    broken(at("out.avi"), UsageError, r"\.mp4", tmp_path)
    broken(at("out.mp4", codec="h246"), UsageError, "h264", tmp_path)
    broken(at("out.mp4", codec="prores"), UsageError, r"\.mov", tmp_path)
    broken(at("out.mp4", crf=99), UsageError, "0 .* to 51", tmp_path)
    broken(at("out.mov", codec="prores", crf=20), UsageError, "crf", tmp_path)
    broken(at("out.gif", codec="h264"), UsageError, "gif", tmp_path)
    broken(at("out.mp4", rate=Fraction(0)), UsageError, "rate", tmp_path)
    broken(at("out.mp4", width=0), UsageError, "size", tmp_path)
    broken(at("x" * 252 + ".mp4"), OutputError, "longer than 255", tmp_path)
    assert sorted(names(tmp_path)) == before


def test_frames_of_another_size_and_no_frames_are_refused(tmp_path: Path) -> None:
    with (
        open_sink(spec_for(tmp_path / "out.mp4")) as sink,
        pytest.raises(OutputError, match="32 x 32"),
    ):
        sink.write(clips.as_frames(clips.numbered(1, 32, 32), RATE)[0])
    for name in ("out.mp4", "out.gif", "frames"):
        with (
            open_sink(spec_for(tmp_path / name)) as sink,
            pytest.raises(OutputError, match="no frame came"),
        ):
            sink.finish()
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "out.mp4")
    with open_sink(spec) as sink:
        sink.write(clips.as_frames(clips.numbered(1), RATE)[0])
        old = some_output(spec.path)
        with pytest.raises(OutputExistsError):
            sink.finish()
    assert spec.path.read_bytes() == old


def test_names_of_every_sort(tmp_path: Path) -> None:
    content = clips.clip(tmp_path / "-in 'put' %03d:x.mp4", 5, 25, True, "-c:a", "aac")
    for name in (
        "-dash.mp4",
        "a b'c\"d.mp4",
        "über 影.mkv",
        "50%d.gif",
        "file:x.mp4",
        "new\nline.mp4",
        "x" * 251 + ".mp4",
    ):
        assert through(content, tmp_path / name).frames == 5
        assert seen(tmp_path / name) == list(range(5))


def test_kinds_by_name(tmp_path: Path) -> None:
    assert [kind_of(name) for name in ("a.MP4", "b.webm", "c.gif", "frames/", "frames")] == [
        "video",
        "video",
        "gif",
        "folder",
        "folder",
    ]
    assert kind_of(str(tmp_path / "v1.5") + "/") == "folder"


@pytest.mark.slow
def test_four_k_needs_bounded_memory(tmp_path: Path) -> None:
    """A child process reads and writes 4K frames; 80 of them need no more memory than 40."""
    code = (
        "import sys, resource\nfrom pathlib import Path\nfrom vst.sources import open_source\n"
        "from vst.sinks import open_sink\nfrom vst.sinks.base import SinkSpec\n"
        "source = open_source(sys.argv[1]); info = source.info\n"
        "with open_sink(SinkSpec(Path(sys.argv[2]), info.width, info.height, info.rate, "
        "content=info)) as sink:\n"
        "    for frame in source.frames(): sink.write(frame)\n    sink.finish()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "
        "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    import sys

    peaks = []
    for count in (40, 80):
        content = tmp_path / f"{count}.mp4"
        clips.ffmpeg(
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=size=3840x2160:rate=25:duration={count / 25}",
            *clips.X264,
            content,
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(content), str(tmp_path / f"out{count}.mp4")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append([int(word) for word in done.stdout.split()])
    assert peaks[1][0] < 1.1 * peaks[0][0] and peaks[1][1] < 1.1 * peaks[0][1]
    assert peaks[1][0] < 1_200_000
