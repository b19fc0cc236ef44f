"""Turns votes on pairs into a ranking with its uncertainty (Bradley and Terry 1952).

Each video has a strength s; i is preferred to j with probability 1 / (1 + exp(s_j - s_i)), and "no
difference" counts as half a vote for each. A normal prior keeps strengths finite where one video
has won every vote. Laplace's approximation around the most likely strengths gives the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.errors import UsageError

SPREAD = 2.0
"""Standard deviation of the prior of a strength: two as far apart as it are 88 to 12."""
DRAWS = 4000
"""Draws from what is known of the strengths, for the intervals of the places."""
STEPS = 60
"""Newton's method takes about six; each step at most halves or doubles the odds fourfold."""
LARGEST_STEP = 2.0
WITHIN = (0.025, 0.975)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preference:
    """One vote: ``first`` against ``second``; ``won`` is 1, 0, or 0.5 where neither was better."""

    first: str
    second: str
    won: float


@dataclass(frozen=True)
class Standing:
    """The estimate for one video.

    ``strength``: log odds against an average one; the interval ``low``..``high`` holds it with 95
    %. ``share``: the probability of being preferred to an average one. ``best``: the probability of
    being the best of all. The places ``from_place``..``to_place``, 1 the first, hold it with 95 %.
    """

    name: str
    votes: int
    won: float
    strength: float
    low: float
    high: float
    share: float
    best: float
    from_place: int
    to_place: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def rank(
    names: Sequence[str],
    votes: Sequence[Preference],
    *,
    spread: float = SPREAD,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Standing]:
    """Rank the videos from best to worst, with intervals."""
    if len(set(names)) != len(names) or not names:
        raise UsageError(f"{len(names)} names, {len(set(names))} of them different. Give each once")
    at = {name: index for index, name in enumerate(names)}
    strange = {name for vote in votes for name in (vote.first, vote.second) if name not in at}
    if strange:
        raise UsageError(f"votes on {sorted(strange)[0]!r}, which is not among the videos")
    first = np.array([at[vote.first] for vote in votes], int)
    second = np.array([at[vote.second] for vote in votes], int)
    won = np.array([vote.won for vote in votes], float)
    strengths, spreads = fit_strengths(len(names), first, second, won, spread)
    deviations = np.sqrt(np.diag(spreads))
    drawn = np.random.default_rng(seed).multivariate_normal(strengths, spreads, draws)
    ranks = 1 + np.argsort(np.argsort(-drawn, axis=1), axis=1)
    best = (ranks == 1).mean(0)
    places = []
    for name, index in at.items():
        strength, reach = float(strengths[index]), 1.959964 * float(deviations[index])
        from_place, to_place = np.quantile(ranks[:, index], WITHIN, method="nearest")
        places.append(
            Standing(
                name=name,
                votes=int((first == index).sum() + (second == index).sum()),
                won=float(won[first == index].sum() + (1 - won[second == index]).sum()),
                strength=strength,
                low=strength - reach,
                high=strength + reach,
                share=float(compute_win_chance(strengths[index])),
                best=float(best[index]),
                from_place=int(from_place),
                to_place=int(to_place),
            )
        )
    return sorted(places, key=lambda place: -place.strength)


def compute_win_chance(difference: Values | float) -> Values:
    """Return the probability of a win at this difference of strengths."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(difference, float))))


def fit_strengths(
    count: int,
    first: npt.NDArray[np.int_],
    second: npt.NDArray[np.int_],
    won: Values,
    spread: float,
) -> tuple[Values, Values]:
    """Fit the most likely strengths, with mean 0, and their covariance."""
    strengths = np.zeros(count)
    held = np.eye(count) / spread**2
    for _ in range(STEPS):
        slope, curvature = compute_derivatives(strengths, first, second, won)
        step = np.linalg.solve(curvature + held, slope - strengths / spread**2)
        strengths = strengths + step * min(1.0, LARGEST_STEP / max(1e-12, np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    _, curvature = compute_derivatives(strengths, first, second, won)
    # Only differences mean something: what all have in common is taken out.
    centred = np.eye(count) - 1 / count
    return centred @ strengths, centred @ np.linalg.inv(curvature + held) @ centred


def compute_derivatives(
    strengths: Values, first: npt.NDArray[np.int_], second: npt.NDArray[np.int_], won: Values
) -> tuple[Values, Values]:
    """Compute the gradient of the votes' log likelihood, and its negative Hessian."""
    slope, curvature = np.zeros(len(strengths)), np.zeros((len(strengths),) * 2)
    expected = compute_win_chance(strengths[first] - strengths[second])
    np.add.at(slope, first, won - expected)
    np.add.at(slope, second, expected - won)
    weight = expected * (1 - expected)
    for a, b, sign in ((first, first, 1), (second, second, 1), (first, second, -1)):
        np.add.at(curvature, (a, b), sign * weight)
    np.add.at(curvature, (second, first), -weight)
    return slope, curvature
