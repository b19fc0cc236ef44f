"""Beats are found where the clicks are, whatever the tempo and whatever sounds under them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vst.errors import UsageError
from vst.video.beats import RATE, Samples, find_beats, find_beats_in_file

NEAR = 0.05
"""Seconds that a beat may be off."""


def click_track(
    tempo: float, *, first: float = 0.37, seconds: float = 12.0, under: str = "", rate: int = RATE
) -> tuple[Samples, list[float]]:
    """Short falling sounds at ``tempo`` a minute, and their times."""
    count = round(seconds * rate)
    sound = np.zeros(count, np.float32)
    along = np.arange(count)
    times = list(np.arange(first, seconds - 0.05, 60 / tempo))
    tick = np.arange(round(0.02 * rate))
    shape = 0.5 * np.exp(-tick * 220 / rate) * np.sin(tick * 2 * np.pi * 2000 / rate)
    for time in times:
        begin = round(time * rate)
        sound[begin : begin + len(tick)] += shape
    if under == "tone":
        for pitch, loudness in ((220, 0.2), (440, 0.1)):
            sound += loudness * np.sin(along * 2 * np.pi * pitch / rate).astype(np.float32)
    if under == "noise":
        sound += 0.01 * np.random.default_rng(1).normal(size=count).astype(np.float32)
    return sound, times


def assert_on_the_clicks(found: list[float], clicks: list[float]) -> None:
    """Each beat is near a click, and each click has a beat."""
    off = np.abs(np.array(found)[:, None] - np.array(clicks))
    assert off.min(1).max() < NEAR
    assert off.min(0).max() < NEAR


@pytest.mark.parametrize("under", ["", "tone", "noise"])
@pytest.mark.parametrize("tempo", [60, 75, 90, 97.3, 120, 133, 150, 180])
@pytest.mark.parametrize("first", [0.0, 0.37])
def test_beats_are_within_50_ms_of_the_clicks(tempo: float, first: float, under: str) -> None:
    sound, clicks = click_track(tempo, first=first, under=under)
    assert_on_the_clicks(find_beats([sound]), clicks)


def test_the_blocks_in_which_the_sound_comes_make_no_difference() -> None:
    sound, _ = click_track(100, seconds=25)
    assert find_beats(np.array_split(sound, 700)) == pytest.approx(find_beats([sound]), abs=1e-6)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.ones(5, np.float32),
        np.zeros(5 * RATE, np.float32),
        0.3 * np.sin(np.arange(5 * RATE) * 0.06).astype(np.float32),
    ],
    ids=["nothing", "a moment", "silence", "a steady tone"],
)
def test_what_does_not_beat_has_no_beats(sound: Samples) -> None:
    assert find_beats([sound]) == []


def test_loud_and_soft_beats_are_beats() -> None:
    sound, clicks = click_track(96)
    quiet = sound.copy()
    for time in clicks[1::2]:
        quiet[round(time * RATE) : round((time + 0.1) * RATE)] *= 0.3
    assert_on_the_clicks(find_beats([quiet]), clicks)


def write_sound(path: Path, sound: Samples, rate: int) -> Path:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac" if path.suffix == ".mp4" else "pcm_s16le", rate=rate)
        kind = "fltp" if path.suffix == ".mp4" else "s16"
        samples = sound if kind == "fltp" else (sound * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], kind, "mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return path


@pytest.mark.parametrize(("name", "rate"), [("clicks.mp4", 48000), ("clicks.wav", 44100)])
def test_beats_are_found_in_the_sound_of_a_file(tmp_path: Path, name: str, rate: int) -> None:
    sound, clicks = click_track(128, under="tone", rate=rate)
    path = write_sound(tmp_path / name, sound, rate)
    assert_on_the_clicks(find_beats_in_file(path), clicks)
    assert find_beats_in_file(path, origin=1.0)[0] == pytest.approx(
        next(beat for beat in find_beats_in_file(path) if beat >= 1) - 1
    )


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    from tests.clips import write_clip

    with pytest.raises(UsageError, match="has no sound, so there are no beats"):
        find_beats_in_file(write_clip(tmp_path / "silent.mp4", 5))
