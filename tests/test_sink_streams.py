"""What comes along of a content: sound in sync, subtitles, chapters, tags, covers, the job."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from tests.sink_helpers import (
    ENDINGS,
    nothing_left_behind,  # noqa: F401
    seen,
    spec_for,
    through,
    write,
)
from vst.errors import MediaError, MissingFileError
from vst.video.sinks.metadata import read_job
from vst.video.sources import open_source


def with_sound(
    path: Path, *options: object, source: str = "sine=duration=2", count: int = 50
) -> Path:
    return clips.encode(
        path,
        clips.draw_numbered_frames(count),
        *clips.X264,
        *options,
        inputs=("-f", "lavfi", "-i", source),
    )


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_surround_sound_is_copied_bit_for_bit(ending: str, tmp_path: Path) -> None:
    content = with_sound(tmp_path / "in.mp4", "-c:a", "aac", "-ac", "6")
    report = through(content, tmp_path / f"out{ending}")
    assert clips.read_sound_packets(report.path) == clips.read_sound_packets(content)
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
        content,
        clips.draw_numbered_frames(50),
        *video,
        "-c:a",
        codec,
        inputs=("-f", "lavfi", "-i", beep),
    )
    report = through(content, tmp_path / f"out{ending}")
    assert open_source(report.path).info.audio == (expected,)
    copied = expected in codec
    assert (clips.read_sound_packets(report.path) == clips.read_sound_packets(content)) == copied
    assert any("re-encoded" in line for line in report.warnings) != copied
    assert clips.find_onset(report.path, 1.0) == pytest.approx(
        clips.find_onset(content, 1.0), abs=0.02
    )


def test_surround_sound_that_opus_does_not_know_is_re_encoded(tmp_path: Path) -> None:
    source = "anoisesrc=d=1,aformat=channel_layouts=5.1(side)"
    content = with_sound(tmp_path / "in.mkv", "-c:a", "ac3", source=source, count=25)
    report = through(content, tmp_path / "out.webm")
    with av.open(str(report.path)) as file:
        assert file.streams.audio[0].codec_context.channels == 6


def test_all_tracks_come_along_and_none_when_not_wanted(tmp_path: Path) -> None:
    content = tmp_path / "in.mkv"
    film = clips.write_clip(tmp_path / "film.mp4", 50)
    clips.run_ffmpeg(
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
    assert clips.read_sound_packets(report.path, 1) == clips.read_sound_packets(content, 1)
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
        assert clips.find_onset(report.path, 0.1) == pytest.approx(1.5 - 1.24, abs=0.02)
        samples, rate = clips.read_sound(report.path)
        assert len(samples) / rate == pytest.approx(14 / 25, abs=0.05)


@pytest.mark.parametrize("late", ["sound", "pictures"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_streams_that_start_apart_stay_apart(late: str, ending: str, tmp_path: Path) -> None:
    film = clips.write_clip(tmp_path / "film.mp4", 50)
    beep = tmp_path / "beep.m4a"
    signal = "aevalsrc=if(between(t\\,1.0\\,1.05)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    clips.run_ffmpeg("-f", "lavfi", "-i", signal, "-c:a", "aac", beep)
    content = tmp_path / "in.mkv"
    offset = ("-itsoffset", "0.5")
    first, second = ((), offset) if late == "sound" else (offset, ())
    clips.run_ffmpeg(
        *first, "-i", film, *second, "-i", beep, "-map", 0, "-map", 1, "-c", "copy", content
    )
    report = through(content, tmp_path / f"out{ending}")
    with av.open(str(report.path)) as file:
        begin = min(float(p.pts * p.time_base) for p in file.demux(video=0) if p.size)
    if late == "pictures":  # what sounds before the first of them is kept
        assert begin == pytest.approx(0.5, abs=0.001)
        assert len(clips.read_sound_packets(report.path)) == len(clips.read_sound_packets(content))
    distance = 1.5 if late == "sound" else 0.5
    assert clips.find_onset(report.path, 0.2) - begin == pytest.approx(distance, abs=0.02)
    assert seen(report.path) == list(range(50))


def test_a_clock_far_from_zero_stays_in_sync(tmp_path: Path) -> None:
    beep = "aevalsrc=if(between(t\\,1.5\\,1.55)\\,0.8*sin(6000*t)\\,0):d=2:s=48000"
    plain = with_sound(tmp_path / "in.mp4", "-c:a", "aac", source=beep)
    content = tmp_path / "late.ts"
    clips.run_ffmpeg("-itsoffset", 7, "-i", plain, "-c", "copy", "-copyts", content)
    whole = through(content, tmp_path / "whole.mp4")
    assert clips.find_onset(whole.path, 1.0) == pytest.approx(1.5, abs=0.02)
    part = through(content, tmp_path / "part.mp4", start=1.0, end=2.0)
    assert clips.find_onset(part.path, 0.1) == pytest.approx(0.5, abs=0.02) and part.frames == 25


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
    assert clips.find_onset(report.path, 598.5) - source.info.origin == pytest.approx(at, abs=0.02)


# What else comes along


def rich(path: Path, tmp_path: Path) -> Path:
    """A Matroska file with sound, subtitles, chapters, tags and a font."""
    (tmp_path / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nGrüße\n", encoding="utf-8")
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" + b"\0" * 60)
    (tmp_path / "tags.txt").write_text(
        ";FFMETADATA1\ntitle=A title\nartist=Somebody\ncomment=A comment\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n",
        encoding="utf-8",
    )
    film = clips.write_clip(tmp_path / "film.mp4", 50, 25, True, "-c:a", "aac")
    clips.run_ffmpeg(
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
    Image.fromarray(clips.draw_numbered_frame(1)).save(cover)
    film = clips.write_clip(tmp_path / "film.mp4", 10)
    content = tmp_path / "in.mp4"
    clips.run_ffmpeg(
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
    import vst.video.sinks.stream_mapping as room

    content = rich(tmp_path / "in.mkv", tmp_path)
    monkeypatch.setattr(room, "_encode_audio", lambda *_: ["-c:a:0", "libopus", "-b:a:0", "1"])
    report = through(content, tmp_path / "mute.webm")  # a bit a second: the encoder refuses
    info = open_source(report.path).info
    assert info.audio == () and info.chapters == 2 and seen(report.path) == list(range(50))
    assert any("sound could not be copied" in line for line in report.warnings)
    monkeypatch.undo()
    monkeypatch.setattr(room, "TEXT_SUBTITLES", frozenset({"subrip"}))
    monkeypatch.setattr(
        room, "_map_attachment", lambda carried, *_: carried.others.extend(["-map", "1:99"])
    )
    report = through(content, tmp_path / "plain.mp4")
    info = open_source(report.path).info
    assert info.audio == ("aac",) and info.subtitles == ()
    assert any("attachments could not" in line for line in report.warnings)


def test_sound_that_cannot_be_decoded_is_left_out_with_a_line(tmp_path: Path) -> None:
    whole = with_sound(tmp_path / "whole.mp4", "-c:a", "aac")
    noise = np.random.default_rng(3)
    with av.open(str(whole)) as given, av.open(str(tmp_path / "noise.mkv"), "w") as made:
        streams = {each.index: made.add_stream_from_template(each) for each in given.streams}
        for packet in given.demux():
            if packet.size and packet.stream.type == "audio":
                broken = av.Packet(noise.bytes(packet.size))
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                broken.stream = streams[packet.stream_index]
                made.mux(broken)
            elif packet.size:
                packet.stream = streams[packet.stream_index]
                made.mux(packet)
    report = through(tmp_path / "noise.mkv", tmp_path / "out.webm")
    assert open_source(report.path).info.audio == () and seen(report.path) == list(range(50))
    assert any("sound could not be copied" in line for line in report.warnings)


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
    assert read_job(clips.write_clip(tmp_path / "none.mp4", 2)) is None
    assert read_job(clips.write_clip(tmp_path / "none.gif", 2, 25, False, "-c:v", "gif")) is None
    with pytest.raises(MissingFileError):
        read_job(tmp_path / "nowhere.mp4")
    for name, data in (("empty.gif", b""), ("text.gif", b"no gif" * 9), ("text.mp4", b"text" * 99)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError):
            read_job(tmp_path / name)
