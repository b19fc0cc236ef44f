"""In which order several looks are played: as given, by time, by name, or along the shortest path.

The shortest path goes through the styles' numbers: each change is then as small as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vst.core.registry import unknown
from vst.core.types import Embedding
from vst.errors import UsageError

ORDERS = {
    "given": "as the styles are given",
    "time": "by the looks' times in their style videos",
    "name": "by name, numbers by their size",
    "path": "along the shortest path through the styles' numbers",
}
"""Names of the orders -> what each does."""

EXACT = 10
"""Looks up to which the shortest path is found by trying all; beyond, by improving a good one."""


def ordered(
    order: str,
    names: Sequence[str],
    times: Sequence[float],
    embeddings: Sequence[Embedding] | None = None,
    *,
    loop: bool = False,
) -> list[int]:
    """The indices of the looks in the order that they are played (a name of `ORDERS`).

    ``times``: seconds of each look. ``embeddings``: (dim,) each, needed for the path alone. With
    ``loop`` the path comes back to its first look, which is the first one given.
    """
    if order not in ORDERS:
        raise unknown("order", order, ORDERS)
    if order == "time":
        return sorted(range(len(names)), key=lambda index: times[index])
    if order == "name":
        return sorted(range(len(names)), key=lambda index: natural(names[index]))
    if order == "path":
        if embeddings is None:
            raise UsageError(
                "order 'path' needs the styles' numbers, which this engine does not have; "
                "use an engine with embeddings, or order by time or name"
            )
        return shortest_path(np.stack([np.asarray(one, np.float64) for one in embeddings]), loop)
    return list(range(len(names)))


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts film-2 before film-10."""
    return [
        (0, int(piece), "") if piece.isdigit() else (1, 0, piece.lower())
        for piece in re.findall(r"\d+|\D+", name)
    ]


def shortest_path(points: npt.NDArray[np.float64], loop: bool = False) -> list[int]:
    """The order of the points (N, dim) in which the way through all of them is shortest.

    Open at both ends, beginning with the end that was given earlier; with ``loop`` closed, and
    beginning with point 0. Exact up to `EXACT` points; beyond, the best of many starts that no
    reversal of a piece can shorten.
    """
    count = len(points)
    if count < 3:
        return list(range(count))
    between = np.linalg.norm(points[:, None] - points[None], axis=2)
    found = _exact(between, loop) if count <= EXACT else _improved(between, loop)
    if loop:
        start = found.index(0)
        found = found[start:] + found[:start]
        return found if found[1] <= found[-1] else [0, *reversed(found[1:])]
    return found if found[0] <= found[-1] else found[::-1]


def path_length(between: npt.NDArray[np.float64], path: Sequence[int], loop: bool = False) -> float:
    """The length of the way; ``between``: (N, N) distances."""
    closing = between[path[-1], path[0]] if loop else 0.0
    return float(between[path[:-1], path[1:]].sum() + closing)


def _exact(between: npt.NDArray[np.float64], loop: bool) -> list[int]:
    """Held and Karp (1962): the best way through each set of points to each last one."""
    count = len(between)
    best = np.full((1 << count, count), np.inf)
    come_from = np.zeros((1 << count, count), np.int64)
    for start in range(1 if loop else count):
        best[1 << start, start] = 0.0
    for visited in range(1 << count):
        for point in range(count):
            if visited >> point & 1 and visited != 1 << point:
                ways = best[visited ^ (1 << point)] + between[:, point]
                come_from[visited, point] = int(ways.argmin())
                best[visited, point] = ways[come_from[visited, point]]
    visited = (1 << count) - 1
    point = int((best[visited] + (between[:, 0] if loop else 0.0)).argmin())
    path = []
    while visited:
        path.append(point)
        visited, point = visited ^ (1 << point), int(come_from[visited, point])
    return path


def _improved(between: npt.NDArray[np.float64], loop: bool) -> list[int]:
    count = len(between)
    starts = range(count) if count <= 60 else range(0, count, count // 60)
    paths = (_shortened(between, _nearest_first(between, start), loop) for start in starts)
    return min(paths, key=lambda path: path_length(between, path, loop))


def _nearest_first(between: npt.NDArray[np.float64], start: int) -> list[int]:
    path, left = [start], set(range(len(between))) - {start}
    while left:
        here = path[-1]
        path.append(min(left, key=lambda point: float(between[here, point])))
        left.remove(path[-1])
    return path


def _shortened(between: npt.NDArray[np.float64], path: list[int], loop: bool) -> list[int]:
    """2-opt: reverse the piece that saves most, until none does."""
    route = np.array(path)
    count = len(route)
    for _ in range(20 * count):
        # Reversing i..j changes only the two steps into and out of the piece; an open way has no
        # step before its first point and none after its last.
        first, second = np.triu_indices(count, 1)
        inner, outer = route[first], route[second]
        into, out = route[first - 1], route[(second + 1) % count]
        has_into = (first > 0) | loop
        has_out = (second < count - 1) | loop
        saved = has_into * (between[into, inner] - between[into, outer]) + has_out * (
            between[outer, out] - between[inner, out]
        )
        saved[(first == 0) & (second == count - 1)] = 0
        best = int(saved.argmax())
        if saved[best] <= 1e-12:
            break
        i, j = int(first[best]), int(second[best])
        route[i : j + 1] = route[i : j + 1][::-1].copy()
    return [int(point) for point in route]
