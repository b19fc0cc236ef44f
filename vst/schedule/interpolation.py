"""Interpolates embeddings and weights: linear, spherical, and along a smooth path.

Works on plain numbers, without timelines, pictures or engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vst.core.types import Embedding

Weights = Mapping[str, float]
"""Name of a style -> its weight."""

NEGLIGIBLE = 1e-9
"""Weights closer to 0 than this are rounding errors and are dropped."""


def blend_embeddings(
    embeddings: Sequence[Embedding], weights: Sequence[float], blend: str
) -> Embedding:
    """Mix (dim,) embeddings with ``weights``, which are normalized to sum to 1.

    ``blend`` ``slerp`` interpolates along the sphere, with directions and lengths changing at
    constant speed; it mixes three or more embeddings one after the other, each by its share of the
    weights so far. Other blends interpolate linearly. Negative weights, of which a ``spline`` has
    small ones, extrapolate away from a style.
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
    # In float64: near 0 and a half turn, rounding a cosine to float32 moves its angle by 4e-4.
    start, end = np.asarray(a, np.float64), np.asarray(b, np.float64)
    length_a, length_b = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    straight = ((1 - part) * start + part * end).astype(np.float32)
    if min(length_a, length_b) < 1e-6:
        return straight
    angle = float(np.arccos(np.clip(float(start @ end) / (length_a * length_b), -1, 1)))
    if angle < 1e-4 or angle > np.pi - 1e-4:  # parallel, or opposite: no unique way around
        return straight
    length = (1 - part) * length_a + part * length_b
    way = np.sin((1 - part) * angle) * start / length_a + np.sin(part * angle) * end / length_b
    return (way * (length / np.sin(angle))).astype(np.float32)


def combine_weights(terms: Iterable[tuple[float, Weights]]) -> dict[str, float]:
    """Return the sum of factor times weights, by name, without weights of 0."""
    total: dict[str, float] = {}
    for factor, weights in terms:
        for name, weight in weights.items():
            total[name] = total.get(name, 0.0) + factor * weight
    return {name: weight for name, weight in total.items() if abs(weight) > NEGLIGIBLE}


def drop_name(weights: Weights, name: str) -> dict[str, float]:
    """Return the positive weights without that of ``name``, normalized to sum to 1, or empty."""
    rest = {other: weight for other, weight in weights.items() if other != name and weight > 0}
    total = sum(rest.values())
    return {other: weight / total for other, weight in rest.items()}


def compute_velocity(
    before: tuple[float, Weights] | None,
    here: tuple[float, Weights],
    after: tuple[float, Weights] | None,
) -> dict[str, float]:
    """Return the rate of change of the weights, per second, at a key of a smooth path.

    Each argument is (time, weights): of the key (``here``) and of its neighbors (None where there
    is none, or where the path is interrupted). The rate is the secant through both neighbors
    (Catmull and Rom 1974), for keys at any distance in time. It is 0 next to a neighbor with equal
    weights, so that the path rests there instead of overshooting.
    """
    earlier, later = before or here, after or here
    if later[0] <= earlier[0]:
        return {}
    if any(key is not None and are_equal(key[1], here[1]) for key in (before, after)):
        return {}
    pace = 1 / (later[0] - earlier[0])
    return combine_weights([(pace, later[1]), (-pace, earlier[1])])


def are_equal(one: Weights, other: Weights) -> bool:
    """Report whether two mixes have equal weights."""
    return all(
        abs(one.get(name, 0.0) - other.get(name, 0.0)) <= NEGLIGIBLE for name in {*one, *other}
    )


def interpolate_hermite(
    start: Weights, leaving: Weights, end: Weights, arriving: Weights, seconds: float, part: float
) -> dict[str, float]:
    """Return the weights on the cubic Hermite curve from ``start`` to ``end`` at ``part`` (0..1).

    ``leaving`` and ``arriving``: the rates of change at the ends, per second. ``seconds``: the time
    between the ends. The weights sum to 1 if those of the ends do.
    """
    rest = 1 - part
    return combine_weights(
        [
            ((1 + 2 * part) * rest**2, start),
            (part * rest**2 * seconds, leaving),
            ((1 + 2 * rest) * part**2, end),
            (-rest * part**2 * seconds, arriving),
        ]
    )
