"""The frames that differ most from their neighbours: what the report left as future work."""

from __future__ import annotations

import numpy as np

from vst.keyframes.base import Embed, Film, Picked, Picker
from vst.keyframes.survey import Survey, survey

APART = 4.0
"""Keyframes are at least the film's length / (this * count) apart, while enough frames are left."""


class ChangePicker(Picker):
    """The frames with the largest mean squared error to the frame before and the frame after."""

    def pick(self, film: Film, count: int, embed: Embed | None = None) -> Picked:
        found = survey(film)
        change = changes(found)
        ranked = sorted(found.good or [len(found.times) // 2], key=lambda n: -change[n])
        apart = film.info.duration / (APART * count)
        taken: list[int] = []
        doubles: set[int] = set()
        # Both frames at a cut change much, and so do their neighbours: first those well apart.
        for distance in (apart, 0.0):
            for number in ranked:
                if len(taken) == count:
                    break
                near = (abs(found.times[number] - found.times[n]) < distance for n in taken)
                if number in taken or any(near):
                    continue
                if found.same(number, taken) is None:
                    taken.append(number)
                else:
                    doubles.add(number)
        times = tuple(sorted(found.times[n] for n in taken))
        return Picked(times, tuple(found.notes(len(doubles))))


def changes(found: Survey) -> list[float]:
    """Each frame's mean squared error to its neighbours, mean of both; the ends have one."""
    prints = found.prints
    if len(prints) < 2:
        return [0.0] * len(prints)
    steps = np.square(prints[1:] - prints[:-1]).mean((1, 2, 3))
    before, after = np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])
    return [float(change) for change in (before + after) / 2]
