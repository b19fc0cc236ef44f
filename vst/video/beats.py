"""The beats of a content's sound, for transitions that end on them.

Three steps that are common in the field: how much the spectrum grows from one moment to the next
(spectral flux), the tempo by the autocorrelation of that, and the row of peaks that fits the tempo
best (dynamic programming, after Ellis, "Beat tracking by dynamic programming", 2007). NumPy alone.
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
"""Samples a second at which the sound is listened to."""
WINDOW = 1024
"""Samples of one spectrum: 46 ms."""
HOP = 220
"""Samples from one spectrum to the next: 10 ms."""
FRAME = HOP / RATE
"""Seconds from one spectrum to the next."""
TEMPO = (50.0, 210.0)
"""Beats a minute that are looked for."""
TIGHT = 100.0
"""How strictly beats keep the tempo: weight of the squared logarithm of a beat's length over it."""
CENTER = 0.036
"""Seconds from a window's start to the sound that made the spectrum grow most: in a logarithm, it
grows most when the sound has just come in at the window's end. Measured on clicks.
"""
LEAD = 9 * HOP
"""Samples that go ahead of the sound, so that there are spectra of its first moment."""

FIRST = round((LEAD - CENTER * RATE) / HOP)
"""The frame in which a sound at the first sample is an onset."""


def find_beats_in_file(path: Path, origin: float = 0.0) -> list[float]:
    """The beats of a file's first sound track, in seconds from ``origin`` (the time on the file's
    own clock of its first frame).
    """
    start, blocks = read_sound(path)
    return [beat + start - origin for beat in find_beats(blocks) if beat + start >= origin]


def read_sound(path: Path) -> tuple[float, Iterator[Samples]]:
    """The first sound track as mono float32 blocks at `RATE`, and the time on the file's clock of
    the first sample. Nothing is held but a block.
    """
    with open_container(path) as container:
        if not container.streams.audio:
            raise UsageError(
                f"{str(path)!r} has no sound to find beats in; align to cuts, or leave it out"
            )
        begin = 0.0
        try:
            # The first frame's own time: the header's may count samples that are not played.
            first = next(container.decode(audio=0))
            begin = float((first.pts or 0) * (first.time_base or 0))
        except (av.FFmpegError, OSError, StopIteration):
            pass  # reading the blocks says it
    return begin, _iterate_blocks(path)


def _iterate_blocks(path: Path) -> Iterator[Samples]:
    with open_container(path) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        try:
            for frame in container.decode(audio=0):
                frame.pts = None  # holes are closed up: what counts is the sound that is there
                for part in resampler.resample(frame):
                    yield part.to_ndarray().reshape(-1).astype(np.float32)
            for part in resampler.resample(None):
                yield part.to_ndarray().reshape(-1).astype(np.float32)
        except (av.FFmpegError, OSError) as error:
            raise MediaError(
                f"the sound of {str(path)!r} cannot be read to its end ({describe_error(error)}); "
                "align to cuts, or leave it out"
            ) from error


def find_beats(blocks: Iterable[Samples]) -> list[float]:
    """The beats, in seconds from the first sample, of mono sound at `RATE` in blocks of any
    length; none where nothing beats.
    """
    strength = measure_onsets(blocks)
    lag = estimate_period(strength)
    if lag is None:
        return []
    beats = _snap_to_onsets(_trim_silence(_track_beats(strength, lag), strength), strength)
    return [max(0.0, float(beat) * FRAME + CENTER - LEAD / RATE) for beat in beats]


def measure_onsets(blocks: Iterable[Samples]) -> npt.NDArray[np.float64]:
    """How suddenly the sound grows, every `FRAME` seconds (frames,), its spread brought to 1.

    Logarithms of the spectrum make a soft onset count beside a loud one; a steady tone adds
    nothing.
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
    # What grows slowly all the time is no onset: the local mean is taken away.
    box = np.ones(2 * wide + 1)
    mean = np.convolve(flux, box, "same") / np.convolve(np.ones(len(flux)), box, "same")
    sharp = np.maximum(flux - mean, 0)
    spread = float(sharp.std())
    # Rounding and the ripple of a steady tone stay near 0: only real onsets are brought to 1.
    return sharp / max(spread, 1.0)


def _measure_first_onset(spectra: npt.NDArray[np.float32]) -> float:
    """How much of an onset the very first moment is: nothing is known of before, but a beat there
    has faded a little later.
    """
    now, later = LEAD // HOP - 2, LEAD // HOP + 6
    if len(spectra) <= later:
        return 0.0
    return float(np.maximum(spectra[now] - spectra[later], 0).sum())


def _regroup(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Blocks of about ten seconds; the sound is mirrored at both ends, by `LEAD` and half a window.

    A mirrored tone goes on without a break, where silence would make its first and last moment an
    onset.
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
    """``samples`` with ``count`` more at one side: turned about the outermost one, so that neither
    value nor slope jumps.
    """
    widths = (count, 0) if side == "start" else (0, count)
    return np.pad(samples, widths, "reflect", reflect_type="odd").astype(np.float32)


def estimate_period(strength: npt.NDArray[np.float64]) -> float | None:
    """Frames from beat to beat, or None where nothing returns evenly."""
    shortest, longest = (60 / tempo / FRAME for tempo in reversed(TEMPO))
    if len(strength) < 2 * longest or strength.max(initial=0.0) < 1.0:
        return None
    size = 1 << (2 * len(strength) - 1).bit_length()
    # A frame's width of blur: beats do not fall on whole frames.
    blurred = np.convolve(strength, np.hanning(7) / np.hanning(7).sum(), "same")
    spectrum = np.fft.rfft(blurred - blurred.mean(), size)
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[: round(2 * longest) + 2]
    if alike[0] <= 0:
        return None
    # Longer lags have fewer pairs to add up.
    alike = alike / alike[0] * len(strength) / (len(strength) - np.arange(len(alike)))
    lags = np.arange(round(shortest), round(longest) + 1)
    # People tap near two beats a second (a broad preference, over two octaves).
    liking = np.exp(-0.5 * (np.log2(lags * FRAME / 0.5) / 1.5) ** 2)
    lag = int(lags[np.argmax(alike[lags] * liking)])
    if alike[lag] < 0.15:
        return None
    for share in (2, 3):
        # As much alike at a half or a third: that is the beat, and this every second or third.
        around = np.arange(round(lag / share) - 1, round(lag / share) + 2)
        if around[0] >= lags[0] and alike[around].max() > 0.8 * alike[lag]:
            lag = int(around[np.argmax(alike[around])])
            break
    return _interpolate_peak(alike, lag)


def _interpolate_peak(values: npt.NDArray[np.float64], peak: int) -> float:
    """Where the parabola through a peak and its neighbours is highest."""
    left, middle, right = values[peak - 1 : peak + 2]
    bend = left - 2 * middle + right
    return peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _track_beats(strength: npt.NDArray[np.float64], lag: float) -> npt.NDArray[np.int64]:
    """The row of frames that has the most onset under it at about one ``lag`` from each to the
    next.
    """
    steps = np.arange(-round(2 * lag), -max(1, round(lag / 2)) + 1)
    price = -TIGHT * np.log(-steps / lag) ** 2
    blurred = np.convolve(strength, np.exp(-0.5 * (np.arange(-4, 5) / 2.0) ** 2), "same")
    score = blurred.copy()
    come_from = np.full(len(score), -1, np.int64)
    for frame in range(len(score)):
        first = max(0, -(frame + int(steps[0])))
        if first >= len(steps):
            continue
        ways = score[frame + steps[first:]] + price[first:]
        best = int(ways.argmax())
        if ways[best] > 0:
            score[frame] += ways[best]
            come_from[frame] = frame + steps[first + best]
    beats = [int(score.argmax())]
    while come_from[beats[-1]] >= 0:
        beats.append(int(come_from[beats[-1]]))
    return np.array(beats[::-1], np.int64)


def _trim_silence(
    beats: npt.NDArray[np.int64], strength: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Without the beats that ran on into silence at both ends."""
    loud = np.array([strength[max(0, beat - 5) : beat + 6].max() for beat in beats])
    real = np.flatnonzero(loud > 0.3 * np.median(loud))
    return beats[real[0] : real[-1] + 1] if len(real) else beats


def _snap_to_onsets(
    beats: npt.NDArray[np.int64], strength: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Each beat on the strongest onset within 40 ms; where there is none it stays."""
    near = np.arange(-4, 5)
    places = np.clip(beats[:, None] + near, 0, len(strength) - 1)
    peaks = strength[places].argmax(1)
    found = strength[places].max(1) > 0
    return np.where(found, places[np.arange(len(beats)), peaks], beats)
