"""The MoviePy effect: pictures, mask and sound of clips that it paints, played in order or not."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moviepy
import numpy as np
import pytest

import vst
from vst.errors import MissingFileError, UnknownNameError, UsageError
from vst.moviepy import Stylize

STYLES = ("red.png", "blue.png")


@pytest.fixture
def folder(media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(media)
    return media


@pytest.fixture
def clip(folder: Path) -> Iterator[moviepy.VideoFileClip]:
    with moviepy.VideoFileClip("clip.mp4") as opened:
        yield opened


def make_counted_clip(frames: int = 40, fps: int = 10) -> tuple[moviepy.VideoClip, list[int]]:
    """A clip of moving squares, and the list of the frames that were read from it."""
    read: list[int] = []

    def draw(time: float) -> np.ndarray:
        index = round(time * fps)
        read.append(index)
        picture = np.full((48, 64, 3), 96, np.uint8)
        picture[10:26, index : index + 16] = 255
        return picture

    clip = moviepy.VideoClip(draw, duration=frames / fps).with_fps(fps)
    read.clear()  # MoviePy reads the first frame for its size
    return clip, read


def play(clip: moviepy.VideoClip) -> list[np.ndarray]:
    return list(clip.iter_frames())


def test_the_effect_paints_what_vst_stylize_paints(folder: Path, tmp_path: Path) -> None:
    with vst.open_source("clip.mp4") as source:  # MoviePy's reader rounds colors differently
        pictures = [frame.picture for frame in source.frames()]
    clip = moviepy.VideoClip(lambda time: pictures[round(time * 10)], duration=2.0).with_fps(10)
    painted = play(clip.with_effects([Stylize(STYLES, engine="tint")]))
    vst.stylize("clip.mp4", STYLES, tmp_path / "frames", engine="tint")
    with vst.open_source(str(tmp_path / "frames")) as source:
        stylized = [frame.picture for frame in source.frames()]
    assert len(painted) == len(stylized) == 20
    assert all(np.array_equal(one, other) for one, other in zip(painted, stylized))


def test_size_duration_mask_and_sound_are_those_of_the_clip(clip: moviepy.VideoFileClip) -> None:
    masked = clip.with_mask(moviepy.ColorClip(clip.size, 0.5, is_mask=True))
    painted = masked.with_effects([Stylize("red.png", engine="tint")])
    assert np.array_equal(painted.mask.get_frame(1.0), masked.mask.get_frame(1.0))
    assert np.array_equal(painted.audio.to_soundarray(), clip.audio.to_soundarray())
    assert (painted.size, painted.duration, painted.fps) == (clip.size, clip.duration, clip.fps)


def test_a_composite_of_painted_clips_is_written_by_moviepy_with_sound(
    clip: moviepy.VideoFileClip, tmp_path: Path
) -> None:
    painted = clip.with_effects([Stylize("red.png", engine="tint", stabilize="off")])
    half = painted.with_effects([moviepy.vfx.Resize(0.5)]).with_opacity(1.0).with_position((0, 0))
    blank = moviepy.ColorClip((64, 48), (0, 0, 0)).with_duration(clip.duration)
    composite = moviepy.CompositeVideoClip([blank, half]).with_audio(clip.audio)
    composite.write_videofile(str(tmp_path / "out.mp4"), fps=10, logger=None)
    with vst.open_source(str(tmp_path / "out.mp4")) as source:
        frame = next(source.frames()).picture.astype(int)
        assert len(source.info.audio) == 1 and source.info.frames == 20
    assert frame[8, 2, 0] > frame[8, 2, 2] + 60 and frame[40, 60].max() < 20


def test_frames_are_read_once_in_order_and_only_a_few_ahead() -> None:
    clip, read = make_counted_clip()
    painted = clip.with_effects([Stylize("@ink-wash", engine="embedded", size=16)])
    assert read == []
    painted.get_frame(0)
    ahead = len(read)
    assert ahead < 20
    play(painted)
    assert read == list(range(40))


@pytest.mark.parametrize("options", [{}, {"strength": 0.5}, {"ghost": 0.5}, {"stabilize": "off"}])
def test_a_frame_is_the_same_in_whatever_order_it_is_asked_for(
    folder: Path, options: dict[str, Any]
) -> None:
    clip, _ = make_counted_clip(frames=70)
    effect = Stylize(STYLES, engine="tint", **options)
    in_order = play(clip.with_effects([effect]))
    anywhere = clip.with_effects([effect])
    for index in (60, 3, 4, 69, 0, 35, 35, 58):
        assert np.array_equal(anywhere.get_frame(index / 10), in_order[index]), index


def test_a_jump_reads_only_what_the_stabilizer_remembers(folder: Path) -> None:
    clip, read = make_counted_clip(frames=300)
    clip.with_effects([Stylize("red.png", engine="tint")]).get_frame(29.0)
    assert min(read) > 230
    read.clear()
    clip.with_effects([Stylize("red.png", engine="tint", strength=0.5)]).get_frame(29.0)
    assert min(read) == 0


def test_a_time_between_frames_shows_the_earlier_one_and_a_late_time_the_last(
    folder: Path,
) -> None:
    clip, _ = make_counted_clip(frames=5)
    painted = clip.with_effects([Stylize("red.png", engine="tint")])
    assert np.array_equal(painted.get_frame(0.19), painted.get_frame(0.1))
    assert np.array_equal(painted.get_frame(99), painted.get_frame(0.4))


def test_a_frame_that_the_caller_changes_does_not_change_the_next_answer(folder: Path) -> None:
    clip, _ = make_counted_clip(frames=5)
    painted = clip.with_effects([Stylize("red.png", engine="tint")])
    before = painted.get_frame(0).copy()
    painted.get_frame(0)[:] = 0
    assert np.array_equal(painted.get_frame(0), before)


def test_a_clip_of_floats_with_a_rate_of_its_own_is_painted(folder: Path) -> None:
    still = moviepy.VideoClip(lambda t: np.full((32, 32, 3), 99.6), duration=1.0)
    painted = still.with_effects([Stylize("red.png", engine="tint", fps=4)])
    frame = painted.get_frame(0.5)
    assert frame.dtype == np.uint8 and abs(int(frame[0, 0, 0]) - (100 + 230) // 2) <= 1


def test_the_engine_is_closed_after_the_last_frame_and_with_the_clip(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vst.engines.tint import TintEngine

    closed: list[int] = []
    monkeypatch.setattr(TintEngine, "close", lambda self: closed.append(id(self)))
    clip, _ = make_counted_clip(frames=20)
    painted = clip.with_effects([Stylize("red.png", engine="tint")])
    threads = threading.active_count()
    play(painted)
    assert len(closed) == 1 and threading.active_count() == threads
    painted.get_frame(0)
    gone = weakref.ref(painted.frame_function)
    del painted
    gc.collect()
    assert gone() is None and len(closed) == 2


def test_a_failed_frame_can_be_asked_for_again(folder: Path) -> None:
    fails = [True]

    def draw(time: float) -> np.ndarray:
        if fails[0] and time > 0.25:
            raise OSError("the disk is away")
        return np.full((32, 32, 3), 100, np.uint8)

    clip = moviepy.VideoClip(draw, duration=1.0).with_fps(10)
    painted = clip.with_effects([Stylize("red.png", engine="tint")])
    with pytest.raises(OSError, match="the disk is away"):
        painted.get_frame(0.5)
    fails[0] = False
    assert painted.get_frame(0.5).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"start": 1.0}, "clip.subclipped"),
        ({"codec": "libx265"}, "write_videofile"),
        ({"overwrite": True}, "Leave it out"),
        ({"align": "beats"}, "needs a file"),
        ({"strength": 2.0}, "strength"),
    ],
)
def test_an_option_that_the_effect_does_not_take_is_refused_at_once(
    folder: Path, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        Stylize("red.png", **options)


def test_a_style_that_does_not_exist_is_refused_at_once(folder: Path) -> None:
    with pytest.raises(MissingFileError):
        Stylize("nowhere.png")
    with pytest.raises(UnknownNameError):
        Stylize("@inc-wash")


def test_a_mask_and_a_clip_without_duration_or_rate_are_refused(folder: Path) -> None:
    effect = Stylize("red.png", engine="tint")
    mask = moviepy.ColorClip((8, 8), 1.0, is_mask=True, duration=1).with_fps(5)
    with pytest.raises(UsageError, match="is a mask"):
        mask.with_effects([effect])
    plain = moviepy.ColorClip((8, 8), (1, 2, 3))
    with pytest.raises(UsageError, match="with_duration"):
        plain.with_effects([effect])
    with pytest.raises(UsageError, match="with_fps"):
        plain.with_duration(1).with_effects([effect])


@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "frames"])
def test_the_clip_of_a_result_is_what_was_written(folder: Path, tmp_path: Path, name: str) -> None:
    result = vst.stylize("clip.mp4", "red.png", tmp_path / name, engine="tint")
    with result.clip() as opened:
        assert opened.size in [(64, 48), [64, 48]]
        assert abs(opened.duration - 2.0) < 0.11 and round(opened.fps) == 10
        assert (opened.audio is not None) == (name == "out.mp4")
        frame = opened.get_frame(0.5).astype(int)
    assert frame[40, 32, 0] > frame[40, 32, 2] + 50
