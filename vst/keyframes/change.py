"""Pick the frames that differ most from their neighbors (the report's future work)."""

from __future__ import annotations

import numpy as np

from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import FrameSurvey, survey_frames
from vst.video.sources.base import FrameReader

APART = 4.0
"""Keyframes are at least the video's length / (`APART` * count) apart, while frames last."""


class ChangePicker(Picker):
    """Picks the frames with the largest mean squared error to the frames before and after."""

    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        found = survey_frames(source)
        change = measure_changes(found)
        ranked = sorted(found.usable or [len(found.times) // 2], key=lambda n: -change[n])
        apart = source.info.duration / (APART * count)
        taken: list[int] = []
        duplicates: set[int] = set()
        # The frames on both sides of a cut change much, so take those well apart first.
        for distance in (apart, 0.0):
            for number in ranked:
                if len(taken) == count:
                    break
                near = (abs(found.times[number] - found.times[n]) < distance for n in taken)
                if number in taken or any(near):
                    continue
                if found.find_duplicate(number, taken) is None:
                    taken.append(number)
                else:
                    duplicates.add(number)
        times = tuple(sorted(found.times[n] for n in taken))
        return KeyframeSelection(times, tuple(found.format_notes(len(duplicates))))


def measure_changes(found: FrameSurvey) -> list[float]:
    """Compute each frame's mean squared error to its neighbors; the two ends have one neighbor."""
    stack = found.thumbnail_stack
    if len(stack) < 2:
        return [0.0] * len(stack)
    steps = np.square(stack[1:] - stack[:-1]).mean((1, 2, 3))
    before, after = np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])
    return [float(change) for change in (before + after) / 2]
