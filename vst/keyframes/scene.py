"""One keyframe for each scene of the style video."""

from __future__ import annotations

from vst.keyframes.base import Embed, Film, Picked, Picker
from vst.keyframes.survey import Survey, spread_over, survey


class ScenePicker(Picker):
    """The middle of each scene; scenes are found by their cuts, and by fades through black.

    Of more scenes than wanted, the longest are taken; where there are fewer, the longest is split,
    and again the longest of what there is then.
    """

    def pick(self, film: Film, count: int, embed: Embed | None = None) -> Picked:
        found = survey(film)
        groups = found.groups() or [list(range(len(found.times)))]
        notes = found.notes()
        if len(groups) > count:
            notes.append(f"{len(groups)} scenes were found; the {count} longest are taken")
            groups = sorted(sorted(groups, key=len, reverse=True)[:count])
        runs = [
            run for group, n in zip(groups, shares(groups, count)) for run in spread_over(group, n)
        ]
        taken: list[int] = []
        doubles = 0
        for run in runs:
            middle = (found.times[run[0]] + found.times[run[-1]]) / 2
            number = nearest_new(found, run, middle, taken)
            if number is None:
                doubles += 1
            else:
                taken.append(number)
        if doubles:
            notes.append(f"{doubles} scenes or parts of one look like another and give no keyframe")
        return Picked(tuple(sorted(found.times[n] for n in taken)), tuple(notes))


def shares(groups: list[list[int]], count: int) -> list[int]:
    """In how many parts each group is cut so that there are ``count`` in all, as even as can be."""
    parts = [1] * len(groups)
    while sum(parts) < count:
        longest = max(range(len(groups)), key=lambda n: len(groups[n]) / parts[n])
        if parts[longest] >= len(groups[longest]):
            break
        parts[longest] += 1
    return parts


def nearest_new(found: Survey, run: list[int], time: float, taken: list[int]) -> int | None:
    """The frame of ``run`` nearest to ``time`` that does not look the same as one taken already."""
    for number in sorted(run, key=lambda n: abs(found.times[n] - time)):
        if found.same(number, taken) is None:
            return number
    return None
