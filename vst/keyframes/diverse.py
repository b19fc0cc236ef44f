"""N keyframes with N different looks: as far apart in style space as the film has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.keyframes.base import Embed, Film, KeyframeSelection, Picker
from vst.keyframes.survey import survey_frames

Numbers = npt.NDArray[np.float64]


class DiversePicker(Picker):
    """Farthest-point choice among pictures from all over the film.

    The first is the one farthest from the mean of all; each next one is that whose nearest taken
    neighbour is farthest away (Gonzalez, "Clustering to minimize the maximum intercluster
    distance", 1985).
    """

    def pick(self, film: Film, count: int, embed: Embed | None = None) -> KeyframeSelection:
        found = survey_frames(film, stills=True)
        good = {found.times[n] for n in found.good}
        # Of a long film not every frame is kept: a picture between two kept ones is not judged.
        kept = set(found.times)
        stills = [still for still in found.stills if still[0] in good or still[0] not in kept]
        if len(stills) < count:
            times = [time for time, _ in stills] or [found.times[len(found.times) // 2]]
            return KeyframeSelection(tuple(times), tuple(found.notes()))
        numbers = describe_styles([picture for _, picture in stills], embed)
        taken: list[int] = []
        doubles = 0
        for index in order_by_distance(numbers, len(stills)):
            if len(taken) == count:
                break
            frames = [found.shown_at(stills[n][0]) for n in taken]
            if found.same(found.shown_at(stills[index][0]), frames) is None:
                taken.append(index)
            else:
                doubles += 1
        return KeyframeSelection(
            tuple(sorted(stills[n][0] for n in taken)), tuple(found.notes(doubles))
        )


def order_by_distance(numbers: Numbers, count: int) -> list[int]:
    """Indices of ``count`` rows of (rows, dim) numbers, each as far from those before as can be."""
    away = np.linalg.norm(numbers - numbers.mean(0), axis=1)
    order = [int(away.argmax())]
    nearest = np.linalg.norm(numbers - numbers[order[0]], axis=1)
    while len(order) < count:
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(numbers - numbers[order[-1]], axis=1))
    return order


def describe_styles(pictures: Sequence[Picture], embed: Embed | None) -> Numbers:
    """The looks of pictures as rows of numbers, (pictures, dim): by ``embed``, or by statistics."""
    rows = [np.asarray((embed or compute_statistics)(picture), np.float64) for picture in pictures]
    return np.stack(rows)


def measure_distances(numbers: Numbers) -> Numbers:
    """How far each row is from each other one: Euclidean, (rows, rows)."""
    return np.asarray(np.linalg.norm(numbers[:, None] - numbers[None], axis=2))


def compute_statistics(picture: Picture) -> npt.NDArray[np.float32]:
    """A picture's colours and texture, 14 numbers of about 0..1, where no engine can tell styles.

    Means and deviations in Lab, the correlations between its channels, and the energy of upright
    and level edges at full, half and quarter size of 128 x 128 pixels.
    """
    small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    lab: Any = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    lab = lab / np.array([100, 64, 64], np.float32)
    colours = lab.reshape(-1, 3)
    covariance = np.cov(colours.T)
    parts = [colours.mean(0), colours.std(0) * 2, covariance[[0, 1], [1, 2]] * 4]
    bright = lab[..., 0]
    for _ in range(3):
        for way in ((1, 0), (0, 1)):
            parts.append(np.sqrt([np.square(cv2.Sobel(bright, cv2.CV_32F, *way) / 4).mean()]) * 3)
        bright = cv2.pyrDown(bright)
    return np.concatenate(parts).astype(np.float32)
