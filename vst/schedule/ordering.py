"""Orders styles: as given, by time, by name, or along the shortest path through their embeddings.

The shortest path makes the sum of the changes between consecutive styles minimal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vst.core.registry import make_unknown_error
from vst.core.types import Embedding
from vst.errors import UsageError

ORDERS = {
    "given": "as the styles are given",
    "time": "by the keyframes' times in their style videos",
    "name": "by name, with numbers in numerical order",
    "path": "along the shortest path through the styles' embeddings",
}
"""Name of an order -> its description."""

EXACT_LIMIT = 10
"""Number of styles up to which the shortest path is exact; beyond it, local search finds one."""


def order_styles(
    order: str,
    names: Sequence[str],
    times: Sequence[float],
    embeddings: Sequence[Embedding] | None = None,
    *,
    loop: bool = False,
) -> list[int]:
    """Return the indices of the styles in the given order, a name in `ORDERS`.

    ``times``: seconds of each style. ``embeddings``: (dim,) each, needed for ``path`` only. With
    ``loop`` the path returns to its first style, which is the first one given. Raises
    `UnknownNameError` for another order, `UsageError` for a path without embeddings.
    """
    if order not in ORDERS:
        raise make_unknown_error("order", order, ORDERS)
    if order == "time":
        return sorted(range(len(names)), key=lambda index: times[index])
    if order == "name":
        return sorted(range(len(names)), key=lambda index: natural_sort_key(names[index]))
    if order == "path":
        if embeddings is None:
            raise UsageError(
                "order 'path' needs the styles' embeddings, which this engine does not have. "
                "Use an engine with embeddings, or order by time or name."
            )
        return find_shortest_path(
            np.stack([np.asarray(one, np.float64) for one in embeddings]), loop
        )
    return list(range(len(names)))


def natural_sort_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts film-2 before film-10."""
    return [
        (0, int(piece), "") if piece.isdigit() else (1, 0, piece.lower())
        for piece in re.findall(r"\d+|\D+", name)
    ]


def find_shortest_path(points: npt.NDArray[np.float64], loop: bool = False) -> list[int]:
    """Return the order of the points (N, dim) in which the path through all of them is shortest.

    An open path starts at whichever end has the lower index; with ``loop`` the path is closed and
    starts at point 0. Exact up to `EXACT_LIMIT` points; beyond, the best 2-opt solution of up to
    about 60 starts.
    """
    count = len(points)
    if count < 3:
        return list(range(count))
    between = np.linalg.norm(points[:, None] - points[None], axis=2)
    found = (
        _solve_exactly(between, loop) if count <= EXACT_LIMIT else _solve_by_search(between, loop)
    )
    if loop:
        start = found.index(0)
        found = found[start:] + found[:start]
        return found if found[1] <= found[-1] else [0, *reversed(found[1:])]
    return found if found[0] <= found[-1] else found[::-1]


def measure_path(
    between: npt.NDArray[np.float64], path: Sequence[int], loop: bool = False
) -> float:
    """Return the length of a path; ``between``: (N, N) distances."""
    closing = between[path[-1], path[0]] if loop else 0.0
    return float(between[path[:-1], path[1:]].sum() + closing)


def _solve_exactly(between: npt.NDArray[np.float64], loop: bool) -> list[int]:
    """Solve by dynamic programming over sets of points and their last point (Held, Karp 1962)."""
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


def _solve_by_search(between: npt.NDArray[np.float64], loop: bool) -> list[int]:
    """Improve nearest-neighbor paths from several starts, and return the shortest."""
    count = len(between)
    starts = range(count) if count <= 60 else range(0, count, count // 60)
    paths = (_shorten_path(between, _visit_nearest_first(between, start), loop) for start in starts)
    return min(paths, key=lambda path: measure_path(between, path, loop))


def _visit_nearest_first(between: npt.NDArray[np.float64], start: int) -> list[int]:
    """Return the path that always goes on to the nearest point not visited yet."""
    path, left = [start], set(range(len(between))) - {start}
    while left:
        here = path[-1]
        path.append(min(left, key=lambda point: float(between[here, point])))
        left.remove(path[-1])
    return path


def _shorten_path(between: npt.NDArray[np.float64], path: list[int], loop: bool) -> list[int]:
    """Improve a path by 2-opt: reverse the section that saves most until none saves anything."""
    route = np.array(path)
    count = len(route)
    for _ in range(20 * count):
        # Reversing i..j changes only the steps into and out of the section; an open path has no
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
