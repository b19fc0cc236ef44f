"""A score as plain values, and its timeline for a content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vst.core.timecode import parse_time
from vst.core.types import VideoInfo
from vst.errors import UsageError
from vst.schedule.alignment import ALIGNS
from vst.schedule.timeline import Curve, Key, Timeline

__all__ = ["ALIGNS", "PACES", "Clock", "Score", "ScoreKey", "ScoreTime", "StyleSource"]

PACES = {
    "eased": "transitions follow their ease",
    "uniform": "transitions have a constant visible speed, measured on the painter",
}
"""Name of a pace -> its description."""

DEFAULT_EASE = "smooth"
DEFAULT_BLEND = "embedding"

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_UNITS = (
    ("f", re.compile(r"(\d+)\s*f(?:rames?)?")),
    ("%", re.compile(_NUMBER + r"\s*%")),
    ("cut", re.compile(r"cut\s+(\d+)")),
    ("beat", re.compile(r"beat\s+(\d+)")),
    ("s", re.compile(_NUMBER + r"\s*s?")),
)
_FORMATS = "Write seconds (12.5), 1:02.5, 120f, 50%, cut 3 or beat 8."


@dataclass(frozen=True)
class Clock:
    """The properties of a content that convert a score's times to seconds.

    ``start`` and ``last``: seconds of the first and of the last painted frame; ``rate``: frames per
    second; ``cuts`` and ``beats``: seconds, rising; None: not detected.
    """

    start: float
    last: float
    rate: float
    cuts: Sequence[float] | None = None
    beats: Sequence[float] | None = None


@dataclass(frozen=True)
class ScoreTime:
    """A time in a score.

    ``unit``: s (seconds of the content), f (frames, counted from 0), % (of the painted part), cut
    or beat (counted from 1).
    """

    value: float
    unit: str = "s"

    @classmethod
    def parse(cls, text: str) -> ScoreTime:
        """Parse "12.5", "1:02.5", "120f", "50%", "cut 3" or "beat 8"; raises `UsageError`."""
        bare = text.strip().lower()
        for unit, pattern in _UNITS:
            match = pattern.fullmatch(bare)
            if match is None:
                continue
            value = float(match.group(1))
            if unit == "%" and value > 100:
                raise UsageError(f"time {text!r} is after the end. Give at most 100%.")
            if unit in ("cut", "beat") and value < 1:
                raise UsageError(f"time {text!r} does not exist: {unit}s are counted from 1")
            return cls(value, unit)
        if ":" in bare:
            return cls(parse_time(bare))
        raise UsageError(f"time {text!r} is not a time. {_FORMATS}")

    def __str__(self) -> str:
        number = np.format_float_positional(self.value, trim="-")
        if self.unit in ("cut", "beat"):
            return f"{self.unit} {number}"
        return number if self.unit == "s" else f"{number}{self.unit}"

    @classmethod
    def at(cls, seconds: float, clock: Clock | None) -> ScoreTime:
        """Return the time of ``seconds``: with a clock, as a percentage of the painted part;
        without one, or outside of that part, in seconds.
        """
        if clock is None or clock.last <= clock.start:
            return cls(seconds)
        part = 100 * (seconds - clock.start) / (clock.last - clock.start)
        return cls(round(part, 6) + 0.0, "%") if 0 <= part <= 100 else cls(seconds)

    def to_seconds(self, clock: Clock) -> float:
        """Convert to seconds of the content; raises `UsageError` if it has no such cut or beat."""
        if self.unit == "%":
            return clock.start + (clock.last - clock.start) * self.value / 100
        if self.unit == "f":
            return self.value / clock.rate
        if self.unit == "s":
            return self.value
        found = clock.cuts if self.unit == "cut" else clock.beats
        if found is None:
            raise UsageError(f"time '{self}' needs the {self.unit}s of a content. Name a content.")
        if self.value > len(found):
            what = f"{len(found)} {self.unit}{'' if len(found) == 1 else 's'}"
            raise UsageError(f"time '{self}': the content has {what}. Write an earlier one.")
        return found[round(self.value) - 1]


@dataclass(frozen=True)
class StyleSource:
    """The source of a style.

    ``path``: a file (relative to the score) or @name. ``at``: the time of the frame to use, in
    seconds, if the file is a video.
    """

    path: str
    at: float | None = None


@dataclass(frozen=True)
class ScoreKey:
    """One key: a time, the weights (name -> weight), and what differs from the score's settings.

    ``line``: the key's line in the file, from 1; 0: it was not read from a file.
    """

    at: ScoreTime
    weights: Mapping[str, float]
    strength: float | None = None
    ease: str | None = None
    hold: float | None = None
    brush: float | None = None
    colors: str | None = None
    line: int = field(default=0, compare=False)


CurvePoints = tuple[tuple[ScoreTime, float], ...]


@dataclass(frozen=True)
class Score:
    """The content of a score file. ``folder``: the folder that its paths are relative to."""

    keys: tuple[ScoreKey, ...]
    styles: Mapping[str, StyleSource] = field(default_factory=dict)
    background: tuple[ScoreKey, ...] = ()
    content: str | None = None
    ease: str = DEFAULT_EASE
    blend: str = DEFAULT_BLEND
    hold: float = 0.0
    loop: bool = False
    pace: str = "eased"
    align: str = "off"
    colors: str = "style"
    strength: CurvePoints = ()
    brush: CurvePoints = ()
    steadiness: float | None = None
    folder: Path = field(default=Path(), compare=False)
    file: str = field(default="", compare=False)

    @property
    def units(self) -> set[str]:
        """The units of all times in the score."""
        return {time.unit for time in self.times}

    @property
    def times(self) -> list[ScoreTime]:
        """All times in the score: those of the keys, the background's keys and the curves."""
        curves = (*self.strength, *self.brush)
        return [key.at for key in (*self.keys, *self.background)] + [time for time, _ in curves]

    @property
    def needs_cuts(self) -> bool:
        """Whether the timeline depends on the content's cuts."""
        return self.align == "cuts" or "cut" in self.units

    @property
    def needs_beats(self) -> bool:
        """Whether the timeline depends on the beats of the content's sound."""
        return self.align == "beats" or "beat" in self.units

    def timeline(
        self,
        info: VideoInfo,
        cuts: Sequence[float] | None = None,
        beats: Sequence[float] | None = None,
        *,
        start: float = 0.0,
        end: float | None = None,
        rate: float | None = None,
    ) -> Timeline:
        """Return the timeline for a content, closed if the score is a loop.

        ``cuts``, ``beats``: seconds, required if `needs_cuts` or `needs_beats`. ``start``, ``end``:
        seconds of the part to paint; ``rate``: frames per second of the output, if not the
        content's. Alignment and pace are not applied: see `vst.schedule.alignment` and
        `vst.schedule.pacing`.
        """
        end = min(info.duration if end is None else end, info.duration)
        last = max(start, end - 1 / (rate or float(info.rate)))
        return self.make_timeline(Clock(start, last, float(info.rate), cuts, beats))

    def make_timeline(self, clock: Clock) -> Timeline:
        """Return the timeline for a content with this clock, closed if the score is a loop.

        Raises `UsageError` that names the file, and the line where one key is at fault.
        """
        keys = self._make_keys(self.keys, clock)
        background = self._make_keys(self.background, clock)
        strength = self._make_curve("strength", self.strength, clock)
        brush = self._make_curve("brush", self.brush, clock)
        common = (self.ease, self.blend, self.hold)
        try:
            timeline = Timeline(
                keys,
                *common,
                strength=strength,
                brush=brush,
                background=Timeline(background, *common) if background else None,
            )
            return timeline.close_loop(clock.last) if self.loop else timeline
        except UsageError as error:
            raise UsageError(f"{self.file}: {error}" if self.file else str(error)) from None

    def _make_keys(self, keys: Iterable[ScoreKey], clock: Clock) -> tuple[Key, ...]:
        return tuple(
            Key(
                self._to_seconds(key.at, clock, f", line {key.line}: at" if key.line else ": at"),
                key.weights,
                1.0 if key.strength is None else key.strength,
                1.0 if key.brush is None else key.brush,
                key.colors or self.colors,
                key.ease,
                key.hold,
            )
            for key in keys
        )

    def _make_curve(self, name: str, points: CurvePoints, clock: Clock) -> Curve | None:
        timed = [(self._to_seconds(time, clock, f": {name}"), value) for time, value in points]
        return Curve(tuple(timed)) if timed else None

    def _to_seconds(self, time: ScoreTime, clock: Clock, where: str) -> float:
        try:
            return time.to_seconds(clock)
        except UsageError as error:
            raise UsageError(f"{self.file or 'the score'}{where}: {error}") from None

    @classmethod
    def from_timeline(
        cls,
        timeline: Timeline,
        styles: Mapping[str, StyleSource | str] | None = None,
        *,
        clock: Clock | None = None,
        content: str | None = None,
    ) -> Score:
        """Return the score whose timeline is this one.

        ``styles``: name -> source. With a ``clock``, times are percentages of the painted part, so
        that the score fits a content of any length; without, seconds.
        """

        def make_keys(line: Timeline, curves: bool) -> tuple[ScoreKey, ...]:
            return tuple(
                ScoreKey(
                    ScoreTime.at(key.time, clock),
                    dict(key.weights),
                    key.strength if key.strength != 1 and not (curves and line.strength) else None,
                    key.ease,
                    key.hold,
                    key.brush if key.brush != 1 and not (curves and line.brush) else None,
                    key.colors if key.colors != "style" else None,
                )
                for key in line.keys
            )

        def make_points(curve: Curve | None) -> CurvePoints:
            points = curve.points if curve else ()
            return tuple((ScoreTime.at(time, clock), value) for time, value in points)

        named = {
            name: source if isinstance(source, StyleSource) else StyleSource(source)
            for name, source in (styles or {}).items()
        }
        return cls(
            make_keys(timeline, True),
            named,
            make_keys(timeline.background, False) if timeline.background else (),
            content,
            timeline.ease,
            timeline.blend,
            timeline.hold,
            timeline.loop,
            strength=make_points(timeline.strength),
            brush=make_points(timeline.brush),
        )

    of = from_timeline
    """The earlier name of `from_timeline`."""
