"""Which styles, with which weights, at which time.

A `Timeline` is a row of `Key`s; ``at(t)`` says the `Mix` of time ``t``. It knows names and numbers
only: no pictures, no engine. The arithmetic on embeddings (`blend_embeddings`) stands here too,
because it is what a mix means.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vst.easing import ease_named
from vst.errors import UsageError
from vst.frames import Embedding
from vst.registry import unknown

NONE = "none"
"""The name of the keyframe that is the content itself, unpainted."""

BLENDS = {
    "embedding": "mix the styles' numbers in a straight line",
    "slerp": "mix the styles' numbers along the sphere",
    "pixels": "paint with both styles and cross-fade the paintings",
}
"""Names of the ways to mix -> what each does."""


@dataclass(frozen=True)
class Mix:
    """What to paint a frame with.

    ``weights``: keyframe name -> weight, summing to 1; the name `NONE` is the content itself.
    ``strength`` 0..1: 0 is the content itself.
    """

    weights: Mapping[str, float]
    blend: str = "embedding"
    strength: float = 1.0

    @property
    def painted(self) -> float:
        """How much of the result is painted at all, 0..1: the strength, less the weight of the
        content itself.
        """
        return self.strength * (1 - self.weights.get(NONE, 0.0))


@dataclass(frozen=True)
class Key:
    """From ``time`` on (seconds), ``weights`` (keyframe name -> weight) hold; the change to the
    next key is eased.
    """

    time: float
    weights: Mapping[str, float]
    strength: float = 1.0


@dataclass(frozen=True)
class Timeline:
    """Keys in order of time, with the way to go from each to the next.

    >>> line = Timeline.through(["waves", "fire"], duration=10.0, ease="linear")
    >>> line.at(2.5).weights
    {'waves': 0.75, 'fire': 0.25}
    """

    keys: tuple[Key, ...]
    ease: str = "smooth"
    blend: str = "embedding"

    def __post_init__(self) -> None:
        if not self.keys:
            raise UsageError("a timeline needs at least one key; none was given")
        ease_named(self.ease)
        if self.blend not in BLENDS:
            raise unknown("blend", self.blend, BLENDS)
        for key in self.keys:
            if not key.weights or min(key.weights.values()) < 0 or sum(key.weights.values()) <= 0:
                raise UsageError(
                    f"the key at {key.time:g} s has no positive weight; give each key a style"
                )
            if not 0 <= key.strength <= 1:
                raise UsageError(
                    f"strength {key.strength:g} at {key.time:g} s; it goes from 0 to 1"
                )
        object.__setattr__(self, "keys", tuple(sorted(self.keys, key=lambda key: key.time)))

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
    ) -> Timeline:
        """N names, N−1 transitions of one length: the first is pure at ``start``, the last
        ``duration`` s later.
        """
        steps = max(1, len(names) - 1)
        keys = (
            Key(start + duration * i / steps, {name: 1.0}, strength) for i, name in enumerate(names)
        )
        return cls(tuple(keys), ease, blend)

    @property
    def names(self) -> list[str]:
        """Every style that is played, in order of appearance, without the content itself."""
        found = dict.fromkeys(name for key in self.keys for name in key.weights)
        return [name for name in found if name != NONE]

    def at(self, time: float) -> Mix:
        """The mix at ``time`` seconds: before the first key the first one, after the last key the
        last one.
        """
        after = bisect.bisect_right([key.time for key in self.keys], time)
        if after == 0:
            return self._mix(self.keys[0], self.keys[0], 0.0)
        before = self.keys[after - 1]
        if after == len(self.keys):
            return self._mix(before, before, 0.0)
        following = self.keys[after]
        part = (time - before.time) / (following.time - before.time)
        return self._mix(before, following, ease_named(self.ease)(part))

    def _mix(self, before: Key, following: Key, part: float) -> Mix:
        weights = dict.fromkeys([*before.weights, *following.weights], 0.0)
        for key, share in ((before, 1 - part), (following, part)):
            total = sum(key.weights.values())
            for name, weight in key.weights.items():
                weights[name] += share * weight / total
        kept = {name: weight for name, weight in weights.items() if weight > 0}
        strength = (1 - part) * before.strength + part * following.strength
        return Mix(kept, self.blend, strength)


def blend_embeddings(
    embeddings: Sequence[Embedding], weights: Sequence[float], blend: str
) -> Embedding:
    """Mix (dim,) embeddings with ``weights`` (brought to sum 1), along a straight line or along the
    sphere.

    Along the sphere, directions turn at an even speed and lengths change evenly; three or more are
    mixed one after the other, each by its share of what has been mixed so far.
    """
    share = np.asarray(weights, np.float32) / np.float32(sum(weights))
    if blend != "slerp":
        return np.tensordot(share, np.stack(embeddings), 1).astype(np.float32)
    mixed, so_far = np.asarray(embeddings[0], np.float32), float(share[0])
    for embedding, weight in zip(embeddings[1:], share[1:]):
        so_far += float(weight)
        mixed = _slerp(
            mixed, np.asarray(embedding, np.float32), float(weight) / so_far if so_far else 0.0
        )
    return mixed


def _slerp(a: Embedding, b: Embedding, part: float) -> Embedding:
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    straight = ((1 - part) * a + part * b).astype(np.float32)
    if min(length_a, length_b) < 1e-6:
        return straight
    angle = float(np.arccos(np.clip(float(a @ b) / (length_a * length_b), -1, 1)))
    if angle < 1e-4 or angle > np.pi - 1e-4:  # parallel, or opposite with no one way round
        return straight
    length = (1 - part) * length_a + part * length_b
    way = np.sin((1 - part) * angle) * a / length_a + np.sin(part * angle) * b / length_b
    return (way * (length / np.sin(angle))).astype(np.float32)
