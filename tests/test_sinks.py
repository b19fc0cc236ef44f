"""Sinks: real files written and read back: kinds, codecs, sizes, colours, times, GIFs, folders."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from tests.sink_helpers import (
    ENDINGS,
    RATE,
    names,
    nothing_left_behind,  # noqa: F401
    seen,
    spec_for,
    through,
    write,
)
from vst.errors import OutputError, OutputExistsError
from vst.video.sinks import open_sink
from vst.video.sinks.assemble import Timing, assemble
from vst.video.sinks.metadata import read_job
from vst.video.sinks.track import TrackEncoding, TrackWriter
from vst.video.sources import open_source

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
        assert all(np.array_equal(a, b) for a, b in zip(whole, clips.draw_numbered_frames(10)))


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
        clips.draw_numbered_frames(30, 63, 47),
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
    colour = source.info.color
    if codec != "ffv1":
        assert (colour.matrix, colour.primaries, colour.transfer) == ("bt709", "bt709", "bt709")
        assert not colour.full_range
    error = np.abs(clips.read_patches(next(source.frames()).picture) - np.array(clips.PATCHES))
    assert error.max() <= (0 if codec == "ffv1" else 4)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(16, 11), Fraction(3, 4)])
def test_the_shape_of_pixels_is_kept(ending: str, aspect: Fraction, tmp_path: Path) -> None:
    report = write(spec_for(tmp_path / f"out{ending}", sample_aspect=aspect), 3)
    found = open_source(report.path).info.sample_aspect
    # WebM has no shapes of pixels but whole numbers of pixels to be shown: 64 x 48 rounds to 1/64.
    assert abs(found - aspect) <= (Fraction(1, 64) if ending == ".webm" else 0)


def test_a_turned_phone_video_comes_out_upright_without_its_flag(tmp_path: Path) -> None:
    flat = clips.write_clip(tmp_path / "flat.mp4", 6)
    content = clips.write_rotated(tmp_path / "turned.mp4", flat, (0, 1, -1, 0))
    report = through(content, tmp_path / "out.mp4")
    info = open_source(report.path).info
    assert (info.width, info.height, info.rotation) == (48, 64, 0)
    assert clips.read_corners(next(open_source(report.path).frames()).picture) == [2, 0, 3, 1]


# Times


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_uneven_times_are_kept(ending: str, tmp_path: Path) -> None:
    steps = [0, 33, 67, 100, 200, 233, 300, 301, 500, 533, 900, 1000]
    spec = spec_for(tmp_path / f"out{ending}", rate=Fraction(12), variable=True)
    times = [7 + step / 1000 for step in steps]  # counted from the first frame
    with open_sink(spec) as sink:
        for frame in clips.as_frames(clips.draw_numbered_frames(12), spec.rate, times):
            sink.write(frame)
        report = sink.finish()
    source = open_source(report.path)
    frames = list(source.frames())
    assert source.info.variable and [clips.read_number(f.picture) for f in frames] == list(
        range(12)
    )
    assert np.allclose([f.time for f in frames], np.array(steps) / 1000, atol=2e-5)
    assert report.duration == pytest.approx(1.1, abs=0.002)


def test_uneven_times_stay_in_sync_with_the_sound(tmp_path: Path) -> None:
    even = clips.write_clip(tmp_path / "even.mp4", 12, 25, False, *clips.X264, "-bf", "0")
    ticks = [0, 3000, 6000, 9000, 18000, 21000, 27000, 27090, 45000, 48000, 81000, 90000]
    mute = clips.write_with_ticks(tmp_path / "mute.mp4", even, ticks, Fraction(1, 90000))
    content = tmp_path / "in.mp4"
    beep = "aevalsrc=if(between(t\\,0.9\\,0.95)\\,sin(6000*t)\\,0):d=1.1:s=48000"
    clips.run_ffmpeg("-i", mute, "-f", "lavfi", "-i", beep, "-c:v", "copy", "-c:a", "aac", content)
    report = through(content, tmp_path / "out.mkv")
    frames = list(open_source(report.path).frames())
    assert frames[10].time == pytest.approx(0.9, abs=0.001)
    assert clips.find_onset(report.path, 0.5) == pytest.approx(0.9, abs=0.02)


def test_times_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    frames = clips.as_frames(clips.draw_numbered_frames(2), RATE, [1.0, 1.0])
    with open_sink(spec_for(tmp_path / "out.mp4", variable=True)) as sink:
        sink.write(frames[0])
        with pytest.raises(OutputError, match="must rise"):
            sink.write(frames[1])


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
            for frame in clips.as_frames(
                clips.draw_numbered_frames(4), spec.rate, times if variable else None
            ):
                sink.write(frame)
            assert sink.finish().frames == 4
        assert sorted(names(tmp_path / name)) == [
            *(f"frame_{i:06d}.png" for i in range(1, 5)),
            "job.json",
        ]
        source = open_source(tmp_path / name)
        frames = list(source.frames())
        assert source.info.rate == Fraction(30000, 1001)
        assert all(np.array_equal(f.picture, clips.draw_numbered_frame(f.index)) for f in frames)
        if variable:
            assert [f.time for f in frames] == pytest.approx(times)


def test_a_folder_is_replaced_only_where_it_holds_frames(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "frames")
    write(spec, 5)
    with pytest.raises(OutputExistsError):
        open_sink(spec)
    write(replace(spec, overwrite=True), 3)
    assert len(names(spec.path)) == 4
    (spec.path / "diary.txt").write_text("dear diary", encoding="utf-8")
    with pytest.raises(OutputExistsError, match="diary"):
        open_sink(replace(spec, overwrite=True))
    (tmp_path / "empty").mkdir()
    write(spec_for(tmp_path / "empty"), 2)
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputExistsError):
        open_sink(spec_for(tmp_path / "file", overwrite=True))


# Parts


@pytest.mark.parametrize("ending,codec", [(".mp4", "h264"), (".mkv", "vp9"), (".mov", "prores")])
def test_parts_are_joined_without_encoding_again(ending: str, codec: str, tmp_path: Path) -> None:
    content = clips.write_clip(tmp_path / "in.mkv", 50, "30000/1001", True, "-c:a", "aac")
    info = open_source(content).info
    suffix = {".mp4": ".mp4", ".mkv": ".mp4", ".mov": ".mov"}[ending]
    parts, pictures = [], clips.draw_numbered_frames(50)
    for index, (first, last) in enumerate([(0, 17), (17, 18), (18, 50)]):
        part = tmp_path / f"part{index}{suffix}"
        with TrackWriter(
            part, (64, 48), info.rate, TrackEncoding(codec, 18 if codec != "prores" else None)
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


@pytest.mark.slow
def test_four_k_needs_bounded_memory(tmp_path: Path) -> None:
    """A child process reads and writes 4K frames; 80 of them need no more memory
    than 40.
    """
    code = (
        "import sys, resource\nfrom pathlib import Path\n"
        "from vst.video.sources import open_source\n"
        "from vst.video.sinks import open_sink\nfrom vst.video.sinks.base import SinkSpec\n"
        "source = open_source(sys.argv[1]); info = source.info\n"
        "with open_sink(SinkSpec(Path(sys.argv[2]), info.width, info.height, info.rate, "
        "content=info)) as sink:\n"
        "    for frame in source.frames(): sink.write(frame)\n    sink.finish()\n"
        # ru_maxrss of this process would begin with that of the one that started it.
        "own = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]\n"
        "print(own, "
        "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    import sys

    peaks = []
    for count in (40, 80):
        content = tmp_path / f"{count}.mp4"
        clips.run_ffmpeg(
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
    assert peaks[1][0] < 1.05 * peaks[0][0] < 500_000  # kB: this program
    # ffmpeg: its queues and x264's lookahead, some 35 pictures, fill up more or less.
    assert max(peaks[0][1], peaks[1][1]) < 1_600_000
