"""What a mix means, on plain numbers: embeddings mixed by weights, and the smooth path.

Nothing here knows of times of a film, of pictures or of engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vst.core.types import Embedding

Shares = Mapping[str, float]
"""Name of a style -> its share."""

NOTHING = 1e-9
"""Shares nearer to 0 than this are rounding and are left out."""


def blend_embeddings(
    embeddings: Sequence[Embedding], weights: Sequence[float], blend: str
) -> Embedding:
    """Mix (dim,) embeddings with ``weights`` (brought to sum 1), along a straight line or along the
    sphere.

    Along the sphere, directions turn at an even speed and lengths change evenly; three or more are
    mixed one after the other, each by its share of what has been mixed so far. Negative weights
    lead away from a style: the path ``spline`` has small ones.
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


def combined(terms: Iterable[tuple[float, Shares]]) -> dict[str, float]:
    """The sum of factor times shares, name by name; what is 0 is left out."""
    total: dict[str, float] = {}
    for factor, shares in terms:
        for name, share in shares.items():
            total[name] = total.get(name, 0.0) + factor * share
    return {name: share for name, share in total.items() if abs(share) > NOTHING}


def without(shares: Shares, name: str) -> dict[str, float]:
    """The shares of all others than ``name``, brought to sum 1; empty where there is no other."""
    rest = {other: share for other, share in shares.items() if other != name and share > 0}
    total = sum(rest.values())
    return {other: share / total for other, share in rest.items()}


def velocity(
    before: tuple[float, Shares] | None,
    here: tuple[float, Shares],
    after: tuple[float, Shares] | None,
) -> dict[str, float]:
    """How fast the shares change at a key of a smooth path, per second: (time, shares) of the key
    and of its neighbours (None: there is none, or the path breaks there).

    The secant through both neighbours (Catmull and Rom 1974), for keys at any distances in time. A
    neighbour of the same look is a rest: there the path stands still rather than swing out.
    """
    earlier, later = before or here, after or here
    if later[0] <= earlier[0]:
        return {}
    if any(one is not None and same(one[1], here[1]) for one in (before, after)):
        return {}
    pace = 1 / (later[0] - earlier[0])
    return combined([(pace, later[1]), (-pace, earlier[1])])


def same(one: Shares, other: Shares) -> bool:
    """Whether two looks are the same mix."""
    return all(abs(one.get(name, 0.0) - other.get(name, 0.0)) <= NOTHING for name in {*one, *other})


def hermite(
    start: Shares, leaving: Shares, end: Shares, arriving: Shares, seconds: float, part: float
) -> dict[str, float]:
    """The cubic from ``start`` to ``end`` with these velocities (per second) at its ends, ``part``
    0..1 of the way; the shares sum to 1 as those of the ends do.
    """
    rest = 1 - part
    return combined(
        [
            ((1 + 2 * part) * rest**2, start),
            (part * rest**2 * seconds, leaving),
            ((1 + 2 * rest) * part**2, end),
            (-rest * part**2 * seconds, arriving),
        ]
    )
