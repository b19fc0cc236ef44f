"""Pick one keyframe for each shot of the style video."""

from __future__ import annotations

from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import FrameSurvey, split_evenly, survey_frames
from vst.video.sources.base import FrameReader


class ScenePicker(Picker):
    """Takes the middle of each shot; cuts and fades through black separate shots.

    Of more shots than ``count``, the longest are taken; of fewer, the longest is split until there
    are enough.
    """

    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        found = survey_frames(source)
        groups = found.group_by_shot() or [list(range(len(found.times)))]
        notes = found.format_notes()
        if len(groups) > count:
            notes.append(f"{len(groups)} shots were found; the {count} longest are taken")
            groups = sorted(sorted(groups, key=len, reverse=True)[:count])
        runs = [
            run
            for group, n in zip(groups, allot_parts(groups, count))
            for run in split_evenly(group, n)
        ]
        taken: list[int] = []
        duplicates = 0
        for run in runs:
            middle = (found.times[run[0]] + found.times[run[-1]]) / 2
            number = find_nearest_new(found, run, middle, taken)
            if number is None:
                duplicates += 1
            else:
                taken.append(number)
        if duplicates:
            notes.append(f"{duplicates} shots or parts of one are duplicates and give no keyframe")
        return KeyframeSelection(tuple(sorted(found.times[n] for n in taken)), tuple(notes))


def allot_parts(groups: list[list[int]], count: int) -> list[int]:
    """Decide into how many parts to split each group, so that there are ``count`` in all and the
    parts are as even as possible.
    """
    parts = [1] * len(groups)
    while sum(parts) < count:
        longest = max(range(len(groups)), key=lambda n: len(groups[n]) / parts[n])
        if parts[longest] >= len(groups[longest]):
            break
        parts[longest] += 1
    return parts


def find_nearest_new(
    found: FrameSurvey, run: list[int], time: float, taken: list[int]
) -> int | None:
    """Find the frame of ``run`` nearest to ``time`` that duplicates no frame in ``taken``."""
    for number in sorted(run, key=lambda n: abs(found.times[n] - time)):
        if found.find_duplicate(number, taken) is None:
            return number
    return None
