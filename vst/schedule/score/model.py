"""A score as plain values, and the timeline that it makes of a content."""

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

__all__ = ["ALIGNS", "PACES", "Clock", "Moment", "Score", "ScoreKey", "StyleSource"]

PACES = {
    "eased": "changes go as their ease says",
    "uniform": "changes go at a constant visible speed, measured on the painter",
}
"""How fast the picture changes -> what it means."""

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
_WAYS = "write seconds (12.5), 1:02.5, 120f, 50%, cut 3 or beat 8"


@dataclass(frozen=True)
class Clock:
    """What times of a score are measured against.

    ``start`` and ``last``: seconds of the first and of the last frame that is painted; ``rate``:
    frames a second; ``cuts`` and ``beats``: seconds, rising; None: they were not looked for.
    """

    start: float
    last: float
    rate: float
    cuts: Sequence[float] | None = None
    beats: Sequence[float] | None = None


@dataclass(frozen=True)
class Moment:
    """A time as it is written: ``unit`` s (seconds of the content), f (frames, counted from 0), %
    (of the painted part), cut or beat (counted from 1).
    """

    value: float
    unit: str = "s"

    @classmethod
    def of(cls, text: str) -> Moment:
        """From "12.5", "1:02.5", "120f", "50%", "cut 3" or "beat 8"."""
        bare = text.strip().lower()
        for unit, pattern in _UNITS:
            match = pattern.fullmatch(bare)
            if match is None:
                continue
            value = float(match.group(1))
            if unit == "%" and value > 100:
                raise UsageError(f"time {text!r} is after the end; the end is 100%")
            if unit in ("cut", "beat") and value < 1:
                raise UsageError(f"time {text!r}; {unit}s are counted from 1")
            return cls(value, unit)
        if ":" in bare:
            return cls(parse_time(bare))
        raise UsageError(f"time {text!r} cannot be read; {_WAYS}")

    def __str__(self) -> str:
        number = np.format_float_positional(self.value, trim="-")
        if self.unit in ("cut", "beat"):
            return f"{self.unit} {number}"
        return number if self.unit == "s" else f"{number}{self.unit}"

    def seconds(self, clock: Clock) -> float:
        """The time in seconds of the content."""
        if self.unit == "%":
            return clock.start + (clock.last - clock.start) * self.value / 100
        if self.unit == "f":
            return self.value / clock.rate
        if self.unit == "s":
            return self.value
        found = clock.cuts if self.unit == "cut" else clock.beats
        if found is None:
            raise UsageError(f"time '{self}' needs the {self.unit}s of a content; name one")
        if self.value > len(found):
            what = f"{len(found)} {self.unit}{'' if len(found) == 1 else 's'}"
            raise UsageError(f"time '{self}': the content has {what}; write an earlier one")
        return found[round(self.value) - 1]


@dataclass(frozen=True)
class StyleSource:
    """Where a style comes from: ``path``, a file (relative to the score) or @name; ``at``: seconds
    of the picture to take, where it is a video.
    """

    path: str
    at: float | None = None


@dataclass(frozen=True)
class ScoreKey:
    """One key: when, which style or mix (name -> weight), and what differs from the score's own.

    ``line``: where it stands in the file.
    """

    at: Moment
    weights: Mapping[str, float]
    strength: float | None = None
    ease: str | None = None
    hold: float | None = None
    brush: float | None = None
    colours: str | None = None
    line: int = field(default=0, compare=False)


CurvePoints = tuple[tuple[Moment, float], ...]


@dataclass(frozen=True)
class Score:
    """What a score file says. ``folder``: what its paths are relative to."""

    keys: tuple[ScoreKey, ...]
    styles: Mapping[str, StyleSource] = field(default_factory=dict)
    ground: tuple[ScoreKey, ...] = ()
    content: str | None = None
    ease: str = DEFAULT_EASE
    blend: str = DEFAULT_BLEND
    hold: float = 0.0
    loop: bool = False
    pace: str = "eased"
    align: str = "off"
    colours: str = "style"
    strength: CurvePoints = ()
    brush: CurvePoints = ()
    folder: Path = field(default=Path(), compare=False)
    file: str = field(default="", compare=False)

    @property
    def units(self) -> set[str]:
        """The units of all times: whether cuts or beats have to be looked for."""
        moments = [key.at for key in (*self.keys, *self.ground)]
        moments += [moment for moment, _ in (*self.strength, *self.brush)]
        return {moment.unit for moment in moments}

    @property
    def needs_cuts(self) -> bool:
        """Whether the content's cuts have to be known."""
        return self.align == "cuts" or "cut" in self.units

    @property
    def needs_beats(self) -> bool:
        """Whether the beats of the content's sound have to be known."""
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
        """The timeline for a content, closed where the score is a loop.

        ``cuts``, ``beats``: seconds, where `needs_cuts` or `needs_beats`. ``start``, ``end``: the
        part that is painted; ``rate``: frames a second of the output, where it is not the
        content's. Alignment and pace are left to their own modules.
        """
        upto = min(info.duration if end is None else end, info.duration)
        frames = rate or float(info.rate)
        last = max(start, upto - 1 / frames)
        clock = Clock(start, last, float(info.rate), cuts, beats)
        return self.on(clock)

    def on(self, clock: Clock) -> Timeline:
        """The timeline for a content of which this is known."""
        keys, ground = self._keys(self.keys, clock), self._keys(self.ground, clock)
        strength, brush = self._curve("strength", clock), self._curve("brush", clock)
        common = (self.ease, self.blend, self.hold)
        try:
            timeline = Timeline(
                keys,
                *common,
                strength=strength,
                brush=brush,
                ground=Timeline(ground, *common) if ground else None,
            )
            return timeline.looped(clock.last) if self.loop else timeline
        except UsageError as error:
            raise UsageError(f"{self.file}: {error}" if self.file else str(error)) from None

    def _keys(self, keys: Iterable[ScoreKey], clock: Clock) -> tuple[Key, ...]:
        return tuple(
            Key(
                self._seconds(key.at, clock, f", line {key.line}: at" if key.line else ": at"),
                key.weights,
                1.0 if key.strength is None else key.strength,
                1.0 if key.brush is None else key.brush,
                key.colours or self.colours,
                key.ease,
                key.hold,
            )
            for key in keys
        )

    def _curve(self, name: str, clock: Clock) -> Curve | None:
        points = self.strength if name == "strength" else self.brush
        timed = [(self._seconds(moment, clock, f": {name}"), value) for moment, value in points]
        return Curve(tuple(timed)) if timed else None

    def _seconds(self, moment: Moment, clock: Clock, where: str) -> float:
        try:
            return moment.seconds(clock)
        except UsageError as error:
            raise UsageError(f"{self.file or 'the score'}{where}: {error}") from None

    @classmethod
    def of(
        cls,
        timeline: Timeline,
        styles: Mapping[str, StyleSource | str] | None = None,
        *,
        clock: Clock | None = None,
        content: str | None = None,
    ) -> Score:
        """The score that makes this timeline again.

        ``styles``: where each name comes from. With a ``clock`` times are written as parts of the
        painted time, so that the score fits a content of any length; without, in seconds.
        """

        def moment(seconds: float) -> Moment:
            if clock is None or clock.last <= clock.start:
                return Moment(seconds)
            part = 100 * (seconds - clock.start) / (clock.last - clock.start)
            return Moment(round(part, 6) + 0.0, "%") if 0 <= part <= 100 else Moment(seconds)

        def keys(line: Timeline, curves: bool) -> tuple[ScoreKey, ...]:
            return tuple(
                ScoreKey(
                    moment(key.time),
                    dict(key.weights),
                    key.strength if key.strength != 1 and not (curves and line.strength) else None,
                    key.ease,
                    key.hold,
                    key.brush if key.brush != 1 and not (curves and line.brush) else None,
                    key.colours if key.colours != "style" else None,
                )
                for key in line.keys
            )

        def points(curve: Curve | None) -> CurvePoints:
            return tuple((moment(time), value) for time, value in curve.points) if curve else ()

        named = {
            name: source if isinstance(source, StyleSource) else StyleSource(source)
            for name, source in (styles or {}).items()
        }
        return cls(
            keys(timeline, True),
            named,
            keys(timeline.ground, False) if timeline.ground else (),
            content,
            timeline.ease,
            timeline.blend,
            timeline.hold,
            timeline.loop,
            strength=points(timeline.strength),
            brush=points(timeline.brush),
        )
