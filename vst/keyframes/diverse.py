"""Pick keyframes that are as far apart in style space as the video allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import survey_frames
from vst.video.sources.base import FrameReader

Numbers = npt.NDArray[np.float64]


class DiversePicker(Picker):
    """Samples pictures from the whole video and picks by farthest-point selection.

    The first is the farthest from the mean of all; each next one is the farthest from its nearest
    chosen neighbor (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985).
    """

    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        found = survey_frames(source, with_samples=True)
        good = {found.times[n] for n in found.usable}
        # The survey thins out long videos: a sample between two of its frames counts as usable.
        surveyed = set(found.times)
        samples = [
            sample for sample in found.samples if sample[0] in good or sample[0] not in surveyed
        ]
        if len(samples) < count:
            times = [time for time, _ in samples] or [found.times[len(found.times) // 2]]
            return KeyframeSelection(tuple(times), tuple(found.format_notes()))
        numbers = describe_styles([picture for _, picture in samples], embed)
        taken: list[int] = []
        duplicates = 0
        for index in order_by_distance(numbers, len(samples)):
            if len(taken) == count:
                break
            frames = [found.find_frame_at(samples[n][0]) for n in taken]
            if found.find_duplicate(found.find_frame_at(samples[index][0]), frames) is None:
                taken.append(index)
            else:
                duplicates += 1
        return KeyframeSelection(
            tuple(sorted(samples[n][0] for n in taken)), tuple(found.format_notes(duplicates))
        )


def order_by_distance(numbers: Numbers, count: int) -> list[int]:
    """Return ``count`` row indices of (rows, dim) numbers, each the farthest from those before."""
    away = np.linalg.norm(numbers - numbers.mean(0), axis=1)
    order = [int(away.argmax())]
    nearest = np.linalg.norm(numbers - numbers[order[0]], axis=1)
    while len(order) < count:
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(numbers - numbers[order[-1]], axis=1))
    return order


def describe_styles(pictures: Sequence[Picture], embed: Embed | None) -> Numbers:
    """Describe the styles of pictures as rows (pictures, dim): embeddings, or statistics."""
    rows = [np.asarray((embed or compute_statistics)(picture), np.float64) for picture in pictures]
    return np.stack(rows)


def measure_distances(numbers: Numbers) -> Numbers:
    """Compute the Euclidean distance of each row to each other row, (rows, rows)."""
    return np.asarray(np.linalg.norm(numbers[:, None] - numbers[None], axis=2))


def compute_statistics(picture: Picture) -> npt.NDArray[np.float32]:
    """Describe colors and texture by 14 numbers of about 0..1, for engines without embeddings.

    Means and deviations in Lab, covariances of its channels, and the energy of vertical and
    horizontal edges at 128 x 128 pixels, half and a quarter of that.
    """
    small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    lab: Any = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    lab = lab / np.array([100, 64, 64], np.float32)
    colors = lab.reshape(-1, 3)
    covariance = np.cov(colors.T)
    parts = [colors.mean(0), colors.std(0) * 2, covariance[[0, 1], [1, 2]] * 4]
    bright = lab[..., 0]
    for _ in range(3):
        for way in ((1, 0), (0, 1)):
            parts.append(np.sqrt([np.square(cv2.Sobel(bright, cv2.CV_32F, *way) / 4).mean()]) * 3)
        bright = cv2.pyrDown(bright)
    return np.concatenate(parts).astype(np.float32)
