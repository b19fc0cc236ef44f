"""The content clip's sound: soft chords, a plucked melody and a quiet beat, put together of sine
waves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vst.samples.noise import make_generator

RATE = 48_000  # samples a second
BEAT = 60 / 92  # seconds
CHORDS = (
    (57, 60, 64, 71),
    (53, 57, 60, 67),
    (48, 55, 64, 71),
    (55, 59, 62, 69),
)  # MIDI notes: Am9, Fadd9, Cmaj7, Gadd9
MELODY = (
    76,
    72,
    71,
    64,
    74,
    72,
    69,
    65,
    79,
    76,
    74,
    72,
    74,
    71,
    67,
    69,
)  # two notes a beat, over and over

Sound = npt.NDArray[np.float32]
"""Samples in -1..1, (channels, samples)."""


def synthesize_tune(duration: float) -> Sound:
    """``duration`` seconds of stereo at `RATE`, fading in and out."""
    count = round(duration * RATE)
    sound = np.zeros((2, count + 2 * RATE), np.float32)
    beats = int(np.ceil(duration / BEAT))
    for bar in range(0, beats, 2):
        for number, note in enumerate(CHORDS[(bar // 2) % 4]):
            _add_note(sound, bar * BEAT, _pad(note, 2.4 * BEAT), pan=0.2 + 0.2 * number)
        _add_note(sound, bar * BEAT, _bass(CHORDS[(bar // 2) % 4][0] - 12, 1.9 * BEAT), pan=0.5)
    for half in range(2 * beats):
        note = MELODY[half % len(MELODY)]
        _add_note(sound, half * BEAT / 2, _pluck(note, 0.9), pan=0.35 + 0.3 * (half % 2))
        _add_note(
            sound,
            half * BEAT / 2 + 0.375 * BEAT,
            0.35 * _pluck(note, 0.7),
            pan=0.75 - 0.5 * (half % 2),
        )  # its echo
        _add_note(sound, half * BEAT / 2, _brush(half), pan=0.62)
    for beat in range(beats):
        _add_note(sound, beat * BEAT, _drum(), pan=0.5)
    sound = sound[:, :count]
    edge = min(count // 2, RATE // 4)
    fade = np.ones(count, np.float32)
    fade[:edge] = np.linspace(0, 1, edge, dtype=np.float32) ** 2
    fade[count - edge :] = np.linspace(1, 0, edge, dtype=np.float32)
    return np.asarray(np.tanh(1.3 * sound) / np.float32(1.3) * fade * np.float32(0.8), np.float32)


def _add_note(sound: Sound, start: float, note: npt.NDArray[np.float32], pan: float) -> None:
    """Add a mono ``note`` at ``start`` seconds; ``pan``: 0 left, 1 right."""
    begin = round(start * RATE)
    note = note[: max(0, sound.shape[1] - begin)]
    sound[0, begin : begin + len(note)] += note * np.float32(np.cos(pan * np.pi / 2))
    sound[1, begin : begin + len(note)] += note * np.float32(np.sin(pan * np.pi / 2))


def _sample_times(seconds: float) -> npt.NDArray[np.float32]:
    return np.asarray(np.arange(round(seconds * RATE)) / RATE, np.float32)


def _note_to_hertz(note: int) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _pad(note: int, seconds: float) -> npt.NDArray[np.float32]:
    time, pitch = _sample_times(seconds), _note_to_hertz(note)
    waves = sum(np.sin(2 * np.pi * pitch * detune * time) for detune in (0.9975, 1.0, 1.0028))
    swell = np.clip(np.minimum(time / 0.35, (seconds - time) / 0.45), 0, 1)
    return np.asarray(0.030 * waves * swell * swell, np.float32)


def _bass(note: int, seconds: float) -> npt.NDArray[np.float32]:
    time, pitch = _sample_times(seconds), _note_to_hertz(note)
    wave = np.sin(2 * np.pi * pitch * time) + 0.25 * np.sin(4 * np.pi * pitch * time)
    return np.asarray(0.11 * wave * np.exp(-1.6 * time) * np.clip(time / 0.02, 0, 1), np.float32)


def _pluck(note: int, seconds: float) -> npt.NDArray[np.float32]:
    time, pitch = _sample_times(seconds), _note_to_hertz(note)
    wave = sum(
        np.sin(2 * np.pi * pitch * k * time) * np.exp(-(3.2 + 2.6 * k) * time) / k**1.4
        for k in (1, 2, 3, 4)
    )
    ends = np.clip(np.minimum(time / 0.004, (seconds - time) / 0.05), 0, 1)
    return np.asarray(0.13 * wave * ends, np.float32)


def _drum() -> npt.NDArray[np.float32]:
    time = _sample_times(0.28)
    pitch = 48 + 70 * np.exp(-34 * time)
    wave = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return np.asarray(0.26 * wave * np.exp(-13 * time) * np.clip(time / 0.002, 0, 1), np.float32)


def _brush(number: int) -> npt.NDArray[np.float32]:
    time = _sample_times(0.10)
    hiss = np.diff(make_generator(900 + number % 4).standard_normal(len(time) + 1)).astype(
        np.float32
    )
    loud = 0.016 if number % 2 else 0.007
    return np.asarray(loud * hiss * np.exp(-42 * time) * np.clip(time / 0.004, 0, 1), np.float32)
