"""Find the beats of a content's sound, for transitions that end on them.

Three standard steps: the growth of the spectrum (spectral flux), the tempo by its autocorrelation,
and the sequence of peaks that fits the tempo best (Ellis, "Beat tracking by dynamic programming",
2007). Uses only NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from vst.errors import MediaError, UsageError
from vst.video.open import describe_error, open_container

Samples = npt.NDArray[np.float32]

RATE = 22050
"""Sample rate of the analysis, in Hz."""
WINDOW = 1024
"""Samples in one spectrum: 46 ms."""
HOP = 220
"""Samples from one spectrum to the next: 10 ms."""
FRAME = HOP / RATE
"""Seconds from one spectrum to the next."""
TEMPO = (50.0, 210.0)
"""Slowest and fastest tempo, in beats a minute."""
TIGHT = 100.0
"""How strictly beats keep the tempo: weight of the squared logarithm of their relative length."""
CENTER = 0.036
"""Seconds from a window's start to the sound that raised its spectrum most: a logarithmic spectrum
grows most when the sound has just entered at the window's end. Measured on clicks.
"""
LEAD = 9 * HOP
"""Samples of padding before the sound, so that its first moment has spectra, too."""

FIRST = round((LEAD - CENTER * RATE) / HOP)
"""Index of the spectrum in which a sound at the first sample is an onset."""


def find_beats_in_file(path: Path, origin: float = 0.0) -> list[float]:
    """Find the beats of a file's first sound track, in seconds from ``origin`` (the time of the
    first frame on the file's clock). Raises `UsageError` where there is no sound, and `MediaError`.
    """
    start, blocks = read_sound(path)
    return [beat + start - origin for beat in find_beats(blocks) if beat + start >= origin]


def read_sound(path: Path) -> tuple[float, Iterator[Samples]]:
    """Read the first sound track: the time of the first sample on the file's clock, and mono
    float32 blocks at `RATE`. Memory holds one block at a time.
    """
    with open_container(path) as container:
        if not container.streams.audio:
            raise UsageError(
                f"{str(path)!r} has no sound, so there are no beats. Align to cuts, or leave align "
                "out"
            )
        begin = 0.0
        try:
            # The first frame's own time: the header's may include priming samples.
            first = next(container.decode(audio=0))
            begin = float((first.pts or 0) * (first.time_base or 0))
        except (av.FFmpegError, OSError, StopIteration):
            pass  # reading the blocks will raise
    return begin, _iterate_blocks(path)


def _iterate_blocks(path: Path) -> Iterator[Samples]:
    with open_container(path) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        try:
            for frame in container.decode(audio=0):
                frame.pts = None  # close gaps: only the sound itself matters
                for part in resampler.resample(frame):
                    yield part.to_ndarray().reshape(-1).astype(np.float32)
            for part in resampler.resample(None):
                yield part.to_ndarray().reshape(-1).astype(np.float32)
        except (av.FFmpegError, OSError) as error:
            raise MediaError(
                f"the sound of {str(path)!r} cannot be read to its end: {describe_error(error)}. "
                "Align to cuts, or leave align out"
            ) from error


def find_beats(blocks: Iterable[Samples]) -> list[float]:
    """Find the beats, in seconds from the first sample, of mono sound at `RATE` in blocks of any
    length; none where there is no rhythm.
    """
    strength = measure_onsets(blocks)
    lag = estimate_period(strength)
    if lag is None:
        return []
    beats = _snap_to_onsets(_trim_silence(_track_beats(strength, lag), strength), strength)
    return [max(0.0, float(beat) * FRAME + CENTER - LEAD / RATE) for beat in beats]


def measure_onsets(blocks: Iterable[Samples]) -> npt.NDArray[np.float64]:
    """Measure the onset strength every `FRAME` seconds, (frames,), with a standard deviation of 1.

    Logarithmic spectra let soft onsets count beside loud ones; a steady tone adds nothing.
    """
    window = np.hanning(WINDOW).astype(np.float32)
    rest = np.zeros(0, np.float32)
    last: npt.NDArray[np.float32] | None = None
    opening = 0.0
    grown = [np.zeros(0)]
    for block in _regroup(blocks):
        rest = np.concatenate([rest, block])
        count = (len(rest) - WINDOW) // HOP + 1
        if count < 1:
            continue
        pieces = np.lib.stride_tricks.sliding_window_view(rest, WINDOW)[::HOP][:count]
        spectra = np.log1p(100 * np.abs(np.fft.rfft(pieces * window, axis=1))).astype(np.float32)
        if last is None:
            opening = _measure_first_onset(spectra)
        before = np.concatenate([spectra[:1] if last is None else last[None], spectra[:-1]])
        grown.append(np.maximum(spectra - before, 0).sum(1, dtype=np.float64))
        last, rest = spectra[-1], rest[count * HOP :]
    flux = np.concatenate(grown)
    flux[: LEAD // HOP] = 0
    flux[FIRST : FIRST + 1] = opening
    wide = round(0.5 / FRAME)
    if len(flux) <= 2 * wide:
        return np.zeros(len(flux))
    # Subtract the local mean: constant slow growth is not an onset.
    box = np.ones(2 * wide + 1)
    mean = np.convolve(flux, box, "same") / np.convolve(np.ones(len(flux)), box, "same")
    sharp = np.maximum(flux - mean, 0)
    spread = float(sharp.std())
    # Never scale up: rounding and the ripple of a steady tone stay near 0.
    return sharp / max(spread, 1.0)


def _measure_first_onset(spectra: npt.NDArray[np.float32]) -> float:
    """Measure the onset strength of the first moment: nothing precedes it, but a beat there decays
    soon after.
    """
    now, later = LEAD // HOP - 2, LEAD // HOP + 6
    if len(spectra) <= later:
        return 0.0
    return float(np.maximum(spectra[now] - spectra[later], 0).sum())


def _regroup(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield blocks of about ten seconds; pad the sound at both ends, by `LEAD` and half a window,
    with its mirror image.

    A mirrored tone continues smoothly, where silence would turn its start and end into onsets.
    """
    waiting: list[Samples] = []
    tail = None
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= 10 * RATE:
            whole = np.concatenate(waiting)
            yield _mirror(whole, LEAD, "start") if tail is None else whole
            tail, waiting = whole[-WINDOW:], []
    whole = np.concatenate([*waiting, np.zeros(0, np.float32)])
    if tail is None and len(whole):
        whole = _mirror(whole, LEAD, "start")
    known = whole if tail is None else np.concatenate([tail, whole])
    if len(known):
        known = _mirror(known, WINDOW // 2, "end")
        yield known if tail is None else known[len(tail) :]


def _mirror(samples: Samples, count: int, side: str) -> Samples:
    """Pad ``samples`` at one side with ``count`` more, point-mirrored so that neither value nor
    slope jumps.
    """
    widths = (count, 0) if side == "start" else (0, count)
    return np.pad(samples, widths, "reflect", reflect_type="odd").astype(np.float32)


def estimate_period(strength: npt.NDArray[np.float64]) -> float | None:
    """Estimate the spectra from beat to beat, or return None where nothing repeats evenly."""
    shortest, longest = (60 / tempo / FRAME for tempo in reversed(TEMPO))
    if len(strength) < 2 * longest or strength.max(initial=0.0) < 1.0:
        return None
    size = 1 << (2 * len(strength) - 1).bit_length()
    # Blur a little: beats do not fall on whole frames.
    blurred = np.convolve(strength, np.hanning(7) / np.hanning(7).sum(), "same")
    spectrum = np.fft.rfft(blurred - blurred.mean(), size)
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[: round(2 * longest) + 2]
    if alike[0] <= 0:
        return None
    # Longer lags sum over fewer pairs.
    alike = alike / alike[0] * len(strength) / (len(strength) - np.arange(len(alike)))
    lags = np.arange(round(shortest), round(longest) + 1)
    # Prefer two beats a second, where people tap (a broad preference, over two octaves).
    preference = np.exp(-0.5 * (np.log2(lags * FRAME / 0.5) / 1.5) ** 2)
    lag = int(lags[np.argmax(alike[lags] * preference)])
    if alike[lag] < 0.15:
        return None
    for share in (2, 3):
        # If a half or a third of the lag correlates as well, that is the beat.
        around = np.arange(round(lag / share) - 1, round(lag / share) + 2)
        if around[0] >= lags[0] and alike[around].max() > 0.8 * alike[lag]:
            lag = int(around[np.argmax(alike[around])])
            break
    return _interpolate_peak(alike, lag)


def _interpolate_peak(values: npt.NDArray[np.float64], peak: int) -> float:
    """Return the maximum of the parabola through a peak and its neighbors."""
    left, middle, right = values[peak - 1 : peak + 2]
    bend = left - 2 * middle + right
    return peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _track_beats(strength: npt.NDArray[np.float64], lag: float) -> npt.NDArray[np.int64]:
    """Find the sequence of frames with the largest onset strength at steps of about one ``lag``."""
    steps = np.arange(-round(2 * lag), -max(1, round(lag / 2)) + 1)
    penalty = -TIGHT * np.log(-steps / lag) ** 2
    blurred = np.convolve(strength, np.exp(-0.5 * (np.arange(-4, 5) / 2.0) ** 2), "same")
    score = blurred.copy()
    previous = np.full(len(score), -1, np.int64)
    for frame in range(len(score)):
        first = max(0, -(frame + int(steps[0])))
        if first >= len(steps):
            continue
        options = score[frame + steps[first:]] + penalty[first:]
        best = int(options.argmax())
        if options[best] > 0:
            score[frame] += options[best]
            previous[frame] = frame + steps[first + best]
    beats = [int(score.argmax())]
    while previous[beats[-1]] >= 0:
        beats.append(int(previous[beats[-1]]))
    return np.array(beats[::-1], np.int64)


def _trim_silence(
    beats: npt.NDArray[np.int64], strength: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Drop the beats that run into silence at both ends."""
    loud = np.array([strength[max(0, beat - 5) : beat + 6].max() for beat in beats])
    real = np.flatnonzero(loud > 0.3 * np.median(loud))
    return beats[real[0] : real[-1] + 1] if len(real) else beats


def _snap_to_onsets(
    beats: npt.NDArray[np.int64], strength: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Move each beat to the strongest onset within 40 ms, if there is one."""
    near = np.arange(-4, 5)
    frames = np.clip(beats[:, None] + near, 0, len(strength) - 1)
    peaks = strength[frames].argmax(1)
    found = strength[frames].max(1) > 0
    return np.where(found, frames[np.arange(len(beats)), peaks], beats)
