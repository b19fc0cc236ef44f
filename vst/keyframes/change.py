"""Pick the frames that differ most from their neighbors (the report's future work)."""

from __future__ import annotations

import numpy as np

from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import FrameSurvey, survey_frames
from vst.video.sources.base import FrameReader

APART = 4.0
"""Keyframes are at least the video's length / (`APART` * count) apart, while frames last."""


class ChangePicker(Picker):
    """Picks the frames with the largest mean squared error to their usable neighbors."""

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
    """Compute each frame's mean squared error to its usable neighbors; 0 where it has none.

    What comes and goes with a fade, a blank frame or a title is not a change of the picture.
    """
    stack, usable = found.thumbnail_stack, set(found.usable)
    changes = []
    for number in range(len(stack)):
        near = [n for n in (number - 1, number + 1) if n in usable]
        steps = [float(np.square(stack[number] - stack[n]).mean()) for n in near]
        changes.append(sum(steps) / len(steps) if steps else 0.0)
    return changes
