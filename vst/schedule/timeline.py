"""Which styles, with which weights, how strong and how fine, at which time.

A `Timeline` is a row of `Key`s; ``at(t)`` says the `Mix` of time ``t``. It knows names and numbers
only: no pictures, no engine. The arithmetic stands in `vst.schedule.interpolation`.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vst.core.html_repr import shown
from vst.core.registry import unknown
from vst.errors import UsageError
from vst.imaging.color import COLOURS
from vst.schedule.easing import ease_named, smooth
from vst.schedule.interpolation import blend_embeddings, combined, hermite, same, velocity, without

__all__ = [
    "BLENDS", "BRUSHES", "COLOURS", "NONE", "Curve", "Key", "Mix", "Timeline", "blend_embeddings",
]  # fmt: skip

NONE = "none"
"""The name of the keyframe that is the content itself, unpainted."""

BLENDS = {
    "embedding": "mix the styles' numbers in a straight line",
    "slerp": "mix the styles' numbers along the sphere",
    "spline": "mix the styles' numbers along a smooth curve through all keys",
    "pixels": "paint with both styles and cross-fade the paintings",
}
"""Names of the ways to mix -> what each does."""

BRUSHES = (0.25, 4.0)
"""The least and the largest size that the painter may work at, relative to the job's size."""

SNAP = 1e-9
"""Parts of a transition nearer to an end than this are that end: times are rounded."""


@dataclass(frozen=True)
class Mix:
    """What to paint a frame with.

    ``weights``: keyframe name -> weight, summing to 1; the name `NONE` is the content itself, its
    weight lies in 0..1. Of the others some may be a little below 0, where the path swings out
    (blend ``spline``, eases that overshoot): numbers of styles are mixed with them as they are; a
    cross-fade of pictures leaves them out. ``strength`` 0..1: 0 is the content itself. ``brush``:
    the size that the painter works at, relative to the job's: below 1 the strokes are larger.
    ``colours``: a name of `COLOURS`; while one goes over into another, ``palette`` has the part of
    each. ``ground``: the mix of the background, where there is a mask.
    """

    weights: Mapping[str, float]
    blend: str = "embedding"
    strength: float = 1.0
    brush: float = 1.0
    colours: str = "style"
    palette: Mapping[str, float] = field(default_factory=dict)
    ground: Mix | None = None

    @property
    def painted(self) -> float:
        """How much of the result is painted at all, 0..1: the strength, less the weight of the
        content itself.
        """
        return min(1.0, max(0.0, self.strength * (1 - self.weights.get(NONE, 0.0))))


@dataclass(frozen=True)
class Key:
    """At ``time`` (seconds), ``weights`` (keyframe name -> weight) hold.

    ``ease`` and ``hold`` (0..1, the part of the time to the next key that stays with a pure style,
    half of it at each end) tell how the change to the next key goes; None: as the timeline says.
    """

    time: float
    weights: Mapping[str, float]
    strength: float = 1.0
    brush: float = 1.0
    colours: str = "style"
    ease: str | None = None
    hold: float | None = None


@dataclass(frozen=True)
class Curve:
    """A number over time, with keys of its own: ``points`` are (seconds, value), in any order."""

    points: tuple[tuple[float, float], ...]
    ease: str = "linear"

    def __post_init__(self) -> None:
        if not self.points:
            raise UsageError("a curve needs at least one point (time, value); none was given")
        ease_named(self.ease)
        object.__setattr__(self, "points", tuple(sorted(self.points, key=lambda point: point[0])))

    def at(self, time: float) -> float:
        """The value at ``time`` seconds; before the first point the first, after the last the
        last one.
        """
        after = bisect.bisect_right([place for place, _ in self.points], time)
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (start, low), (end, high) = self.points[after - 1], self.points[after]
        part = ease_named(self.ease)((time - start) / (end - start))
        return (1 - part) * low + part * high

    def looped(self, end: float) -> Curve:
        """The same curve, ending at ``end`` with the value that it begins with."""
        before = [point for point in self.points if point[0] < end]
        return replace(self, points=(*before, (end, self.points[0][1])))


@dataclass(frozen=True)
class Timeline:
    """Keys in order of time, with the way to go from each to the next.

    ``strength`` and ``brush``: curves that stand in for the keys' own numbers. ``ground``: the
    timeline of the background, where there is a mask. ``loop``: the last key is the first one
    again, and a smooth path goes round.

    >>> line = Timeline.through(["waves", "fire"], duration=10.0, ease="linear")
    >>> line.at(2.5).weights
    {'waves': 0.75, 'fire': 0.25}
    """

    keys: tuple[Key, ...]
    ease: str = "smooth"
    blend: str = "embedding"
    hold: float = 0.0
    loop: bool = False
    strength: Curve | None = None
    brush: Curve | None = None
    ground: Timeline | None = None

    def __post_init__(self) -> None:
        if not self.keys:
            raise UsageError("a timeline needs at least one key; none was given")
        ease_named(self.ease)
        if self.blend not in BLENDS:
            raise unknown("blend", self.blend, BLENDS)
        _check_number("hold", self.hold, None, 0, 1)
        for key in self.keys:
            _check_key(key)
        for name, curve, low, high in (
            ("strength", self.strength, 0.0, 1.0),
            ("brush", self.brush, *BRUSHES),
        ):
            for time, value in curve.points if curve else ():
                _check_number(name, value, time, low, high)
        object.__setattr__(self, "keys", tuple(sorted(self.keys, key=lambda key: key.time)))
        seen_first = [key for key in self.keys if key.time == self.keys[0].time][-1]
        if self.loop and not same(_shares(seen_first), _shares(self.keys[-1])):
            raise UsageError(
                "a loop ends as it begins, but the last key has another style than the first; "
                "let Timeline.looped(end) add the key that closes it"
            )

    @classmethod
    def through(
        cls,
        names: Sequence[str],
        duration: float,
        *,
        start: float = 0.0,
        ease: str = "smooth",
        blend: str = "embedding",
        strength: float = 1.0,
        hold: float = 0.0,
        loop: bool = False,
    ) -> Timeline:
        """N names, N−1 transitions of one length: the first is pure at ``start``, the last
        ``duration`` s later. With ``loop`` one more transition leads back to the first.
        """
        played = [*names, names[0]] if loop and len(names) > 1 and names[0] != names[-1] else names
        steps = max(1, len(played) - 1)
        keys = (
            Key(start + duration * i / steps, {name: 1.0}, strength)
            for i, name in enumerate(played)
        )
        return cls(tuple(keys), ease, blend, hold, loop)

    def looped(self, end: float) -> Timeline:
        """The same timeline, closed: at ``end`` seconds, after its last key, it is as it began."""
        last = self.keys[-1]
        # Of several keys at the first time, the last one is seen.
        first = [key for key in self.keys if key.time == self.keys[0].time][-1]
        closed = self.keys
        if len(self.keys) > 1 and not (_as_one(first, last) and last.time <= end):
            if last.time >= end:
                raise UsageError(
                    f"the last key, at {last.time:g} s, leaves no time to come back to the first "
                    f"style by {end:g} s; move it earlier, or give it the first key's style"
                )
            closed = (*self.keys, replace(first, time=end, ease=None, hold=None))
        return replace(
            self,
            keys=closed,
            loop=True,
            strength=self.strength.looped(end) if self.strength else None,
            brush=self.brush.looped(end) if self.brush else None,
            ground=self.ground.looped(end) if self.ground else None,
        )

    @property
    def names(self) -> list[str]:
        """Every style that is played, in order of appearance, then those of the ground, without
        the content itself.
        """
        found = dict.fromkeys(name for key in self.keys for name in key.weights)
        if self.ground is not None:
            found.update(dict.fromkeys(self.ground.names))
        return [name for name in found if name != NONE]

    def _repr_html_(self) -> str:
        return shown("timeline", self)

    def at(self, time: float) -> Mix:
        """The mix at ``time`` seconds: before the first key the first one, after the last key the
        last one.
        """
        after = bisect.bisect_right([key.time for key in self.keys], time)
        if after == 0:
            return self.between(0, 0.0, time)
        if after == len(self.keys):
            return self.between(after - 1, 0.0, time)
        key, following = self.keys[after - 1], self.keys[after]
        part = (time - key.time) / (following.time - key.time)
        hold = self.hold if key.hold is None else key.hold
        return self.between(after - 1, ease_named(key.ease or self.ease)(held(part, hold)), time)

    def between(self, index: int, part: float, time: float | None = None) -> Mix:
        """The mix when ``part`` 0..1 of the change from key ``index`` to the next is done.

        ``time``: seconds, for what goes by the clock (curves, the ground); not given, it passes
        evenly.
        """
        before = self.keys[index]
        following = self.keys[min(index + 1, len(self.keys) - 1)]
        part = 0.0 if abs(part) < SNAP else 1.0 if abs(part - 1) < SNAP else part
        inside = min(1.0, max(0.0, part))
        if time is None:
            time = before.time + inside * (following.time - before.time)
        palette = combined(
            [(1 - inside, {before.colours: 1.0}), (inside, {following.colours: 1.0})]
        )
        strength = (1 - inside) * before.strength + inside * following.strength
        # Sizes are ratios: halfway between 1/2 and 2 is 1.
        brush = math.exp((1 - inside) * math.log(before.brush) + inside * math.log(following.brush))
        return Mix(
            weights=self._weights(index, part),
            blend=self.blend,
            strength=self.strength.at(time) if self.strength else strength,
            brush=self.brush.at(time) if self.brush else brush,
            colours=before.colours if inside < 0.5 else following.colours,
            palette=palette,
            ground=self.ground.at(time) if self.ground else None,
        )

    def _weights(self, index: int, part: float) -> dict[str, float]:
        """The weights on the way from key ``index`` to the next, summing to 1."""
        following = min(index + 1, len(self.keys) - 1)
        start, end = _shares(self.keys[index]), _shares(self.keys[following])
        if part == 0 or following == index:
            return start
        if part == 1:
            return end
        if self.blend != "spline":
            if NONE in start or NONE in end:  # nothing is less than not painted at all
                part = min(1.0, max(0.0, part))
            return combined([(1 - part, start), (part, end)])
        # The content itself is no point of the style space: it fades in and out beside the path,
        # at rest at the keys.
        bare = smooth(min(1.0, max(0.0, part)))
        bare = (1 - bare) * start.get(NONE, 0.0) + bare * end.get(NONE, 0.0)
        a = without(start, NONE) or without(end, NONE)
        b = without(end, NONE) or a
        seconds = self.keys[following].time - self.keys[index].time
        way = hermite(a, self._velocity(index), b, self._velocity(following), seconds, part)
        return combined([(1 - bare, way), (bare, {NONE: 1.0})])

    def _velocity(self, index: int) -> dict[str, float]:
        """How fast the styles' shares change at a key of the smooth path, per second."""
        key, last = self.keys[index], len(self.keys) - 1
        here = without(_shares(key), NONE)
        if not here:
            return {}

        def neighbour(step: int) -> tuple[float, Mapping[str, float]] | None:
            place, shift = index + step, 0.0
            if not 0 <= place <= last:
                if not self.loop or last < 2:
                    return None
                # Round the loop: the last key is the first again.
                shift = step * (self.keys[last].time - self.keys[0].time)
                place = last - 1 if step < 0 else 1
            other = self.keys[place]
            if other.time + shift == key.time:  # a hard change: the path begins anew
                return None
            return other.time + shift, without(_shares(other), NONE) or here

        return velocity(neighbour(-1), (key.time, here), neighbour(1))


def held(part: float, hold: float) -> float:
    """The part of a change that is done where ``hold`` of the time stands still, half of it at
    each end.
    """
    if hold >= 1:
        return 0.0 if part < 0.5 else 1.0
    return min(1.0, max(0.0, (part - hold / 2) / (1 - hold)))


def _shares(key: Key) -> dict[str, float]:
    """The key's weights, brought to sum 1, without those that are 0."""
    total = sum(key.weights.values())
    return {name: weight / total for name, weight in key.weights.items() if weight > 0}


def _as_one(one: Key, other: Key) -> bool:
    """Whether two keys look the same."""
    alike = (one.strength, one.brush, one.colours) == (other.strength, other.brush, other.colours)
    return alike and same(_shares(one), _shares(other))


def _check_key(key: Key) -> None:
    weights = key.weights.values()
    if not math.isfinite(key.time):
        raise UsageError(f"a key at {key.time:g} s; give a time in seconds")
    if not weights or not all(0 <= weight < math.inf for weight in weights) or sum(weights) <= 0:
        raise UsageError(f"the key at {key.time:g} s has no positive weight; give each key a style")
    _check_number("strength", key.strength, key.time, 0, 1)
    _check_number("brush", key.brush, key.time, *BRUSHES)
    if key.hold is not None:
        _check_number("hold", key.hold, key.time, 0, 1)
    if key.ease is not None:
        ease_named(key.ease)
    if key.colours not in COLOURS:
        raise unknown("colours", key.colours, COLOURS)


def _check_number(name: str, value: float, time: float | None, low: float, high: float) -> None:
    if not low <= value <= high:
        where = "" if time is None else f" at {time:g} s"
        raise UsageError(f"{name} {value:g}{where}; it goes from {low:g} to {high:g}")
