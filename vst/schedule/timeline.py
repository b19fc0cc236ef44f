"""The timeline: the styles' weights, the strength and the brush size at each time.

A `Timeline` is a sequence of `Key`s; ``at(t)`` returns the `Mix` at time ``t``. It handles names
and numbers only, no pictures and no engine. `vst.schedule.interpolation` has the arithmetic.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

from vst.core.fields import accept_aliases
from vst.core.html_repr import render_html
from vst.core.registry import make_unknown_error
from vst.errors import UsageError
from vst.imaging.color import COLORS
from vst.schedule.easing import get_ease, smooth
from vst.schedule.interpolation import (
    are_equal,
    blend_embeddings,
    combine_weights,
    compute_velocity,
    drop_name,
    interpolate_hermite,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "BLENDS", "BRUSHES", "COLORS", "NONE", "Curve", "Key", "Mix", "Timeline", "blend_embeddings",
]  # fmt: skip

NONE = "none"
"""The name of the keyframe that stands for the unpainted content."""

BLENDS = {
    "embedding": "interpolate the styles' embeddings linearly",
    "slerp": "interpolate the styles' embeddings along the sphere",
    "spline": "interpolate the styles' embeddings along a smooth curve through all keys",
    "pixels": "paint with both styles and cross-fade the paintings",
}
"""Name of a blend -> its description."""

BRUSHES = (0.25, 4.0)
"""The smallest and the largest brush: the painter's working size relative to the job's size."""

SNAP = 1e-9
"""Parts of a transition closer to an end than this count as that end, because times are rounded."""


@accept_aliases
@dataclass(frozen=True)
class Mix:
    """What to paint a frame with.

    ``weights``: keyframe name -> weight, summing to 1. The name `NONE` is the unpainted content;
    its weight lies in 0..1. Other weights may be slightly negative where the path overshoots
    (blend ``spline``, some eases): embeddings are mixed with them, a cross-fade of pictures drops
    them. ``strength``: 0..1, where 0 is the unpainted content. ``brush``: the painter's working
    size relative to the job's; below 1 the strokes are larger. ``colors``: a name in `COLORS`;
    during a change from one to another, ``palette`` has the weight of each. ``background``: the mix
    of the background, where the job has a mask; ``regions``: those of its regions, the topmost
    first, where it has several.
    """

    weights: Mapping[str, float]
    blend: str = "embedding"
    strength: float = 1.0
    brush: float = 1.0
    colors: str = field(default="style", metadata={"aliases": ("colours",)})
    palette: Mapping[str, float] = field(default_factory=dict)
    background: Mix | None = field(default=None, metadata={"aliases": ("ground",)})
    regions: tuple[Mix, ...] = ()

    @property
    def painted(self) -> float:
        """The share of paint in the result, 0..1: strength times the weight of all but `NONE`."""
        return min(1.0, max(0.0, self.strength * (1 - self.weights.get(NONE, 0.0))))


@accept_aliases
@dataclass(frozen=True)
class Key:
    """The ``weights`` (keyframe name -> weight) at ``time`` (seconds).

    ``ease`` and ``hold`` shape the transition to the next key; None: the timeline's. ``hold``
    (0..1) is the share of the time to the next key without change, half of it at each end.
    """

    time: float
    weights: Mapping[str, float]
    strength: float = 1.0
    brush: float = 1.0
    colors: str = field(default="style", metadata={"aliases": ("colours",)})
    ease: str | None = None
    hold: float | None = None


@dataclass(frozen=True)
class Curve:
    """A number over time, with its own points: (seconds, value), in any order."""

    points: tuple[tuple[float, float], ...]
    ease: str = "linear"

    def __post_init__(self) -> None:
        if not self.points:
            raise UsageError("the curve has no points. Give at least one point (time, value).")
        get_ease(self.ease)
        object.__setattr__(self, "points", tuple(sorted(self.points, key=lambda point: point[0])))

    def at(self, time: float) -> float:
        """Return the value at ``time`` seconds; outside of the points, the nearest point's."""
        after = bisect.bisect_right([start for start, _ in self.points], time)
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (start, low), (end, high) = self.points[after - 1], self.points[after]
        part = get_ease(self.ease)((time - start) / (end - start))
        return (1 - part) * low + part * high

    def close_loop(self, end: float) -> Curve:
        """Return the curve, ending at ``end`` seconds with the value it starts with."""
        before = [point for point in self.points if point[0] < end]
        return replace(self, points=(*before, (end, self.points[0][1])))


class Transition(TypedDict, total=False):
    """How a timeline interpolates between its keys: the fields of `Timeline` of these names."""

    ease: str
    blend: str
    hold: float


@accept_aliases
@dataclass(frozen=True)
class Timeline:
    """Keys in order of time, and how to interpolate between them.

    ``strength`` and ``brush``: curves that replace the keys' numbers. ``background``: the timeline
    of the background, where the job has a mask; ``regions``: those of its regions. ``loop``: the
    last key equals the first one, and a smooth path continues around.

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
    background: Timeline | None = field(default=None, metadata={"aliases": ("ground",)})
    regions: tuple[Timeline, ...] = ()

    def __post_init__(self) -> None:
        if not self.keys:
            raise UsageError("the timeline has no keys. Give at least one key.")
        get_ease(self.ease)
        if self.blend not in BLENDS:
            raise make_unknown_error("blend", self.blend, BLENDS)
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
        first, last = _normalize_weights(self._first_visible), _normalize_weights(self.keys[-1])
        if self.loop and not are_equal(first, last):
            raise UsageError(
                "a loop ends as it begins, but the last key has another style than the first. "
                "Add the key that closes it, as Timeline.close_loop(end) does."
            )

    @classmethod
    def through(
        cls,
        names: Sequence[str],
        duration: float,
        *,
        start: float = 0.0,
        strength: float = 1.0,
        loop: bool = False,
        **transition: Unpack[Transition],
    ) -> Timeline:
        """Return a timeline with N names and N-1 transitions of equal length.

        The first style is pure at ``start`` seconds, the last one ``duration`` seconds later. With
        ``loop`` one more transition leads back to the first style.
        """
        played = [*names, names[0]] if loop and len(names) > 1 and names[0] != names[-1] else names
        steps = max(1, len(played) - 1)
        keys = (
            Key(start + duration * i / steps, {name: 1.0}, strength)
            for i, name in enumerate(played)
        )
        return cls(tuple(keys), loop=loop, **transition)

    def close_loop(self, end: float) -> Timeline:
        """Return the timeline as a loop: at ``end`` seconds it is as at its first key.

        Raises `UsageError` if the last key is not before ``end`` and differs from the first.
        """
        first, last = self._first_visible, self.keys[-1]
        closed = self.keys
        if len(self.keys) > 1 and not (_are_equal_keys(first, last) and last.time <= end):
            if last.time >= end:
                raise UsageError(
                    f"the last key, at {last.time:g} s, leaves no time to come back to the first "
                    f"style by {end:g} s. Move it earlier, or give it the first key's style."
                )
            closed = (*self.keys, replace(first, time=end, ease=None, hold=None))
        return replace(
            self,
            keys=closed,
            loop=True,
            strength=self.strength.close_loop(end) if self.strength else None,
            brush=self.brush.close_loop(end) if self.brush else None,
            background=self.background.close_loop(end) if self.background else None,
        )

    looped = close_loop
    """The earlier name of `close_loop`."""

    @property
    def _first_visible(self) -> Key:
        """The last of the keys at the first time: the one that applies there."""
        return [key for key in self.keys if key.time == self.keys[0].time][-1]

    @property
    def names(self) -> list[str]:
        """The styles in order of appearance, then those of the background, without `NONE`."""
        found = dict.fromkeys(name for key in self.keys for name in key.weights)
        for other in (*filter(None, [self.background]), *self.regions):
            found.update(dict.fromkeys(other.names))
        return [name for name in found if name != NONE]

    def _repr_html_(self) -> str:
        return render_html("timeline", self)

    def at(self, time: float) -> Mix:
        """Return the mix at ``time`` seconds; outside of the keys, that of the nearest key."""
        after = bisect.bisect_right([key.time for key in self.keys], time)
        if after == 0:
            return self.between(0, 0.0, time)
        if after == len(self.keys):
            return self.between(after - 1, 0.0, time)
        key, following = self.keys[after - 1], self.keys[after]
        part = (time - key.time) / (following.time - key.time)
        hold = self.hold if key.hold is None else key.hold
        return self.between(
            after - 1, get_ease(key.ease or self.ease)(apply_hold(part, hold)), time
        )

    def between(self, index: int, part: float, time: float | None = None) -> Mix:
        """Return the mix at ``part`` (0..1) of the transition from key ``index`` to the next.

        ``time``: seconds, for the curves and the background; None: derived linearly from ``part``.
        """
        before = self.keys[index]
        following = self.keys[min(index + 1, len(self.keys) - 1)]
        part = 0.0 if abs(part) < SNAP else 1.0 if abs(part - 1) < SNAP else part
        inside = min(1.0, max(0.0, part))
        if time is None:
            time = before.time + inside * (following.time - before.time)
        palette = combine_weights(
            [(1 - inside, {before.colors: 1.0}), (inside, {following.colors: 1.0})]
        )
        strength = (1 - inside) * before.strength + inside * following.strength
        # Brush sizes are ratios: halfway between 1/2 and 2 is 1.
        brush = math.exp((1 - inside) * math.log(before.brush) + inside * math.log(following.brush))
        return Mix(
            weights=self._weights(index, part),
            blend=self.blend,
            strength=self.strength.at(time) if self.strength else strength,
            brush=self.brush.at(time) if self.brush else brush,
            colors=before.colors if inside < 0.5 else following.colors,
            palette=palette,
            background=self.background.at(time) if self.background else None,
            regions=tuple(region.at(time) for region in self.regions),
        )

    def _weights(self, index: int, part: float) -> dict[str, float]:
        """Return the weights at ``part`` from key ``index`` to the next, summing to 1."""
        following = min(index + 1, len(self.keys) - 1)
        start, end = _normalize_weights(self.keys[index]), _normalize_weights(self.keys[following])
        if part == 0 or following == index:
            return start
        if part == 1:
            return end
        if self.blend != "spline":
            if NONE in start or NONE in end:  # the content does not overshoot
                part = min(1.0, max(0.0, part))
            return combine_weights([(1 - part, start), (part, end)])
        # The unpainted content is not a point of the style space: its weight follows a curve of its
        # own beside the path, with zero speed at the keys.
        bare = smooth(min(1.0, max(0.0, part)))
        bare = (1 - bare) * start.get(NONE, 0.0) + bare * end.get(NONE, 0.0)
        a = drop_name(start, NONE) or drop_name(end, NONE)
        b = drop_name(end, NONE) or a
        seconds = self.keys[following].time - self.keys[index].time
        way = interpolate_hermite(
            a, self._velocity(index), b, self._velocity(following), seconds, part
        )
        return combine_weights([(1 - bare, way), (bare, {NONE: 1.0})])

    def _velocity(self, index: int) -> dict[str, float]:
        """Return the styles' rate of change at a key of the smooth path, per second."""
        key, last = self.keys[index], len(self.keys) - 1
        here = drop_name(_normalize_weights(key), NONE)
        if not here:
            return {}

        def neighbor(step: int) -> tuple[float, Mapping[str, float]] | None:
            position, shift = index + step, 0.0
            if not 0 <= position <= last:
                if not self.loop or last < 2:
                    return None
                # Around the loop: the last key equals the first.
                shift = step * (self.keys[last].time - self.keys[0].time)
                position = last - 1 if step < 0 else 1
            other = self.keys[position]
            if other.time + shift == key.time:  # a hard change interrupts the path
                return None
            return other.time + shift, drop_name(_normalize_weights(other), NONE) or here

        return compute_velocity(neighbor(-1), (key.time, here), neighbor(1))


def apply_hold(part: float, hold: float) -> float:
    """Return the progress of a transition at ``part`` of its time.

    The progress stays constant for the share ``hold`` of the time, half of it at each end.
    """
    if hold >= 1:
        return 0.0 if part < 0.5 else 1.0
    return min(1.0, max(0.0, (part - hold / 2) / (1 - hold)))


def _normalize_weights(key: Key) -> dict[str, float]:
    """Return the key's positive weights, normalized to sum to 1."""
    total = sum(key.weights.values())
    return {name: weight / total for name, weight in key.weights.items() if weight > 0}


def _are_equal_keys(one: Key, other: Key) -> bool:
    """Report whether two keys give the same mix."""
    alike = (one.strength, one.brush, one.colors) == (other.strength, other.brush, other.colors)
    return alike and are_equal(_normalize_weights(one), _normalize_weights(other))


def _check_key(key: Key) -> None:
    weights = key.weights.values()
    if not math.isfinite(key.time):
        raise UsageError(f"a key's time is {key.time:g}. Give a time in seconds.")
    if not weights or not all(0 <= weight < math.inf for weight in weights) or sum(weights) <= 0:
        raise UsageError(
            f"the key at {key.time:g} s needs a positive weight and no negative ones. "
            "Give each key a style."
        )
    _check_number("strength", key.strength, key.time, 0, 1)
    _check_number("brush", key.brush, key.time, *BRUSHES)
    if key.hold is not None:
        _check_number("hold", key.hold, key.time, 0, 1)
    if key.ease is not None:
        get_ease(key.ease)
    if key.colors not in COLORS:
        raise make_unknown_error("colors", key.colors, COLORS)


def _check_number(name: str, value: float, time: float | None, low: float, high: float) -> None:
    if not low <= value <= high:
        where = "" if time is None else f" at {time:g} s"
        raise UsageError(f"{name} {value:g}{where} is out of range. Give {low:g} to {high:g}.")
