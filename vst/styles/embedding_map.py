"""Maps of a style space, walks through it, and nearest neighbors.

A map projects embeddings of a hundred numbers or more to a plane. The axes are the first two
principal components of the given styles, which equals classical scaling of their Euclidean
distances: no other linear projection to a plane keeps more of the squared distances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Embedding
from vst.errors import UsageError
from vst.schedule.interpolation import blend_embeddings
from vst.schedule.timeline import Timeline

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpaceMap:
    """Styles on a plane.

    ``places``: (N, 2), in units of the style space, with the styles' mean at (0, 0). ``mean``
    (dim,) and ``axes`` (2, dim) project other embeddings onto the same map. ``kept``: 0..1, the
    share of the squared distances that the plane shows.
    """

    names: tuple[str, ...]
    places: Numbers
    mean: Numbers
    axes: Numbers
    kept: float

    def project(self, embeddings: npt.ArrayLike) -> Numbers:
        """Project embeddings, (dim,) or (N, dim), onto this map: (2,) or (N, 2)."""
        numbers = np.asarray(embeddings, np.float64)
        if numbers.shape[-1:] != self.mean.shape:
            raise UsageError(
                f"embeddings of shape {numbers.shape} do not fit the map, which is made of "
                f"embeddings of {self.mean.size} numbers. Embed them with the map's engine."
            )
        return (numbers - self.mean) @ self.axes.T

    place_of = project
    """The earlier name of `project`."""


def map_space(styles: Mapping[str, Embedding]) -> SpaceMap:
    """Map at least two styles, name -> embedding (dim,), all of the same space."""
    rows = _stack_embeddings(styles)
    mean = rows.mean(0)
    _, spread, axes = np.linalg.svd(rows - mean, full_matrices=False)
    axes = np.concatenate([axes, np.zeros((2, axes.shape[1]))])[:2]
    # The sign of an axis is arbitrary: its largest number is made positive, so that the same styles
    # give the same map on every machine.
    largest = axes[np.arange(2), np.abs(axes).argmax(1)]
    axes = axes * np.where(largest < 0, -1.0, 1.0)[:, None]
    total = float(np.square(spread).sum())
    kept = float(np.square(spread[:2]).sum()) / total if total else 1.0
    return SpaceMap(tuple(styles), (rows - mean) @ axes.T, mean, axes, kept)


def walk(
    styles: Sequence[npt.ArrayLike], steps: int, blend: str = "embedding"
) -> npt.NDArray[np.float32]:
    """Return embeddings, (steps, dim), at equal times of a walk from each style (dim,) to the next.

    ``blend``: a name in `vst.schedule.timeline.BLENDS`.
    """
    if steps < 2 or not len(styles):
        raise UsageError(
            f"a walk of {steps} steps through {len(styles)} styles is too short. "
            "Give at least two steps and one style."
        )
    numbers = [np.asarray(style, np.float32) for style in styles]
    line = Timeline.through([str(i) for i in range(len(styles))], 1.0, ease="linear", blend=blend)
    mixes = [line.at(index / (steps - 1)) for index in range(steps)]
    return np.stack(
        [
            blend_embeddings(
                [numbers[int(name)] for name in mix.weights], list(mix.weights.values()), blend
            )
            for mix in mixes
        ]
    )


def find_nearest_styles(
    styles: Mapping[str, Embedding], embedding: npt.ArrayLike, count: int = 5
) -> list[tuple[str, float]]:
    """Return the ``count`` styles nearest to an embedding (dim,), the nearest first.

    Each is (name, Euclidean distance).
    """
    rows: Any = _stack_embeddings(styles)
    gaps = np.linalg.norm(rows - np.asarray(embedding, np.float64), axis=1)
    order = np.argsort(gaps, kind="stable")[:count]
    names = list(styles)
    return [(names[index], float(gaps[index])) for index in order]


def _stack_embeddings(styles: Mapping[str, Embedding]) -> Numbers:
    sizes = {np.shape(style) for style in styles.values()}
    if len(styles) < 2 or len(sizes) != 1:
        raise UsageError(
            f"{len(styles)} styles of shapes {sorted(sizes)} cannot be compared. "
            "Give at least two of the same style space."
        )
    return np.stack([np.asarray(style, np.float64) for style in styles.values()])
